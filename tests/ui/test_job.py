"""The page of one job: from the takes to files on disk, and everything that can be done on the way."""

import re
import subprocess
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from clips import Clips
from ui.conftest import Visit, Visitor
from ui.seeding import held, insert, submit
from ui.site import Site

DONE = 60_000
PLAYS = """() => new Promise((done) => {
    document.querySelector("dialog video").ontimeupdate = (event) => event.target.currentTime > 0.1 && done();
})"""


@pytest.fixture(scope="module")
def finished(site: Site, clips: Clips) -> str:
    """A job with two takes of each of two videos, whose sources are kept."""
    videos = [("one.mp4", clips("motion")), ("two.mp4", clips("tiny"))]
    return submit(site, *videos, variations="2", options='{"name": "Finished", "keepSource": true}')


def header(page: Page) -> Locator:
    return page.locator("header.about")


def state(page: Page, name: str) -> None:
    expect(header(page).get_by_text(name, exact=True).first).to_be_visible(timeout=DONE)


def video(page: Page, name: str) -> Locator:
    return (
        page.get_by_role("region", name="Videos")
        .get_by_role("listitem")
        .filter(has=page.get_by_role("button", name=name, exact=True))
    )


def zipped(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return sorted(name for name in archive.namelist() if name.endswith(".mp4"))


def test_from_a_job_that_runs_to_zips_on_disk_that_open(visitor: Visitor, finished: str) -> None:
    page = visitor.opens(f"jobs/{finished}")
    state(page, "Completed")

    with page.expect_download() as everything:
        header(page).get_by_role("link", name="Download all 4 takes").click()
    with page.expect_download() as one_video:
        page.get_by_role("link", name="Download the takes of two.mp4").click()
    with page.expect_download() as one_take:
        page.get_by_role("link", name="Download take 2 of one.mp4").click()
    for name in ("one.mp4", "two.mp4"):
        page.get_by_role("checkbox", name=f"Select take 1 of {name}").check()
    with page.expect_download() as selected:
        page.get_by_role("region", name="2 takes selected").get_by_role("button", name="Download as ZIP").click()

    names = ["one/one_var1.mp4", "one/one_var2.mp4", "two/two_var1.mp4", "two/two_var2.mp4"]
    assert zipped(everything.value.path()) == names
    assert everything.value.suggested_filename == "Finished.zip"
    assert zipped(one_video.value.path()) == names[2:]
    assert zipped(selected.value.path()) == names[::2]
    assert one_take.value.suggested_filename == "one_var2.mp4"
    assert one_take.value.path().read_bytes()[4:8] == b"ftyp"


def test_takes_play_in_place_with_how_they_were_made_and_arrow_keys_show_the_others(
    visitor: Visitor, finished: str
) -> None:
    page = visitor.opens(f"jobs/{finished}")
    state(page, "Completed")
    parts: list[int] = []
    page.on(
        "response",
        lambda told: parts.append(told.status) if told.url.endswith(("/variations/1", "/variations/2")) else None,
    )
    still = page.get_by_role("button", name="Play take 1 of one.mp4")
    still.click()

    player = page.get_by_role("dialog", name="Take 1 of one.mp4")
    page.evaluate(PLAYS)
    expect(player).to_contain_text(re.compile(r"Zoomed in \d+(\.\d)?\s%, .*grain\s\d, \d(\.\d)?\s% (faster|slower)"))
    expect(player).to_contain_text(re.compile(r"From the sourceAlike in detail\d+\.\d %"))
    expect(player).to_contain_text("From take 2, the one most like it")
    expect(player).to_contain_text(re.compile("Rendered byffmpeg"))
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("dialog", name="Take 2 of one.mp4")).to_be_visible()
    expect(page.get_by_role("button", name="Next take")).to_be_disabled()
    page.keyboard.press("ArrowLeft")
    expect(player).to_be_visible()
    page.keyboard.press("Escape")

    expect(player).not_to_be_visible()
    expect(still).to_be_focused()
    assert 206 in parts


def test_a_link_and_a_line_for_a_shell_are_copied_and_work(visit: Visit, finished: str, tmp_path: Path) -> None:
    with visit(permissions=["clipboard-read", "clipboard-write"]) as arrived:
        page = arrived.logs_in().opens(f"jobs/{finished}")
        state(page, "Completed")
        page.get_by_role("button", name="Copy as curl").click()
        expect(page.get_by_text("Copied. This line downloads the takes")).to_be_visible()
        line = page.evaluate("navigator.clipboard.readText()")
        page.get_by_role("button", name="Copy link").click()
        expect(page.get_by_text("Whoever has this link")).to_be_visible()
        link = page.evaluate("navigator.clipboard.readText()")

    subprocess.run(["sh", "-c", line], cwd=tmp_path, check=True, timeout=60, capture_output=True)
    assert len(zipped(tmp_path / f"retake-{finished[:8]}.zip")) == 4
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/api/jobs/[0-9a-f-]+/download\?link=\S+", link)


def test_more_takes_are_offered_while_the_source_is_there_and_explained_when_not(
    visitor: Visitor, finished: str, site: Site
) -> None:
    page = visitor.opens(f"jobs/{finished}")
    state(page, "Completed")
    base = f"{site.url}new?from={finished}"
    expect(header(page).get_by_role("link", name="More takes")).to_have_attribute("href", base)
    one = page.get_by_role("link", name="More takes of one.mp4")
    expect(one).to_have_attribute("href", re.compile(re.escape(f"{base}&file=")))

    [gone] = insert(site, ["without source"])
    visitor.opens(f"jobs/{gone}")
    expect(page.get_by_text("More takes need the uploaded videos, and those are not kept any more.")).to_be_visible()
    expect(page.get_by_role("link", name="More takes")).not_to_be_visible()


