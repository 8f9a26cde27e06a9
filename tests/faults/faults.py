"""What is done to a rig while it works: each fault is a function that begins, and if need be ends, one piece of harm.

It returns when it struck, by the monotonic clock, or None when it did not: an order to die at a step that no worker
reaches is withdrawn when the work has ended.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from random import Random

from nats.errors import Error as NatsError

from faults.crashing_worker import STEPS, signed
from faults.rig import Rig
from retake_local.child import Child

Fault = Callable[[Rig, Random], Awaitable[float | None]]


async def crash(rig: Rig, rng: Random, step: str) -> float | None:
    """kill -9 of the first worker that reaches a step from now on."""
    return time.monotonic() if await _order(rig, step, signal.SIGKILL) else None


async def freeze_at(rig: Rig, rng: Random, step: str) -> float | None:
    """Of the first worker that reaches a step: what it does next, it does as one that has lost its claim."""
    group = await _order(rig, step, signal.SIGSTOP)
    at = time.monotonic()
    worker = next((child for child in rig.workers if child.pid == group), None)
    if worker is None:
        return None
    try:
        await _until_others_have_its_part(rig, worker)
    finally:
        _wake(group)
    return at


async def _order(rig: Rig, step: str, number: signal.Signals) -> int | None:
    """The process group of the worker that obeyed; none when the order was withdrawn."""
    order, half = rig.orders / step, rig.orders / "half"
    half.write_text(number.name)
    half.rename(order)
    while order.exists():
        await asyncio.sleep(0.01)
    for answer in rig.orders.glob(signed(rig.orders, step, "*").name):
        answer.unlink()
        return int(answer.name.rpartition("-")[2])
    return None


async def kill(rig: Rig, rng: Random, kind: str) -> float | None:
    """kill -9 of every process of this kind, at once."""
    struck = [rig.signal(child, signal.SIGKILL) for name, child in rig.children.items() if name.startswith(kind)]
    return time.monotonic() if any(struck) else None


async def kill_one(rig: Rig, rng: Random, kind: str) -> float | None:
    return _hit(rig, rng.choice([child for name, child in rig.children.items() if name.startswith(kind)]))


async def kill_holder(rig: Rig, rng: Random) -> float | None:
    return _hit(rig, await _holder(rig, rng))


async def kill_in_turn(rig: Rig, rng: Random) -> float | None:
    """A worker, and a lease later one that may go on with its part."""
    first = await kill_holder(rig, rng)
    await asyncio.sleep(rig.timing.lease + rig.timing.reap_every)
    return await kill_holder(rig, rng) or first


async def terminate(rig: Rig, rng: Random) -> float | None:
    """SIGTERM in the middle of a part."""
    return _hit(rig, await _holder(rig, rng), signal.SIGTERM)


def _hit(rig: Rig, child: Child, number: signal.Signals = signal.SIGKILL) -> float | None:
    return time.monotonic() if rig.signal(child, number) else None


async def wipe(rig: Rig, rng: Random) -> float | None:
    """NATS dies, and its disk is lost."""
    store = rig.data / "nats" / "jetstream"
    store.rename(store.with_name(f"lost-{rng.getrandbits(64):x}"))
    return _hit(rig, rig.children["nats"])


async def delete_stream(rig: Rig, rng: Random) -> float | None:
    try:
        await rig.bus._server.delete_stream("retake")
    except NatsError:
        return None
    return time.monotonic()


async def freeze_worker(rig: Rig, rng: Random) -> float | None:
    """Wherever it stands, until others have its part; then it goes on as if nothing had been."""
    worker = await _holder(rig, rng)
    return await _freeze(rig, worker, _until_others_have_its_part(rig, worker))


async def freeze_api(rig: Rig, rng: Random, duty: str) -> float | None:
    """The one that holds the duty, until that has lapsed."""
    rows = await rig.eyes.see("SELECT holder FROM duty WHERE name = %s", duty)
    for child in rig.apis:
        if rows and _group_of(rows[0]["holder"]) == child.pid:
            return await _freeze(rig, child, asyncio.sleep(rig.timing.duty * rng.uniform(1, 4)))
    return None


def _group_of(holder: str) -> int | None:
    """Of the process whose id ends its name."""
    with contextlib.suppress(ProcessLookupError):
        return os.getpgid(int(holder.rpartition("-")[2]))
    return None


async def freeze_server(rig: Rig, rng: Random, name: str) -> float | None:
    """It takes connections and answers nothing."""
    return await _freeze(rig, rig.children[name], asyncio.sleep(rng.uniform(0.2, 1.5) * rig.timing.lease))


async def _freeze(rig: Rig, child: Child, enough: Awaitable[None]) -> float | None:
    group, at = child.pid, _hit(rig, child, signal.SIGSTOP)
    try:
        await enough
    finally:
        _wake(group)
    return at


def _wake(group: int | None) -> None:
    with contextlib.suppress(ProcessLookupError):
        if group is not None:
            os.killpg(group, signal.SIGCONT)


async def _until_others_have_its_part(rig: Rig, worker: Child) -> None:
    """The very moment, while they work on it; or somewhat later, if nobody takes it."""
    held = await rig.eyes.see("SELECT id, claim FROM part WHERE state = 'running' AND worker = %s", worker.program.name)
    parts, claims = [row["id"] for row in held], [row["claim"] for row in held]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(rig.timing.lease + 5 * rig.timing.reap_every):
            while not await rig.eyes.see(
                "SELECT id FROM part WHERE id = ANY(%s) AND claim IS NOT NULL AND claim <> ALL(%s)", parts, claims
            ):
                await asyncio.sleep(0.002)


async def _holder(rig: Rig, rng: Random) -> Child:
    """A worker that holds a part, if there is one soon; else any."""
    for _ in range(50):
        rows = await rig.eyes.see("SELECT DISTINCT worker FROM part WHERE state = 'running' ORDER BY worker")
        if rows:
            return rig.children[rng.choice(rows)["worker"]]
        await asyncio.sleep(0.02)
    return rng.choice(rig.workers)


FAULTS: Mapping[str, Fault] = {
    **{f"kill -9 a worker at {step}": partial(crash, step=step) for step in STEPS},
    "kill -9 a worker with a part": kill_holder,
    "kill -9 two workers in turn": kill_in_turn,
    "kill -9 all workers": partial(kill, kind="worker"),
    "kill -9 an api": partial(kill_one, kind="api"),
    "kill -9 all apis": partial(kill, kind="api"),
    "kill -9 nats": partial(kill, kind="nats"),
    "kill -9 nats, store wiped": wipe,
    "delete the stream": delete_stream,
    "kill -9 postgres": partial(kill, kind="postgres"),
    "kill -9 s3": partial(kill, kind="s3"),
    "kill -9 everything": partial(kill, kind=""),
    "freeze a worker past its lease": freeze_worker,
    **{f"freeze a worker at {step}": partial(freeze_at, step=step) for step in ("claimed", "inspected", "stored")},
    "freeze the api that relays": partial(freeze_api, duty="relay"),
    "freeze the api that reaps": partial(freeze_api, duty="reap"),
    "freeze nats": partial(freeze_server, name="nats"),
    "freeze postgres": partial(freeze_server, name="postgres"),
    "freeze s3": partial(freeze_server, name="s3"),
    "SIGTERM a worker with a part": terminate,
}
KILLERS = frozenset(
    name
    for name in FAULTS
    if name.startswith(("kill -9 a worker", "kill -9 two", "kill -9 all workers", "freeze a worker"))
) | {"kill -9 everything"}
"""Those that cost a worker its part. No other fault should spend an attempt."""
ORDERED = frozenset(name for name in FAULTS if " at " in name)
"""Orders, which strike when they are obeyed."""
