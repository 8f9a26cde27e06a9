"""Pages for everybody: by day and by night, without a mouse, on a phone and twice as large."""

import zipfile
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from clips import Clips
from ui.conftest import Visit
from ui.site import Site

SERIOUS = {"serious", "critical"}


def findings(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


@pytest.fixture(scope="module")
def job(site: Site, clips: Clips) -> Iterator[str]:
    """One with a video that has takes, and one that is none."""
    files = [clips("motion"), clips("truncated")]
    with site.api() as api:
        form = [("videos", (file.name, file.read_bytes())) for file in files]
        answer = api.post("api/jobs", files=form, data={"variations": "2"}).raise_for_status()
        yield answer.json()["jobId"]


PAGES = ("", "new", "system", "jobs/{job}", "jobs/unknown")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(visit: Visit, job: str, clips: Clips, scheme: str) -> None:
    with visit(color_scheme=scheme) as visitor:
        page = visitor.opens()
        expect(page.get_by_label("Password", exact=True)).to_be_visible()
        assert findings(page) == []

        visitor.logs_in()
        visitor.expects("404")
        visitor.expects("404")
        for path in PAGES:
            page = visitor.opens(path.format(job=job))
            if path == "jobs/{job}":
                expect(page.get_by_role("link", name="Download all 2 takes")).to_be_visible(timeout=30_000)
            expect(page.get_by_role("heading").first).to_be_visible()
            assert findings(page) == [], path


@pytest.mark.parametrize("width", [360, 640], ids=["on a phone", "on a laptop at 200 %"])
def test_no_page_is_wider_than_the_screen(visit: Visit, job: str, width: int) -> None:
    with visit(viewport={"width": width, "height": 700}) as visitor:
        visitor.logs_in().expects("404")
        for path in PAGES:
            page = visitor.opens(path.format(job=job))
            expect(page.get_by_role("heading").first).to_be_visible()

            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def tabbed_to(page: Page, wanted: Locator) -> Locator:
    """Pressing Tab until it has the focus, as somebody does who knows no shortcut."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return wanted
    raise AssertionError(f"Tab does not lead to {wanted}")


def test_a_keyboard_is_enough_from_login_to_zip(visit: Visit, clips: Clips) -> None:
    with visit() as visitor:
        visitor.page.on("filechooser", lambda chooser: chooser.set_files(clips("smallest")))
        page = visitor.opens()
        expect(page.get_by_label("Password", exact=True)).to_be_focused()
        page.keyboard.type(visitor.site.password)
        page.keyboard.press("Enter")
        tabbed_to(page, page.get_by_role("link", name="New job"))
        page.keyboard.press("Enter")

        tabbed_to(page, page.get_by_role("button", name="Choose videos"))
        page.keyboard.press("Enter")
        tabbed_to(page, page.get_by_role("spinbutton", name="Takes of each video"))
        page.keyboard.press("Control+a")
        page.keyboard.type("2")
        expect(page.get_by_text("Uploaded", exact=True)).to_be_visible()
        tabbed_to(page, page.get_by_role("button", name="Make 2 takes"))
        page.keyboard.press("Enter")

        expect(page.get_by_role("link", name="Download all 2 takes")).to_be_visible(timeout=30_000)
        play = page.get_by_role("button", name="Play take 1 of smallest.mp4")
        tabbed_to(page, play)
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(play).to_be_focused()
        page.keyboard.press("Control+Home")
        tabbed_to(page, page.get_by_role("link", name="Download all 2 takes"))
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        with zipfile.ZipFile(download.value.path()) as takes:
            assert takes.testzip() is None
