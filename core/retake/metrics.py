"""Every metric of every process, in one file. docs/metrics.md is generated from it.

A process exports only what it touched plus what stands here at zero; names end in their unit.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

REGISTRY = CollectorRegistry(auto_describe=True)

BUILD = Info("retake_build", "Which release this process is.", registry=REGISTRY)
READY = Gauge("retake_ready", "1 while this process can do its work, by the part it asks.", ["part"], registry=REGISTRY)
DATABASE_ERRORS = Counter(
    "retake_database_errors_total",
    "Database calls that failed, by SQLSTATE class.",
    ["kind"],
    registry=REGISTRY,
)
BUCKET_ERRORS = Counter(
    "retake_bucket_errors_total",
    "Object store calls that failed, by what was meant.",
    ["kind"],
    registry=REGISTRY,
)
BUS_RECONNECTS = Counter(
    "retake_bus_reconnects_total", "Times the connection to NATS was made anew.", registry=REGISTRY
)
BUS_MALFORMED = Counter(
    "retake_bus_malformed_total",
    "Messages that nobody could read; they were removed or passed over.",
    registry=REGISTRY,
)
DOWNLOADS = Counter(
    "retake_downloads_total",
    "Answers longer than one piece that were begun, by how they ended: whole, left, stalled, lapsed or broken.",
    ["end"],
    registry=REGISTRY,
)
FFMPEG_RUNS = Counter(
    "retake_ffmpeg_runs_total",
    "Runs of FFmpeg by how they ended: done, failed, crashed, killed (memory, mostly), stalled, too_long, too_much, "
    "cancelled, not_started.",
    ["ended"],
    registry=REGISTRY,
)
SANDBOX_LAYERS = Gauge(
    "retake_sandbox_layers",
    "1 for each layer of FFmpeg's sandbox that this worker's kernel puts in force, 0 for one that it lacks.",
    ["layer"],
    registry=REGISTRY,
)
GUESS_ERROR = Histogram(
    "retake_guess_error_ratio",
    "By how much a part took longer or shorter than was thought when it began, as a share of what it took, by kind.",
    ["kind"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5),
    registry=REGISTRY,
)
SLOTS = Gauge("retake_worker_slots", "Parts that this worker works on at once, at most.", registry=REGISTRY)
SLOTS_BUSY = Gauge("retake_worker_slots_busy", "Parts that this worker works on now.", registry=REGISTRY)
SOURCES = Counter(
    "retake_worker_sources_total",
    "Sources that parts asked for: fetched from the object store, or shared with an earlier part.",
    ["how"],
    registry=REGISTRY,
)
WEBHOOKS = Counter(
    "retake_webhooks_total",
    "Messages to callback URLs, by what became of a try: delivered, failed (tried again), refused.",
    ["outcome"],
    registry=REGISTRY,
)
STORAGE_USED = Gauge(
    "retake_storage_used_bytes",
    "Bytes stored, and kept free for what is under way.",
    registry=REGISTRY,
)
STORAGE_CAP = Gauge("retake_storage_cap_bytes", "The storage cap; 0 when there is none.", registry=REGISTRY)
JANITOR_ENDED = Gauge(
    "retake_janitor_ended_timestamp_seconds", "When the janitor's last pass ended.", registry=REGISTRY
)
JANITOR_DID = Gauge(
    "retake_janitor_chore_items", "What each chore of the janitor's last pass did.", ["chore"], registry=REGISTRY
)
JANITOR_FAILED = Gauge(
    "retake_janitor_chore_failed",
    "1 for each chore that failed in the janitor's last pass; orphan_objects also when there are too many to be true.",
    ["chore"],
    registry=REGISTRY,
)
