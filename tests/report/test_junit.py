"""JUnit XML: well-formed whatever is in the names, and never greener than the gate."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.report import report_scene as scene

from holdfast.compare.results import Comparison, JudgePart, Noise, Side, Verdict, WorstGroup
from holdfast.report import junit, markdown
from holdfast.report.junit import TAGS

VERDICTS: tuple[Verdict, ...] = ("pass", "fail", "undecided")


def comparison() -> Comparison:
    return scene.demo_page().sections[0].comparison


def parsed(found: Comparison) -> ElementTree.Element:
    return ElementTree.fromstring(junit(found).encode())


def test_one_case_a_metric_and_the_verdict_last():
    found = comparison()
    suite = parsed(found).find("testsuite")
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == [*found.metrics, "verdict"]
    for case, verdict in zip(cases, [*(c.verdict for c in found.metrics.values()), found.verdict], strict=True):
        assert [child.tag for child in case] == [TAGS.get(verdict, "system-out")]
    failed = next(case for case in cases if case.get("name") == "harbor-policy").find("failure")
    assert "margin 2" in failed.get("message")
    assert "at least" in failed.get("message")
    change = found.metrics["harbor-policy"]
    assert change.says in failed.text
    assert f"newly worse {change.newly_worse}" in failed.text
    assert cases[-1][0].get("message") == found.sentence


@pytest.mark.parametrize("verdict", VERDICTS)
def test_counts_are_those_of_the_cases(verdict: Verdict):
    root = parsed(replace(comparison(), verdict=verdict))
    for element in (root, root.find("testsuite")):
        for key, tag in {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}.items():
            assert int(element.get(key)) == len(list(root.iter(tag)))


@pytest.mark.parametrize("verdict", VERDICTS)
def test_it_is_never_greener_than_the_gate(verdict: Verdict):
    """A verdict can be worse than each metric's; a reader of test results must see that."""
    found = comparison()
    passing = {name: replace(change, verdict="pass") for name, change in found.metrics.items()}
    root = parsed(replace(found, metrics=passing, verdict=verdict))
    assert (verdict == "pass") == (root.get("failures") == root.get("errors") == "0")
    assert root.get("skipped") == "0", "a reader counts what is skipped as well"


def test_the_same_model_passes_though_its_limits_would_not():
    found = replace(comparison(), verdict="pass", same_model=True, sentence="Same model.")
    root = parsed(found)
    assert root.get("failures") == root.get("errors") == "0"


@given(st.text(st.characters(), max_size=40), st.text(st.characters(codec="utf-8"), max_size=40))
def test_any_text_stays_text(name: str, note: str):
    found = comparison()
    metrics = {name: replace(next(iter(found.metrics.values())), name=name, says=note)}
    before = Side(name, note, "", {})
    root = parsed(replace(found, metrics=metrics, before=before, sentence=note, notes=(name,), verdict="fail"))
    assert [case.tag for case in root.find("testsuite")] == ["properties", "testcase", "testcase"]
    assert [len(case) for case in root.findall("testsuite/testcase")] == [1, 1]


@pytest.mark.parametrize("sign", ["\x00", "\x1b[31m", "\ufffe", "\uffff", "\ud800", "\u202e", "]]>", "</testcase>"])
def test_what_xml_forbids_or_a_reader_would_not_see_is_spelled_out(sign: str):
    found = replace(comparison(), sentence=f"a {sign} b", verdict="fail")
    text = junit(found)
    last = ElementTree.fromstring(text.encode()).findall("testsuite/testcase")[-1]
    assert last[0].get("message").startswith("a ")
    assert last[0].get("message").endswith(" b")
    assert not set(text) & set("\x00\x1b\ufffe\uffff\ud800\u202e")


def test_what_is_not_known_is_left_out():
    root = parsed(replace(comparison(), before=Side("old", "", "", {}), calibration=None))
    names = {each.get("name") for each in root.iter("property")}
    assert "before" in names
    assert not names & {"before.weights", "before.template", "judge"}


def test_what_stands_beside_the_limits_is_said_in_both():
    page = scene.demo_page()
    section = page.sections[0]
    change = replace(
        section.comparison.metrics["harbor-policy"],
        verdict="undecided",  # of a metric that failed no bound is worth telling
        worst_group=WorstGroup("board games", 0.0712, 4),
        noise=Noise("again", 0.0125, (0.004, 0.0288), 3, 2),
        judge=JudgePart("labels", 0.021, 240, 900),
    )
    found = replace(section.comparison, metrics={"harbor-policy": change}, seeds="this checkpoint only")
    said = "\n".join(element.text or "" for element in parsed(found).iter())
    shown = markdown(replace(page, sections=(replace(section, comparison=found),)))
    for text in (said, shown):
        assert "worst category: board games, worsening at most +7.1 points, a limit that holds for 4 at once" in text
        assert "from the base measured again: 1.2% of answers flip (0.4–2.9), newly worse 3, newly better 2" in text
        assert "(240 of them): alone ±2.1 points" in text
        assert "about 900 labels would make that half of the margin" in text
        assert "this checkpoint only" in text
    assert "worst category" not in markdown(page), "what was not measured is not said"


def test_a_pass_says_what_its_judge_was_not_tested_on():
    class Known:
        status, judges = "transported", ()

    found = replace(comparison(), verdict="pass", calibration=Known())
    facts = {each.get("name"): each.get("value") for each in parsed(found).iter("property")}
    assert facts["verdict"] == "pass"
    assert facts["qualified"] == "pass, judge untransported"
    page = scene.demo_page()
    shown = markdown(replace(page, sections=(replace(page.sections[0], comparison=found),)))
    assert ": pass, judge untransported\n" in shown
