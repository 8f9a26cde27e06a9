"""The steps of a walk: each is taken in the real store and in the model of `expected`, and must give the same.

Every step takes two numbers that Hypothesis chose: `which` of the jobs, messages or claims there are, and `how`.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

import pytest

from retake.domain.states import ENDED, PartState, VariationState, Wish
from retake.domain.timing import Timing
from retake.domain.work import RECIPE_VERSION, Claim, PartKind
from retake.store import parts
from retake.store.announcements import Announceable, mark_announced, next_to_announce, withdraw_unheard
from retake.store.connect import Database
from retake.store.heartbeat import heartbeat
from retake.store.jobs import NewJob, WishRefused, accept, expire_due, wish
from retake.store.move import LeaseLost
from retake.store.reaping import reap
from retake.store.retrying import NothingToRetry, retry
from retake.store.sources import SourceGone, sweep_source
from retake.store.workspaces import ensure_workspace
from store.expected import LIVE, Model, Part, Video
from store.scene import BROKEN, Scene, plan, rendered

T = TypeVar("T")

TIMING = Timing(retry_first=3600, retry_most=3600)  # what has to wait waits until the walk says that it is due
AT_ONCE = replace(TIMING, lease=0)
LOST = object()

FATES = ["delivered"] * 5 + ["duplicated", "lost", "answer lost"]
WISHES = [Wish.PAUSE, Wish.RUN, Wish.PAUSE, Wish.RUN, Wish.CANCEL, Wish.EXPIRE]


def pick(things: Sequence[T], number: int) -> T:
    return things[number % len(things)]


class Steps:
    def __init__(self, runner: asyncio.Runner, database: Database) -> None:
        self.run, self.database = runner.run, database
        self.model = Model()
        self.claims: list[Claim] = []  # what workers believe to hold
        self.stream: list[Announceable] = []
        self.known: set[tuple[int, int]] = set()  # message ids the broker swallows
        self.marked: set[tuple[int, int]] = set()
        self.progress: dict[UUID, float] = {}
        self.run(self._clean())

    async def _clean(self) -> None:
        self.scene = Scene(self.database, await ensure_workspace(self.database, "people"))
        self.workspaces = [self.scene.workspace, await ensure_workspace(self.database, "others")]
        for table in ("event", "job", "source"):
            await self.scene.sql(f"DELETE FROM {table}")
        await self.scene.sql("UPDATE storage SET bytes = 0")
        await self.scene.sql("UPDATE reaping SET passed_at = now(), quiet_until = now()")
        await self.scene.worker(slots=8)

    # What people and the janitor do

    def accept(self, which: int, how: int) -> None:
        """New jobs have one or two videos and up to three takes; some are of a source that an earlier job left."""
        workspace = pick(self.workspaces, how)
        owned = self.run(self.scene.sql("SELECT id FROM source WHERE workspace = %s", workspace))
        earlier = [row["id"] for row in owned] if how % 3 == 0 else []
        source = pick(earlier, which) if earlier else self.run(self.scene.source(workspace=workspace))
        new = NewJob(workspace, [("a", source)] * (1 + how % 2), which % 4, seed=1)
        if not self.model.ready.setdefault(source, True):
            with pytest.raises(SourceGone):
                self.run(accept(self.database, new))
            return
        videos = self.run(accept(self.database, new))
        self.model.wishes[new.id] = Wish.RUN
        self.model.videos |= {key: Video(new.id, source) for key in videos}
        for row in self.run(self.scene.sql("SELECT id, video_id FROM part WHERE job_id = %s", new.id)):
            self.model.parts[row["id"]] = Part(row["video_id"], PartKind.INSPECT)

    def wish(self, which: int, how: int) -> None:
        self.wish_for(pick(list(self.model.wishes), which), pick(WISHES, how))

    def wish_for(self, job: UUID, wanted: Wish) -> None:
        allowed = self.model.allowed(job)
        asked = wish(self.database, job, wanted, "deleted" if wanted is Wish.EXPIRE else None)
        if wanted not in allowed:
            with pytest.raises(WishRefused) as refused:
                self.run(asked)
            assert set(refused.value.allowed) == allowed
            return
        self.model.wish(job, wanted)
        assert self.run(asked) == self.model.job_state(job)

    def retry(self, which: int, how: int) -> None:
        """Mostly of a job that has something to retry."""
        hopeful = [job for job in self.model.wishes if self.model.retryable(job, None)]
        job = pick(hopeful if hopeful and how % 5 else list(self.model.wishes), which)
        video = pick([None, *self.model.videos_of(job)], how)
        videos = self.model.retryable(job, video)
        there = [key for key in videos if self.model.ready[self.model.videos[key].source]]
        if not there:
            with pytest.raises(SourceGone if videos else NothingToRetry):
                self.run(retry(self.database, job, video))
            return
        self.model.retry(job, there)
        for key in there:
            del self.progress[key]
        assert self.run(retry(self.database, job, video)) == self.model.job_state(job)

    def grow_old(self, which: int, how: int) -> None:
        job = pick(list(self.model.wishes), which)
        due = self.model.job_state(job) in ENDED and self.model.wishes[job] is not Wish.EXPIRE
        self.run(self.scene.sql("UPDATE job SET expires_at = now() WHERE id = %s AND ended_at IS NOT NULL", job))
        assert self.run(expire_due(self.database)) == due
        if due:
            self.model.wish(job, Wish.EXPIRE)

    def sweep(self, which: int, how: int) -> None:
        used = {video.source for video in self.model.videos.values()}
        unneeded = {key for key in used if self.model.ready[key] and not self.model.needed(key)}
        keys = self.run(sweep_source(self.database))
        assert bool(keys) == bool(unneeded)
        gone = {row["id"] for row in self.run(self.scene.sql("SELECT id FROM source WHERE state = 'gone'"))}
        assert {key for key in gone if self.model.ready[key]} <= unneeded
        self.model.ready |= dict.fromkeys(gone, False)

    # What becomes of messages

    def deliver(self, which: int, how: int) -> None:
        """A message reaches a worker, or two, or none, and it claims; Postgres's answer may not reach it."""
        if not self.stream:
            self.run(self._relay(crash=how % 7 == 0))
        if not self.stream:
            return
        message, fate = pick(self.stream, which), pick(FATES, how)
        if fate != "duplicated":
            self.stream.remove(message)
        if fate != "lost":
            claimed = self.run(self._claim(message.part))
            if claimed is not None and fate != "answer lost":
                self.claims.append(claimed)

    async def _relay(self, *, crash: bool) -> None:
        """One pass; a crash comes between a message and its mark."""
        for part in await next_to_announce(self.database, TIMING):
            message = (part.part, part.generation)
            assert self.model.claimable(self.model.parts[part.part])
            assert message not in self.marked, "the broker swallows what was announced before"
            if message not in self.known:
                self.known.add(message)
                self.stream.append(part)
            if not crash:
                assert await mark_announced(self.database, part.part, part.generation)
                self.marked.add(message)

    async def _claim(self, key: int) -> Claim | None:
        part = self.model.parts[key]
        claimed = await parts.claim(self.database, key, "worker", RECIPE_VERSION, TIMING)
        assert (claimed is not None) == self.model.claimable(part)
        if claimed is not None:
            assert claimed.failures == part.failures
            self.model.claimed(part, claimed.number)
        return claimed

    def wait_in_vain(self, which: int, how: int) -> None:
        """Nobody claims what was announced for an hour."""
        hour_ago = "UPDATE part SET announced_at = now() - interval '1 h' WHERE announced_at IS NOT NULL RETURNING id"
        announced = self.run(self.scene.sql(hour_ago))
        assert self.run(withdraw_unheard(self.database, TIMING)) == len(announced)

    # What workers do, those too that lost their part and do not know it

    def ask(self, claimed: Claim, work: Coroutine[Any, Any, T]) -> T | object:
        """LOST when the store says so, and then the model must say so too; a worker that heard it stops."""
        if self.model.parts[claimed.part].claim == claimed.number:
            return self.run(work)
        with pytest.raises(LeaseLost):
            self.run(work)
        self.claims.remove(claimed)
        return LOST

    def some_claim(self, which: int, how: int) -> Claim:
        """Now and then one whose part another holds by now."""
        stale = [one for one in self.claims if self.model.parts[one.part].claim not in {None, one.number}]
        return pick(stale if stale and how % 2 else self.claims, which)

    def stop(self, claimed: Claim, how: int) -> None:
        """A worker that is done with a part forgets it; now and then one does not know that it is."""
        if how % 8:
            self.claims.remove(claimed)

    def work(self, which: int, how: int) -> None:
        """One step of whatever a claim is for."""
        claimed = self.some_claim(which, how)
        part = self.model.parts[claimed.part]
        if part.kind is PartKind.INSPECT:
            self._inspect(claimed, part, how)
        elif self.model.waiting(part):
            self._render(claimed, part, how)
        elif self.ask(claimed, parts.finish_part(self.database, claimed, TIMING)) is not LOST:
            self.model.leave(part, PartState.DONE)
            self.stop(claimed, how)

    def _inspect(self, claimed: Claim, part: Part, how: int) -> None:
        takes, fails = 1 + how % 3 if how % 16 else 0, how % 8 == 7
        if fails:
            end = parts.fail_inspect(self.database, claimed, BROKEN, TIMING)
        else:
            end = parts.finish_inspect(self.database, claimed, plan(takes, cost=25), RECIPE_VERSION, TIMING)
        if self.ask(claimed, end) is LOST:
            return
        renders = "SELECT id, indices FROM part WHERE video_id = %s AND kind = 'render'"
        rows = self.run(self.scene.sql(renders, part.video))
        self.model.videos[part.video].error = BROKEN.code if fails else None
        self.model.plan(part, range(1, takes + 1) if rows else (), {row["id"]: row["indices"] for row in rows})
        self.stop(claimed, how)

    def _render(self, claimed: Claim, part: Part, how: int) -> None:
        """Mostly of a take that waits."""
        takes, fails = self.model.videos[part.video].takes, how % 5 == 4
        waiting = [index for index in part.indices if takes[index].state is VariationState.QUEUED]
        index = pick(waiting if how % 6 else part.indices, how)
        take = takes[index]
        if fails:
            end = parts.fail_variation(self.database, claimed, index, BROKEN, TIMING)
        else:
            end = parts.finish_variation(self.database, claimed, rendered(index, claimed), TIMING)
        if (ended := self.ask(claimed, end)) is LOST:
            return
        assert ended == (take.state is VariationState.QUEUED)
        part.lapsed, part.trying = False, None
        if ended:
            take.state = VariationState.FAILED if fails else VariationState.COMPLETED
            take.claim = None if fails else claimed.number

    def heartbeat(self, which: int, how: int) -> None:
        """A worker that hears of a cancel gives its part back; mostly there is something to hear."""
        stopped = [one for one in self.claims if self.model.wish_of(self.model.parts[one.part]) not in LIVE]
        claimed = pick(stopped if stopped and how % 4 else self.claims, which)
        part = self.model.parts[claimed.part]
        heard = self.ask(claimed, heartbeat(self.database, claimed, {1: 1}, TIMING))
        if heard is not LOST:
            assert heard.wish == self.model.wish_of(part)
            part.lapsed = False
            if heard.wish not in LIVE:
                self.release(self.claims.index(claimed), how)

    def name_take(self, which: int, how: int) -> None:
        claimed = pick([one for one in self.claims if one.kind is PartKind.RENDER], which)
        part = self.model.parts[claimed.part]
        index = pick(part.indices, how)
        if self.ask(claimed, parts.name_take(self.database, claimed, index)) is not LOST:
            part.trying = index

    def release(self, which: int, how: int) -> None:
        claimed, blocked = pick(self.claims, which), how % 2 == 0
        if self.ask(claimed, parts.release(self.database, claimed, TIMING, blocked=blocked)) is not LOST:
            self.model.release(self.model.parts[claimed.part], blocked=blocked)
            self.stop(claimed, how // 2)

    # What befalls workers and the database

    def lapse(self, which: int, how: int) -> None:
        """A worker is not heard of for a lease: it stalls, or it dies."""
        claimed = pick(self.claims, which)
        if how % 3 == 0:
            self.claims.remove(claimed)
        if self.model.parts[claimed.part].claim == claimed.number:
            self.lapsed(claimed.part)

    def freeze(self, which: int, how: int) -> None:
        """A worker stalls until its part is taken back and, where possible, claimed by another."""
        claimed = pick(self.claims, which)
        if self.model.parts[claimed.part].claim == claimed.number:
            self.lapsed(claimed.part)
            self.reap(which, how)
        again = self.run(self._claim(claimed.part))
        self.claims += [again] if again else []

    def lapsed(self, key: int) -> None:
        self.run(self.scene.lapse(key))
        self.model.parts[key].lapsed = True

    def reap(self, which: int, how: int) -> None:
        assert self.run(reap(self.database, AT_ONCE)).parts == self.model.reap()

    def outage(self, which: int, how: int) -> None:
        """The database was away: nothing is reaped until it was back for a lease."""
        self.run(self.scene.sql("UPDATE reaping SET passed_at = now() - interval '1 h'"))
        assert self.run(reap(self.database, TIMING)).quiet
        assert self.run(reap(self.database, AT_ONCE)).quiet
        self.run(self.scene.sql("UPDATE reaping SET quiet_until = now()"))

    def time_passes(self, which: int, how: int) -> None:
        self.run(self.scene.sql("UPDATE part SET not_before = now()"))
        for part in self.model.parts.values():
            part.due = True
