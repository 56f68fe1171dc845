"""The figure: for each gate and number of prompts, what becomes of a model by its true change. Numbers in, SVG out."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from benchmarks.operating_curve.curve import Bin

WIDTH, LEFT, TOP = 800, 61, 84
PANEL, HIGH, GAP, ROW = 136, 84, 13, 126
BLUE, GREY, ORANGE, BROWN, INK, SOFT = "#2f6fb3", "#e3e6ea", "#ef9a4a", "#a65a10", "#1c2126", "#5b6570"
FROM, TO = -0.5, 12.0


@dataclass(frozen=True)
class Panel:
    """One gate on samples of one size."""

    gate: str
    bins: Sequence[Bin]
    wrong: tuple[str, str]
    """Shares of wrong passes and wrong fails, in words."""
    ours: bool = False


def draw(rows: Sequence[tuple[str, Sequence[Panel]]], margin: float, title: str, foot: Sequence[str]) -> str:
    """The whole figure as one SVG that loads nothing, its rows named; `margin` in points."""
    height = TOP + ROW * len(rows) + 16 * len(foot) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-labelledby="t" font-family="system-ui, -apple-system, Segoe UI, Roboto, DejaVu Sans, '
        f'sans-serif"><title id="t">{escape(title)}</title>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(WIDTH / 2, 22, title, 15, INK, "middle", bold=True),
        *_legend(),
    ]
    for number, (name, panels) in enumerate(rows):
        top = TOP + ROW * number
        first, _, rest = name.partition(" ")
        parts += [_text(LEFT - 12, top + HIGH / 2, first, 14, INK, "end", bold=True)]
        parts += [_text(LEFT - 12, top + HIGH / 2 + 14, rest, 11, SOFT, "end")]
        parts += [_text(LEFT - 12, top + HIGH + 26, "wrong", 11.5, SOFT, "end")]
        for place, panel in enumerate(panels):
            parts += _panel(panel, LEFT + place * (PANEL + GAP), top, margin, head=number == 0)
    low = TOP + ROW * len(rows)
    parts += [_text(LEFT, low + 10 + 16 * n, line, 11.5, SOFT, "start") for n, line in enumerate(foot)]
    return "\n".join([*parts, "</svg>\n"])


def _legend() -> list[str]:
    found, x = [], 226
    for colour, word, wide in ((BLUE, "pass", 62), (GREY, "undecided", 100), (ORANGE, "fail", 50)):
        found.append(
            f'<rect x="{x}" y="36" width="12" height="12" fill="{colour}" stroke="{SOFT}" stroke-width="0.5"/>'
        )
        found.append(_text(x + 17, 46, word, 12.5, INK))
        x += wide
    found.append(f'<line x1="{x + 6}" x2="{x + 6}" y1="34" y2="50" stroke="{INK}" stroke-width="1.4"/>')
    return [*found, _text(x + 13, 46, "the margin", 12.5, INK)]


def _panel(panel: Panel, left: float, top: float, margin: float, *, head: bool) -> list[str]:
    def x(points: float) -> float:
        return left + PANEL * (min(max(points, FROM), TO) - FROM) / (TO - FROM)

    def y(share: float) -> float:
        return top + HIGH * (1 - share)

    passed = [(x(100 * each.change), y(each["pass"])) for each in panel.bins]
    failed = [(x(100 * each.change), y(1 - each["fail"])) for each in panel.bins]
    right = left + PANEL
    parts = [f'<rect x="{left}" y="{top}" width="{PANEL}" height="{HIGH}" fill="{GREY}"/>']
    parts += [_area(passed, left, right, top + HIGH, BLUE), _area(failed, left, right, top, ORANGE)]
    parts += [f'<line x1="{x(margin):.1f}" x2="{x(margin):.1f}" y1="{top - 4}" y2="{top + HIGH}" stroke="{INK}" '
              f'stroke-width="1.4"/>']  # fmt: skip
    for tick in (0, 3, 6, 9, 12):
        anchor = "end" if tick == TO else "middle"
        parts.append(_text(x(tick), top + HIGH + 11, str(tick), 10, SOFT, anchor))
    for share, word, at, anchor, colour in zip(
        panel.wrong, ("pass", "fail"), (left, right), ("start", "end"), (BLUE, BROWN), strict=True
    ):
        parts.append(_text(at, top + HIGH + 26, f"{word} {share}", 11.5, colour, anchor, bold=panel.ours))
    if head:
        parts.append(_text(left + PANEL / 2, top - 12, panel.gate, 12.5, INK, "middle", bold=panel.ours))
    return parts


def _area(line: Sequence[tuple[float, float]], left: float, right: float, floor: float, colour: str) -> str:
    """What lies between a line and the floor; the ends go on level to the panel's sides."""
    points = [(left, floor), (left, line[0][1]), *line, (right, line[-1][1]), (right, floor)]
    return f'<polygon points="{" ".join(f"{px:.1f},{py:.1f}" for px, py in points)}" fill="{colour}"/>'


def _text(x: float, y: float, said: str, size: float, colour: str, anchor: str = "start", *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    style = f'font-size="{size}" fill="{colour}" text-anchor="{anchor}"{weight}'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(said)}</text>'


def photograph(svg: Path, png: Path) -> None:
    """The SVG as a PNG of twice its size, by the Chromium of this machine."""
    import shutil

    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(device_scale_factor=2, viewport={"width": WIDTH, "height": 900})
        page.set_content(f"<body style='margin:0'>{svg.read_text(encoding='utf-8')}</body>")
        page.locator("svg").screenshot(path=png)
        browser.close()
