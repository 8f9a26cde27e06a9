"""Clips to measure with: filmed ones that are made of numbers, and one from a real camera, if it can be had."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from retake_worker.ffmpeg_process import find_ffmpeg
from scenes import SPEECH, Film, film

SECONDS = 6
CLIPS = ("720p", "1080p", "real")
_SIZES = {"720p": (1280, 720), "1080p": (1920, 1080)}


def ffmpeg(*arguments: str) -> None:
    subprocess.run([find_ffmpeg(None), "-nostdin", "-v", "error", "-y", *arguments], check=True)


def made(name: str, folder: Path) -> Path:
    """Each is made once for all who ask with this folder."""
    file = folder / f"{name}.mp4"
    if file.exists():
        return file
    if name == "real":
        return _real(file)
    width, height = _SIZES[name]
    return film(find_ffmpeg(None).path, file, Film("motion", width, height, SECONDS))


def _real(file: Path) -> Path:
    """People in the street before a fixed camera, 768 x 576, 10 frames a second, from Debian's opencv-doc: 20 seconds
    of it, in H.264 as a phone writes it, with sound that is made. Skipped without apt or a way to its packages."""
    arguments = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "3M", "-g", "30", "-c:a", "aac", "-shortest"]
    ffmpeg(
        "-t",
        "20",
        "-i",
        str(_street(file.parent)),
        "-f",
        "lavfi",
        "-i",
        f"aevalsrc='{SPEECH}':s=44100",
        *arguments,
        str(file),
    )
    return file


@cache
def _street(folder: Path) -> Path:
    unpacked = folder / "opencv-doc"
    try:
        if shutil.which("apt-get") is None:
            raise FileNotFoundError("apt-get")
        subprocess.run(["apt-get", "download", "opencv-doc"], cwd=folder, check=True, timeout=120, capture_output=True)
        (package,) = folder.glob("opencv-doc_*.deb")
        subprocess.run(["dpkg", "-x", package, unpacked], check=True, timeout=60)
        return next(unpacked.rglob("vtest.avi"))
    except (subprocess.SubprocessError, FileNotFoundError, StopIteration) as error:
        pytest.skip(f"there is no real clip here: Debian's opencv-doc could not be had ({error!r})")
