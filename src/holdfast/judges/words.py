"""Makes answers into words: takes thoughts, quotations and code out, and says which answers hold nothing to read."""

import re
from collections.abc import Sequence

from holdfast.models.thoughts import split_thought

HEAD, TAIL = 900, 300
"""Characters that are read of a long answer's opening and of its end; up to `HEAD + TAIL` all is read."""

BREAK, ITEM, CODE, QUOTE = "\x00", "\x01", "\x02", "\x03"
"""What stands between answers, for the mark of a list, for a block of code, and for quoted speech."""

MARKERS = BREAK + ITEM + CODE + QUOTE

LAST, PERIOD, FEW = 60, 20, 20
"""Words at the end that show a loop, the longest loop, and the fewest words of which one can be told."""

MARKS = re.compile(r"<\|[a-z_]+\|>|</?(?:answer|response|output|s)>|\[/?inst\]", re.IGNORECASE)
FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
QUOTED = re.compile(r'"[^"\n]{1,240}"')
LISTED = re.compile(r"\n\s*(?:\d{1,2}[.)]|[-*•+])\s+")
TOKEN = re.compile("[a-z\x80-\U0010ffff][a-z'\x80-\U0010ffff]*+|[.!?:;](?![a-z0-9])|[\n\x00-\x03]|[0-9](?![0-9])")
"""A word (whatever is no ASCII counts as letters), a sentence's end, a mark, or a number's last digit."""

STRAIGHT = str.maketrans("’‘“”„«»。！？，、—–…•\xa0", "''" + '"' * 5 + ".!?,,  .* ", MARKERS)


def spoken(answer: str) -> str | None:
    """What an answer says after its last closed thought; None where a thought was opened and never closed."""
    if "<" in answer or "[" in answer or "◁" in answer:
        thought, answer = split_thought(answer)
        if thought and not answer:
            return None
        answer = MARKS.sub(" ", answer)
    return answer.strip()


def tokens(said: Sequence[str]) -> list[str]:
    """The words, list marks and sentence ends of all texts in a row; `BREAK` comes before each text."""
    joined = f" {BREAK}\n".join(["", *map(_read_of, said)]) + " "
    return TOKEN.findall(LISTED.sub(f"\n{ITEM} ", joined))


def _read_of(text: str) -> str:
    """The opening and the end, in small letters, without quotations and code."""
    if not text.isascii() or any(mark in text for mark in MARKERS):
        text = text.translate(STRAIGHT)
    if "`" in text:
        text = FENCED.sub(f"\n{CODE}\n", text).replace("`", "'")
    if len(text) > HEAD + TAIL:
        text = text[:HEAD] + "\n" + text[-TAIL:]
    text = text.lower()
    if text.count('"') == 2 and text[0] == text[-1] == '"':
        return text[1:-1]
    return QUOTED.sub(QUOTE, text) if '"' in text else text


def degenerate(said: str) -> bool:
    """Whether a text has no words, or ends in a loop: the same up to twenty words again and again, or hardly others."""
    if not any(map(str.isalnum, said)):
        return True
    last = said[-LAST * 4 :].lower().split()
    if len(last) <= LAST and len(set(last[1:])) > PERIOD:
        return False
    last = said[-LAST * 8 :].lower().split()[-LAST:]
    few = len(set(last))
    if len(last) < FEW or few > PERIOD:
        return False
    return few <= len(last) / 10 or any(
        last[period:] == last[:-period] for period in range(few, PERIOD + 1) if 3 * period <= len(last)
    )
