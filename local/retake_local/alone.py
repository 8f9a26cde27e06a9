"""One of the three servers alone, as a pod of a trial in a cluster runs it: `python -m retake_local serve ...`.

It listens on all addresses, takes its credentials from files in one folder, keeps everything in another, and replaces
this process: what stops the pod stops the server. What a cluster is to keep belongs into servers of its own.
"""

import asyncio
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from retake_local import servers
from retake_local.child import ChildError, Program
from retake_local.folder import Refused

_EVERYWHERE = "0.0.0.0"  # noqa: S104  a pod listens on all its addresses

Secret = Callable[[str], str]


def _postgres(data: Path, secret: Secret, port: int) -> Program:
    """With a password from anywhere; PostgreSQL's own list would let in this machine only."""
    user = asyncio.run(servers.prepare_postgres(data, secret("password")))
    cluster = data / "postgres" / "cluster"
    cluster.chmod(0o700)  # Kubernetes opens a volume to its group when it mounts it, and Postgres would not start then
    _set_password(cluster, secret("password"))
    admitted = data / "postgres" / "admitted.conf"
    admitted.write_text("host all all all scram-sha-256\n")
    more = {"listen_addresses": "*", "hba_file": str(admitted)}
    return servers.postgres(data, "", port, user, durable=True, more=more)[0]


def _set_password(cluster: Path, password: str) -> None:
    """A volume that outlived its installation knows the password of that."""
    quoted = password.replace("'", "''")
    argv: list[str | Path] = [servers.POSTGRES / "postgres", "--single", "-D", cluster, "postgres"]
    told = subprocess.run(
        argv, input=f"ALTER ROLE retake PASSWORD '{quoted}'\n", env=servers.LOCALE, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    if told.returncode or "ERROR" in told.stdout:
        raise ChildError(f"PostgreSQL could not be told its password:\n{told.stdout}")


def _nats(data: Path, secret: Secret, port: int, monitor: int) -> Program:
    return servers.nats(data, secret("token"), port, monitor, host=_EVERYWHERE)[0]


def _s3(data: Path, secret: Secret, port: int) -> Program:
    return servers.s3(data, secret("access-key"), secret("secret-key"), port, host=_EVERYWHERE)[0]


_USAGE = "python -m retake_local serve postgres|s3 PORT DATA SECRETS, or nats PORT MONITOR DATA SECRETS"


def serve(words: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Does not return."""
    program = _program(words)
    argv = [str(word) for word in program.argv]
    os.execve(argv[0], argv, {**environ, **program.env})  # noqa: S606  no shell is wanted


def _program(words: Sequence[str]) -> Program:
    *_, data, secrets = "", "", *words

    def secret(name: str) -> str:
        return (Path(secrets) / name).read_text().strip()

    match words:
        case ["postgres", port, _, _]:
            return _postgres(Path(data), secret, int(port))
        case ["nats", port, monitor, _, _]:
            return _nats(Path(data), secret, int(port), int(monitor))
        case ["s3", port, _, _]:
            return _s3(Path(data), secret, int(port))
        case _:
            raise Refused(f"usage: {_USAGE}")
