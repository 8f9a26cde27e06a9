"""A process whose clock is wrong by SHIFT_HOURS: imported by Python before anything else when it is on the path.

Only the object store's client keeps the right time: a store takes no request that was signed at another.
"""

import datetime as dt
import os
import sys
import time

_SHIFT = float(os.environ["SHIFT_HOURS"]) * 3600
_time, _time_ns = time.time, time.time_ns


class Shifted(dt.datetime):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> "Shifted":
        signs = sys._getframe(1).f_globals["__name__"].startswith("minio")
        return cls.fromtimestamp(_time() if signs else time.time(), tz)

    @classmethod
    def utcnow(cls) -> "Shifted":
        signs = sys._getframe(1).f_globals["__name__"].startswith("minio")
        return cls.fromtimestamp(_time() if signs else time.time(), dt.UTC).replace(tzinfo=None)


time.time = lambda: _time() + _SHIFT
time.time_ns = lambda: _time_ns() + int(_SHIFT * 1e9)
dt.datetime = Shifted  # type: ignore[misc]
