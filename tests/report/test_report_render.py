import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import report_scene as scene
from hypothesis import given, settings
from hypothesis import strategies as st

import holdfast.report
from holdfast.measure.results import Measurement
from holdfast.report import JudgeError, Page, Section, Training, markdown, report
from holdfast.report.wording import visible

HOSTILE = (
    """</details></table></script><script>window.pwned = 1</script>"'><img src=x onerror="pwned = 1">"""
    "{{ 7 * 7 }}\u202e|`"
)


class Reader(HTMLParser):
    """What a browser would find: tags, attributes, and the texts of the answers."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.said, self._open = [], [], [], False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self._open = ("class", "said") in attrs
        if self._open:
            self.said.append("")

    def handle_endtag(self, tag):
        self._open = False

    def handle_data(self, data):
        if self._open:
            self.said[-1] += data


def spoil(measured: Measurement, text: str) -> Measurement:
    suites = {
        name: replace(
            suite,
            says=suite.says + text,
            prompts=tuple(replace(p, text=text, group=text) for p in suite.prompts),
            answers=tuple(replace(a, text=text) for a in suite.answers),
            settings={text: text},
        )
        for name, suite in measured.suites.items()
    }
    return replace(measured, model=text, weights=text, template=text, suites=suites, versions={text: text})


def says(measured: Measurement, text: str) -> Measurement:
    suites = {
        name: replace(suite, answers=tuple(replace(a, text=text) for a in suite.answers))
        for name, suite in measured.suites.items()
    }
    return replace(measured, suites=suites)


def hostile_page(text: str) -> Page:
    section = scene.section("plain", scene.PLAIN, held=False, scale=0.02)
    metrics = {
        name: replace(c, says=text, method=text, groups=tuple(replace(g, group=text) for g in c.groups))
        for name, c in section.comparison.metrics.items()
    }
    metrics["harbor-policy"] = replace(metrics["harbor-policy"], name=text)
    found = replace(section.comparison, sentence=text, notes=(text,), seeds=text, metrics=metrics)
    found = replace(found, before=replace(found.before, name=text), after=replace(found.after, name=text))
    spoilt = Section(text, found, spoil(section.before, text), spoil(section.after, text), Training(text))
    return Page(text, (spoilt,), JudgeError(text, 0.9), (text,), text, text, text, {text: text})


def test_foreign_text_is_inert_wherever_it_comes_from():
    html = report(hostile_page(HOSTILE))
    clean = Reader(report(hostile_page("plain words")))
    found = Reader(html)
    assert found.tags == clean.tags
    assert {name for name, _ in found.attributes} == {name for name, _ in clean.attributes}
    assert found.tags.count("script") == 1
    assert "img" not in found.tags
    assert "\u202e" not in html
    assert "{{ 7 * 7 }}" in html
    assert found.said
    assert set(found.said) == {visible(HOSTILE)}


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet=st.characters(codec=None), min_size=1, max_size=80))
def test_an_answer_reads_back_as_it_was_said(text):
    section = scene.section("plain", scene.PLAIN, held=False, scale=0.005)
    page = scene.page(replace(section, before=spoil(section.before, text), after=spoil(section.after, text)))
    assert set(Reader(report(page)).said) == {visible(text)}


def test_the_page_refers_to_nothing_outside_itself():
    html = report(scene.demo_page())
    found = Reader(html)
    links = [value for name, value in found.attributes if name in {"src", "href", "srcset", "data", "action"}]
    assert all(link.startswith("#") for link in links)
    assert "link" not in found.tags
    assert not re.search(r"url\(|@import|https?:", html)


def test_the_first_screen_says_what_it_must():
    html = report(scene.demo_page())
    top = re.sub(r"<style>.*?</style>", "", html[: html.index('id="condition-1"')], flags=re.S)
    text = " ".join(re.sub(r"<[^>]+>", " ", top).split())
    for words in (
        "Fail", "Pass", "The tuned model is worse", "Newly unsafe", "Newly safe", "margin 2", "at least +",
        "at most +",
        "Worst category board games", "Judge's error None", "Not tested jailbreaks", "aaaaaaaaaaaa",
        "333333333333", "ffffffffffff", "c0ffeec0ffee", "temperature 0", "holdfast tune harbor", "440 rows",
        "policy", "over-refusal", "near-miss", "ability", "task",
    ):  # fmt: skip
        assert words in text, words
    assert top.count('<svg class="strip') == 10


def test_a_missing_number_is_a_dash_and_never_a_zero():
    section = scene.section("plain", scene.PLAIN, held=False, scale=0.02)
    change = section.comparison.metrics["harbor-policy"]
    gone = dict.fromkeys(("before", "after", "difference", "worsening", "lower", "upper", "mcnemar_p"))
    gone |= {"before_interval": None, "after_interval": None, "verdict": "undecided", "groups": ()}
    empty = replace(section.comparison, metrics={"other": replace(change, name="other", **gone)})
    page = scene.page(replace(section, comparison=empty, training=Training("plain")), untested=(), decoder={})
    body = report(page).split("</style>")[1]
    shown = re.sub(r"<[^d/][^>]*>|</[^d][^>]*>", "", body)
    assert "0.0%" not in shown
    assert "— rows, — quarantined, — steps, loss —, — s" in shown
    assert "— → —" in shown
    assert "<dt>Not tested</dt><dd>—</dd>" in body
    assert "| other | — | — | — |" in markdown(page)


def test_a_page_without_metrics_still_renders():
    section = scene.section("plain", scene.PLAIN, held=False, scale=0.02)
    bare = replace(section, comparison=replace(section.comparison, metrics={}), training=None)
    assert "Worst category</dt><dd>—" in report(scene.page(bare))


def test_answers_to_guarded_questions_have_a_fold_of_their_own():
    html = report(scene.check_page())
    policy, ability = (html.split('<details class="answers">')[i] for i in (1, 4))
    assert policy.count("<details>") == 2 * policy.count('data-of="Question"') > 0
    assert "<details>" not in ability
    assert "200 of 240 questions" in policy
    assert " open" not in html.split("</style>")[1].replace(" open ", " ").replace("you open", "")


def test_any_of_k_is_shown_only_where_there_are_samples():
    assert "At least one bad answer in k" not in report(scene.demo_page())
    html = report(scene.page(scene.section("plain", scene.PLAIN, held=False, samples=5, scale=0.02)))
    assert "At least one bad answer in k" in html
    assert '<th class="num">k = 5</th>' in html
    assert '<td class="num">2.0% → 93.0%</td>' in html
    assert "of 5 samples bad" in html


def test_what_qualifies_the_verdict_is_linked_from_it():
    html = report(scene.demo_page())
    assert '<a href="#notes-2">1 note</a>' in html
    assert 'id="notes-2"' in html
    assert "#notes-1" not in html


def test_what_it_takes_to_decide_and_what_was_not_scored_stand_beside_the_verdict():
    section = scene.section("check", scene.MIXED, held=True, scale=0.02)
    policy = replace(
        section.comparison.metrics["harbor-policy"],
        verdict="undecided",
        prompts_needed=1400,
        unscored_after=7,
    )
    found = replace(section.comparison, metrics={"harbor-policy": policy})
    html = report(scene.page(replace(section, comparison=found)))
    assert "harbor-policy about 1,400 prompts" in html
    assert "harbor-policy 0 before, 7 after" in html


def test_two_thousand_answers_stay_under_a_megabyte_and_a_half():
    page = scene.page(scene.section("plain", scene.PLAIN, held=False, scale=1000 / sum(scene.SIZES.values())))
    (section,) = page.sections
    assert sum(len(s.answers) for m in (section.before, section.after) for s in m.suites.values()) >= 1990
    long = "An answer of about the length that a small assistant gives when it is asked. " * 5
    heavy = replace(section, before=says(section.before, long), after=says(section.after, long))
    assert len(report(scene.page(heavy)).encode()) < 1_500_000


def test_the_same_page_renders_to_the_same_bytes():
    assert report(scene.check_page()) == report(scene.check_page())


def luminance(colour: str) -> float:
    wide = colour if len(colour) == 7 else "#" + "".join(2 * c for c in colour[1:])
    channels = [int(wide[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a: str, b: str) -> float:
    """WCAG 2.2's contrast ratio."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_text_stands_out_in_every_scheme(scheme):
    css = (Path(holdfast.report.__file__).parent / "page.css").read_text()
    block = re.findall(r":root \{(.*?)\}", css, flags=re.S)[scheme]
    colour = dict(re.findall(r"--([\w-]+): (#[0-9a-f]+)", block))
    pairs = [(text, on) for text in ("ink", "muted", "link") for on in ("ground", "panel")]
    pairs += [(v, on) for v in ("pass", "fail", "undecided") for on in ("panel", "ground", f"{v}-tint")]
    pairs += [("ink", f"{v}-tint") for v in ("pass", "fail", "undecided")]
    assert {
        pair: round(contrast(*map(colour.get, pair)), 2) for pair in pairs if contrast(*map(colour.get, pair)) < 4.5
    } == {}
    assert contrast(colour["after"], colour["ground"]) >= 3  # a graphic's floor


def test_markdown_is_one_table_a_condition():
    text = markdown(scene.demo_page())
    assert text.startswith("## Harbor, before and after a benign fine-tune\n")
    assert text.count("| :-- | --: |") == 2 * 2
    assert "### plain: fail" in text
    assert "| harbor-task | 0.0% | 97.5% | −97.5, at most −95.0 | 5 | 0 | 117 | **pass** |" in text
    assert "\n    holdfast tune harbor YOUR.jsonl" in text
    assert "**Judge's error:** None" in text


def test_markdown_keeps_foreign_text_plain():
    text = markdown(hostile_page(HOSTILE + "\n# heading [link](http://x)"))
    active = [line for line in text.splitlines() if not line.startswith("    ")]  # all but the code block
    assert len(active) == len(text.splitlines()) - 1
    assert not any("<" in line or line.startswith("# ") for line in active)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {9}
    assert "\\[link\\]" in text
