"""Every failure that a person can meet: a stable code for programs, one plain sentence that says what to do next, and
whether it is final.

A final failure lies in the uploaded file: no later try ends differently, and its source may be dropped. The others are
ours or the machine's: the source is kept, and "retry" may help. source_needed() in the migrations says the same of
the codes below; tests/agreement holds the two against each other.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Failure:
    """Why something did not come out."""

    code: str
    sentence: str
    final: bool = True

    def saying(self, sentence: str) -> "Failure":
        """The same failure in words that fit this one file."""
        return replace(self, sentence=sentence)


class BadInput(Exception):
    """The file itself is why it cannot go on. `failure` is for people; `detail` is for logs."""

    def __init__(self, failure: Failure, detail: str = "") -> None:
        super().__init__(f"{failure.code}: {detail or failure.sentence}")
        self.failure = failure


NOT_A_VIDEO = Failure("not_a_video", "This file is not a video; please upload an MP4 or MOV file.")
CORRUPT = Failure("corrupt", "This video is damaged and cannot be played; please export it again and upload that.")
TRUNCATED = Failure("truncated", "The end of this video is missing; please upload the whole file again.")
NO_VIDEO_STREAM = Failure("no_video_stream", "There is no picture in this file; please upload a video that has one.")
EXTERNAL_DATA = Failure(
    "external_data", "This video keeps its pictures in other files; please export it as one self-contained file."
)
PROTECTED = Failure("protected", "This video is copy-protected and cannot be opened; please upload one that is not.")
UNSUPPORTED_CODEC = Failure(
    "unsupported_codec", "This video is compressed in a way we cannot read; please export it as H.264 with AAC sound."
)
TOO_LONG = Failure("too_long", "This video is too long; please cut it into shorter ones.")
TOO_LARGE = Failure("too_large", "The picture of this video is too large; please export it in 4K or smaller.")
TOO_SMALL = Failure("too_small", "The picture of this video is too small; please export it larger.")
TOO_MANY_FRAMES = Failure(
    "too_many_frames", "This video has too many pictures; please cut it, or export it with fewer frames per second."
)
TOO_MANY_STREAMS = Failure(
    "too_many_streams", "This file has too many tracks; please export it with one picture and one sound track."
)
SOURCE_LOST = Failure("source_lost", "The uploaded file is not in storage any more; please upload it again.")

TIMEOUT = Failure(
    "timeout", "This took far longer than it should and was stopped; trying it again may help.", final=False
)
OUT_OF_MEMORY = Failure(
    "out_of_memory", "This needed more memory than a worker has; trying it again later may help.", final=False
)
ENCODER = Failure("encoder", "This take could not be encoded as it should be; trying it again may help.", final=False)
WORKER_LOST = Failure(
    "worker_lost", "The workers that tried this were lost again and again; trying later may help.", final=False
)
INTERNAL = Failure(
    "internal", "Something went wrong on our side with this video; the operators can see what.", final=False
)

FAILURES: tuple[Failure, ...] = tuple(one for one in list(globals().values()) if isinstance(one, Failure))


def fault_of(code: str) -> str:
    """Whose it is, for operators: the `file`'s, or `ours`. A code that is not known here is of another release."""
    files = {one.code for one in FAILURES if one.final} - {SOURCE_LOST.code}
    return "file" if code in files else "ours"
