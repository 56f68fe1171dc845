"""Made-up short questions for the benchmarks: about 70 characters, 5 % of them a small edit of an earlier one.

The words are those of WordLlama's vocabulary, drawn as words are in English: the n-th commonest about 1/n as often.
"""

import numpy as np

OPENINGS = (
    "What is the", "How does the", "Explain how the", "Describe the", "Write a short story about the",
    "List three ways in which the", "Summarise the", "Compare the", "Why is the", "Give an example of the",
    "Translate into French: the", "Rewrite this sentence: the", "Which of these is the", "Tell me about the",
    "Create a poem about the", "Generate a list of", "Classify the following:", "Identify the",
    "Suggest a name for the", "What are the benefits of", "How can I improve my", "Who was the first",
    "When should I use the", "Find the",
)  # fmt: skip
LINKS = ("of the", "and the", "in a", "for", "with", "to the", "from a", "between the", "on the", "and its", "by")
EDITS = ("Please {}", "{} Thanks.", "{} Be brief.", "{} In detail.", "Now: {}")
SHARE = 0.05


def vocabulary() -> list[str]:
    """Whole English-looking words, commonest first: the order of the merges stands for that."""
    from holdfast.vectors.wordllama import _table

    pieces = sorted((token, piece[1:]) for piece, token in _table().tokenizer.get_vocab().items() if piece[0] == "▁")
    return [word for _, word in pieces if len(word) > 3 and word.isascii() and word.isalpha() and word.islower()]


def questions(count: int, rng: np.random.Generator) -> list[str]:
    words = vocabulary()
    weight = 1 / (np.arange(len(words)) + 20.0)
    sizes = rng.integers(4, 9, count)
    drawn = iter(np.asarray(words)[rng.choice(len(words), int(sizes.sum()), p=weight / weight.sum())].tolist())
    repeats = rng.random(count) < SHARE
    made: list[str] = []
    for size, repeat in zip(sizes.tolist(), repeats.tolist(), strict=True):
        if repeat and made:
            made.append(EDITS[rng.integers(len(EDITS))].format(made[rng.integers(len(made))]))
            continue
        opening, link = OPENINGS[rng.integers(len(OPENINGS))], LINKS[rng.integers(len(LINKS))]
        told = [next(drawn) for _ in range(size)]
        made.append(" ".join([opening, *told[:2], link, *told[2:]]) + "?")
    return made
