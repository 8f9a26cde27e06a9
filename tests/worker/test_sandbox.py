"""The sandbox, asked by a program that tries to get out of it, on this kernel and on ones that lack a layer."""

import asyncio
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from retake_worker.diagnosis import diagnosis
from retake_worker.ffmpeg_process import FFmpegFailed, Patience, TooMuch, run
from retake_worker.sandbox import LAYERS, Program, layers_that_hold, program_at
from worker.hostile import HARMLESS, PRISONER, Fake, scripted

pytestmark = pytest.mark.anyio

HERE = Path(__file__).parent
LONG = Patience(stall=60, total=60)
FILES = ["reads a file of the system", "lists the world", "reads another job's file", "writes beside its folder"]
CALLS = ["connects within the machine", "makes a pair of sockets", "signals the worker", "hoards memory elsewhere"]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return lambda body: scripted(tmp_path / "fake-ffmpeg", body)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch" / "1.1"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def foreign(folder: Path) -> Path:
    """A file of another job."""
    file = folder.parent / "2.2" / "source"
    file.parent.mkdir()
    file.write_text("not yours")
    return file


async def test_a_prisoner_does_its_work_and_nothing_else(fake: Fake, folder: Path, foreign: Path) -> None:
    said = await run(fake(PRISONER), [str(os.getpid()), str(foreign)], folder, LONG, capture=10_000)

    assert said.decode().splitlines() == HARMLESS
    assert foreign.read_text() == "not yours"
    assert list(folder.iterdir()) == []
    assert not (folder.parent / "beside").exists()


async def test_its_source_is_read_and_never_written_when_it_is_kept_elsewhere(
    fake: Fake, folder: Path, foreign: Path
) -> None:
    (folder / "source").symlink_to(foreign)
    curious = fake("print(Path('source').read_text())\nopen('source', 'a')")

    with pytest.raises(FFmpegFailed, match="1") as failed:
        await run(curious, [], folder, LONG, capture=1000)

    assert "Permission denied: 'source'" in failed.value.tail
    assert foreign.read_text() == "not yours"


async def under_older_kernel(call: str, error: str, fake: Program, folder: Path, *arguments: str) -> dict[str, Any]:
    worker = await asyncio.create_subprocess_exec(
        sys.executable, HERE / "older_kernel.py", call, error, "worker.sandboxed", fake, folder, *arguments,
        stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": str(HERE.parent)},
    )  # fmt: skip
    said, _ = await worker.communicate()
    assert worker.returncode == 0
    return json.loads(said)


@pytest.mark.parametrize("error", ["ENOSYS", "EOPNOTSUPP", "EPERM"])
async def test_without_landlock_it_sees_files_and_nothing_else(
    *, fake: Fake, folder: Path, foreign: Path, error: str
) -> None:
    tries = [str(os.getpid()), str(foreign), *FILES, *CALLS]

    looked = await under_older_kernel("landlock", error, fake(PRISONER), folder, *tries)

    assert looked["held"] == [layer for layer in LAYERS if layer != "landlock"]
    assert looked["did"] == FILES
    assert looked["made"] > 500


async def test_without_seccomp_it_makes_calls_and_sees_no_files(fake: Fake, folder: Path, foreign: Path) -> None:
    tries = [str(os.getpid()), str(foreign), *FILES, *CALLS]

    looked = await under_older_kernel("seccomp", "EINVAL", fake(PRISONER), folder, *tries)

    assert looked["held"] == [layer for layer in LAYERS if layer != "seccomp"]
    assert set(looked["did"]) <= set(CALLS)
    assert "makes a pair of sockets" in looked["did"]
    assert looked["made"] > 500


def test_here_all_layers_hold(ffmpeg: Program, folder: Path) -> None:
    assert layers_that_hold(ffmpeg, folder) == list(LAYERS)


def test_a_machine_whose_calls_are_not_known_has_no_seccomp(ffmpeg: Program, folder: Path) -> None:
    held = layers_that_hold(replace(ffmpeg, filter=b""), folder)

    assert held == [layer for layer in LAYERS if layer != "seccomp"]


async def test_one_file_without_end_is_cut_off(fake: Fake, folder: Path) -> None:
    endless = fake(
        """
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # which Python ignores, and ffmpeg does not
with open('endless', 'wb') as file:
    while True: file.write(bytes(65536))
"""
    )

    with pytest.raises(FFmpegFailed) as failed:
        await run(endless, [], folder, replace(LONG, space=2**20))

    assert failed.value.kind == "too_much"
    assert diagnosis(failed.value).final
    assert (folder / "endless").stat().st_size == 2**20


async def test_files_without_end_are_too_much_together(fake: Fake, folder: Path) -> None:
    (folder / "source").write_bytes(bytes(3 * 2**20))  # was there before
    endless = fake("for n in range(50): Path(f'{n}').write_bytes(bytes(2**16))\nwhile True: time.sleep(9)")

    with pytest.raises(TooMuch) as failed:
        await run(endless, [], folder, Patience(stall=6, total=60, space=2**20))

    assert failed.value.kind == "too_much"


async def test_a_real_ffmpeg_that_needs_more_than_it_may_address_is_out_of_memory(
    ffmpeg: Program, folder: Path
) -> None:
    hoarding = ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=1920x1080:d=100,reverse", "-f", "null", "-"]

    with pytest.raises(FFmpegFailed) as failed:
        await run(replace(ffmpeg, memory=600 * 2**20), hoarding, folder, LONG)

    assert diagnosis(failed.value).code == "out_of_memory"


async def test_one_that_the_kernel_kills_is_out_of_memory(fake: Fake, folder: Path) -> None:
    with pytest.raises(FFmpegFailed) as failed:
        await run(fake("signal.raise_signal(signal.SIGKILL)"), [], folder, LONG)

    assert failed.value.kind == "killed"
    assert diagnosis(failed.value).code == "out_of_memory"


def test_what_a_program_needs_is_what_its_loader_says(ffmpeg: Program) -> None:
    shell = program_at(Path("/bin/sh"))

    assert shell.runs[0] == "/bin/sh"
    assert [Path(loader).name.startswith("ld") for loader in shell.runs[1:]] == [True]
    assert any(Path(library).name.startswith("libc") for library in shell.reads)
    assert all(Path(file).exists() for file in [*ffmpeg.runs, *ffmpeg.reads])
