"""Settings of the worker, and of how large the videos may be that it takes (settings.py reads them)."""

from retake.domain.limits import Limits
from retake.variables import TEXT, concern, matching, one_of, setting, whole


@concern
class Worker:
    """The worker."""

    name: str | None = setting(
        "RETAKE_WORKER_NAME",
        matching(r"[A-Za-z0-9._-]{1,100}", "1 to 100 letters, digits, dots, - or _"),
        optional=True,
        explain="Who claims; in a cluster the pod's name. Else host name and process id.",
    )
    slots: int | None = setting(
        "RETAKE_WORKER_SLOTS",
        whole(1, 64),
        optional=True,
        explain="Parts worked on at once. Else one for each whole CPU that it may use, if its memory is enough.",
    )
    memory_mib: int | None = setting(
        "RETAKE_WORKER_MEMORY_MIB",
        whole(64, 100_000_000),
        optional=True,
        explain="How many MiB of memory the worker counts on, at most; by it slots and takes at once are chosen. Else "
        "what its container or machine has.",
    )
    grace: int = setting(
        "RETAKE_WORKER_GRACE",
        whole(0, 86_400),
        default="0",
        explain="Seconds in which parts at work may be finished when the worker is told to stop. One that would take "
        "longer is given back at once, and so are all with 0. In a cluster 15 less than the pod's "
        "terminationGracePeriodSeconds.",
    )
    scratch: str | None = setting(
        "RETAKE_SCRATCH",
        TEXT,
        optional=True,
        explain="The folder for files in work. Else the system's temporary one.",
    )
    keep_mib: int = setting(
        "RETAKE_SCRATCH_KEEP_MIB",
        whole(0, 10_000_000),
        default="2048",
        explain="How many MiB of sources a worker keeps in scratch for the next part of the same video.",
    )
    ffmpeg: str | None = setting(
        "RETAKE_FFMPEG",
        TEXT,
        optional=True,
        explain="The ffmpeg to use, a path or a name to look up. Else the one that was installed with the worker.",
    )
    any_version: str = setting(
        "RETAKE_FFMPEG_ANY_VERSION",
        one_of("yes", "no"),
        default="no",
        explain="Whether to work with a release of FFmpeg that is not known to work.",
    )
    encoder: str = setting(
        "RETAKE_ENCODER",
        one_of("libx264", "libopenh264", "h264_nvenc", "h264_qsv"),
        default="libx264",
        explain="What encodes the pictures. Another one gives the same recipe other bytes; those in hardware are not "
        "tried by us. Workers of one installation should have the same.",
    )


@concern
class Videos:
    """How large a video may be; what is beyond is refused with a sentence."""

    pixels: int = setting(
        "RETAKE_VIDEO_MAX_PIXELS",
        whole(100_000, 100_000_000),
        default="9437184",
        explain="Width times height, upright or not. The default takes every 4K, 4096 x 2304.",
    )
    seconds: int = setting(
        "RETAKE_VIDEO_MAX_SECONDS", whole(1, 86_400), default="1800", explain="The longest video, in seconds."
    )
    frames: int = setting(
        "RETAKE_VIDEO_MAX_FRAMES",
        whole(1, 2_000_000),
        default="216000",
        explain="The most frames. The default is half an hour at 120 a second.",
    )

    def limits(self) -> Limits:
        return Limits(pixels=self.pixels, seconds=self.seconds, frames=self.frames)
