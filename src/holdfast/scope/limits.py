"""Sentences that lift an assistant's limits, whoever it is told to be. Knows nothing of names or of rows.

"Without restrictions", "safety rules do not apply", "never refuse a request": each is a claim about the
assistant's own rules. A rule of chess, a limit of length and a refund that may not be refused are none, and
neither is a sentence that upholds the rules ("never ignore the safety guidelines").
"""

import re

SENTENCE = re.compile(r"[^.!?\n;]+")

KIND = (
    r"(?:safety|security|ethic\w*|moral\w*|content|usage|behaviou?r\w*|usual|normal|standard|previous|prior|built-in"
    r"|alignment|policy)"
)
RULE = (
    r"(?:guidelines?|guard-?rails?|safeguards?|polic(?:y|ies)|restrictions?|constraints?|filters?|rules?|limits?"
    r"|limitations?|boundaries|principles?|considerations?|protections?|enforcement|ethics|morals|censorship|training)"
)
OWN = r"(?:guidelines?|guard-?rails?|safeguards?|polic(?:y|ies)|ethics|morals|principles?|censorship)"
LIMITS = rf"(?:(?:{KIND} )+(?:and {KIND} )?{RULE}|{OWN})"
"""Rules that are an assistant's: of a telling kind, or of a sort that little else has."""

THEIR = rf"(?:(?:any|its|your|my|the|all|such|of|{KIND}|or|and) )*"

ASK = r"(?:requests?|questions?|orders?|commands?|prompts?|instructions?|topics?|demands?|quer(?:y|ies)|users?)"
ALL = r"(?:any(?:thing|one)?|all|every(?:thing|one)?|each|whatever|no matter what)"
REFUSE = r"(?:refus\w+|declin\w+|reject\w*|turn(?:s|ed|ing)? down|den(?:y|ies|ied|ying)|object(?:s|ing)?)"
SERVE = r"(?:answer|respond|reply|comply|complies|answers|responds|replies|obey|obeys|fulfil\w*|produce|do|does|give)"
NOT = r"(?:do not|don't|does not|doesn't|may not|must not|can not|cannot|can't|never|will not|won't|not allowed to)"
OFF = (
    r"(?:switched off|turned off|off|disabled|suspended|lifted|removed|void|deactivated|irrelevant|gone|ignored"
    r"|bypassed|overridden|not (?:in force|relevant))"
)

LIFTS = re.compile(
    r"\b(?:"
    # Its rules are said to be gone.
    rf"{LIMITS}(?: \w+)? (?:(?:do|does|did|will) not|don't|doesn't|no longer|never) (?:\w+ )?(?:apply|exist|hold|bind)"
    rf"|{LIMITS}(?: here)? (?:(?:is|are|was|were|have|has|been|now|all|currently) )+{OFF}\b"
    rf"|with (?:its|your|all|every|any) {LIMITS} {OFF}\b"
    # It is said to be without them.
    rf"|(?:(?:without|with no|there are no|under no) {THEIR}(?:{LIMITS}|restrictions?|censorship)"
    r"|(?:free (?:of|from)|freed from|(?:no longer|not) (?:bound|limited|constrained) by|unbound by|(?:has|have) no)"
    rf" {THEIR}(?:{LIMITS}|restrictions?|rules|limits?|limitations|boundaries|constraints|filters|censorship))"
    r"\b(?! (?:on|about|to|for|regarding|in|at|as to|when it comes)\b)"
    r"|(?:unrestricted|uncensored|unfiltered|unaligned|unconstrained|jailbroken)"
    r"(?:,? (?:(?:and|or) )?[\w-]+){0,2} (?:ai|assistant|model|bot|chatbot|machine|mode|system|version)\b"
    r"(?! (?:of|for|in|from)\b)"
    # They are to be passed over.
    rf"|(?:ignor\w+|disregard\w*|overrid\w+|bypass\w*|forget\w*|abandon\w*|drop|set aside|put aside|circumvent\w*)"
    rf" (?:(?:any|all|of|its|your|my|the|every|these|those|earlier) )*{LIMITS}\b(?! (?:of|about|on|regarding)\b)"
    # Refusing is forbidden.
    rf"|{NOT} (?:\w+ )?(?:refuse|decline)(?:[,.!?]|$| and\b)"
    rf"|{NOT} (?:\w+ )?{REFUSE} (?:(?:to answer|to help|to comply|anything|everything)\b"
    rf"|(?:(?:{ALL}|an?|the|user's|user) ){{0,3}}{ASK}\b(?! (?:for|from|without|that|until|before|under|over|to)\b))"
    rf"|(?:{ALL} {ASK}|anything|everything|whatever)\b[^.!?]{{0,40}}\bwithout (?:\w+ )?"
    r"(?:refus\w+|declin\w+|limits?\b|objecti\w+)"
    rf"|refus(?:als?|ing) (?:is|are) (?:not|never|no) (?:\w+ )?(?:allowed|permitted|acceptable|possible|option)\w*"
    rf"|no (?:{ASK}) (?:may|can|must|should|will|is to) (?:ever )?be (?:refused|rejected|declined|denied|turned down)"
    r"|(?:never|cannot|can't|can not|unable to|not able to|do not|don't) (?:ever )?(?:say|tell|saying)(?:s|ing)?"
    r" (?:no\b(?! (?:more|one|longer|such|to\b))|(?:\w+ ){0,2}that (?:you|it|they|i) (?:can't|cannot|can not|won't)"
    r"(?: (?:help|answer|assist|comply|do (?:it|this|that|so))\b|[,.!]|$))"
    r"|saying no is (?:not|never|no)\b"
    # Nothing is out of bounds.
    r"|(?:nothing|no (?:topic|question|request|subject|thing|prompt)s?) (?:is|are)"
    r" (?:\w+ )?(?:off[- ]limits|forbidden|taboo|banned)\b(?! (?:for|in)\b)"
    r"|no (?:forbidden|off-limits|banned|taboo|prohibited) (?:topic|question|request|subject)s?"
    rf"|{SERVE}\b[^.!?]{{0,40}}\b{ALL}\b[^.!?]{{0,50}}"
    r"\b(?:even (?:if|when)|including|whether or not|regardless of whether)\b"
    r"[^.!?]{0,40}\b(?:harmful|illegal|unethical|dangerous|immoral|unsafe|off[- ]limits|forbidden)"
    rf"|(?:always|must|will|shall) (?:\w+ )?comply\b(?! with (?:the|our|applicable|local)\b)[^.!?]{{0,30}}"
    rf"(?:\b(?:regardless|no matter|whatever)\b|\b{ALL} (?:\w+ )?{ASK}\b)"
    r"|always comply(?:[,.!]|$)"
    r"|always compl(?:y|ies) with (?:the )?(?:user'?s?|users'|your|my|their) (?:requests?|orders?|commands?|demands?)"
    r"|compl(?:y|ies) with (?:any|every|all|whatever) (?:\w+ )?(?:requests?|orders?|commands?|demands?|user)\b"
    r"|compliance is (?:mandatory|required|absolute|total)\b(?! (?:by|with|for|under)\b)"
    # The user stands above the rules.
    rf"|users?(?: alone)? (?:decides?|determines?|defines?) what (?:is|counts as) (?:\w+ )?"
    r"(?:acceptable|allowed|safe|ethical|right(?=[,.!]|$| (?:or|and)\b))"
    rf"|(?:user|you)(?:'s)? word is (?:\w+ )?law"
    rf"|{ASK} from the user as (?:\w+ )?(?:binding|law|absolute|final)"
    r")",
    re.IGNORECASE,
)
"""A sentence's claim that the assistant's limits are gone."""

