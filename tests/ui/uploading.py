"""Files in the hands of somebody with a browser."""

import base64
import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import FilePayload, Page, Request

CHUNK = 8 * 2**20
"""The most that is sent at once (web/src/uploads/transfer.ts)."""

ENDS = """async job => {
    const events = new EventSource(`api/jobs/${job}/events?after=0`);
    const ended = new Promise((resolve) => events.addEventListener("job",
        (event) => ["completed", "failed"].includes(JSON.parse(event.data).status) && resolve()));
    return ended.finally(() => events.close());
}"""
"""Of a job, in a page."""


def video(name: str, body: bytes) -> FilePayload:
    return {"name": name, "mimeType": "video/mp4", "buffer": body}


def choose(page: Page, *files: FilePayload | Path, button: str = "Choose videos") -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=button).click()
    chooser.value.set_files(list(files))  # type: ignore[arg-type]  # all of one sort


def drop(page: Page, files: dict[str, bytes]) -> None:
    """As if they were dragged out of a file manager to anywhere on the page."""
    page.evaluate(
        """files => {
            const given = new DataTransfer();
            for (const [name, text] of Object.entries(files)) {
                const body = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
                given.items.add(new File([body], name, {lastModified: 1}));
            }
            const how = {dataTransfer: given, bubbles: true, cancelable: true};
            for (const kind of ["dragenter", "dragover", "drop"])
                document.body.dispatchEvent(new DragEvent(kind, how));
        }""",
        {name: base64.b64encode(body).decode() for name, body in files.items()},
    )


def names(page: Page) -> list[str]:
    return page.locator(".upload .name bdi").all_text_contents()


def makes_a_job(request: Request) -> bool:
    return request.method == "POST" and re.search("/api/jobs$", request.url) is not None


def asked(page: Page, button: str) -> Any:
    """What is sent to make a job when the button is pressed."""
    with page.expect_request(makes_a_job) as request:
        page.get_by_role("button", name=button).click()
    return json.loads(request.value.post_data or "")
