import pytest

from retake_worker.diagnosis import diagnosis
from retake_worker.ffmpeg_process import FFmpegError, FFmpegFailed, Stalled, TooLong, TooMuch


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Stalled("", ""), "timeout"),
        (TooLong("", ""), "timeout"),
        (TooMuch("", ""), "corrupt"),
        (FFmpegFailed(-9, "frame= 10"), "out_of_memory"),
        (FFmpegFailed(-11, ""), "corrupt"),
        (FFmpegFailed(1, "[h264 @ 0x1] Error: Cannot allocate memory"), "out_of_memory"),
        (FFmpegFailed(1, "[h264 @ 0x1] Picture size 8192x4320 exceeds specified max pixel count 100"), "too_large"),
        (FFmpegFailed(1, "[svq3 @ 0x1] Codec (svq3) not on whitelist 'h264'"), "unsupported_codec"),
        (FFmpegFailed(69, "Conversion failed!"), "corrupt"),
    ],
)
def test_what_ffmpeg_dies_of_is_told_apart(error: FFmpegError, code: str) -> None:
    assert diagnosis(error).code == code
