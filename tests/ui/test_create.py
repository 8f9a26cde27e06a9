"""A job is put together: what comes in, what is left out and why, what is asked of takes, and what is sent."""

import re
from pathlib import Path

from playwright.sync_api import expect

from clips import Clips
from retake.domain.sniff import ENOUGH, refusal, sniff
from ui.conftest import Visit, Visitor
from ui.site import up
from ui.uploading import ENDS, asked, choose, drop, names, video

NAMED = [
    "a" * 180 + ".mp4",
    "🎬 Größe видео 視頻.mp4",
    "עברית שם.mp4",
    "<script>console.error('it ran')<.mp4",
    "\u202eevil.mp4",
]
"""Names of files that somebody may have; on a page they are text and nothing else."""
SORTS = ["tiny", "tiny_mov", "old_mov", "mkv", "webm", "avi", "empty", "text", "picture", "random", "playlist"]


def test_a_folder_becomes_a_job_whose_page_opens_and_what_is_no_video_is_named(
    visitor: Visitor, clips: Clips, tmp_path: Path
) -> None:
    folder = tmp_path / "spring"
    (folder / "inner").mkdir(parents=True)
    (folder / "one.mp4").write_bytes(clips("tiny").read_bytes())
    (folder / "inner/two.mov").write_bytes(clips("tiny_mov").read_bytes())
    (folder / "inner/notes.txt").write_text("not this one")
    (folder / ".hidden").write_text("nor this one, which people do not know of")
    page = visitor.opens("new")

    choose(page, folder, button="Choose a folder")

    expect(page.locator(".upload.done")).to_have_count(2)
    assert sorted(names(page)) == ["spring/inner/two.mov", "spring/one.mp4"]
    expect(page.locator(".left-out")).to_contain_text("One file was left out:spring/inner/notes.txt is not a video")
    page.get_by_role("button", name="Make 10 takes").click()
    expect(page).to_have_url(re.compile("/jobs/[0-9a-f-]{36}$"))
    expect(page.get_by_text("It is safe to close this tab.")).to_be_visible()
    with visitor.site.api() as client:
        job = client.get(f"api/jobs/{page.url[-36:]}").json()
    assert sorted(file["name"] for file in job["files"]) == ["one.mp4", "two.mov"]


