"""A worker's look at its own tools before it takes any work: which layers of the sandbox hold here, which FFmpeg this
is, and whether it encodes."""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from retake import metrics
from retake.domain.work import RECIPE_VERSION
from retake_worker.engine import NEWEST, OLDEST, Engine, encoding, is_known, version_in
from retake_worker.ffmpeg_process import FFmpegError, NoFFmpeg, Patience, run
from retake_worker.sandbox import LAYERS, Program, layers_that_hold, told_by

log = structlog.stdlib.get_logger(__name__)

_TAIL = 1000
_PATIENCE = Patience(stall=30, total=60)
_OF_THE_SYSTEM = re.compile(
    r"(lib(c|m|mvec|dl|rt|pthread|gcc_s)\.|ld[-.])"
)  # the same release of FFmpeg meets many of them


@dataclass(frozen=True)
class Proven:
    engine: Engine
    layers: Sequence[str]


async def proven(ffmpeg: Program, encoder: str, folder: Path, *, any_version: bool) -> Proven:
    """Raises NoFFmpeg with what is wrong with it."""
    layers = _layers(ffmpeg, folder)
    code, told = told_by(ffmpeg, folder, "-version")
    if code:
        advice = "RETAKE_FFMPEG must name the program itself, no script around it"
        raise NoFFmpeg(f"{ffmpeg.path} does not run in its sandbox; {advice}: {told[-_TAIL:]}")
    words, version = version_in(told)
    if not is_known(version) and not any_version:
        known = f"{'.'.join(map(str, OLDEST))} to {NEWEST[0]}"
        advice = "Name another by RETAKE_FFMPEG, or take it all the same with RETAKE_FFMPEG_ANY_VERSION=yes."
        raise NoFFmpeg(f"{ffmpeg.path} is FFmpeg {words}, and {known} are known to work. {advice}")
    engine = Engine(encoder, version or NEWEST)
    await _encodes(ffmpeg, engine, folder)
    build = f"{_sha256(ffmpeg)[:12]} {os.uname().machine}"
    fingerprint = f"ffmpeg {words} {build} {encoder} pipeline {RECIPE_VERSION}"
    log.info("ffmpeg works", engine=fingerprint)
    return Proven(replace(engine, fingerprint=fingerprint), layers)


def _layers(ffmpeg: Program, folder: Path) -> Sequence[str]:
    """One that this kernel lacks is told once, and work goes on without it."""
    held = layers_that_hold(ffmpeg, folder)
    for layer in LAYERS:
        metrics.SANDBOX_LAYERS.labels(layer).set(layer in held)
        if layer not in held:
            log.warning("a layer of the sandbox is missing in this kernel; ffmpeg runs without it", layer=layer)
    return held


async def _encodes(ffmpeg: Program, engine: Engine, folder: Path) -> None:
    """A few frames, with the arguments that differ from one FFmpeg to the next."""
    quality = encoding(engine.encoder, preset="ultrafast", crf=23, maxrate=10**6, bufsize=10**6, x264="cabac=1")
    try:
        await run(
            ffmpeg,
            ["-nostdin", "-v", "error", "-f", "lavfi", "-i", "color=s=256x144:r=25:d=0.2", "-pix_fmt", "yuv420p",
             "-fps_mode", "passthrough", "-enc_time_base", engine.time_base, *quality, "-f", "null", "-"],
            folder,
            _PATIENCE,
        )  # fmt: skip
    except FFmpegError as error:
        raise NoFFmpeg(
            f"{ffmpeg.path} cannot encode with {engine.encoder} (RETAKE_ENCODER) here: {error.tail}"
        ) from error


def _sha256(ffmpeg: Program) -> str:
    """Of the program and of the libraries it comes with."""
    whole = hashlib.sha256()
    for name in [str(ffmpeg.path), *sorted(ffmpeg.reads)]:
        if Path(name).is_file() and not _OF_THE_SYSTEM.match(Path(name).name):
            with Path(name).open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()
