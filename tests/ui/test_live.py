"""Pages are current by themselves: where events are blocked, after the network was away, after the lid was closed, and
for somebody who does not look."""

import re

import pytest
from playwright.sync_api import Page, expect

from clips import Clips
from ui.conftest import Visit, Visitor
from ui.seeding import held, insert, submit

DONE = 60_000
HIDE = """() => {
    Object.defineProperty(document, "visibilityState", { get: () => "hidden", configurable: true });
    Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""
SHOW = """() => {
    delete document.visibilityState;
    delete document.hidden;
    document.dispatchEvent(new Event("visibilitychange"));
}"""
SLEEP = """() => {
    const real = Date.now;
    Date.now = () => real() + 3_600_000;
}"""
TOLD = """async () => {
    const registration = await navigator.serviceWorker.ready;
    return (await registration.getNotifications()).map(({ title, body }) => ({ title, body }));
}"""
WATCH = """async () => {
    const { active } = await navigator.serviceWorker.ready;
    const show = ServiceWorkerRegistration.prototype.showNotification;
    window.shown = new Promise((done, fail) => {
        setTimeout(() => fail(new Error("nothing was shown")), 60_000);
        ServiceWorkerRegistration.prototype.showNotification = async function (...given) {
            await show.apply(this, given);
            done(active.state);
        };
    });
}"""
CLICK = """async () => {
    const [notification] = await self.registration.getNotifications();
    self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
}"""


def completed(page: Page) -> None:
    expect(page.locator("header.about").get_by_text("Completed", exact=True)).to_be_visible(timeout=DONE)


def test_where_events_are_blocked_a_job_still_gets_to_its_end(visitor: Visitor, clips: Clips) -> None:
    visitor.expects("ERR_FAILED")
    visitor.context.route("**/api/events*", lambda route: route.abort())
    with held(visitor.site):
        page = visitor.opens(f"jobs/{submit(visitor.site, ('blocked.mp4', clips('tiny')), variations='1')}")
        expect(page.get_by_text("Live updates are blocked here")).to_be_visible(timeout=20_000)

    completed(page)
    visitor.opens("?q=blocked")
    expect(page.get_by_role("listitem").filter(has_text="blocked.mp4").get_by_text("Completed")).to_be_visible()


def test_a_network_that_was_away_brings_back_all_that_was_missed(visitor: Visitor, clips: Clips) -> None:
    visitor.expects("ERR_INTERNET_DISCONNECTED")
    page = visitor.opens("?q=meanwhile")
    expect(page.get_by_text("No job is like that")).to_be_visible()
    visitor.context.set_offline(True)
    expect(page.get_by_text("You are offline.")).to_be_visible()
    insert(visitor.site, ["meanwhile"])  # of which no event tells

    visitor.context.set_offline(False)

    expect(page.get_by_role("link", name="meanwhile")).to_be_visible(timeout=15_000)
    expect(page.get_by_text("You are offline.")).not_to_be_visible()


def test_after_a_sleep_everything_is_looked_up_anew(visitor: Visitor) -> None:
    page = visitor.opens("?q=asleep")
    expect(page.get_by_text("No job is like that")).to_be_visible()
    insert(visitor.site, ["asleep"])

    with page.expect_request(re.compile("/api/events")):
        page.evaluate(SLEEP)

    expect(page.get_by_role("link", name="asleep")).to_be_visible()


def test_tabs_in_the_background_leave_the_few_connections_to_those_that_are_looked_at(visitor: Visitor) -> None:
    """A browser has six for all tabs, and events would take one of each."""
    for _ in range(6):
        tab = visitor.context.new_page()
        tab.clock.install()
        tab.goto(f"{visitor.site.url}?q=background")
        expect(tab.get_by_text("No job is like that")).to_be_visible()
        tab.evaluate(HIDE)
        tab.clock.fast_forward(6_000)
        with tab.expect_request("**/api/jobs?*"):
            tab.clock.fast_forward(16_000)

    page = visitor.opens("?q=background")
    expect(page.get_by_text("No job is like that")).to_be_visible()
    insert(visitor.site, ["background"])
    tab.evaluate(SHOW)
    expect(tab.get_by_role("link", name="background")).to_be_visible()


@pytest.mark.parametrize("blocked", [False, True], ids=["by events", "by asking"])
def test_whoever_asked_to_be_told_is_told_once_when_a_job_ends_and_led_to_it(
    visit: Visit, clips: Clips, blocked: bool
) -> None:
    with visit(permissions=["notifications"]) as visitor:
        visitor.logs_in()
        if blocked:
            visitor.expects("ERR_FAILED")
            visitor.context.route("**/api/events*", lambda route: route.abort())
        name = f"told {blocked}.mp4"
        page = visitor.opens()
        page.get_by_role("button", name="Notifications: off").click()
        expect(page.get_by_role("button", name="Notifications: on")).to_be_visible()
        with held(visitor.site):
            job = submit(visitor.site, (name, clips("tiny")), variations="2")
            expect(page.get_by_role("link", name=name)).to_be_visible(timeout=30_000)
            page.evaluate(WATCH)
            page.evaluate(HIDE)

        page.evaluate("() => window.shown")
        assert page.evaluate(TOLD) == [{"title": f"{name} is done", "body": "2 takes to download."}]
        [worker] = visitor.context.service_workers
        worker.evaluate(CLICK)
        expect(page).to_have_url(f"{visitor.site.url}jobs/{job}")


def test_who_looks_elsewhere_on_the_page_is_told_there(visit: Visit, clips: Clips) -> None:
    with visit(permissions=["notifications"]) as visitor:
        page = visitor.logs_in().opens("system")
        page.get_by_role("button", name="Notifications: off").click()
        expect(page.get_by_text("You will be told here when a job ends")).to_be_visible()

        submit(visitor.site, ("elsewhere.mp4", clips("tiny")), variations="1")

        expect(page.get_by_text("elsewhere.mp4 is done. 1 take to download.")).to_be_visible(timeout=DONE)
        assert page.evaluate(TOLD) == []


def test_who_blocks_notifications_is_told_how_to_have_them(visitor: Visitor, clips: Clips) -> None:
    with held(visitor.site):
        page = visitor.opens(f"jobs/{submit(visitor.site, ('denied.mp4', clips('tiny')), variations='1')}")
        expect(page.get_by_text("You may close this tab")).to_be_visible()
        page.evaluate("""Notification.requestPermission = async () => "denied" """)
        page.get_by_role("button", name="Tell me when it is done").click()

        expect(page.get_by_text("This browser blocks notifications from here.")).to_be_visible()
        expect(page.get_by_text("You may close this tab")).not_to_be_visible()
