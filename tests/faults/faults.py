"""What is done to a rig while it works: each fault is a function that begins, and if need be ends, one piece of harm.

It returns True when it struck. An order to die at a step that no worker reaches is cancelled when the work has ended.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from random import Random

from nats.errors import Error as NatsError

from faults.crashing_worker import STEPS
from faults.rig import Rig
from retake_local.child import Child

Fault = Callable[[Rig, Random], Awaitable[bool]]


async def crash(rig: Rig, rng: Random, step: str) -> bool:
    """kill -9 of the first worker that reaches a step from now on."""
    order = rig.orders / step
    order.touch()
    try:
        while order.exists():
            await asyncio.sleep(0.01)
    finally:
        order.unlink(missing_ok=True)
    return True


async def kill(rig: Rig, rng: Random, kind: str) -> bool:
    """kill -9 of every process of this kind, at once."""
    struck = [rig.signal(child, signal.SIGKILL) for name, child in rig.children.items() if name.startswith(kind)]
    return any(struck)


async def kill_one(rig: Rig, rng: Random, kind: str) -> bool:
    chosen = [child for name, child in rig.children.items() if name.startswith(kind)]
    return rig.signal(rng.choice(chosen), signal.SIGKILL)


async def kill_holder(rig: Rig, rng: Random) -> bool:
    return rig.signal(await _holder(rig, rng), signal.SIGKILL)


async def kill_in_turn(rig: Rig, rng: Random) -> bool:
    """A worker, and a lease later one that may go on with its part."""
    first = await kill_holder(rig, rng)
    await asyncio.sleep(rig.timing.lease + rig.timing.reap_every)
    return await kill_holder(rig, rng) or first


async def terminate(rig: Rig, rng: Random) -> bool:
    """SIGTERM in the middle of a part."""
    return rig.signal(await _holder(rig, rng), signal.SIGTERM)


async def wipe(rig: Rig, rng: Random) -> bool:
    """NATS dies, and its disk is lost."""
    store = rig.data / "nats" / "jetstream"
    store.rename(store.with_name(f"lost-{rng.getrandbits(64):x}"))
    return rig.signal(rig.children["nats"], signal.SIGKILL)


async def delete_stream(rig: Rig, rng: Random) -> bool:
    try:
        return await rig.bus._server.delete_stream("retake")
    except NatsError:
        return False


async def freeze_worker(rig: Rig, rng: Random) -> bool:
    """Until others have its part; then it goes on as if nothing had been."""
    return await _freeze(rig, await _holder(rig, rng), rig.timing.lease + rig.timing.reap_every * rng.uniform(1, 5))


async def freeze_api(rig: Rig, rng: Random, duty: str) -> bool:
    """The one that holds the duty, until that has lapsed."""
    rows = await rig.eyes.see("SELECT holder FROM duty WHERE name = %s", duty)
    for child in rig.apis:
        if rows and _group_of(rows[0]["holder"]) == child.pid:
            return await _freeze(rig, child, rig.timing.duty * rng.uniform(1, 4))
    return False


def _group_of(holder: str) -> int | None:
    """Of the process whose id ends its name."""
    try:
        return os.getpgid(int(holder.rpartition("-")[2]))
    except ProcessLookupError:
        return None


async def freeze_server(rig: Rig, rng: Random, name: str) -> bool:
    """It takes connections and answers nothing."""
    return await _freeze(rig, rig.children[name], rng.uniform(0.2, 1.5) * rig.timing.lease)


async def _freeze(rig: Rig, child: Child, seconds: float) -> bool:
    pid = child.pid
    if pid is None or not rig.signal(child, signal.SIGSTOP):
        return False
    try:
        await asyncio.sleep(seconds)
    finally:
        if child.pid == pid:
            os.killpg(pid, signal.SIGCONT)
    return True


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
