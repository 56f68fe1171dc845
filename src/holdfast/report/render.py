"""A page as one self-contained HTML file. Pure: reads its own template, writes nothing, has no clock.

Whatever comes from outside (models, files, names) is escaped by the template, and a content policy in the
page allows only the page's own style and script, so an answer is inert even where an escape were forgotten.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from holdfast.report import wording
from holdfast.report.answers import LONGEST, SHOWN
from holdfast.report.figures import axis
from holdfast.report.page import Page
from holdfast.report.remarks import remarks
from holdfast.report.view import models, section_view, suites

HERE = Path(__file__).parent
FILTERS = (
    wording.percent, wording.span, wording.points, wording.size, wording.count, wording.decimal,
    wording.p_value, wording.short, wording.limit, wording.change_span, remarks,
)  # fmt: skip


def report(page: Page) -> str:
    """Render a page as HTML.

    Args:
        page: results and facts; shares are in [0, 1], times in seconds.

    Returns:
        One HTML document of about 0.5 kB per answer shown, without a reference to anything outside it.
    """
    scale = axis(change for section in page.sections for change in section.comparison.metrics.values())
    style, script = (Markup((HERE / name).read_text(encoding="utf-8")) for name in ("page.css", "page.js"))
    return (
        _environment()
        .get_template("page.html")
        .render(
            page=page,
            axis=scale,
            views=[section_view(section, scale) for section in page.sections],
            models=models(page),
            suites=suites(page),
            style=style,
            script=script,
            policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'",
            shown=SHOWN,
            longest=LONGEST,
        )
    )


def policy_of_style() -> tuple[Markup, str]:
    """The pages' own style, and the content policy that allows it and nothing else."""
    style = Markup((HERE / "page.css").read_text(encoding="utf-8"))
    return style, f"default-src 'none'; style-src '{_hash(style)}'"


def render(template: str, **values: object) -> str:
    """Fill one of this room's templates."""
    return _environment().get_template(template).render(**values)


def _hash(inline: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()


def _visible(value: object) -> object:
    return wording.visible(value) if type(value) is str else value


@cache
def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update({function.__name__: function for function in FILTERS})
    return found
