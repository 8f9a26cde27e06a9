"""One of the three servers alone, as a pod of a trial in a cluster runs it: `python -m retake_local serve postgres`.

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
POSTGRES, NATS, NATS_MONITOR, S3 = 5432, 4222, 8222, 9000


def _postgres(data: Path, secret: Callable[[str], str]) -> Program:
    """With a password from anywhere; PostgreSQL's own list would let in this machine only."""
    user = asyncio.run(servers.prepare_postgres(data, secret("password")))
    cluster = data / "postgres" / "cluster"
    cluster.chmod(0o700)  # Kubernetes opens a volume to its group when it mounts it, and Postgres would not start then
    _set_password(cluster, secret("password"))
    admitted = data / "postgres" / "admitted.conf"
    admitted.write_text("host all all all scram-sha-256\n")
    more = {"listen_addresses": "*", "hba_file": str(admitted)}
    return servers.postgres(data, "", POSTGRES, user, durable=True, more=more)[0]


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


def _nats(data: Path, secret: Callable[[str], str]) -> Program:
    return servers.nats(data, secret("token"), NATS, NATS_MONITOR, host=_EVERYWHERE)[0]


def _s3(data: Path, secret: Callable[[str], str]) -> Program:
    return servers.s3(data, secret("access-key"), secret("secret-key"), S3, host=_EVERYWHERE)[0]


_SERVERS = {"postgres": _postgres, "nats": _nats, "s3": _s3}


def serve(words: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Does not return."""
    match words:
        case [name, data, secrets] if name in _SERVERS:
            folder, credentials = Path(data), Path(secrets)
            program = _SERVERS[name](folder, lambda secret: (credentials / secret).read_text().strip())
            argv = [str(word) for word in program.argv]
            os.execve(argv[0], argv, {**environ, **program.env})  # noqa: S606  no shell is wanted
        case _:
            raise Refused(f"usage: python -m retake_local serve {'|'.join(_SERVERS)} DATA_FOLDER SECRETS_FOLDER")
