"""Uploads that outlive whatever happens to them: a pause, a reload, a lost network, a killed API, an expired session.

The network of the browser is made slow, so that there is a middle for things to happen in.
"""

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Locator, Page, Route, expect

from clips import Clips
from ui.conftest import Visitor
from ui.uploading import CHUNK, choose, video

SIZE, SPEED = 16_000_000, 4_000_000
BEYOND_THE_FIRST = 55
"""Per cent, at which the first request has ended, whose bytes are never sent again."""
JOB = re.compile("/jobs/[0-9a-f-]{36}$")


@contextmanager
def slow(page: Page) -> Iterator[Callable[[bool], None]]:
    """What it gives takes the network away, and brings it back."""
    session = page.context.new_cdp_session(page)

    def become(offline: bool, upwards: int = SPEED) -> None:
        conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": upwards}
        session.send("Network.emulateNetworkConditions", conditions)

    session.send("Network.enable")
    become(offline=False)
    yield become
    become(offline=False, upwards=-1)
    session.detach()


Film = Callable[[str], Path]


@pytest.fixture
def film(clips: Clips, tmp_path: Path) -> Film:
    """Of a size that takes two requests; what comes after the video in it is nothing."""

    def made(name: str) -> Path:
        file = tmp_path / name
        file.write_bytes(clips("tiny").read_bytes())
        os.truncate(file, SIZE)
        return file

    return made


def bar(page: Page) -> Locator:
    return page.locator(".upload").get_by_role("progressbar")


def reaches(page: Page, least: int) -> int:
    """Until so many per cent are uploaded; returns how many are."""
    more = re.compile(f"^({'|'.join(map(str, range(least, 100)))})$")
    expect(bar(page)).to_have_attribute("aria-valuenow", more, timeout=30_000)
    return int(bar(page).get_attribute("aria-valuenow") or "")


def is_uploaded(page: Page) -> None:
    expect(page.locator(".upload.done")).to_have_count(1, timeout=30_000)


def offsets(page: Page) -> list[int]:
    """Of the requests that bring bytes, from now on."""
    seen: list[int] = []
    page.on(
        "request",
        lambda request: seen.append(int(request.headers["upload-offset"])) if request.method == "PATCH" else None,
    )
    return seen


def stored(visitor: Visitor, name: str) -> list[tuple[int, str]]:
    """How many bytes, of each upload of that name that is not gone."""
    return visitor.site.rows("SELECT received, state FROM upload WHERE name = %s AND state <> 'gone'", name)


def jobs_with(visitor: Visitor, name: str) -> int:
    [(found,)] = visitor.site.rows("SELECT count(*) FROM video WHERE name = %s", name)
    return int(found)


def test_a_pause_stops_the_bytes_and_going_on_loses_none(visitor: Visitor, film: Film) -> None:
    visitor.expects("409")  # it goes on before the service has stored what came before the pause
    page = visitor.opens("new")
    with slow(page):
        choose(page, film("paused.mp4"))
        reaches(page, BEYOND_THE_FIRST)

        page.get_by_role("button", name="Pause paused.mp4").click()
        expect(page.get_by_text(re.compile("Paused at [0-9]+ %"))).to_be_visible()
        expect(page.get_by_role("button", name="Resume paused.mp4")).to_be_focused()
        other = visitor.context.new_page()
        other.goto(page.url)
        expect(other.get_by_text("No videos yet")).to_be_visible()  # it belongs to the other tab
        other.close()
        sent = offsets(page)
        page.get_by_role("button", name="Resume paused.mp4").click()
    is_uploaded(page)

    assert sent[0] >= CHUNK
    assert stored(visitor, "paused.mp4") == [(SIZE, "finished")]


def test_a_reload_sends_less_than_one_request_again_and_the_job_that_was_asked_for_is_made_once(
    visitor: Visitor, film: Film
) -> None:
    visitor.expects("409")
    page = visitor.opens("new")
    warned: list[str] = []

    def leave(dialog: Dialog) -> None:
        warned.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    with slow(page):
        choose(page, film("reloaded.mp4"))
        reaches(page, BEYOND_THE_FIRST)
        page.get_by_role("button", name="Make 5 takes").click()
        expect(page.get_by_text("The job starts when the uploads are done: keep this tab open.")).to_be_visible()
        sent = offsets(page)

        page.reload()

        expect(page.get_by_text("keep this tab open")).to_be_visible()
        page.get_by_role("link", name="System").click()
        page.get_by_role("link", name=re.compile("Uploading [0-9]+ %")).click()
    expect(page).to_have_url(JOB, timeout=30_000)

    assert warned == ["beforeunload"]
    assert sent[0] >= CHUNK
    assert stored(visitor, "reloaded.mp4") == [(SIZE, "used")]
    assert jobs_with(visitor, "reloaded.mp4") == 1


