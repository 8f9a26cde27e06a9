"""A real Chromium before the real system. Whatever a test does, no page breaks its policy or complains in its console.

A page that is refused something complains, too: a test that means that to happen says which words to expect,
`visitor.expects("401")`.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from ui.site import Site, up

CHROMIUM = shutil.which("chromium")
WATCH = """addEventListener("securitypolicyviolation", (event) =>
    console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM is None:
        missing = pytest.mark.skip(reason="chromium is not installed (Debian: apt-get install chromium)")
        for item in items:
            if item.path.is_relative_to(Path(__file__).parent):
                item.add_marker(missing)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the session: no test with a loop of its own can run in this thread meanwhile."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Shared by the tests of a process: name your files after your test."""
    with up(tmp_path_factory.mktemp("site")) as running:
        yield running


class Visitor:
    """Somebody with a browser of their own."""

    def __init__(self, site: Site, context: BrowserContext) -> None:
        self.site, self.context = site, context
        self.complaints: list[str] = []
        self._expected: list[str] = []
        context.add_init_script(WATCH)
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.page: Page = context.new_page()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} ({message.location.get('url')})")

    def expects(self, *patterns: str) -> None:
        self._expected += patterns

    def opens(self, path: str = "") -> Page:
        self.page.goto(self.site.url + path)
        return self.page

    def logs_in(self) -> "Visitor":
        """As if it had been done on the page, without the typing."""
        self.context.request.post(f"{self.site.url}api/auth", data={"password": self.site.password})
        self.opens().evaluate("""localStorage.setItem("retake.session", "yes")""")
        return self

    def surprises(self) -> list[str]:
        return [one for one in self.complaints if not any(re.search(known, one) for known in self._expected)]


Visit = Callable[..., AbstractContextManager[Visitor]]


@pytest.fixture
def visit(browser: Browser, site: Site) -> Visit:
    """`with visit(locale="de") as visitor`: with settings of the browser's context, or another site."""

    @contextmanager
    def arrived(where: Site = site, **settings: Any) -> Iterator[Visitor]:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **settings})
        visitor = Visitor(where, context)
        yield visitor
        context.close()
        assert visitor.surprises() == []

    return arrived


@pytest.fixture
def visitor(visit: Visit) -> Iterator[Visitor]:
    """Logged in."""
    with visit() as arrived:
        yield arrived.logs_in()
