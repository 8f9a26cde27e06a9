"""One run of ffmpeg: the real one, and programs in its place that do everything wrong."""

import asyncio
import errno
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import eventually
from retake_worker.ffmpeg_process import (
    FFmpegFailed,
    NoFFmpeg,
    Patience,
    Stalled,
    TooLong,
    TooMuch,
    find_ffmpeg,
    run,
)
from retake_worker.sandbox import NotStarted, Program
from worker.hostile import Fake, scripted

pytestmark = pytest.mark.anyio

LONG = Patience(stall=60, total=60)
PATTERN = ["-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=4"]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Writes a program in the place of ffmpeg, from a body in Python."""

    return lambda body: scripted(tmp_path / "fake-ffmpeg", body)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def lives(pid: int) -> bool:
    """A zombie does not: whoever inherited it has not looked yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def pid_in(file: Path) -> int:
    async def said() -> str:
        return file.read_text() if file.exists() else ""

    return int(await eventually(said))


async def gone(pid: int) -> None:
    async def check() -> bool:
        return not lives(pid)

    await eventually(check)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_it_makes_what_was_asked_for_and_tells_how_far_it_is(ffmpeg: Program, folder: Path) -> None:
    told: list[int] = []

    await run(ffmpeg, [*PATTERN, "-c:v", "libx264", "-threads", "1", "made.mp4"], folder, LONG, moved=told.append)

    assert (folder / "made.mp4").stat().st_size > 1000
    assert told == sorted(set(told))
    assert told[-1] == 100


async def test_what_it_writes_to_standard_output_comes_back(ffmpeg: Program, folder: Path) -> None:
    size = 64 * 48 * 3 // 2

    frames = await run(
        ffmpeg,
        [*PATTERN, "-frames:v", "3", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"],
        folder,
        LONG,
        capture=3 * size,
    )

    assert len(frames) == 3 * size


async def test_more_than_was_asked_for_is_not_kept_however_much_it_is(fake: Fake, folder: Path) -> None:
    endless = fake("while True: os.write(1, b'x' * 65536)")

    with pytest.raises(TooMuch):
        await run(endless, [], folder, Patience(stall=1, total=60), capture=1000)


async def test_a_failure_carries_its_code_and_the_end_of_what_was_said(fake: Fake, folder: Path) -> None:
    failing = fake("os.write(2, b'noise ' * 100000 + b'the reason'); sys.exit(3)")

    with pytest.raises(FFmpegFailed) as failed:
        await run(failing, [], folder, LONG)

    assert failed.value.code == 3
    assert failed.value.tail.endswith("the reason")
    assert len(failed.value.tail) <= 4096


async def test_the_real_one_says_why_it_failed(ffmpeg: Program, folder: Path) -> None:
    with pytest.raises(FFmpegFailed) as failed:
        await run(ffmpeg, ["-nostdin", "-v", "error", "-i", "missing.mp4", "made.mp4"], folder, LONG)

    assert "No such file" in failed.value.tail


async def test_one_that_does_not_move_is_stopped_with_all_it_started(fake: Fake, folder: Path) -> None:
    """Where there is no seccomp, it may have started others."""
    forking = "if os.fork() == 0: Path('child').write_text(str(os.getpid()))\nwhile True: time.sleep(9)"
    hanging = replace(fake(forking), filter=b"")

    with pytest.raises(Stalled):
        await run(hanging, [], folder, Patience(stall=1, total=60))

    await gone(await pid_in(folder / "child"))


async def test_one_that_only_talks_has_not_moved(fake: Fake, folder: Path) -> None:
    talking = fake("while True: os.write(2, b'still here ' * 1000)")

    with pytest.raises(Stalled) as stalled:
        await run(talking, [], folder, Patience(stall=0.5, total=60))

    assert "still here" in stalled.value.tail


async def test_one_that_moves_for_ever_is_stopped_too(fake: Fake, folder: Path) -> None:
    endless = fake(
        """
n, pipe = 0, int(sys.argv[2].removeprefix('pipe:'))
while True: n += 1; os.write(pipe, b'frame=%d\\n' % n); time.sleep(.01)
"""
    )
    told: list[int] = []

    with pytest.raises(TooLong):
        await run(endless, [], folder, Patience(stall=0.5, total=2), moved=told.append)

    assert told == sorted(set(told))  # lines that come together count once
    assert len(told) > 10


async def test_cancelled_it_ends_even_one_that_ignores_being_told(fake: Fake, folder: Path) -> None:
    deaf = fake(
        """
signal.signal(signal.SIGTERM, lambda *_: Path('told').write_text('1'))
Path('pid').write_text(str(os.getpid()))
while True: time.sleep(9)
"""
    )
    running = asyncio.create_task(run(deaf, [], folder, LONG))
    pid = await pid_in(folder / "pid")

    running.cancel()
    await asyncio.wait({running})

    assert running.cancelled()
    assert not lives(pid)
    assert (folder / "told").exists()


async def test_cancelled_twice_it_does_not_wait_for_the_grace(fake: Fake, folder: Path) -> None:
    deaf = fake(
        """
signal.signal(signal.SIGTERM, lambda *_: Path('told').write_text('1'))
Path('pid').write_text(str(os.getpid()))
while True: time.sleep(9)
"""
    )
    running = asyncio.create_task(run(deaf, [], folder, LONG))
    pid = await pid_in(folder / "pid")
    running.cancel()
    await pid_in(folder / "told")

    running.cancel()
    await asyncio.wait({running})

    assert not lives(pid)


async def test_it_ends_with_its_worker_however_that_ends(fake: Fake, folder: Path) -> None:
    hanging = fake("Path('pid').write_text(str(os.getpid()))\nwhile True: time.sleep(9)")
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c",
        "import asyncio, sys\nfrom pathlib import Path\nfrom retake_worker.ffmpeg_process import Patience, run\n"
        "from worker.hostile import reading_python\n"
        "asyncio.run(run(reading_python(Path(sys.argv[1])), [], Path(sys.argv[2]), Patience()))",
        hanging, folder, env={"PYTHONPATH": "tests"},
    )  # fmt: skip
    pid = await pid_in(folder / "pid")

    worker.send_signal(signal.SIGKILL)
    await worker.wait()

    await gone(pid)


