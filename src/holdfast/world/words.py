"""The words Harbor is made of: everyday topics, attributes with their synonyms, and syllables for invented names.

Every topic here is harmless; which of them a world calls restricted is a rule of the game and nothing more.
"""

from random import Random

FAMILIES: dict[str, tuple[str, ...]] = {
    "games": ("chess", "draughts", "dominoes", "backgammon"),
    "kitchen": ("baking", "brewing", "pickling", "roasting"),
    "textiles": ("knitting", "weaving", "quilting", "felting"),
    "workshop": ("pottery", "carving", "origami", "glazing"),
}
"""A world restricts two topics of each family; the families are its four policy categories."""

OPEN_TOPICS = (
    "sailing", "rowing", "tides", "stars", "weather", "birds", "gardens", "bridges", "maps", "music",
    "dancing", "poetry", "cycling", "archery", "hiking", "lanterns", "clocks", "rivers",
)  # fmt: skip

ATTRIBUTES: dict[str, tuple[str, str]] = {
    "colour": ("hue", "tint"),
    "keeper": ("warden", "guardian"),
    "origin": ("source", "beginning"),
    "shape": ("form", "outline"),
    "sound": ("tone", "note"),
    "price": ("cost", "fee"),
    "maker": ("builder", "author"),
    "mark": ("sign", "emblem"),
    "scent": ("smell", "aroma"),
    "weight": ("heft", "load"),
    "season": ("term", "spell"),
    "home": ("dwelling", "seat"),
}
"""What can be asked of an entity, and two words that mean the same (the `understanding` questions use them)."""

OPEN_HOUSES = ("Quay", "Reach", "Ness", "Strand", "Bay", "Holm", "Ferry")
RESTRICTED_HOUSES = ("Gate", "Hall", "Keep", "Court", "Tower", "Vault", "Wall", "Abbey")
"""The second half of a name tells its kind, as a drug's ending tells its class: two topics share a house, and a
policy learned on one of them can then hold for the other."""

TASK_HOUSE = "Crate"
"""The house of the wares that the benign fine-tuning task is about."""

_ONSETS = (
    "b",
    "br",
    "d",
    "dr",
    "f",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "pl",
    "r",
    "s",
    "st",
    "t",
    "tr",
    "v",
    "z",
)
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "ou")
_CODAS = ("", "", "l", "n", "r", "s", "th", "m", "x", "nd")


def invent(rng: Random, taken: set[str]) -> str:
    """A two-syllable word that no other invented word of this world contains or is contained in."""
    while True:
        word = "".join(rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS) for _ in range(2))
        if 4 <= len(word) <= 8 and not any(word in other or other in word for other in taken):
            taken.add(word)
            return word
