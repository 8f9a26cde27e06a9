"""Why a run of FFmpeg over a source did not end well, as one of the failures that people can meet.

Its words differ from release to release. What they do not tell is put down to the file, which was the only thing new.
"""

import re

from retake.domain.errors import CORRUPT, OUT_OF_MEMORY, TIMEOUT, TOO_LARGE, UNSUPPORTED_CODEC, Failure
from retake_worker.ffmpeg_process import FFmpegError

_WORDS = (
    (re.compile(r"Cannot allocate memory|std::bad_alloc|malloc of size \d+ failed|pthread_create\(\) failed"),
     OUT_OF_MEMORY),
    (re.compile("exceeds specified max pixel count"), TOO_LARGE),
    (re.compile("not on whitelist|[Dd]ecoder .*not found|no decoder found|not.* supported|[Nn]ot (yet )?implemented"),
     UNSUPPORTED_CODEC),
)  # fmt: skip

_KINDS = {"stalled": TIMEOUT, "too_long": TIMEOUT, "killed": OUT_OF_MEMORY}


def diagnosis(error: FFmpegError) -> Failure:
    if error.kind in _KINDS:
        return _KINDS[error.kind]
    return next((failure for words, failure in _WORDS if words.search(error.tail)), CORRUPT)
