"""The data folder of `make run`: who may use it, its lock, its secrets, and the state file other commands read."""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOM_NEEDED = 2**30
_SHARE = 0.8


class Refused(Exception):
    """`make run` cannot start here; the text says why and what to do."""


def prepare(name: str) -> Path:
    """The folder, made if need be, or a sentence about why it cannot serve."""
    data = Path(name).absolute()
    try:
        data.mkdir(parents=True, exist_ok=True)
        (data / "logs").mkdir(exist_ok=True)
        (data / "logs" / ".writable").touch()
        if os.geteuid() == 0:
            data.chmod(0o711)  # Postgres, which runs as nobody then, passes through; it cannot list
    except OSError as error:
        raise Refused(
            f"{data} cannot be written ({error.strerror}): name another folder, RETAKE_DATA=... make run"
        ) from error
    if (free := shutil.disk_usage(data).free) < _ROOM_NEEDED:
        raise Refused(
            f"{data} has {free / 2**20:.0f} MiB free and retake needs at least {_ROOM_NEEDED / 2**20:.0f} MiB: "
            "make room, or name another folder, RETAKE_DATA=... make run"
        )
    return data


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """One retake per data folder; the kernel lets go of the lock however this process ends."""
    with (data / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            state = read_state(data) or {}
            where = f" at {state['url']} (process {state['pid']})" if state.get("url") else ""
            raise Refused(
                f"retake already runs on {data}{where}. `make status` shows it, `make stop` ends it."
            ) from None
        yield


def is_locked(data: Path) -> bool:
    try:
        with (data / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def read_state(data: Path) -> dict[str, Any] | None:
    try:
        state: dict[str, Any] = json.loads((data / "state.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return state


def storage_cap(data: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The setting, unless it is set: 80 % of what this disk has for objects, with those that are there already. An
    object store that is elsewhere has its own disk."""
    if {"RETAKE_STORAGE_CAP_MIB", "RETAKE_STORAGE_CAP_MIB_FILE", "RETAKE_S3_ENDPOINT"} & set(environ):
        return {}
    there = sum(file.stat().st_size for file in (data / "s3").rglob("*") if file.is_file())
    room = _SHARE * (shutil.disk_usage(data).free + there)
    return {"RETAKE_STORAGE_CAP_MIB": str(max(1, int(room / 2**20)))}


def kept_password(data: Path, environ: Mapping[str, str]) -> str:
    """The one that is set, else the one made up for this folder the first time."""
    if asked := environ.get("RETAKE_PASSWORD"):
        return asked
    place = data / "password"
    if not place.exists():
        write_secret(place, secrets.token_urlsafe(12) + "\n")
    return place.read_text().strip()


@dataclass(frozen=True)
class Credentials:
    database: str
    nats: str
    s3_access_key: str
    s3_secret_key: str

    @classmethod
    def kept_in(cls, data: Path) -> "Credentials":
        """The credentials of this data folder, made up the first time."""
        place = data / "credentials.json"
        if not place.exists():
            made = {name: secrets.token_hex(16) for name in cls.__dataclass_fields__}
            write_secret(place, json.dumps(made))
        return cls(**json.loads(place.read_text()))


def write_secret(place: Path, text: str) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    half = place.with_name(f"{place.name}.new")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    half.rename(place)
