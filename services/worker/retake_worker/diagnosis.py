"""Why a run of FFmpeg over a source did not end well, as one of the failures that people can meet.

Its words differ from release to release. What they do not tell is put down to the file, which was the only thing new.
"""

import re
import signal

from retake.domain.errors import CORRUPT, OUT_OF_MEMORY, TIMEOUT, TOO_LARGE, UNSUPPORTED_CODEC, Failure
from retake_worker.ffmpeg_process import FFmpegError, FFmpegFailed, Stalled, TooLong

_WORDS = (
    (re.compile("Cannot allocate memory|std::bad_alloc"), OUT_OF_MEMORY),
    (re.compile("exceeds specified max pixel count"), TOO_LARGE),
    (re.compile("not on whitelist|[Dd]ecoder .*not found|no decoder found|not.* supported|[Nn]ot (yet )?implemented"),
     UNSUPPORTED_CODEC),
)  # fmt: skip


def diagnosis(error: FFmpegError) -> Failure:
    match error:
        case Stalled() | TooLong():
            return TIMEOUT
        case FFmpegFailed(code=code) if code == -signal.SIGKILL:
            return OUT_OF_MEMORY  # nobody else kills it from outside
    return next((failure for words, failure in _WORDS if words.search(error.tail)), CORRUPT)
