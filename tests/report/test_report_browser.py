"""The page in a real browser: what it loads, where it overflows, and what is seen first."""

import shutil

import pytest
import report_scene as scene
from test_audit_page import full_page
from test_report_render import HOSTILE, hostile_page

from holdfast.report import report

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    pages = {"demo": scene.demo_page(), "check": scene.check_page(), "hostile": hostile_page(HOSTILE)}
    for name, page in pages.items():
        (folder / f"{name}.html").write_text(report(page), encoding="utf-8")
    (folder / "audit.html").write_text(full_page(), encoding="utf-8")
    return folder


@pytest.fixture
def visit(browser, files):
    contexts, seen = [], {"console": [], "requests": []}

    def go(name, viewport=DESK, **options):
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: seen["console"].append(message.text))
        page.on("pageerror", lambda error: seen["console"].append(str(error)))
        page.on("request", lambda request: seen["requests"].append(request.url))
        page.goto((files / f"{name}.html").as_uri())
        page.seen = seen
        return page

    yield go
    for context in contexts:
        context.close()


def bottom(locator):
    box = locator.bounding_box()
    return box["y"] + box["height"]


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("name", ["demo", "check", "hostile", "audit"])
def test_nothing_is_loaded_and_nothing_complains(visit, files, name):
    page = visit(name)
    page.wait_for_load_state("networkidle")
    assert page.seen == {"console": [], "requests": [(files / f"{name}.html").as_uri()]}


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("name", ["demo", "check", "hostile", "audit"])
def test_no_page_scrolls_sideways(visit, name, viewport):
    page = visit(name, viewport)
    assert overflow(page) <= 0
    page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
    assert overflow(page) <= 0


@pytest.mark.parametrize("name", ["demo", "check"])
def test_the_first_screen_holds_everything_from_the_verdict_to_the_next_command(visit, name):
    page = visit(name)
    for part in (".call", ".sentence", ".figures", ".forest", ".facts", ".ground", ".next"):
        for shown in page.locator(part).all():
            assert shown.is_visible()
            assert bottom(shown) <= DESK["height"]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_verdict_is_on_a_phones_first_screen(visit, script):
    page = visit("demo", PHONE, java_script_enabled=script)
    assert page.locator(".call").first.inner_text().split() == ["Fail", "plain"]
    assert bottom(page.locator(".sentence").first) <= PHONE["height"]
    assert bottom(page.locator(".forest .row").first) <= PHONE["height"]


def test_without_script_the_page_is_whole_and_the_filter_is_not_there(visit):
    page = visit("demo", java_script_enabled=False)
    assert page.locator(".call").all_inner_texts() == ["Fail\nplain", "Pass\nsafety-mix"]
    page.locator("details.answers > summary").first.click()
    assert page.locator(".talk").first.is_visible()
    assert not page.locator(".filter").first.is_visible()


def test_answers_stay_closed_until_a_person_opens_them(visit):
    page = visit("demo")
    assert page.evaluate("document.querySelectorAll('details[open]').length") == 0
    assert not page.locator(".said").first.is_visible()
    page.locator("details.answers > summary").first.click()
    assert page.locator(".talk .question").first.is_visible()
    assert not page.locator(".said").first.is_visible()  # a guarded question: its answer has a fold of its own
    page.locator(".talk summary").first.click()
    assert page.locator(".said").first.is_visible()


def test_the_filter_narrows_the_table(visit):
    page = visit("demo")
    fold = page.locator("details.answers").first
    fold.locator("summary").first.click()
    fold.locator("select").select_option("good-in-both")
    rows = fold.locator("tbody tr:visible")
    assert 0 < rows.count() < 200
    assert set(rows.evaluate_all("found => found.map((row) => row.className)")) == {"good-in-both"}
    fold.locator("select").select_option("")
    fold.locator("input").fill("no such words")
    assert rows.count() == 0
    assert fold.locator("output").inner_text() == "0 of 200 shown"


@pytest.mark.parametrize("policy", [True, False], ids=["content policy on", "content policy off"])
def test_hostile_answers_run_nothing(visit, policy):
    page = visit("hostile", bypass_csp=not policy)
    page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
    assert page.evaluate("typeof window.pwned") == "undefined"
    assert page.locator("script").count() == 1
    assert page.locator("img").count() == 0
    assert "<script>window.pwned = 1</script>" in page.locator(".said").first.inner_text()


def test_the_content_policy_lets_the_pages_own_style_and_script_through_and_no_other(visit):
    page = visit("demo")
    assert page.locator(".filter").first.get_attribute("hidden") is None
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.other = 1'}))")
    assert page.evaluate("typeof window.other") == "undefined"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_readers_scheme(visit, scheme):
    page = visit("check", color_scheme=scheme)
    red = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/)[0]")
    assert (int(red) > 128) == (scheme == "light")


def test_it_prints(visit):
    page = visit("demo")
    page.emulate_media(media="print")
    assert not page.locator(".filter").first.is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")
