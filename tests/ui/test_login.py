"""Coming in and going out."""

import pytest
from playwright.sync_api import expect

from ui.conftest import Visit, Visitor


def test_a_person_logs_in_and_is_where_they_wanted_to_be(visit: Visit) -> None:
    with visit() as visitor:
        page = visitor.opens("system")
        page.get_by_label("Password", exact=True).fill(visitor.site.password)
        page.get_by_role("button", name="Log in").click()

        expect(page.get_by_role("heading", name="System")).to_be_visible()
        assert page.url == f"{visitor.site.url}system"


def test_a_wrong_password_is_said_and_can_be_typed_again(visit: Visit) -> None:
    with visit() as visitor:
        visitor.expects("401")
        page = visitor.opens()
        page.get_by_label("Password", exact=True).fill("not this one")
        page.keyboard.press("Enter")

        expect(page.get_by_role("alert")).to_have_text("That is not the password.")
        expect(page.get_by_label("Password", exact=True)).to_be_focused()
        page.keyboard.type(visitor.site.password)
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="New job").first).to_be_visible()


def test_whoever_logs_out_must_log_in_again(visitor: Visitor) -> None:
    visitor.expects("401")  # of pictures of jobs, if they are still under way
    page = visitor.opens()
    page.get_by_role("button", name="Log out").click()

    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    expect(page.get_by_text("You were logged out.")).not_to_be_visible()


@pytest.mark.parametrize("path", ["", "system"])
def test_an_expired_session_says_so_and_brings_one_back(visitor: Visitor, path: str) -> None:
    visitor.expects("401")
    page = visitor.opens(path)
    heading = page.get_by_role("heading", level=1).inner_text()
    visitor.context.clear_cookies()

    page.reload()

    expect(page.get_by_text("You were logged out.")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(visitor.site.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
