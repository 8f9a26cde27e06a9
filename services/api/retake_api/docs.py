"""GET /api/docs: the OpenAPI document for people to read, with nothing fetched from elsewhere.

The page is one file; what may run and look on it is pinned by hash, so nothing else ever does.
"""

import base64
import hashlib
import re
from importlib.resources import files

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response

PAGE = files("retake_api").joinpath("docs_page.html").read_text(encoding="utf-8")


def policy(page: str) -> str:
    """The Content-Security-Policy that lets through the scripts and styles of this page and no others."""
    allowed = {"script": _hashes(page, "script"), "style": _hashes(page, "style")}
    pinned = "".join(f" {tag}-src {hashes};" for tag, hashes in allowed.items())
    return (
        f"default-src 'none';{pinned} connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def install(app: FastAPI) -> None:
    headers = {"Content-Security-Policy": policy(PAGE), "Cache-Control": "no-cache"}

    @app.get(
        "/api/docs",
        summary="This document, for people",
        tags=["service"],
        response_class=HTMLResponse,
        response_description="A page.",
    )
    async def docs_page() -> Response:
        return HTMLResponse(PAGE, headers=headers)


def _hashes(page: str, tag: str) -> str:
    found = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in found)
