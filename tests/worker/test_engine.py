"""Which FFmpeg and which encoder a worker works with, and what it refuses to start with."""

from dataclasses import replace
from pathlib import Path

import pytest

from retake_worker.engine import Engine, encoding, is_known, version_in
from retake_worker.ffmpeg_process import FFmpegFailed, NoFFmpeg, Patience, run
from retake_worker.sandbox import LAYERS, Program, for_encoder
from retake_worker.selftest import proven
from worker.cooking import Cook, make, recipe
from worker.hostile import Fake, scripted

pytestmark = pytest.mark.anyio

SEVEN = "if '-version' in sys.argv: print('ffmpeg version 7.1')"
FAST = {"preset": "ultrafast", "crf": 23, "maxrate": 100, "bufsize": 200, "x264": "cabac=1"}


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return lambda body: scripted(tmp_path / "fake-ffmpeg", body)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("told", "words", "version", "known"),
    [
        ("ffmpeg version n9.0.2-17-g2a571b6068-20260930 Copyright", "n9.0.2-17-g2a571b6068-20260930", (9, 0), True),
        ("ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000", "5.1.9-0+deb12u1", (5, 1), True),
        ("ffmpeg version 7.0.2-static https://", "7.0.2-static", (7, 0), True),
        ("ffmpeg version 5.0.1 Copyright", "5.0.1", (5, 0), False),
        ("ffmpeg version 10.0 Copyright", "10.0", (10, 0), False),
        ("ffmpeg version N-12345-gabcdef Copyright", "N-12345-gabcdef", (), False),
        ("something else", "unknown", (), False),
    ],
)
def test_releases_are_told_apart(told: str, words: str, version: tuple[int, ...], known: bool) -> None:
    assert version_in(told) == (words, version)
    assert is_known(version) is known


def test_an_older_ffmpeg_is_asked_in_its_own_words() -> None:
    assert [Engine(version=version).time_base for version in [(5, 1), (6, 0), (6, 1), (9, 0)]] == [
        "1:90000", "1:90000", "filter", "filter",
    ]  # fmt: skip


def test_each_encoder_is_asked_for_about_the_same() -> None:
    assert encoding("libx264", **FAST) == [
        "-c:v", "libx264", "-preset", "ultrafast", "-crf", "23", "-maxrate", "100", "-bufsize", "200",
        "-x264-params", "cabac=1", "-threads", "1",
    ]  # fmt: skip
    assert encoding("h264_nvenc", **FAST) == [
        "-c:v", "h264_nvenc", "-preset", "p1", "-rc", "vbr", "-cq", "23", "-maxrate", "100", "-bufsize", "200",
        "-threads", "1",
    ]  # fmt: skip
    assert encoding("libopenh264", **FAST) == [
        "-c:v", "libopenh264", "-rc_mode", "bitrate", "-b:v", "100", "-threads", "1",
    ]  # fmt: skip


async def test_the_installed_ffmpeg_is_fit_and_has_a_fingerprint_of_its_own(ffmpeg: Program, folder: Path) -> None:
    one = await proven(ffmpeg, "libx264", folder, any_version=False)
    other = await proven(ffmpeg, "libopenh264", folder, any_version=False)

    assert one.layers == list(LAYERS)
    assert one.engine.fingerprint.startswith("ffmpeg ")
    assert " libx264 pipeline " in one.engine.fingerprint
    assert other.engine.fingerprint == one.engine.fingerprint.replace("libx264", "libopenh264")


async def test_another_release_is_refused_unless_it_is_wanted(fake: Fake, folder: Path) -> None:
    old = fake("if '-version' in sys.argv: print('ffmpeg version 4.2.2-static Copyright')")

    with pytest.raises(NoFFmpeg, match=r"is FFmpeg 4\.2\.2-static, and 5\.1 to 9 are known.*RETAKE_FFMPEG_ANY_VERSION"):
        await proven(old, "libx264", folder, any_version=False)
    found = await proven(old, "libx264", folder, any_version=True)

    assert found.engine.version == (4, 2)


async def test_another_build_of_the_same_release_has_another_fingerprint(fake: Fake, folder: Path) -> None:
    one = await proven(fake(SEVEN), "libx264", folder, any_version=False)
    other = await proven(fake(SEVEN + "  # rebuilt"), "libx264", folder, any_version=False)

    assert one.engine.fingerprint != other.engine.fingerprint


async def test_a_script_around_ffmpeg_is_refused_with_advice(fake: Fake, folder: Path) -> None:
    wrapping = fake("os.execv('/bin/true', ['true'])")

    with pytest.raises(NoFFmpeg, match="RETAKE_FFMPEG must name the program itself"):
        await proven(wrapping, "libx264", folder, any_version=True)


async def test_an_encoder_that_does_not_work_here_is_refused(ffmpeg: Program, folder: Path) -> None:
    with pytest.raises(NoFFmpeg, match="cannot encode with h264_nosuch"):
        await proven(ffmpeg, "h264_nosuch", folder, any_version=False)


async def test_another_encoder_makes_good_takes_of_other_bytes(cook: Cook) -> None:
    kitchen = await cook("motion")
    (file,) = await make(kitchen, recipe(1))
    usual = file.read_bytes()

    (file,) = await make(replace(kitchen, engine=Engine("libopenh264")), recipe(1))

    assert file.read_bytes() != usual
    assert b"OpenH264" not in usual


async def test_an_encoder_in_hardware_has_its_devices_and_no_other(fake: Fake, folder: Path) -> None:
    body = "for name in sys.argv[5:]: open(name, 'r+b', buffering=0)"
    with_device = replace(fake(body), devices=["/dev/zero"])

    await run(with_device, ["/dev/zero"], folder, Patience())

    with pytest.raises(FFmpegFailed):
        await run(with_device, ["/dev/full"], folder, Patience())
    with pytest.raises(FFmpegFailed):
        await run(replace(with_device, devices=[]), ["/dev/zero"], folder, Patience())


def test_only_an_encoder_in_hardware_gets_more_than_usual(ffmpeg: Program) -> None:
    hardware = for_encoder(ffmpeg, "h264_qsv")

    assert for_encoder(ffmpeg, "libx264") == ffmpeg
    assert hardware.memory == -1
    assert "/usr/lib" in hardware.reads
