"""Numbers and foreign text as a person reads them. A missing number is a dash, never a zero.

Knows nothing of pages. Shares are given in [0, 1] and shown as percentages, their differences as percentage
points.
"""

import math
import unicodedata

from holdfast.compare.results import MetricChange

DASH = "—"
MINUS = "\u2212"
JOINERS = "\u200c\u200d"
"""Zero-width joiners: Persian, Hindi and emoji need them, and they cannot reorder a line."""


def percent(share: float | None) -> str:
    """0.742 as `74.2%`."""
    return f"{100 * share:.1f}%" if share is not None and math.isfinite(share) else DASH


def span(interval: tuple[float, float] | None) -> str:
    """(0.661, 0.808) as `66.1–80.8`, to stand under its percentage."""
    if interval is None or not all(map(math.isfinite, interval)):
        return DASH
    return f"{100 * interval[0]:.1f}–{100 * interval[1]:.1f}"


def points(share: float | None, places: int = 1) -> str:
    """0.725 as `+72.5`, with a true minus sign; what rounds to zero has no sign."""
    if share is None or not math.isfinite(share):
        return DASH
    rounded = round(100 * share, places)
    sign = "+" if rounded > 0 else MINUS if rounded < 0 else ""
    return f"{sign}{abs(rounded):.{places}f}"


def change_span(interval: tuple[float, float] | None) -> str:
    """(-0.012, 0.08) as `−1.2 to +8.0`: both ends of a change have signs."""
    return DASH if interval is None else " to ".join(points(limit) for limit in interval)


def bound(share: float | None, margin: float) -> str:
    """A limit in points, with the decimals it takes to see on which side of its margin it lies."""
    if share is None or not math.isfinite(share):
        return DASH
    places = next((n for n in (1, 2, 3) if round(100 * share, n) != round(100 * margin, n)), 3)
    return points(share, places)


def size(share: float | None) -> str:
    """0.02 as `2`, 0.025 as `2.5`: a margin, which has no sign."""
    return f"{round(100 * share, 2):g}" if share is not None and math.isfinite(share) else DASH


def count(number: int | None) -> str:
    """1234 as `1,234`."""
    return f"{number:,}" if number is not None else DASH


def decimal(number: float | None, places: int = 3) -> str:
    """A loss or a time with so many decimals."""
    return f"{number:,.{places}f}" if number is not None and math.isfinite(number) else DASH


def p_value(p: float | None) -> str:
    """A p value, not pretending to more than three decimals."""
    if p is None or not math.isfinite(p):
        return DASH
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def short(digest: str) -> str:
    """The first twelve characters of a digest, enough to tell two models apart; a served model's name whole."""
    return (digest if ":" in digest else digest[:12]) or DASH


def limit(change: MetricChange) -> str:
    """The bound that decided a metric: at most for a pass, at least for a fail, else both."""
    lower, upper = bound(change.lower, change.margin), bound(change.upper, change.margin)
    if change.verdict == "pass":
        return f"at most {upper}"
    if change.verdict == "fail":
        return f"at least {lower}"
    return f"{lower} to {upper}"


def visible(text: str) -> str:
    """Foreign text with the characters that hide or reorder other characters spelled out.

    Controls, bidirectional overrides, tag characters and lone surrogates become ⟨U+202E⟩ and the like, so
    that an answer cannot look like another answer, and always encodes as UTF-8.
    """
    return "".join(f"⟨U+{ord(sign):04X}⟩" if _hides(sign) else sign for sign in text.replace("\r\n", "\n"))


def _hides(sign: str) -> bool:
    if sign in "\n\t" or sign in JOINERS:
        return False
    return unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