def test_what_the_device_had_no_room_for_is_chosen_again_and_goes_on(visitor: Visitor, film: Film) -> None:
    visitor.expects("409")
    visitor.context.add_init_script("navigator.storage.estimate = async () => ({quota: 1000, usage: 0})")
    page = visitor.opens("new")
    page.on("dialog", lambda dialog: dialog.accept())
    file = film("again.mp4")
    with slow(page):
        choose(page, file)
        reaches(page, BEYOND_THE_FIRST)

        page.reload()

        expect(page.get_by_text(re.compile("Choose this video again, and it goes on at [0-9]+ %."))).to_be_visible()
        sent = offsets(page)
        choose(page, file)
    is_uploaded(page)

    assert sent[0] >= CHUNK
    assert stored(visitor, "again.mp4") == [(SIZE, "finished")]


def test_a_lost_network_is_said_and_it_goes_on_by_itself_also_after_the_service_was_killed(
    visitor: Visitor, film: Film
) -> None:
    visitor.expects("net::ERR_", "409")
    page = visitor.opens("new")
    with slow(page) as offline:
        choose(page, film("cut.mp4"))
        reaches(page, 10)
        offline(True)
        expect(page.locator(".upload")).to_contain_text("The connection was lost. It goes on by itself")
        expect(page.get_by_text("You are offline.")).to_be_visible()
        offline(False)
        expect(page.locator(".upload.going")).to_have_count(1, timeout=20_000)
        visitor.site.signal("api", signal.SIGKILL)
    is_uploaded(page)
    assert stored(visitor, "cut.mp4") == [(SIZE, "finished")]


def test_a_session_that_expires_in_the_middle_costs_a_login_and_nothing_else(visitor: Visitor, film: Film) -> None:
    visitor.expects("401")
    page = visitor.opens("new")
    with slow(page):
        choose(page, film("expired.mp4"))
        page.get_by_role("radio", name="Subtle").check()
        reaches(page, 10)
        visitor.context.clear_cookies()

        page.get_by_label("Password", exact=True).fill(visitor.site.password)
        page.keyboard.press("Enter")

        expect(page.get_by_role("radio", name="Subtle")).to_be_checked()
    is_uploaded(page)
    assert stored(visitor, "expired.mp4") == [(SIZE, "finished")]


def test_an_upload_that_is_gone_begins_anew(visitor: Visitor, film: Film) -> None:
    visitor.expects("410", "409")
    page = visitor.opens("new")
    with slow(page):
        choose(page, film("gone.mp4"))
        reaches(page, 10)
        page.get_by_role("button", name="Pause gone.mp4").click()
        expect(page.get_by_text("Paused at")).to_be_visible()
    [(upload,)] = visitor.site.rows("SELECT id::text FROM upload WHERE name = 'gone.mp4'")
    with visitor.site.api() as client:
        client.delete(f"api/uploads/{upload}", headers={"Tus-Resumable": "1.0.0"}).raise_for_status()

    page.get_by_role("button", name="Resume gone.mp4").click()

    is_uploaded(page)
    assert stored(visitor, "gone.mp4") == [(SIZE, "finished")]


def test_an_answer_that_is_lost_makes_no_second_job(visitor: Visitor, clips: Clips) -> None:
    visitor.expects("net::ERR_")
    page = visitor.opens("new")
    keys: list[str] = []

    def lose_the_first(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 1:
            route.continue_()
        else:
            route.fetch()
            route.abort("connectionreset")

    page.route(lambda url: url.endswith("/api/jobs"), lose_the_first)
    choose(page, video("answered.mp4", clips("tiny").read_bytes()))
    page.get_by_role("button", name="Make 5 takes").click()

    expect(page).to_have_url(JOB, timeout=20_000)
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert jobs_with(visitor, "answered.mp4") == 1