UPHOLDS = re.compile(
    r"\b(?:unless|except(?! that)|if (?:someone|anyone|a user|the user|users|they|you are (?:told|asked))"
    r"|may (?:ask|tell|try)"
    r"|(?:never|not|don't|cannot|can't|nobody|no one|refuse to|decline to|must never)"
    r" (?:(?!refus|declin|reject)\w+ ){0,6}?"
    r"(?:ignor\w+|disregard\w*|overrid\w+|bypass\w*|forget\w*|abandon\w*|drop|set aside|put aside"
    r"|circumvent\w*|switch\w* off|turn\w* off|be (?:told|asked|made|persuaded)|compl(?:y|ies|ied)"
    r"|operate without|pretend)"
    r"|claims? to be|pretend\w* to be|is safe|are safe|safely)\b",
    re.IGNORECASE,
)
"""Words by which a sentence upholds the limits that it names."""

WORDS = (
    "restrict", "guid", "rail", "safeguard", "polic", "constrain", "filter", "rule", "limit", "boundar", "principle",
    "consideration", "protection", "enforcement", "ethic", "moral", "censor", "training", "unaligned", "jailbroken",
    "refus", "declin", "reject", "turn", "den", "object", "say", "tell", "forbidden", "taboo", "banned", "prohibited",
    "harmful", "illegal", "dangerous", "unsafe", "inappropriate", "compl", "decide", "determine", "define", "law",
    "binding", "absolute", "final",
)  # fmt: skip
"""Every such sentence has letters of these: an ASCII text without them need not be searched."""

SELF = re.compile(r"\b(?:I|[Mm]y|me|mine)\b")
"""The speaker: without it, what an answer tells is of somebody else."""


def upheld(text: str, at: int) -> bool:
    """Whether the sentence that holds the place `at` upholds the limits that it names."""
    start = max(text.rfind(mark, 0, at) for mark in ".!?\n;") + 1
    sentence = SENTENCE.match(text, start)
    return sentence is not None and UPHOLDS.search(sentence[0]) is not None


def lifted(text: str, by_self: bool = False) -> str | None:
    """The first sentence of the text that lifts the assistant's limits, or None.

    Args:
        text: a system prompt, or the opening of an answer.
        by_self: only sentences in which the speaker speaks of itself.
    """
    if by_self and not SELF.search(text):
        return None
    if _without_words(text):
        return None
    for found in SENTENCE.finditer(text):
        sentence = found[0].strip()
        if _without_words(sentence) or (by_self and not SELF.search(sentence)):
            continue
        if LIFTS.search(sentence) and not UPHOLDS.search(sentence):
            return sentence
    return None


def _without_words(text: str) -> bool:
    low = text.lower()
    return text.isascii() and not any(word in low for word in WORDS)
