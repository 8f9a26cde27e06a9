"""Every world the protocol is explored in, and which law falls in which of them when a guard is taken away.

All of them are small enough for seconds, and large enough to fail. `PYTHONPATH=tests python -m model` tells the
shortest story of every guard.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from model.accept import Accept
from model.dispatch import Dispatch
from model.downloads import Downloads
from model.explore import World
from model.guards import Guard, Law
from model.poison import PREPARING, Poison
from model.rollup import RollUp
from model.scene import Left, Setting
from model.sources import Sources

Make = Callable[[frozenset[Guard]], World[Any]]


def _dispatch(setting: Setting, without: frozenset[Guard]) -> Dispatch:
    return Dispatch(setting, without)


def _broker_that_loses_nothing(without: frozenset[Guard]) -> Dispatch:
    """Here nobody may need the timer, so there is none."""
    left = Left(kills=1, releases=1, duplicates=1, relay_deaths=1, wishes=2)
    return Dispatch(Setting(variations=0, broker=True, left=left), without | {Guard.TIMER})


WORLDS: Mapping[str, Make] = {
    "one part and a broker that fails": partial(
        _dispatch,
        Setting(variations=0, broker=True, left=Left(kills=1, wipes=1, duplicates=1, relay_deaths=1, wishes=2)),
    ),
    "two parts and a broker that forgets": partial(
        _dispatch, Setting(variations=1, broker=True, left=Left(wipes=1, releases=1))
    ),
    "a broker that loses nothing, and no timer": _broker_that_loses_nothing,
    "lost workers and zombies": partial(
        _dispatch, Setting(variations=2, sweeper=True, left=Left(kills=2, freezes=1, releases=1, errors=1))
    ),
    "one wish": partial(_dispatch, Setting(variations=1, left=Left(kills=1, wishes=1))),
    "many wishes": partial(_dispatch, Setting(variations=1, left=Left(kills=1, freezes=1, errors=1, wishes=3))),
    "wishes and the sweep": partial(_dispatch, Setting(variations=2, sweeper=True, left=Left(freezes=1, wishes=3))),
    "an outage": partial(_dispatch, Setting(variations=1, left=Left(kills=1, freezes=1, outages=1))),
    "accidents only": partial(Poison, None),
    "a poison take": partial(Poison, 1),
    "a poison source": partial(Poison, PREPARING),
    "the last two finishers": RollUp,
    "one key, three attempts": Accept,
    "a source between accept and sweep": Sources,
    "a download and eviction": Downloads,
}


FALLS: Mapping[Guard, tuple[Law, str]] = {
    Guard.FENCE: (Law.LOST_CLAIM, "lost workers and zombies"),
    Guard.SCOPED_KEY: (Law.ONE_CLAIM, "lost workers and zombies"),
    Guard.TIMER: (Law.ENDS, "two parts and a broker that forgets"),
    Guard.GENERATION: (Law.ENDS, "a broker that loses nothing, and no timer"),
    Guard.CANCEL_PARTS: (Law.NOT_CANCELLING, "one wish"),
    Guard.CANCEL_VARIATIONS: (Law.ALL_ENDED, "one wish"),
    Guard.RELEASE: (Law.NOT_CANCELLING, "one wish"),
    Guard.REAP: (Law.NOT_CANCELLING, "one wish"),
    Guard.INSPECT_PARTS: (Law.NOT_CANCELLING, "one wish"),
    Guard.INSPECT_VARIATIONS: (Law.ALL_ENDED, "one wish"),
    Guard.JOB_LOCK: (Law.COMPUTED, "the last two finishers"),
    Guard.RECHECK: (Law.ATTEMPTS, "lost workers and zombies"),
    Guard.DOWNLOAD_LEASE: (Law.WHOLE_DOWNLOAD, "a download and eviction"),
    Guard.DOWNLOAD_LOCK: (Law.WHOLE_DOWNLOAD, "a download and eviction"),
    Guard.FIRST_SEEN: (Law.NO_HOLE, "lost workers and zombies"),
    Guard.GRACE: (Law.ATTEMPTS, "an outage"),
    Guard.GRACE_AT_WRITE: (Law.ATTEMPTS, "an outage"),
    Guard.GIVE_BACK: (Law.ATTEMPTS, "an outage"),
    Guard.ONLY_QUEUED: (Law.ENDED_STAYS, "one wish"),
    Guard.OWNER: (Law.ONE_JOB, "one key, three attempts"),
    Guard.REREAD: (Law.NOT_LOST, "one key, three attempts"),
    Guard.REREAD_LOCK: (Law.NOT_LOST, "one key, three attempts"),
    Guard.SOURCE_LOCK: (Law.NOT_LOST, "a source between accept and sweep"),
    Guard.NEW_STATEMENT: (Law.NOT_LOST, "a source between accept and sweep"),
    Guard.FORGET: (Law.ATTEMPTS, "accidents only"),
}
