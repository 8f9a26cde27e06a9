"""The page of all jobs: it is live, it finds, it does things with many, and it stays quick however many there are."""

import re
import zipfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Download, Locator, Page, expect

from clips import Clips
from ui.conftest import Visitor
from ui.seeding import WATCH_SHIFTS, forget, held, insert, shifts, submit
from ui.site import Site
from ui.uploading import drop

NASTY = ["<script>window.hacked = 1</script>", "🎬 Größe & <b>bold</b>", "مرحبا بالعالم .mp4"]


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("link", name=name, exact=True))


def cards(page: Page) -> Locator:
    return page.get_by_role("list", name="Jobs, newest first").get_by_role("listitem")


@pytest.fixture
def thousand(site: Site) -> Iterator[list[str]]:
    jobs = insert(site, [f"thousand {n:04}" for n in range(1000)])
    yield jobs
    forget(site, jobs)


@pytest.fixture
def crowd(site: Site) -> Iterator[list[str]]:
    jobs = insert(site, [f"crowd {n}" for n in range(20)])
    yield jobs
    forget(site, jobs)


def test_a_job_appears_moves_and_ends_while_nothing_jumps_and_few_requests_are_made(
    visitor: Visitor, clips: Clips
) -> None:
    page = visitor.opens("?q=appears")
    expect(page.get_by_text("No job is like that")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/jobs?" in request.url else None)

    videos = [(f"appears {n}.mp4", clips("long")) for n in range(2)]
    submit(visitor.site, *videos, variations="3", options='{"name": "appears"}')
    mine = card(page, "appears")
    expect(mine).to_be_visible()
    page.evaluate(WATCH_SHIFTS)
    began = page.evaluate("performance.now()")
    bar = mine.get_by_role("progressbar", name="appears")
    expect(bar).to_have_attribute("aria-valuenow", re.compile("[1-9]"), timeout=30_000)
    expect(page).to_have_title(re.compile(r"^\d+ % · Jobs · retake$"))
    expect(mine.get_by_text("Completed")).to_be_visible(timeout=60_000)

    seconds = (page.evaluate("performance.now()") - began) / 1000
    assert shifts(page) < 0.02
    assert len(asked) <= 2 * seconds + 6
    expect(mine).to_contain_text("6 of 6 takes")
    expect(mine).to_contain_text("Expires in 24 h")
    expect(page).to_have_title("Jobs · retake")


def test_twenty_jobs_that_move_at_once_are_asked_for_together(visitor: Visitor, site: Site, crowd: list[str]) -> None:
    page = visitor.opens("?q=crowd")
    expect(page.locator("li.job")).to_have_count(20)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/jobs?" in request.url else None)

    site.rows("UPDATE job SET kept = true WHERE id = ANY(%s::uuid[])", crowd)
    site.rows(
        """
        INSERT INTO event (workspace, job_id, kind, body)
        SELECT workspace, id, 'kept', '{"kept": true}' FROM job, generate_series(1, 20) WHERE id = ANY(%s::uuid[])
        """,
        crowd,
    )

    expect(page.locator("li.job .standing > .icon")).to_have_count(20)
    assert 1 <= len(asked) <= 6


def test_filters_and_search_stand_in_the_address_and_survive_a_reload_and_going_back(
    visitor: Visitor, site: Site
) -> None:
    insert(site, ["sought one", "sought two"])
    insert(site, ["sought three"], "failed")
    insert(site, ["sought four"], "cancelled")
    page = visitor.opens()

    page.get_by_role("searchbox", name="Search names").fill("SOUGHT")
    expect(cards(page)).to_have_count(4)
    expect(page).to_have_url(re.compile(r"\?q=SOUGHT$"))
    page.get_by_role("link", name="Failed").click()
    expect(cards(page)).to_have_count(1)
    expect(card(page, "sought three").get_by_text("Failed")).to_be_visible()

    page.reload()
    expect(cards(page)).to_have_count(1)
    expect(page.get_by_role("searchbox")).to_have_value("SOUGHT")
    page.go_back()
    expect(cards(page)).to_have_count(4)
    page.get_by_role("link", name="Under way").click()
    page.get_by_role("link", name="Show all jobs").click()
    expect(page.get_by_role("searchbox")).to_have_value("")
    expect(card(page, "sought four").get_by_text("Cancelled")).to_be_visible()


def test_videos_that_are_dropped_on_the_list_begin_a_new_job(visitor: Visitor, clips: Clips) -> None:
    page = visitor.opens("?q=nothing")
    expect(page.get_by_text("No job is like that")).to_be_visible()

    drop(page, {"dropped.mp4": clips("tiny").read_bytes()})

    expect(page).to_have_url(f"{visitor.site.url}new")
    expect(page.get_by_role("main").get_by_text("dropped.mp4")).to_be_visible()


def test_an_expired_job_says_why_and_whatever_names_are_they_are_text(visitor: Visitor, site: Site) -> None:
    insert(site, ["gone by age"], "expired", "age")
    insert(site, ["gone for room"], "expired", "space")
    insert(site, NASTY)
    page = visitor.opens("?status=expired&q=gone")

    expect(card(page, "gone by age")).to_contain_text("Its time was over")
    expect(card(page, "gone for room")).to_contain_text("Removed to make room")
    card(page, "gone for room").get_by_role("link").click()
    expect(page.get_by_text("Its takes were removed to make room for newer jobs.")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("link", name="New job")).to_be_visible()

    page.get_by_role("main").get_by_role("link", name="Jobs").click()
    for name in NASTY:
        expect(card(page, name)).to_be_visible()
    assert page.evaluate("window.hacked") is None
    page.get_by_role("link", name=NASTY[0], exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(NASTY[0])


def test_many_jobs_are_cancelled_downloaded_and_deleted_together(visitor: Visitor, site: Site, clips: Clips) -> None:
    page = visitor.opens("?q=together")
    for name in ("together a.mp4", "together b.mp4"):
        submit(site, (name, clips("tiny")), variations="1")
    for name in ("together a.mp4", "together b.mp4"):
        expect(card(page, name).get_by_text("Completed")).to_be_visible(timeout=60_000)
        page.get_by_role("checkbox", name=f"Select {name}").check()
    with held(site):
        submit(site, ("together c.mp4", clips("tiny")), variations="4")
        page.get_by_role("checkbox", name="Select together c.mp4").check()
        selected = page.get_by_role("region", name="3 selected")

        selected.get_by_role("button", name="Cancel").click()
        question = page.get_by_role("dialog", name="Cancel this job?")
        expect(question).to_contain_text("4 takes are not finished and will not be made")
        question.get_by_role("button", name="Cancel the job").click()
        expect(page.get_by_text("The job is cancelled.")).to_be_visible()
        expect(card(page, "together c.mp4").get_by_text("Cancelled")).to_be_visible()

    saved: list[Download] = []
    page.on("download", lambda download: saved.append(download))  # noqa: PLW0108  it must be a function
    with page.expect_event("download", lambda _: len(saved) == 2):
        selected.get_by_role("button", name="Download").click()
    takes = {name for one in saved for name in zipfile.ZipFile(one.path()).namelist() if name.endswith(".mp4")}
    assert takes == {"together a/together a_var1.mp4", "together b/together b_var1.mp4"}

    selected.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete 3 jobs").click()
    expect(page.get_by_text("3 jobs are deleted.")).to_be_visible()
    expect(page.get_by_text("No job is like that")).to_be_visible()
    expect(selected).not_to_be_visible()


def test_what_cannot_be_done_with_some_is_said_beside_what_was_done(visitor: Visitor, site: Site) -> None:
    gone, stays = insert(site, ["partly gone", "partly stays"])
    page = visitor.opens("?q=partly")
    visitor.expects("404")
    page.get_by_role("checkbox", name="Select partly gone").check()
    page.get_by_role("checkbox", name="Select partly stays").check()
    forget(site, [gone])

    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete 2 jobs").click()

    expect(page.get_by_text("The job is deleted. One job was not deleted: ")).to_be_visible()
    expect(cards(page)).to_have_count(0)
    assert site.rows("SELECT expired_because FROM job WHERE id = %s::uuid", stays) == [("deleted",)]


def test_a_thousand_jobs_are_shown_at_once_and_scrolled_without_a_halt(visitor: Visitor, thousand: list[str]) -> None:
    page = visitor.opens("?q=thousand")
    expect(page.locator("li.job").first).to_be_visible()
    first = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")

    halts, pieces = page.evaluate(SCROLL, len(thousand))

    expect(page.locator("li.job").last).to_contain_text("thousand 0000")
    slowed = max(pieces) / min(pieces)
    assert first < 1000 * slowed, (first, slowed)
    assert max(halts, default=0) < 100 * slowed, (halts, slowed)


SCROLL = """async (all) => {
    const halts = [];
    const watch = new PerformanceObserver((list) => halts.push(...list.getEntries().map((entry) => entry.duration)));
    watch.observe({ type: "longtask" });
    const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const shown = document.getElementsByClassName("job");
    const pieces = [];
    const work = () => {
        const began = performance.now();
        for (let n = 0, sum = 0; n < 1e6; n += 1) sum += Math.sqrt(n) % 7;
        pieces.push(performance.now() - began);
    };
    for (let most = 3000; shown.length < all && most > 0; most -= 1) {
        scrollBy(0, 1500);
        await frame();
        setTimeout(work);
    }
    while (scrollY > 0) {
        scrollBy(0, -6000);
        await frame();
    }
    return [halts, pieces];
}"""
"""To the last job and back; how long each halt was, and how long the same small piece of work took now and then: where
others are busy, too, its longest is far above its shortest."""
