"""The page of a gallery in a real browser: what it shows, what it asks for, and what it obeys."""

import pytest

from photopal.gallery import write_gallery
from photopal.library import Library
from tests.gallery.album import EVIL, EVIL_NAME
from tests.gallery.chromium import PROGRAM, WHY_NOT, Chromium

pytestmark = [pytest.mark.slow, pytest.mark.skipif(PROGRAM is None, reason=WHY_NOT)]

COUNT = "document.getElementById('count').textContent"
TILES = "document.querySelectorAll('.tile').length"
FIRST = "document.querySelector('.tile img')"


@pytest.fixture(scope="module")
def page(album, tmp_path_factory):
    with Library(album.library, read_only=True) as library:
        photos = list(library.photos.all())
        return write_gallery(library, photos, tmp_path_factory.mktemp("page") / "g", title="Family").page


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    with Chromium(tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium


@pytest.fixture
def browser(started, page):
    """The page, opened anew."""
    started.resize(1280, 800)
    started.call("Page.navigate", url="about:blank")
    started.requests.clear()
    started.complaints.clear()
    started.open(page)
    return started


def test_photos_are_shown_and_nothing_but_the_folders_files_is_asked_for(browser, page, album):
    assert browser.evaluate("document.title") == "Family"
    assert browser.evaluate(COUNT) == "151 photos"
    browser.wait(f"{FIRST}.naturalWidth > 0")
    browser.point(".tile", click=True)
    browser.wait("document.getElementById('large').src.startsWith('file:')")
    allowed = (page.parent.as_uri(), album.photos.as_uri(), "data:")
    assert [url for url in browser.requests if not url.startswith(allowed)] == []
    assert any(url.startswith(album.photos.as_uri()) for url in browser.requests)
    assert browser.complaints == []


def test_captions_and_names_with_markup_are_shown_not_run(browser):
    browser.evaluate("document.getElementById('search').focus()")
    browser.type("onerror")
    assert browser.evaluate(COUNT) == "1 of 151 photos"
    browser.point(".tile", click=True)
    assert browser.evaluate("document.querySelector('aside .caption').textContent") == EVIL
    browser.evaluate("document.getElementById('viewer').close()")
    shown = "[...document.querySelectorAll('#who button')].map(one => one.firstChild.textContent)"
    assert EVIL_NAME in browser.evaluate(shown)
    browser.point("#who button:nth-child(2)")
    assert browser.evaluate("document.querySelectorAll('main b b, main img[onerror], #who b').length") == 0
    assert browser.evaluate("window.hacked") is None


def test_the_page_forbids_every_connection(browser):
    tried = browser.evaluate(
        "Promise.all([fetch('https://example.org/').then(() => 'sent', () => 'refused'),"
        " new Promise(done => { const image = new Image(); image.onload = () => done('sent');"
        "   image.onerror = () => done('refused'); image.src = 'https://example.org/a.png'; }),"
        " new Promise(done => { const script = document.createElement('script');"
        "   script.onload = () => done('sent'); script.onerror = () => done('refused');"
        "   script.src = 'https://example.org/a.js'; document.head.append(script); })])"
    )
    assert tried == ["refused"] * 3
    browser.evaluate(
        "try { navigator.sendBeacon('https://example.org/'); new WebSocket('wss://example.org/'); } catch {}"
    )
    browser.wait("true")
    refused = [text for text in browser.complaints if "Content Security Policy" in text]
    assert len(refused) >= 5


def choose(browser, field, value):
    browser.evaluate(
        f"(field => {{ field.value = {value!r}; field.dispatchEvent(new Event('change')); }})"
        f"(document.getElementById({field!r}))"
    )


def test_search_and_filters_narrow_as_one_types_and_chooses(browser):
    browser.press("/")
    browser.type("picnic CAFE ")
    assert browser.evaluate(COUNT) == "149 of 151 photos"
    browser.type("107")
    assert browser.evaluate(COUNT) == "1 of 151 photos"
    browser.press("Escape")
    assert browser.evaluate(COUNT) == "151 photos"
    browser.point("#who button", click=True)
    assert browser.evaluate(COUNT) == "30 of 151 photos"
    choose(browser, "from", "2020")
    assert browser.evaluate(COUNT) == "18 of 151 photos"
    choose(browser, "where", "Kyoto")
    fitting = [number for number in range(60, 149) if number % 30 in (5, 35)]
    assert browser.evaluate(COUNT) == f"{len(fitting)} of 151 photos"
    assert "who=Anna&where=Kyoto&from=2020" in browser.evaluate("location.hash")
    browser.evaluate("document.getElementById('search').focus()")
    browser.type("nothing like this")
    assert browser.evaluate("document.getElementById('nothing').hidden") is False
    browser.point("#clear-all", click=True)
    assert browser.evaluate(COUNT) == "151 photos"


def test_the_keyboard_goes_from_photo_to_photo_and_shows_why(browser, album):
    browser.press("ArrowRight")
    for key in ("ArrowRight", "ArrowDown", "ArrowUp", "ArrowLeft"):
        browser.press(key)
    assert browser.evaluate("document.activeElement.dataset.place") == "0"
    browser.evaluate("document.getElementById('search').focus()")
    browser.type("105.jpg")
    browser.press("ArrowDown")
    browser.press("Enter")
    browser.wait("document.querySelectorAll('aside li').length === 2")
    facts = browser.evaluate("document.querySelector('aside').innerText")
    assert "most like 105.jpg" in facts
    assert "yes, by a reference photo" in facts
    boxes = "[...document.querySelectorAll('#figure .box')].map(one => getComputedStyle(one).opacity)"
    assert browser.evaluate(boxes) == ["0", "0"]
    browser.press("b")
    assert browser.evaluate(boxes) == ["1", "1"]
    link = browser.evaluate("document.getElementById('original').href")
    assert link == (album.photos / "105.jpg").as_uri()
    browser.press("Escape")
    browser.wait("!document.getElementById('viewer').open")
    assert browser.evaluate("document.activeElement.dataset.place") == "0"


def test_boxes_and_names_are_seen_on_hover_where_they_belong(browser):
    browser.evaluate("document.getElementById('search').focus()")
    browser.type("105.jpg")
    browser.point(".tile")
    style = "getComputedStyle(document.querySelector('.tile .box')).opacity"
    assert browser.evaluate(style) == "1"
    part = browser.evaluate(
        "(() => { const image = document.querySelector('.tile img').getBoundingClientRect();"
        " const box = [...document.querySelectorAll('.tile .box')].find(one => one.textContent === 'Anna')"
        "   .getBoundingClientRect();"
        " return [(box.x - image.x) / image.width, box.width / image.width]; })()"
    )
    assert part == pytest.approx([0.3333, 0.4167], abs=0.01)


def test_only_what_is_in_sight_is_made_and_the_end_is_reached(browser):
    few = browser.evaluate(TILES)
    assert 10 < few < 120
    browser.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    browser.wait(
        "[...document.querySelectorAll('main h2')].some(one => one.textContent.startsWith('No date'))"
    )
    last = "[...document.querySelectorAll('.tile')].sort((a, b) => b.dataset.place - a.dataset.place)[0]"
    assert browser.evaluate(f"{last}.dataset.place") == "150"
    browser.wait(f"{last}.querySelector('img').naturalWidth > 0")


def test_a_phone_shows_everything_without_scrolling_sideways(browser):
    browser.resize(400, 800)
    browser.wait("document.documentElement.scrollWidth <= 400")
    rights = "[...document.querySelectorAll('.tile')].map(one => one.getBoundingClientRect().right)"
    assert browser.evaluate(f"Math.max(...{rights})") <= 400
    browser.point(".tile", click=True)
    stage = browser.evaluate("document.querySelector('aside').getBoundingClientRect().top")
    assert 300 < stage < 600
    # A phone that is turned shows the whole photo again; the window is small as the photos are.
    for width, height in ((800, 400), (180, 320)):
        browser.resize(width, height)
        edges = "(one => [one.left, one.top, -one.right, -one.bottom])(document.querySelector('{}')"
        edges += ".getBoundingClientRect())"
        of_photo, of_stage = (edges.format(one) for one in ("#figure", ".stage"))
        browser.wait(
            f"((photo, stage) => photo.every((side, at) => side >= stage[at]))({of_photo}, {of_stage})"
        )


def test_the_map_has_a_spot_for_each_place_which_filters(browser):
    browser.press("m")
    assert browser.evaluate("document.querySelectorAll('#map circle').length") == 3
    names = browser.evaluate("[...document.querySelectorAll('#map .label')].map(one => one.textContent)")
    assert sorted(names) == ["Kyoto", "Lisbon", "Paris"]
    browser.point("#map circle", click=True)
    assert browser.evaluate("document.getElementById('where').value") in names
    assert browser.evaluate(COUNT).startswith("25 of")


def test_light_and_dark_follow_the_system_or_the_button(browser):
    paper = "getComputedStyle(document.body).backgroundColor"
    browser.prefer("light")
    light = browser.evaluate(paper)
    browser.prefer("dark")
    dark = browser.evaluate(paper)
    assert light != dark
    browser.point("#theme", click=True)
    assert browser.evaluate(paper) == light
    browser.point("#theme", click=True)
    assert browser.evaluate(paper) == dark