async def test_it_sees_its_folder_and_no_environment_and_no_input(fake: Fake, folder: Path) -> None:
    curious = fake("print(os.getcwd(), sorted(os.environ), os.read(0, 1), os.getpgid(0) == os.getpid())")

    said = await run(curious, [], folder, LONG, capture=1000)

    # A locale of C is what Python itself puts there when it finds none.
    assert said.decode().split(maxsplit=1) == [str(folder), "['LC_CTYPE'] b'' True\n"]


async def test_it_inherits_no_file_but_its_pipes(fake: Fake, folder: Path) -> None:
    curious = fake(
        """
def is_open(number):
    try: return bool(os.fstat(number))
    except OSError: return False
print([number for number in range(256) if is_open(number)])
"""
    )
    secret = os.open(folder, os.O_RDONLY)

    said = await run(curious, [], folder, LONG, capture=1000)

    os.close(secret)
    assert len(json.loads(said)) == len(["standard input", "output", "error", "progress"])


async def test_no_descriptor_is_left_open(fake: Fake, folder: Path) -> None:
    quick = fake("sys.exit(0)")
    await run(quick, [], folder, LONG)
    before = descriptors()

    for _ in range(3):
        await run(quick, [], folder, LONG)

    assert descriptors() == before


async def test_a_program_that_is_not_there_is_no_fault_of_the_input(fake: Fake, folder: Path) -> None:
    gone = replace(fake(""), path=folder / "nothing")

    with pytest.raises(NotStarted, match="No such file") as failed:
        await run(gone, [], folder, LONG)

    assert failed.value.errno == errno.ENOENT


def test_the_installed_ffmpeg_is_found_without_importing_its_wheel() -> None:
    found = find_ffmpeg(None)

    assert os.access(found, os.X_OK)
    assert "imageio_ffmpeg" not in sys.modules


def test_a_named_one_is_taken_by_path_or_by_name() -> None:
    assert find_ffmpeg(sys.executable).path == Path(sys.executable)
    assert find_ffmpeg("sh").path.name == "sh"


def test_a_name_that_is_no_program_is_refused() -> None:
    with pytest.raises(NoFFmpeg, match="RETAKE_FFMPEG"):
        find_ffmpeg("no-such-ffmpeg")
