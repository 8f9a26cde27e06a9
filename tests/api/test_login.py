"""Logging in by those who guess, by many at once, by browsers, and after the password changed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from api.conftest import Server, Start, rows
from api.wire import PASSWORD
from retake.store.connect import Database
from retake.store.login_attempts import Limits, TooMany, count_attempt, forgive_attempt
from retake_api.app import Tools
from retake_api.password import Busy, Password

pytestmark = pytest.mark.anyio

WRONG = {"password": "guess"}
RIGHT = {"password": PASSWORD}


@asynccontextmanager
async def calling_from(address: str, server: Server) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.AsyncHTTPTransport(local_address=address)
    async with httpx.AsyncClient(base_url=server.url, transport=transport, timeout=20) as client:
        yield client


async def test_thirty_wrong_passwords_are_throttled_while_another_client_logs_in(start: Start) -> None:
    one, other = await start(), await start()
    async with calling_from("127.0.0.2", one) as guesser, calling_from("127.0.0.3", other) as person:
        answers = await asyncio.gather(*(guesser.post("/api/auth", json=WRONG) for _ in range(15)))
        answers += [await guesser.post(f"{other.url}/api/auth", json=WRONG) for _ in range(15)]
        right_too_late = await guesser.post("/api/auth", json=RIGHT)
        let_in = await person.post("/api/auth", json=RIGHT)

    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(401), statuses.count(429)) == (10, 20)
    assert statuses[15:] == [429] * 15
    assert {answer.json()["code"] for answer in answers if answer.status_code == 429} == {"too_many_attempts"}
    assert 0 < int(right_too_late.headers["Retry-After"]) <= 600
    assert (right_too_late.status_code, let_in.status_code) == (429, 200)


async def test_the_right_password_begins_the_count_anew(server: Server) -> None:
    for _ in range(3):
        for _ in range(9):
            assert (await server.client.post("/api/auth", json=WRONG)).status_code == 401
        assert (await server.client.post("/api/auth", json=RIGHT)).status_code == 200


async def test_guessing_from_many_addresses_is_slow_and_locks_out_nobody_who_knew_the_password(
    database: Database,
) -> None:
    limits = Limits(everybody=5)
    await count_attempt(database, "home", limits)
    await forgive_attempt(database, "home")
    for number in range(5):
        await count_attempt(database, f"bot {number}", limits)

    with pytest.raises(TooMany):
        await count_attempt(database, "bot 5", limits)

    await count_attempt(database, "home", limits)


async def test_what_is_refused_is_not_counted_and_a_window_ends(database: Database) -> None:
    limits = Limits(client=1)
    await count_attempt(database, "one", limits)
    for _ in range(3):
        with pytest.raises(TooMany):
            await count_attempt(database, "one", limits)
    counted = await rows(database, "SELECT client, failures FROM login_attempt ORDER BY client")
    await rows(database, "UPDATE login_attempt SET since = since - %s RETURNING 1", limits.window)

    await count_attempt(database, "one", limits)

    assert counted == [{"client": "*", "failures": 1}, {"client": "one", "failures": 1}]


async def test_attempts_that_are_over_are_forgotten(database: Database) -> None:
    for client in ("old", "known"):
        await count_attempt(database, client, Limits())
    await forgive_attempt(database, "known")
    await rows(database, "UPDATE login_attempt SET since = since - interval '1 hour' RETURNING 1")

    await count_attempt(database, "new", Limits())

    left = [row["client"] for row in await rows(database, "SELECT client FROM login_attempt ORDER BY client")]
    assert left == ["*", "known", "new"]


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("2001:db8::5:1", "2001:db8::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("nonsense", "nonsense"),
    ],
)
async def test_behind_a_trusted_proxy_the_client_it_names_is_counted(
    start: Start, database: Database, forwarded: str, client: str
) -> None:
    server = await start(web={"proxies": ("127.0.0.0/8",)})

    await server.client.post("/api/auth", json=WRONG, headers={"X-Forwarded-For": forwarded})

    assert {row["client"] for row in await rows(database, "SELECT client FROM login_attempt")} == {"*", client}


async def test_nobody_else_is_believed_whom_they_speak_for(server: Server, database: Database) -> None:
    await server.client.post("/api/auth", json=WRONG, headers={"X-Forwarded-For": "203.0.113.7"})

    assert {row["client"] for row in await rows(database, "SELECT client FROM login_attempt")} == {"*", "127.0.0.1"}


async def test_a_password_is_looked_at_beside_the_loop_and_a_crowd_is_sent_away() -> None:
    password, ticks = Password(PASSWORD, b"salt"), 0

    async def look() -> bool:
        with password.queued():
            return await password.matches(PASSWORD)

    looking = asyncio.gather(*(look() for _ in range(40)), return_exceptions=True)
    while not looking.done():
        ticks += 1
        await asyncio.sleep(0)

    found = await looking
    assert found.count(True) == 18
    assert sum(isinstance(one, Busy) for one in found) == 22
    assert ticks > 100
    assert await look()


class Crowded(Password):
    def queued(self):
        raise Busy


async def test_who_is_sent_away_is_told_when_to_come_back(start: Start, tools: Tools, database: Database) -> None:
    server = await start(door=replace(tools.door, password=Crowded(PASSWORD, b"salt")))

    answer = await server.client.post("/api/auth", json=RIGHT)

    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_at_once")
    assert answer.headers["Retry-After"]
    assert await rows(database, "SELECT FROM login_attempt") == []


async def test_the_password_may_be_given_as_its_hash(start: Start) -> None:
    hashed = Password(PASSWORD, b"anywhere").hashed
    server = await start(web={"password": hashed})

    assert await server.log_in()
    assert (await server.client.post("/api/auth", json={"password": hashed})).status_code == 401


async def test_another_password_ends_all_sessions_and_the_same_one_none(start: Start) -> None:
    old, same, new = await start(), await start(), await start(web={"password": "another"})
    shown = {"Authorization": f"Bearer {await old.log_in()}"}

    answers = [(await one.client.get("/api/jobs", headers=shown)).status_code for one in (old, same, new)]

    assert answers == [200, 200, 401]


async def test_a_browser_is_logged_in_by_a_cookie_no_script_reads_and_no_other_site_sends(server: Server) -> None:
    answer = await server.client.post("/api/auth", json=RIGHT)

    name, *attributes = answer.headers["Set-Cookie"].split("; ")
    assert name == f"retake_session={answer.json()['token']}"
    assert set(attributes) == {"HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={24 * 3600}"}
    assert (await server.client.get("/api/jobs")).status_code == 200


@pytest.mark.parametrize(("trusted", "secure"), [(("127.0.0.1",), True), ((), False)])
async def test_the_cookie_is_secure_when_a_trusted_proxy_was_asked_by_https(
    start: Start, trusted: tuple[str, ...], secure: bool
) -> None:
    server = await start(web={"proxies": trusted})

    answer = await server.client.post("/api/auth", json=RIGHT, headers={"X-Forwarded-Proto": "https"})

    assert ("Secure" in answer.headers["Set-Cookie"].split("; ")) == secure


async def test_logging_out_takes_the_cookie_away(server: Server) -> None:
    await server.client.post("/api/auth", json=RIGHT)

    answer = await server.client.delete("/api/auth", headers={"Origin": server.url})

    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert (await server.client.get("/api/jobs")).status_code == 401


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 204),
        ({"Origin": "{server}"}, 204),
        ({"Origin": "{server}", "Sec-Fetch-Site": "same-origin"}, 204),
        ({"Origin": "{server}", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_with_a_cookie_only_our_own_pages_change_anything(
    server: Server, said: dict[str, str], status: int
) -> None:
    await server.client.post("/api/auth", json=RIGHT)

    answer = await server.client.delete(
        "/api/auth", headers={name: value.format(server=server.url) for name, value in said.items()}
    )

    assert answer.status_code == status
    assert status == 204 or answer.json()["code"] == "cross_site"


async def test_authorization_wins_over_the_cookie(server: Server) -> None:
    await server.client.post("/api/auth", json=RIGHT)

    assert (await server.client.get("/api/jobs", headers={"Authorization": "Bearer x"})).status_code == 401
    assert (await server.client.get("/api/jobs", headers={"Authorization": "Basic eDp4"})).status_code == 401


async def test_a_made_up_token_costs_no_look_at_the_database(start: Start, tools: Tools) -> None:
    broken = await start(access=replace(tools.access, database=None))

    for token in ("x", "x.y", "rk_x", "." * 100, "Ü.Ü"):
        answer = await broken.client.get("/api/jobs", headers={"Authorization": f"Bearer {token}".encode()})
        assert answer.status_code == 401, token
