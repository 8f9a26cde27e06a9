"""Pages for everybody: nothing serious is found by axe, by day and by night."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(visit: Visit, job: str, clips: Clips, scheme: str) -> None:
    with visit(color_scheme=scheme) as visitor:
        page = visitor.opens()
        expect(page.get_by_label("Password", exact=True)).to_be_visible()
        assert findings(page) == []

        visitor.logs_in()
        visitor.expects("404")
        for path in ("", "new", "system", f"jobs/{job}", "jobs/unknown"):
            page = visitor.opens(path)
            expect(page.get_by_role("heading").first).to_be_visible()
            assert findings(page) == [], path
