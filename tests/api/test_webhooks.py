"""Webhooks: sent signed, once the receiver is up, in spite of all it does; and never where they must not go."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.conftest import rows
from conftest import eventually
from retake.domain.states import Wish
from retake.domain.timing import Timing
from retake.settings import SettingsError, Webhooks, read
from retake.store.connect import Database
from retake.store.deliveries import deliveries_of
from retake.store.jobs import NewJob, accept, wish
from retake.store.sources import begin_source, finish_source
from retake.store.workspaces import ensure_workspace
from retake_api.webhooks import Sender, signature

pytestmark = pytest.mark.anyio

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LOOPBACK = "127.0.0.0/8"


def test_the_signature_is_that_of_the_published_example() -> None:
    signed = signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@dataclass
class Receiver:
    """Answers as it is told, and keeps what came."""

    answer: bytes = b"HTTP/1.1 204 No Content\r\n\r\n"
    came: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?of=ours"

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.came.append((first, headers, body))
        writer.write(self.answer)
        if not self.answer:
            await reader.read()
        writer.close()

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.came]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    async with await asyncio.start_server(made.hear, "127.0.0.1", 0) as server:
        made.port = server.sockets[0].getsockname()[1]
        yield made


@dataclass
class Desk:
    database: Database
    workspace: UUID

    async def job(self, url: str | None) -> UUID:
        source = await begin_source(self.database, self.workspace)
        await finish_source(self.database, source)
        options = {} if url is None else {"callbackUrl": url}
        new = NewJob(self.workspace, [("a.mp4", source)], 2, seed=1, options=options)
        await accept(self.database, new)
        return new.id

    def sender(self, networks: str = LOOPBACK) -> Sender:
        environment = {"RETAKE_WEBHOOK_SECRET": SECRET, "RETAKE_WEBHOOK_NETWORKS": networks}
        return Sender(self.database, Timing(), read(Webhooks, environment))

    async def send_all(self, networks: str = LOOPBACK) -> None:
        while await self.sender(networks).run_once():
            pass

    async def log(self, job: UUID) -> list[tuple[Any, ...]]:
        """Oldest first."""
        found = await deliveries_of(self.database, job)
        return [(row["number"], row["state"], row["answered"], row["error"]) for row in reversed(found)]

    async def make_due(self) -> None:
        await rows(self.database, "UPDATE delivery SET next_at = now() RETURNING id")


@pytest.fixture
async def desk(database: Database) -> Desk:
    return Desk(database, await ensure_workspace(database, "default"))


async def test_what_happens_to_a_job_is_sent_numbered_and_signed(desk: Desk, receiver: Receiver) -> None:
    job = await desk.job(receiver.url)
    await wish(desk.database, job, Wish.CANCEL)

    await desk.send_all()

    told = sorted(receiver.told, key=lambda one: one["sequence"])
    assert [(one["sequence"], one["type"]) for one in told] == [
        (1, "job.queued"),
        (2, "file.cancelled"),
        (3, "job.cancelled"),
    ]
    assert told[2]["data"] == {"jobId": str(job), "status": "cancelled"}
    assert {one["data"]["jobId"] for one in told} == {str(job)}
    for first, headers, body in receiver.came:
        assert first == "POST /hook?of=ours HTTP/1.1"
        assert headers["host"] == f"127.0.0.1:{receiver.port}"
        due = signature(SECRET, headers["webhook-id"], int(headers["webhook-timestamp"]), body)
        assert headers["webhook-signature"] == due
    assert await desk.log(job) == [(number, "delivered", 204, None) for number in (1, 2, 3)]


async def test_people_are_told_what_was_sent_and_what_became_of_it(
    desk: Desk, receiver: Receiver, client: httpx.AsyncClient
) -> None:
    job = await desk.job(receiver.url)
    await desk.send_all()
    await wish(desk.database, job, Wish.PAUSE)
    await wish(desk.database, job, Wish.CANCEL)

    *waiting, sent = (await client.get(f"/api/jobs/{job}/deliveries")).json()

    assert (sent["id"], sent["type"], sent["status"]) == (receiver.came[0][1]["webhook-id"], "job.queued", "delivered")
    assert (sent["sequence"], sent["attempts"], sent["answered"], sent["nextAt"]) == (1, 1, 204, None)
    assert [(one["type"], one["status"]) for one in waiting] == [
        ("job.cancelled", "waiting"), ("file.cancelled", "waiting"), ("job.paused", "waiting"),
    ]  # fmt: skip


async def test_a_job_without_an_address_sends_nothing(desk: Desk) -> None:
    job = await desk.job(None)

    assert await desk.sender().run_once() == 0
    assert await desk.log(job) == []


async def test_a_receiver_that_is_down_gets_it_once_it_is_up_under_the_same_id(desk: Desk, receiver: Receiver) -> None:
    receiver.answer = b"HTTP/1.1 500 Oh\r\n\r\n"
    job = await desk.job(receiver.url)
    await desk.sender().run_once()
    [(_, state, answered, error)] = await desk.log(job)
    receiver.answer = Receiver().answer
    await desk.make_due()

    await desk.sender().run_once()

    assert (state, answered, error) == ("waiting", 500, "the receiver answered 500")
    assert await desk.log(job) == [(1, "delivered", 204, None)]
    (_, before, first), (_, after, second) = receiver.came
    assert (before["webhook-id"], first) == (after["webhook-id"], second)


async def test_what_nobody_listens_to_is_tried_again_later_each_time_after_a_longer_wait(desk: Desk) -> None:
    job = await desk.job("http://127.0.0.1:1/nobody")
    waits = []
    for _ in range(3):
        await desk.make_due()
        await desk.sender().run_once()
        [wait] = await rows(desk.database, "SELECT extract(epoch FROM next_at - now())::float AS s FROM delivery")
        waits.append(wait["s"])

    assert [round(wait / due, 1) for wait, due in zip(waits, (5, 10, 20), strict=True)] == pytest.approx(
        [1, 1, 1], abs=0.25
    )
    assert (await desk.log(job))[0][1:3] == ("waiting", None)


async def test_after_a_day_it_is_given_up(desk: Desk) -> None:
    job = await desk.job("http://127.0.0.1:1/nobody")
    await rows(desk.database, "UPDATE delivery SET created_at = now() - interval '25 hours' RETURNING id")

    await desk.sender().run_once()

    assert (await desk.log(job))[0][:2] == (1, "given_up")


async def test_whoever_dies_with_one_in_hand_has_it_sent_by_another(desk: Desk, receiver: Receiver) -> None:
    job = await desk.job(receiver.url)
    held = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as slow:
        url = f"http://127.0.0.1:{slow.sockets[0].getsockname()[1]}/"
        await rows(desk.database, "UPDATE delivery SET url = %s RETURNING id", url)
        dying = asyncio.create_task(desk.sender().run_once())
        await held.wait()
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
    await rows(desk.database, "UPDATE delivery SET url = %s RETURNING id", receiver.url)
    assert await desk.sender().run_once() == 0  # it is still held
    await desk.make_due()

    await desk.sender().run_once()

    assert await desk.log(job) == [(1, "delivered", 204, None)]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n", "redirects are not followed"),
        (b"HTTP/1.1 410 Gone\r\n\r\n", "wants no more"),
    ],
)
async def test_a_receiver_that_redirects_or_wants_no_more_is_not_asked_again(
    desk: Desk, receiver: Receiver, answer: bytes, why: str
) -> None:
    receiver.answer = answer
    job = await desk.job(receiver.url)

    await desk.send_all()

    [(_, state, _, error)] = await desk.log(job)
    assert state == "refused"
    assert why in error
    assert len(receiver.came) == 1


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"x" * 100_000, b"HTTP/1.1 20"])
async def test_what_answers_no_http_is_a_failure_in_bounded_time_and_memory(
    desk: Desk, receiver: Receiver, answer: bytes
) -> None:
    receiver.answer = answer
    job = await desk.job(receiver.url)
    sender = desk.sender()
    sender.patience = 0.5

    await sender.run_once()

    assert (await desk.log(job))[0][1] == "waiting"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "10.1.2.3", "169.254.169.254", "[::ffff:127.0.0.1]"]
)
async def test_an_address_inside_is_refused_and_nothing_connects(desk: Desk, receiver: Receiver, host: str) -> None:
    job = await desk.job(f"http://{host}:{receiver.port}/")

    await desk.send_all(networks="")

    [(_, state, answered, error)] = await desk.log(job)
    assert (state, answered) == ("refused", None)
    assert "nothing is sent to" in error
    assert receiver.came == []


async def test_a_slow_receiver_keeps_no_others_waiting(desk: Desk, receiver: Receiver) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as slow:
        stuck = await desk.job(f"http://127.0.0.1:{slow.sockets[0].getsockname()[1]}/")
        await wish(desk.database, stuck, Wish.CANCEL)
        quick = await desk.job(receiver.url)
        sending = asyncio.create_task(desk.sender().run_once())

        async def arrived() -> bool:
            return await desk.log(quick) == [(1, "delivered", 204, None)]

        assert await eventually(arrived)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


@pytest.mark.parametrize(
    "wrong",
    [{"RETAKE_WEBHOOK_SECRET": "secret"}, {"RETAKE_WEBHOOK_NETWORKS": "10.0.0.1/8"}, {"RETAKE_WEBHOOK_NETWORKS": "x"}],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="must be"):
        read(Webhooks, wrong)
