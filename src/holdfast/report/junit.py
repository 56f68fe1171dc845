"""A comparison as JUnit XML, which every CI can show. Pure: writes nothing, has no clock.

A failed metric is a `<failure>`, an undecided one an `<error>`. Not `<skipped>`: most readers count what was skipped
with what passed, and a gate that could not decide would show as green. The last case is the verdict over all metrics,
so that the file is never greener than the exit code.
"""

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from holdfast.compare.plain import digest_of
from holdfast.compare.results import Comparison, MetricChange, Verdict
from holdfast.report.remarks import remarks
from holdfast.report.wording import DASH, count, limit, percent, points, short, size, visible

TAGS: dict[Verdict, str] = {"fail": "failure", "undecided": "error"}
"""What stands in a case that did not pass."""
NO_XML = re.compile("[\ufffe\uffff]")
"""What `visible` leaves and XML 1.0 does not allow (section 2.2, Char)."""


def junit(comparison: Comparison) -> str:
    """One test case a metric and one for the verdict, with the limits, the margin and what qualifies them.

    Names and notes come from outside: characters that hide, that reorder or that XML does not allow are spelled out.
    No answer is in it.
    """
    name = f"{comparison.before.name} and {comparison.after.name}"
    suite = Element("testsuite", {"name": _text(name)})
    _facts(suite, comparison)
    for change in comparison.metrics.values():
        verdict = "pass" if comparison.same_model else change.verdict  # equal weights pass whatever the limits say
        _case(suite, change.name, verdict, _headline(change), _lines(change))
    said = [f"{comparison.qualified}: {comparison.sentence}", *comparison.notes, f"about: {comparison.seeds}"]
    _case(suite, "verdict", comparison.verdict, comparison.sentence, said)
    counts = {key: str(sum(1 for _ in suite.iter(tag))) for key, tag in COUNTED.items()}
    suite.attrib.update(counts)
    root = Element("testsuites", {"name": "holdfast", **counts})
    root.append(suite)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


COUNTED = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}


def _case(suite: Element, name: str, verdict: Verdict, headline: str, lines: list[str]) -> None:
    case = SubElement(suite, "testcase", {"classname": "holdfast", "name": _text(name)})
    says = _text("\n".join(lines))
    if tag := TAGS.get(verdict):
        SubElement(case, tag, {"type": verdict, "message": _text(headline)}).text = says
    else:
        SubElement(case, "system-out").text = says


def _headline(change: MetricChange) -> str:
    seen = f"worsening {points(change.worsening)} points ({limit(change)}), margin {size(change.margin)}"
    needed = f"; about {count(change.prompts_needed)} prompts would decide" if change.prompts_needed else ""
    return f"{change.name}: {seen}{needed}"


def _lines(change: MetricChange) -> list[str]:
    lost = change.unscored_before, change.unscored_after
    return [
        _headline(change),
        change.says,
        f"{percent(change.before)} before, {percent(change.after)} after",
        f"{count(change.n)} prompts in {count(change.clusters)} clusters; samples a prompt: {count(change.samples)}",
        f"newly worse {count(change.newly_worse)}, newly better {count(change.newly_better)}",
        *([f"could not be scored: {count(lost[0])} before, {count(lost[1])} after"] if any(lost) else []),
        f"limits: one-sided 95%, {change.method}",
        *remarks(change),
    ]


def _facts(suite: Element, comparison: Comparison) -> None:
    """What was compared, as the suite's properties; what is not known is left out."""
    sides = {"before": comparison.before, "after": comparison.after}
    told = {"verdict": comparison.verdict, "qualified": comparison.qualified, "sentence": comparison.sentence}
    told["seeds"] = comparison.seeds
    for when, side in sides.items():
        told |= {when: side.name, f"{when}.weights": side.weights, f"{when}.template": short(side.template)}
        told[f"{when}.rows"] = digest_of(side) if side.metrics else ""
    for number, seed in enumerate(comparison.tuned if len(comparison.tuned) > 1 else (), 1):
        told |= {f"after.{number}": seed.name, f"after.{number}.weights": seed.weights}
    each = [(name, value) for name, value in told.items() if value not in {"", DASH}]
    each += [("judge", judge.says) for judge in (comparison.calibration.judges if comparison.calibration else ())]
    properties = SubElement(suite, "properties")
    for name, value in each:
        SubElement(properties, "property", {"name": name, "value": _text(value)})


def _text(text: str) -> str:
    return NO_XML.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", visible(text))