def test_what_the_page_leaves_out_is_what_the_service_would_refuse_and_a_logout_leaves_nothing_behind(
    visitor: Visitor, clips: Clips
) -> None:
    files = {f"{name}.mp4": clips(name).read_bytes() for name in SORTS}
    taken = [name for name, body in files.items() if refusal(sniff(body[:ENOUGH])) is None]
    page = visitor.opens("new")
    expect(page.get_by_text("MP4 and MOV, each up to 524 MB, at most 200 in a job.")).to_be_visible()
    visitor.expects("ERR_INTERNET_DISCONNECTED")
    visitor.context.set_offline(True)  # it needs nobody to tell it

    drop(page, files)

    expect(page.locator(".left-out li")).to_have_count(len(files) - len(taken))
    assert names(page) == taken
    drop(page, {taken[0]: files[taken[0]]})
    expect(page.locator(".left-out")).to_contain_text(f"{taken[0]} is in the list already")
    visitor.context.set_offline(False)
    expect(page.get_by_text("All uploaded")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("dialog").get_by_role("button", name="Log out").click()
    page.get_by_label("Password", exact=True).fill(visitor.site.password)
    page.keyboard.press("Enter")
    expect(page.get_by_text("No videos yet")).to_be_visible()
    assert visitor.site.rows("SELECT count(*) FROM upload WHERE name = %s AND state <> 'gone'", taken[0]) == [(0,)]


def test_fifty_videos_of_any_name_become_one_job(visitor: Visitor, clips: Clips) -> None:
    body = clips("tiny").read_bytes()
    given = [*NAMED, *(f"clip {n}.mp4" for n in range(45))]
    page = visitor.opens("new")

    choose(page, *(video(name, body + bytes(n)) for n, name in enumerate(given)))

    expect(page.get_by_text("All uploaded")).to_be_visible(timeout=30_000)
    assert names(page) == given
    page.get_by_label("Takes of each video", exact=True).first.fill("1")
    page.get_by_role("button", name="Make 50 takes").click()
    expect(page).to_have_url(re.compile("/jobs/[0-9a-f-]{36}$"))
    made = page.url[-36:]
    page.close()  # it would complain that its job is gone
    with visitor.site.api() as client:
        job = client.get(f"api/jobs/{made}").json()
        client.delete(f"api/jobs/{made}").raise_for_status()  # nobody waits for so many takes
    assert [(file["name"], file["size"]) for file in job["files"]] == [
        (name, len(body) + n) for n, name in enumerate(given)
    ]


HELD = """const read = Blob.prototype.arrayBuffer;
    const released = new Promise((resolve) => { globalThis.release = resolve; });
    Blob.prototype.arrayBuffer = async function () {
        if (globalThis.holds) { globalThis.holds = false; await released; }
        return read.call(this);
    }"""
"""The next file that is looked at is held until it is released."""


def test_what_is_still_looked_at_is_waited_for_whatever_else_is_uploaded(visitor: Visitor, clips: Clips) -> None:
    body = clips("tiny").read_bytes()
    visitor.context.add_init_script(HELD)
    page = visitor.opens("new")
    expect(page.get_by_role("button", name="Choose videos")).to_be_visible()
    page.evaluate("globalThis.holds = true")

    drop(page, {"held.mp4": body})
    drop(page, {"quick.mp4": body + b"0"})

    expect(page.get_by_text("1 of 1 uploaded")).to_be_visible()
    expect(page.get_by_text("All uploaded")).not_to_be_visible()
    page.evaluate("release()")
    expect(page.get_by_text("All uploaded")).to_be_visible()
    assert sorted(names(page)) == ["held.mp4", "quick.mp4"]


def test_what_is_sent_is_what_was_chosen(visitor: Visitor, clips: Clips) -> None:
    page = visitor.opens("new")
    choose(page, video("chosen.mp4", clips("tiny").read_bytes()))

    page.get_by_role("button", name="One take fewer").click()
    page.get_by_role("slider", name="Takes of each video").press("ArrowLeft")
    page.get_by_role("radio", name="Strong").check()
    page.get_by_label("Mirror every other take").check()
    page.get_by_text("More settings").click()
    page.get_by_label("Name of the job").fill("spring")
    page.get_by_label("Seed").fill("7")
    page.get_by_label("Rendering").select_option("balanced")
    page.get_by_label("Priority").select_option("low")
    page.get_by_label("Keep the videos for more takes").check()
    page.get_by_label("Border", exact=True).check()
    page.get_by_label("Sound", exact=True).uncheck()
    page.get_by_label("How close (1 is the whole picture): least").fill("1.2")
    expect(page.locator(".upload.done")).to_have_count(1)

    sent = asked(page, "Make 3 takes")

    assert sent["variations"] == 3
    assert sent["options"] == {
        "preset": "strong",
        "effects": {"include": ["border"], "exclude": ["audio"], "ranges": {"zoom": {"factor": [1.2, 1.25]}}},
        "profile": "balanced",
        "priority": "low",
        "name": "spring",
        "seed": 7,
        "keepSource": True,
    }
    expect(page).to_have_url(re.compile("/jobs/[0-9a-f-]{36}$"))


def test_without_a_wish_takes_are_not_mirrored_and_the_room_they_need_is_what_the_service_sets_aside(
    visitor: Visitor, clips: Clips
) -> None:
    page = visitor.opens("new")
    choose(page, video("usual.mp4", clips("motion").read_bytes() + bytes(5_000_000)))
    said = page.locator(".summary").get_by_text("at most")
    expect(said).to_have_text("at most 29 MB")

    sent = asked(page, "Make 5 takes")

    assert sent["options"] == {"preset": "classic", "effects": {"exclude": ["mirror"]}}
    expect(page).to_have_url(re.compile("/jobs/[0-9a-f-]{36}$"))
    reserved = visitor.site.rows("SELECT reserved FROM video WHERE job_id = %s", page.url[-36:])
    assert [round(one / 1e6) for (one,) in reserved] == [29]


def test_a_field_that_is_refused_says_why_and_the_job_can_be_made_then(visitor: Visitor, clips: Clips) -> None:
    visitor.expects("422")
    page = visitor.opens("new")
    choose(page, video("refused.mp4", clips("tiny").read_bytes()))
    expect(page.locator(".upload.done")).to_have_count(1)
    page.get_by_text("More settings").click()
    closest = page.get_by_label("How close (1 is the whole picture): most")
    closest.fill("2")
    page.get_by_text("More settings").click()

    page.get_by_role("button", name="Make 5 takes").click()

    expect(page.locator(".range .complaint")).to_contain_text("must be a number from 1 to 1.25")
    expect(page.locator(".range input[aria-invalid=true]").first).to_be_focused()
    closest.fill("1.1")
    page.get_by_label("Seed").fill("seven")
    page.get_by_role("button", name="Make 5 takes").click()
    expect(page.get_by_label("Seed")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Seed").fill("7")
    page.get_by_role("button", name="Make 5 takes").click()
    expect(page).to_have_url(re.compile("/jobs/[0-9a-f-]{36}$"))


def test_all_that_may_be_chosen_is_explained(visitor: Visitor) -> None:
    with visitor.site.api() as client:
        offers = client.get("api/options").json()
    page = visitor.opens("new")
    page.get_by_text("More settings").click()
    for box in page.locator(".effects .switch input").all():
        box.check()

    names_of_presets = page.locator(".choice strong").all_text_contents()
    assert len(names_of_presets) == len(offers["presets"])
    assert not {one["name"] for one in offers["presets"]} & set(names_of_presets)
    assert all(page.locator(".choice .muted").all_text_contents())
    raw = {name for effect in offers["effects"] for name in (effect["name"], *effect["bounds"])}
    assert not raw & {text.strip() for text in page.locator(".effects strong").all_text_contents()}
    assert all(page.locator(".effects .switch .muted").all_text_contents())
    labels = page.locator(".range > span:first-child").all_inner_texts()
    assert len(labels) == sum(len(one["bounds"]) for one in offers["effects"]) - 1  # but for which grain it is
    assert not raw & {re.sub(r" from .*", "", label) for label in labels}
    for chosen in ("Rendering", "Priority"):
        texts = page.get_by_label(chosen).locator("option").all_text_contents()
        assert all(text[0].isupper() for text in texts)


def test_more_takes_of_a_video_that_is_here_need_no_upload(visitor: Visitor, clips: Clips) -> None:
    with visitor.site.api() as client:
        job = client.post(
            "api/jobs",
            files=[("videos", (name, clips("tiny").read_bytes())) for name in ("early.mp4", "other.mp4")],
            data={"variations": "2", "options": '{"keepSource": true, "preset": "strong", "name": "spring"}'},
        ).json()
    visitor.opens().evaluate(ENDS, job["jobId"])
    early = job["files"][0]["id"]

    page = visitor.opens(f"new?from={job['jobId']}&file={early}")
    expect(page.get_by_role("radio", name="Strong")).to_be_checked()
    assert names(page) == ["early.mp4"]
    sent = asked(page, "Make 2 takes")

    assert sent["fromFiles"] == [{"jobId": job["jobId"], "fileId": early}]
    assert sent["options"]["name"] == "spring"
    assert "seed" not in sent["options"]
    expect(page).to_have_url(re.compile("/jobs/(?!" + job["jobId"] + ")[0-9a-f-]{36}$"))


def test_below_a_path_and_with_little_room_what_is_too_much_is_said_and_the_rest_becomes_a_job(
    visit: Visit, clips: Clips, tmp_path: Path
) -> None:
    settings = {
        "RETAKE_PATH_PREFIX": "/media/retake",
        "RETAKE_UPLOAD_FILE_MIB": "1",
        "RETAKE_STORAGE_CAP_MIB": "1",
        "RETAKE_WORKERS": "0",
    }
    with up(tmp_path, **settings) as site, visit(site) as visitor:
        visitor.expects("507")
        page = visitor.opens("new")
        page.get_by_label("Password", exact=True).fill(site.password)
        page.keyboard.press("Enter")

        body = clips("tiny").read_bytes()
        given = {"small.mp4": body, "middle.mp4": body + bytes(500_000), "large.mp4": body + bytes(2**20)}
        choose(page, *(video(name, given[name]) for name in given))

        expect(page.locator(".upload.done")).to_have_count(2)
        expect(page.locator(".left-out")).to_contain_text("large.mp4 has 1.1 MB, and a video may have 1 MB")
        expect(page.get_by_text("No worker runs now.")).to_be_visible()
        page.get_by_role("button", name="Make 10 takes").click()
        expect(page.get_by_role("alert").get_by_text("Storage is full")).to_be_visible()
        page.get_by_role("alert").get_by_role("link", name="See what is stored").click()
        expect(page.get_by_text("No worker was seen within a day.")).to_be_visible()
        page.get_by_role("link", name="Videos are uploaded").click()
        page.get_by_role("button", name="Remove middle.mp4").click()
        page.get_by_role("button", name="Make 5 takes").click()
        expect(page).to_have_url(re.compile("/media/retake/jobs/[0-9a-f-]{36}$"))