def test_a_job_is_paused_resumed_cancelled_after_saying_what_is_lost_and_tried_again(
    visitor: Visitor, site: Site, clips: Clips
) -> None:
    with held(site):
        page = visitor.opens(f"jobs/{submit(site, ('steered.mp4', clips('tiny')), variations='3')}")
        state(page, "Waiting")
        page.get_by_role("button", name="Pause").click()
        state(page, "Paused")
        page.get_by_role("button", name="Resume").click()
        state(page, "Waiting")

        cancel = page.get_by_role("button", name="Cancel")
        cancel.click()
        question = page.get_by_role("dialog", name="Cancel this job?")
        expect(question).to_contain_text("3 takes are not finished and will not be made.No take is finished yet.")
        question.get_by_role("button", name="Go on rendering").click()
        expect(cancel).to_be_focused()
        state(page, "Waiting")
        cancel.click()
        question.get_by_role("button", name="Cancel the job").click()
        state(page, "Cancelled")

    header(page).get_by_role("button", name="Try again").click()
    state(page, "Completed")
    expect(header(page)).to_contain_text("3 of 3 takes")
    page.get_by_text("What happened").click()
    story = page.locator(".history li")
    expect(story.filter(has_text="Somebody cancelled it")).to_be_visible()
    expect(story.filter(has_text="Takes 1–3 of steered.mp4 rendered")).to_be_visible()
    expect(story.last).to_contain_text("The job waits for a worker")


def test_a_bad_video_says_what_to_do_and_does_not_keep_the_other_from_coming_out(
    visitor: Visitor, site: Site, clips: Clips
) -> None:
    job = submit(site, ("bad.mp4", clips("truncated")), ("good.mp4", clips("tiny")), variations="1")
    page = visitor.opens(f"jobs/{job}")
    state(page, "Completed")

    expect(header(page)).to_contain_text("1 of 2 takes")
    expect(header(page)).to_contain_text("1 failed")
    expect(video(page, "bad.mp4")).to_contain_text("please upload the whole file again")
    expect(page.get_by_role("button", name="Try bad.mp4 again")).not_to_be_visible()
    expect(header(page).get_by_role("link", name="Download the take")).to_be_visible()


def test_one_video_is_tried_again(visitor: Visitor, site: Site, clips: Clips) -> None:
    with held(site):
        job = submit(site, ("again a.mp4", clips("tiny")), ("again b.mp4", clips("tiny")), variations="1")
        page = visitor.opens(f"jobs/{job}")
        page.get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="Cancel the job").click()
        state(page, "Cancelled")

    page.get_by_role("button", name="Try again b.mp4 again").click()

    expect(video(page, "again b.mp4").get_by_text("Completed", exact=True).first).to_be_visible(timeout=DONE)
    expect(video(page, "again a.mp4").get_by_text("Cancelled", exact=True).first).to_be_visible()


def test_a_job_is_kept_let_go_and_deleted_and_then_nowhere(visitor: Visitor, site: Site) -> None:
    [job] = insert(site, ["to be deleted"])
    page = visitor.opens(f"jobs/{job}")
    page.get_by_role("button", name="Keep").click()
    expect(header(page).get_by_text("Kept", exact=True)).to_be_visible()
    page.get_by_role("button", name="Let go").click()
    expect(header(page).get_by_text("Kept", exact=True)).not_to_be_visible()
    other = visitor.context.new_page()
    other.goto(page.url)
    expect(other.get_by_role("heading", level=1)).to_have_text("to be deleted")

    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog", name="Delete this job?").get_by_role("button", name="Delete the job").click()

    expect(page).to_have_url(site.url)
    visitor.expects("404")
    expect(other.get_by_role("heading", name="There is no such job")).to_be_visible()
    other.goto(f"{site.url}jobs/nonsense")
    expect(other.get_by_role("link", name="To the jobs")).to_be_visible()


def test_more_than_two_hundred_videos_are_shown_page_by_page(visitor: Visitor, site: Site) -> None:
    [job] = insert(site, ["many 0.mp4"])
    site.rows(
        """
        INSERT INTO video (id, job_id, position, name, source_id, state, progress)
        SELECT gen_random_uuid(), job_id, n, 'many ' || n || '.mp4', source_id, 'completed', 1
        FROM video, generate_series(1, 229) AS n WHERE job_id = %s::uuid
        """,
        job,
    )
    page = visitor.opens(f"jobs/{job}")
    expect(video(page, "many 199.mp4")).to_be_visible()
    expect(video(page, "many 200.mp4")).not_to_be_visible()

    page.get_by_role("button", name="Next").click()

    expect(page.get_by_text("201–230 of 230")).to_be_visible()
    expect(video(page, "many 229.mp4")).to_be_visible()
    expect(video(page, "many 199.mp4")).not_to_be_visible()


def test_messages_to_an_address_are_shown_with_what_became_of_them(visitor: Visitor, site: Site) -> None:
    [job] = insert(site, ["with messages"])
    site.rows(
        """
        INSERT INTO delivery (job_id, number, url, kind, body, state, attempts, ended_at, answered, error)
        VALUES (%s::uuid, 1, 'https://example.org/', 'job', '{"status": "completed"}', 'refused', 2, now(), 410, NULL)
        """,
        job,
    )
    page = visitor.opens(f"jobs/{job}")

    page.get_by_text("Messages to your address").click()

    expect(page.get_by_text("job.completed Refused, 2 tries, answered 410")).to_be_visible()
