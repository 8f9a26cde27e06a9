"""Random walks over the real store beside a model of dicts: after every step the rows say what the model says.

A walk accepts, relays, claims, renders, loses messages and workers, pauses, cancels, retries, expires and sweeps in any
order. At its end nothing fails any more, everybody gets a turn, and everything accepted must come to its end.
"""

import asyncio
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from conftest import TEMPLATE, Stack, create_database, database_url, drop_database
from retake.domain.states import ENDED, PartState, Wish
from retake.domain.work import PartKind
from retake.settings import Postgres
from retake.store.connect import Database, open_database
from store.audit import JOBS, LEDGER, VIDEOS, judge
from store.steps import Steps

WALKS, LENGTH = 20, 60
AT_MOST = 2  # jobs that have not ended: few, so that things happen to the same again and again
HOW_OFTEN = {
    "work": 30, "deliver": 15, "accept": 5, "wish": 2, "retry": 4, "grow_old": 1, "sweep": 1, "wait_in_vain": 2,
    "heartbeat": 8, "name_take": 6, "release": 5, "lapse": 5, "freeze": 6, "reap": 15, "outage": 1, "time_passes": 4,
}  # fmt: skip
ROUNDS = 10

numbers = st.integers(0, 999)


class Walk(Steps):
    def possible(self) -> list[str]:
        """The names of the steps that can be taken now, each as often as it should be."""
        parts = self.model.parts.values()
        can = {
            "accept": sum(self.model.job_state(job) not in ENDED for job in self.model.wishes) < AT_MOST,
            "deliver": bool(self.stream) or any(self.model.claimable(part) for part in parts),
            "name_take": any(claimed.kind is PartKind.RENDER for claimed in self.claims),
            "reap": any(part.lapsed for part in parts),
            "time_passes": not all(part.due for part in parts),
            **dict.fromkeys(["work", "heartbeat", "release", "lapse", "freeze"], bool(self.claims)),
            "retry": any(self.model.retryable(job, None) for job in self.model.wishes),
            **dict.fromkeys(["wish", "grow_old"], bool(self.model.wishes)),
        }
        return [name for name, often in HOW_OFTEN.items() if can.get(name, True) for _ in range(often)]

    def step(self, name: str, which: int, how: int) -> None:
        getattr(self, name)(which, how)
        self.run(self._compare())

    async def _compare(self) -> None:
        model = self.model
        videos, jobs, ledger, parts, takes = await self.scene.look(
            *(VIDEOS, JOBS, LEDGER),
            "SELECT id, state, claim, failures, trying_index FROM part",
            "SELECT video_id, index, state, claim, losses FROM variation",
        )
        assert {(row["id"], row["wish"], row["state"]) for row in jobs} == {
            (job, wish, model.job_state(job)) for job, wish in model.wishes.items()
        }
        assert {(row["id"], row["state"], row["error_code"]) for row in videos} == {
            (key, model.video_state(key), video.error) for key, video in model.videos.items()
        }
        assert {tuple(row.values()) for row in parts} == {
            (key, part.state, part.claim, part.failures, part.trying) for key, part in model.parts.items()
        }
        assert {tuple(row.values()) for row in takes} == {
            (key, index, take.state, take.claim, take.losses)
            for key, video in model.videos.items()
            for index, take in video.takes.items()
        }
        back = [row["id"] for row in videos if row["progress"] < self.progress.get(row["id"], 0)]
        assert back == [], "progress went back"
        self.progress = {row["id"]: row["progress"] for row in videos}
        assert judge(videos, jobs, ledger) == []

    def come_to_an_end(self) -> None:
        """Every worker dies, every message is lost, every job is resumed; then nothing fails any more."""
        for job, wish in self.model.wishes.items():
            if wish is Wish.PAUSE and self.model.job_state(job) not in ENDED:
                self.wish_for(job, Wish.RUN)
        self.claims.clear()
        self.stream.clear()
        for key, part in self.model.parts.items():
            if part.state is PartState.RUNNING:
                self.lapsed(key)
        self.step("reap", 0, 0)
        for _ in range(ROUNDS):
            if self.ended():
                break
            self.everybody_gets_a_turn()
        self.run(self._compare())
        assert self.ended(), "something that was accepted never ends"

    def ended(self) -> bool:
        return all(self.model.job_state(job) in ENDED for job in self.model.wishes)

    def everybody_gets_a_turn(self) -> None:
        self.time_passes(0, 0)
        self.wait_in_vain(0, 0)
        self.run(self._relay(crash=False))
        while self.stream:
            self.deliver(0, 1)
        while self.claims:
            self.work(0, 1)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """One loop for all walks."""
    with asyncio.Runner() as running:
        yield running


@pytest.fixture
def walked(stack: Stack, runner: asyncio.Runner) -> Iterator[Database]:
    """One database for all walks."""
    url, name = stack.addresses.database_url, f"t{uuid.uuid4().hex[:12]}"
    runner.run(create_database(url, name, TEMPLATE))
    opening = open_database(Postgres(url=database_url(url, name), pool=2), name="walk")
    yield runner.run(opening.__aenter__())
    runner.run(opening.__aexit__(None, None, None))
    runner.run(drop_database(url, name))


@settings(
    max_examples=WALKS,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # add Phase.shrink for the shortest story of a failure; it takes minutes
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_whatever_happens_in_whatever_order_the_rows_say_what_they_should(
    runner: asyncio.Runner, walked: Database, data: st.DataObject
) -> None:
    walk = Walk(runner, walked)

    for _ in range(LENGTH):
        walk.step(*data.draw(st.tuples(st.sampled_from(walk.possible()), numbers, numbers)))

    walk.come_to_an_end()
