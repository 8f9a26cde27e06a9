"""APIs are killed at each step of an upload by tus. Whoever goes on loses no byte that was acknowledged, and no job."""

import asyncio
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pytest

from api.conftest import Server
from api.process import crashing
from api.sweeping import a_day_later, only_what_jobs_have_is_left
from api.tus_client import BYTES, begun, kept, offset, patch
from api.wire import MIB, clip
from retake.blobs.bucket import Blobs
from retake.store.connect import Database

pytestmark = pytest.mark.anyio

PIECE = MIB
"""What crashing_apis.py holds in memory, and so stores at once."""
REQUEST = PIECE + PIECE // 4
WHOLE = 2 * REQUEST
STEPS: list[tuple[str, int, int | None]] = [
    ("before begin_upload", 1, 0), ("after begin_upload", 1, 0),
    ("before continue_upload", 2, REQUEST), ("after continue_upload", 2, REQUEST),
    ("before intend_chunk", 2, PIECE), ("after intend_chunk", 2, PIECE),
    ("before put", 2, PIECE), ("after put", 2, PIECE),
    ("before piece_stored", 2, PIECE), ("after piece_stored", 2, REQUEST),
    ("before piece_stored", 4, REQUEST + PIECE), ("after piece_stored", 4, WHOLE),
    ("before accept", 1, None), ("after accept", 1, None),
]  # fmt: skip
"""Those that write, of an upload of two requests of two pieces each, and where it stands then: what is lost is at most
the piece that was under way. The fourth piece finishes it."""
FRESH = httpx.Limits(max_keepalive_connections=0)


@dataclass
class Person:
    """Sends videos by way of APIs of which any may die, and goes on with another that is there."""

    first: httpx.AsyncClient
    others: list[httpx.AsyncClient]
    chance: random.Random
    eager: bool = False
    """Begins an upload with bytes of it."""
    stood: list[int | None] = field(default_factory=list)
    """After each death, where the upload stood, if that was asked."""
    late: int = 0
    """How often a COMMIT of an API that was dead already moved it after that: no more than once for each."""

    async def bring(self, data: bytes, request: Callable[[], int]) -> tuple[str, str]:
        """An upload that becomes a job: where it was, and the job's id. `request` says how much to send next."""
        client, where, acknowledged, died = self.first, "", 0, False
        while True:
            try:
                if not where:
                    first = {"content": data[: request()], "headers": BYTES} if self.eager else {}
                    where = await begun(client, len(data), **first)
                if acknowledged == len(data):
                    return where, await self._submit(client, where)
                at = await offset(client, where)
                assert at >= acknowledged
                if died:
                    self.stood[-1], died = at, False
                if at < len(data):
                    answer = await patch(client, where, at, data[at : at + request()])
                    if answer.status_code == 409 and self.late < len(self.stood):
                        self.late += 1
                        continue
                    assert answer.status_code == 204, answer.text
                    at = int(answer.headers["Upload-Offset"])
                acknowledged = at
            except httpx.TransportError:
                self.stood.append(None)
                died = True
                client = self.chance.choice(self.others)

    async def _submit(self, client: httpx.AsyncClient, where: str) -> str:
        """Whoever missed the answer is told which job it is when they ask again."""
        answer = await client.post("/api/jobs", json={"uploads": [where.rpartition("/")[2]]})
        assert answer.status_code in (202, 409), answer.text
        job: str = answer.json()["jobId"]
        return job


def client_of(address: str, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=address, timeout=30, headers={"Authorization": f"Bearer {token}"}, limits=FRESH)


async def test_wherever_an_api_is_killed_another_replica_goes_on_from_the_last_piece(
    server: Server, database: Database, blobs: Blobs, environment: dict[str, str]
) -> None:
    token, data, brought = await server.log_in(), clip(WHOLE), []
    async with (
        crashing(environment, 1, [(step, times) for step, times, _ in STEPS]) as (address, _),
        client_of(address, token) as dying,
        client_of(server.url, token) as living,
    ):
        person = Person(dying, [living], random.Random(1))
        for number, (step, _, _) in enumerate(STEPS, 1):
            brought.append(await person.bring(data, lambda: REQUEST))
            assert len(person.stood) == number, f"nobody died {step}"

    assert person.late == 0
    assert person.stood == [stands for _, _, stands in STEPS]
    await all_is_there_and_nothing_else(database, blobs, brought, [data] * len(STEPS))


@pytest.mark.faults
async def test_two_apis_that_are_killed_and_come_back_again_and_again_lose_nothing(
    server: Server, database: Database, blobs: Blobs, environment: dict[str, str]
) -> None:
    """`SEED` chooses another hundred kills."""
    number, token = int(os.environ.get("SEED", "1")), await server.log_in()
    chance, steps = random.Random(number), [step for step, _, _ in STEPS]
    deaths = [[(chance.choice(steps), chance.randint(1, 6)) for _ in range(1000)] for _ in range(2)]
    videos = [clip(chance.randint(PIECE // 4, 6 * PIECE), seed) for seed in range(100)]
    async with (
        crashing(environment, 1, deaths[0]) as (one, _),
        crashing(environment, 1, deaths[1]) as (other, _),
        client_of(one, token) as first,
        client_of(other, token) as second,
    ):
        people = [Person(first, [first, second], random.Random(number + n), eager=n == 2) for n in range(3)]

        places = asyncio.Queue[Person]()
        for person in people:
            places.put_nowait(person)

        async def bring(video: bytes) -> tuple[str, str]:
            person = await places.get()
            try:
                return await person.bring(video, lambda: chance.randint(1, 3 * PIECE))
            finally:
                places.put_nowait(person)

        brought = await asyncio.gather(*map(bring, videos))
    died = sum(len(person.stood) for person in people)
    print(f"\n  {len(videos)} uploads, {died} requests cut by kills")  # noqa: T201  what a campaign did, with -s

    assert died >= 100
    await all_is_there_and_nothing_else(database, blobs, brought, videos)


async def all_is_there_and_nothing_else(
    database: Database, blobs: Blobs, brought: list[tuple[str, str]], videos: list[bytes]
) -> None:
    await a_day_later(database, blobs)
    for (where, _), video in zip(brought, videos, strict=True):
        assert await kept(database, blobs, where) == video
    assert len({job for _, job in brought}) == len(videos)
    await only_what_jobs_have_is_left(database, blobs)
