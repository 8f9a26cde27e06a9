"""How much may arrive, how fast it must, and how many may wait: the settings of uploads and of the queue."""

from retake.domain.sniff import MORE
from retake.variables import concern, decimal, listed, one_of, setting, whole


@concern
class Uploads:
    """What one request may bring, and how it must arrive."""

    files: int = setting("RETAKE_UPLOAD_FILES", whole(1, 200), default="10", explain="The most videos in one form.")
    file_mib: int = setting(
        "RETAKE_UPLOAD_FILE_MIB", whole(1, 1_000_000), default="500", explain="The largest video, in MiB."
    )
    more_types: tuple[str, ...] = setting(
        "RETAKE_UPLOAD_MORE_TYPES",
        listed(one_of(*MORE)),
        default="",
        explain="Kinds of video that are taken beside MP4 and MOV, told by their bytes. All but m4v are wrapped as MP4 "
        "by the worker first; what MP4 cannot hold, VP8 for one, is refused then.",
    )
    request_mib: int = setting(
        "RETAKE_UPLOAD_REQUEST_MIB",
        whole(1, 10_000_000),
        default="5001",
        explain="The largest request, in MiB, everything around the videos included.",
    )
    buffer_mib: int = setting(
        "RETAKE_UPLOAD_BUFFER_MIB",
        whole(8, 100_000),
        default="32",
        explain="How many MiB of uploads one process holds in memory on their way to storage. Beyond that, chunks are "
        "smaller: each upload always has its 128 KiB.",
    )
    head: float = setting(
        "RETAKE_HEAD_SECONDS",
        decimal(0.1, 3600),
        default="20",
        explain="How long the head of a request may take, from its first byte, or from connecting, to its last.",
    )
    idle: float = setting(
        "RETAKE_BODY_IDLE_SECONDS",
        decimal(0.1, 3600),
        default="30",
        explain="A request whose next byte takes longer than this is cut.",
    )
    slowest: int = setting(
        "RETAKE_BODY_SLOWEST_BYTES",
        whole(0, 1_000_000_000),
        default="1024",
        explain="The fewest bytes per second, over that many seconds of waiting for them, before a request is cut.",
    )
    queue_jobs: int = setting(
        "RETAKE_QUEUE_JOBS",
        whole(1, 1_000_000),
        default="1000",
        explain="The most jobs of one workspace that have not ended; another is told to come later.",
    )
    queue_videos: int = setting(
        "RETAKE_QUEUE_VIDEOS",
        whole(1, 10_000_000),
        default="5000",
        explain="The most videos in them; and the most uploads that no job has used yet.",
    )
