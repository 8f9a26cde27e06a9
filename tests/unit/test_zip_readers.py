"""What other programs make of our ZIPs: each finds nothing wrong, and unpacks the names and bytes that were packed."""

import os
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from unicodedata import normalize

import pytest

from archives import sparse
from conftest import requires_tool
from retake_api.segments import Layout, Stored
from retake_api.zipnames import folders, take_path
from retake_api.zipstream import Entry, lay_out, literal

AT = datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC)
GIB = 2**30

Unpack = Callable[[Path, Path, list[str]], None]
"""The archive, where to, and which files; all when none are named."""


def ran(*words: str | Path) -> None:
    environment = {"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


def python(archive: Path, out: Path, names: list[str]) -> None:
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(out, names or None)


def unzip(archive: Path, out: Path, names: list[str]) -> None:
    ran("unzip", "-q", archive, *names, "-d", out)


def seven_zip(archive: Path, out: Path, names: list[str]) -> None:
    ran("7z", "x", "-y", f"-o{out}", archive, *names)


def bsdtar(archive: Path, out: Path, names: list[str]) -> None:
    ran("bsdtar", "-x", "-f", archive, "-C", out, *names)


every_reader = pytest.mark.parametrize(
    "unpack",
    [
        python,
        pytest.param(unzip, marks=requires_tool("unzip")),
        pytest.param(seven_zip, marks=requires_tool("7z", "p7zip-full")),
        pytest.param(bsdtar, marks=requires_tool("bsdtar", "libarchive-tools")),
    ],
)


def unpacked(unpack: Unpack, layout: Layout, folder: Path, *names: str) -> dict[str, bytes]:
    (folder / "out").mkdir()
    unpack(sparse(layout, folder / "a.zip"), folder / "out", list(names))
    found = (file for file in (folder / "out").rglob("*") if file.is_file())
    return {str(file.relative_to(folder / "out")): file.read_bytes() for file in found}


@every_reader
@pytest.mark.parametrize("count", [1, 20, 2000])
def test_of_many_files_each_comes_out_as_it_was(unpack: Unpack, count: int, tmp_path: Path) -> None:
    files = {f"été {n}/日本_var{n:04}.mp4": bytes([n % 256]) * n for n in range(count)}
    some = dict(list(files.items())[-20:])

    layout = lay_out([literal(path, AT, data) for path, data in files.items()])

    assert unpacked(unpack, layout, tmp_path, *some) == some


SOURCES = [
    "plain.mp4", "Plain.mov", "plain.mp4", "été.mp4", "e\u0301te\u0301.mp4", "日本語の動画.mp4", "한국어.mp4",
    "Ελληνικά.mp4", "Русский.mp4", "עברית.mp4", "العربية.mp4", "हिन्दी.mp4", "ไทย.mp4", "தமிழ்.mp4", "አማርኛ.mp4",
    "👩‍👩‍👧 🎬.mp4", "𝒳𐍈.mp4", "../../etc/passwd", "CON.mp4", "a:b?.mp4", "-rf.mp4", "é" * 300 + ".mp4",
]  # fmt: skip


@every_reader
def test_names_of_every_script_come_out_as_they_were_each_in_a_folder_of_its_own(
    unpack: Unpack, tmp_path: Path
) -> None:
    """But for bsdtar, which composes what was given decomposed; so does many a file system."""
    files = {take_path(folder, 1, 1): folder.encode() for folder in folders(SOURCES)}

    out = unpacked(unpack, lay_out([literal(path, AT, data) for path, data in files.items()]), tmp_path)

    assert len(files) == len(SOURCES)
    assert {normalize("NFC", path): data for path, data in out.items()} == {
        normalize("NFC", path): data for path, data in files.items()
    }


@every_reader
def test_the_last_file_behind_nine_gigabytes_is_found(unpack: Unpack, tmp_path: Path) -> None:
    big = [Entry(f"{n}", AT, 3 * GIB, 7, Stored("k")) for n in range(3)]

    layout = lay_out([*big, literal("last", AT, b"last")])

    assert unpacked(unpack, layout, tmp_path, "last") == {"last": b"last"}


@requires_tool("unzip")
def test_unzip_warns_of_nothing(tmp_path: Path) -> None:
    entries = [literal("manifest.json", AT, b"{}"), Entry("a/a_var1.mp4", AT, 5, zlib.crc32(bytes(5)), Stored("k"))]

    ran("unzip", "-tq", sparse(lay_out(entries), tmp_path / "a.zip"))
