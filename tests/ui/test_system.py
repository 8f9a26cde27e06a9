"""What runs and what is stored, as it is while one looks."""

import re
import signal

import pytest
from playwright.sync_api import expect

from clips import Clips
from ui.conftest import Visitor
from ui.uploading import ENDS


def test_workers_and_storage_are_shown_and_a_kept_job_is_let_go(visitor: Visitor, clips: Clips) -> None:
    with visitor.site.api() as client:
        made = client.post(
            "api/jobs",
            files={"videos": ("kept.mp4", clips("tiny").read_bytes())},
            data={"variations": "1", "options": '{"name": "to be kept"}'},
        ).json()["jobId"]
    page = visitor.opens("system")
    page.evaluate(ENDS, made)

    worker = page.locator(".worker").filter(has_text="worker-1").first
    expect(worker).to_contain_text("Active")
    expect(worker).to_contain_text("× real time")
    expect(page.get_by_text(re.compile("1 worker · [01] of 1 places busy · Together about"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"[0-9.]+ [kMGT]?B of [0-9.]+ [GT]B used"))).to_be_visible()
    expect(page.get_by_role("img", name="Storage used")).to_be_visible()
    with visitor.site.api() as client:
        client.post(f"api/jobs/{made}/keep", json={"keep": True}).raise_for_status()
        expect(page.get_by_role("link", name="to be kept")).to_be_visible()
        page.get_by_role("button", name="Let go").click()
        expect(page.get_by_role("link", name="to be kept")).not_to_be_visible()
        assert client.get(f"api/jobs/{made}").json()["kept"] is False


@pytest.mark.faults
def test_a_part_that_is_down_is_named_until_it_is_back(visitor: Visitor) -> None:
    visitor.expects("503")
    page = visitor.opens("system")
    expect(page.get_by_text("Everything works.")).to_be_visible()

    visitor.site.signal("nats", signal.SIGSTOP)
    try:
        expect(page.get_by_text("Not everything works: Queue.")).to_be_visible(timeout=30_000)
    finally:
        visitor.site.signal("nats", signal.SIGCONT)
    expect(page.get_by_text("Everything works.")).to_be_visible(timeout=30_000)
