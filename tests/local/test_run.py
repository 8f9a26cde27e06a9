"""`make run` as a person meets it: one real foreground process per test, watched from outside."""

import asyncio
import json
import os
import re
import signal
import socket
import stat
from pathlib import Path

import psycopg
import pytest
from minio import Minio

from conftest import Stack
from retake.settings import Postgres
from running import Run, descendants, gone, running

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

PARTS = ("postgres", "nats", "s3", "api", "worker-1")


async def get(url: str) -> tuple[int, dict[str, object]]:
    host, _, port = url.removeprefix("http://").partition("/")[0].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    path = "/" + url.removeprefix("http://").partition("/")[2]
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


async def test_it_starts_says_where_it_is_keeps_its_state_and_stops_in_time(tmp_path: Path) -> None:
    data = tmp_path / "a folder with späces and 視頻"

    async with running(data) as run:
        url = await run.until_up()
        password = (data / "password").read_text().strip()
        status, health = await get(f"{url}/api/health")
        told = await run.call("status")
        environment = run.environment()
        async with await psycopg.AsyncConnection.connect(environment["RETAKE_DATABASE_URL"]) as connection:
            await connection.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('postgres')")
        store(environment).make_bucket("kept")
        pids = [run.process.pid, *descendants(run.process.pid)]
        before = asyncio.get_running_loop().time()
        code = await run.end(signal.SIGINT)
        took = asyncio.get_running_loop().time() - before

    assert password in run.said
    assert int(environment["RETAKE_STORAGE_CAP_MIB"]) > 1
    assert stat.S_IMODE((data / "password").stat().st_mode) == 0o600
    assert (status, health["status"]) == (200, "ok")
    assert told[0] == 0
    assert all(re.search(rf"^  {part} +up ", told[1], re.MULTILINE) for part in PARTS)
    assert (code, took < 5) == (0, True)
    await gone(pids, within=0.5)
    assert (await run.call("status"))[0] == 3

    async with running(data) as again:
        await again.until_up()
        environment = again.environment()
        async with await psycopg.AsyncConnection.connect(environment["RETAKE_DATABASE_URL"]) as connection:
            row = await (await connection.execute("SELECT word FROM kept")).fetchone()
        bucket_kept = store(environment).bucket_exists("kept")
        stopped = await again.call("stop")

    assert password in again.said
    assert row == ("postgres",)
    assert bucket_kept
    assert stopped == (0, "stopped\n")


def store(environment: dict[str, str]) -> Minio:
    return Minio(
        environment["RETAKE_S3_ENDPOINT"].removeprefix("http://"),
        environment["RETAKE_S3_ACCESS_KEY"],
        environment["RETAKE_S3_SECRET_KEY"],
        secure=False,
        region="us-east-1",
    )


async def test_each_part_that_is_killed_is_started_again_and_a_second_run_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        url = await run.until_up()

        refused = await run.call("run")
        for part in PARTS:
            os.kill(run.pid(part), signal.SIGKILL)
            await run.until(rf"{part} died \(killed by SIGKILL\); starting it again in [\d.]+ s")
            await run.until(rf"{part} is up again")
        status, health = await get(f"{url}/api/health")

    assert refused[0] == 2
    assert f"retake already runs on {tmp_path} at {url} (process {run.process.pid})" in refused[1]
    assert "make stop" in refused[1]
    assert (status, health["status"]) == (200, "ok"), health


async def test_killing_the_parent_leaves_no_process_behind(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await run.until_up()
        pids = [run.process.pid, *descendants(run.process.pid)]
        assert len(pids) > len(PARTS)

        await run.end(signal.SIGKILL)

        await gone(pids)


async def test_a_port_that_was_asked_for_and_is_taken_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        code, said = await Run(tmp_path, RETAKE_PORT=str(port)).call("run")

    assert code == 2
    assert f"Port {port} was asked for (RETAKE_PORT) and is taken" in said


async def test_a_data_folder_that_cannot_be_written_is_refused_with_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "a file, not a folder"
    file.touch()

    code, said = await Run(file / "data").call("run")

    assert code == 2
    assert "cannot be written" in said
    assert "RETAKE_DATA" in said
    assert "Traceback" not in said


async def test_a_read_only_data_folder_is_refused_with_a_sentence() -> None:
    code, said = await Run(Path("/sys/retake")).call("run")  # read-only for root too

    assert code == 2
    assert re.match(r"/sys/retake cannot be written \(.+\): name another folder, RETAKE_DATA=\.\.\. make run", said)


async def test_servers_whose_address_is_given_are_used_and_not_started(
    stack: Stack, postgres: Postgres, tmp_path: Path
) -> None:
    given = stack.addresses.environment() | {"RETAKE_DATABASE_URL": postgres.url, "RETAKE_NATS_STREAM": tmp_path.name}

    async with running(tmp_path / "data", **given) as run:
        url = await run.until_up()
        status, health = await get(f"{url}/api/health")
        _, told = await run.call("status")

    assert (status, health["status"]) == (200, "ok"), health
    assert re.findall(r"^  (\S+)", told, re.MULTILINE) == ["api", "worker-1"]


async def test_a_misspelt_setting_is_refused_and_the_right_one_is_named(tmp_path: Path) -> None:
    code, said = await Run(tmp_path, RETAKE_PROT="8080").call("run")

    assert code == 2
    assert "RETAKE_PROT is not a setting; did you mean RETAKE_PORT?" in said
