"""Every metric of every process, in one file. docs/metrics.md is generated from it.

A process exports what it touched, and all that has no labels at zero; names end in their unit. What is counted in a
process is lost with it: at most what happened since the last scrape. `_rows` are read from the database by whichever
API is scraped: each of them tells the same, so `max` over them, never `sum`, is what there is.
"""

import resource
from functools import partial

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

from retake.figure import Figure

disable_created_metrics()  # type: ignore[no-untyped-call]  # they double what is told, and nobody asks for them
REGISTRY = CollectorRegistry(auto_describe=True)
_rows = partial(Figure, registry=REGISTRY)

# Of every process

PROCESS = ProcessCollector(registry=REGISTRY)
BUILD = Info("retake_build", "Which release this process is.", registry=REGISTRY)
READY = Gauge("retake_ready", "1 while this process can do its work, by the part it asks.", ["part"], registry=REGISTRY)
SCHEMA_WANTED = Gauge(
    "retake_schema_wanted", "The newest version of the database's schema that this release knows.", registry=REGISTRY
)
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

# Of each API: requests

HTTP_REQUESTS = Counter(
    "retake_http_requests_total",
    "Requests that ended. The route is as in the API's description, `other` where there is none; 499: the client left.",
    ["method", "route", "status"],
    registry=REGISTRY,
)
HTTP_FIRST_BYTE = Histogram(
    "retake_http_first_byte_seconds",
    "From a request's headers to the first byte of its answer; the time in which a body arrives is in it.",
    ["method", "route"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5),
    registry=REGISTRY,
)
HTTP_SECONDS = Histogram(
    "retake_http_request_seconds",
    "From a request's headers to the last byte of its answer.",
    ["method", "route"],
    buckets=(0.02, 0.1, 0.5, 2.5, 10, 60, 600),
    registry=REGISTRY,
)
HTTP_RECEIVED = Counter(
    "retake_http_received_bytes_total", "Bytes of request bodies.", ["method", "route"], registry=REGISTRY
)
HTTP_SENT = Counter("retake_http_sent_bytes_total", "Bytes of answers' bodies.", ["method", "route"], registry=REGISTRY)
HTTP_UNDER_WAY = Gauge("retake_http_requests_under_way", "Requests that have not ended yet.", registry=REGISTRY)
LISTENERS = Gauge("retake_live_listeners", "Clients that are told events as they happen.", registry=REGISTRY)
DOWNLOADS = Counter(
    "retake_downloads_total",
    "Answers longer than one piece that were begun, by how they ended: whole, left, stalled, lapsed or broken.",
    ["end"],
    registry=REGISTRY,
)

# Of each API: what it does beside

ANNOUNCED = Counter("retake_relay_announced_total", "Parts that workers were told of.", registry=REGISTRY)
REANNOUNCED = Counter(
    "retake_relay_reannounced_total",
    "Parts that nobody claimed in time after they were announced, and that are announced again.",
    registry=REGISTRY,
)
WEBHOOKS = Counter(
    "retake_webhooks_total",
    "Messages to callback URLs, by what became of a try: delivered, failed (tried again), given_up, refused.",
    ["outcome"],
    registry=REGISTRY,
)

# Of each worker

SLOTS = Gauge("retake_worker_slots", "Parts that this worker works on at once, at most.", registry=REGISTRY)
SLOTS_BUSY = Gauge("retake_worker_slots_busy", "Parts that this worker works on now.", registry=REGISTRY)
PARTS = Counter(
    "retake_worker_parts_total",
    "Parts by how this worker's hold on them ended: done; failed (given up, the takes say why); blocked (given back: "
    "something around us failed); leaving, unwanted, out_of_touch (given back); lease_lost; broken (a bug).",
    ["kind", "outcome"],
    registry=REGISTRY,
)
PART_SECONDS = Histogram(
    "retake_worker_part_seconds",
    "How long this worker held parts, however that ended.",
    ["kind"],
    buckets=(1, 5, 15, 60, 300, 900),
    registry=REGISTRY,
)
FFMPEG_RUNS = Counter(
    "retake_ffmpeg_runs_total",
    "Runs of FFmpeg by how they ended: done, failed, crashed, killed (memory, mostly), stalled, too_long, too_much, "
    "cancelled, not_started.",
    ["ended"],
    registry=REGISTRY,
)
FFMPEG_CPU = Figure(
    "counter",
    "retake_ffmpeg_cpu_seconds",
    "Seconds of CPU that runs of FFmpeg took which have ended.",
    registry=REGISTRY,
    read=lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]),
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
SOURCES = Counter(
    "retake_worker_sources_total",
    "Sources that parts asked for: fetched from the object store, or shared with an earlier part.",
    ["how"],
    registry=REGISTRY,
)

# From rows: what happened, each counted once

JOBS_ACCEPTED = _rows("counter", "retake_jobs_accepted", "Jobs that were accepted.")
VIDEOS_ACCEPTED = _rows("counter", "retake_videos_accepted", "Videos of jobs that were accepted.")
BYTES_ACCEPTED = _rows("counter", "retake_source_bytes_accepted", "Bytes of videos of jobs that were accepted.")
JOBS_ENDED = _rows("counter", "retake_jobs_ended", "Jobs by how they ended; one that is retried ends again.", ["state"])
JOBS_EXPIRED = _rows(
    "counter", "retake_jobs_expired", "Jobs that went, by why: age, space (evicted) or deleted.", ["because"]
)
VIDEOS_FAILED = _rows(
    "counter",
    "retake_videos_failed",
    "Videos that failed before they had takes, by error code and by whose fault that is: the file's, or ours.",
    ["code", "fault"],
)
TAKES_COMPLETED = _rows("counter", "retake_takes_completed", "Takes that are finished.")
TAKES_FAILED = _rows(
    "counter", "retake_takes_failed", "Takes that failed, by error code and by whose fault that is.", ["code", "fault"]
)
TAKE_SECONDS = _rows("counter", "retake_take_seconds", "Seconds that finished takes last.")
TAKE_BYTES = _rows("counter", "retake_take_bytes", "Bytes of finished takes.")
PARTS_LOST = _rows("counter", "retake_parts_lost", "Parts that were taken back from a worker that was lost.")
JOB_BOUNDS = (2.0, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0)
FIRST_TAKE_SECONDS = _rows("histogram", "retake_first_take_seconds", "From a job's accept to its first finished take.")
JOB_SECONDS = _rows(
    "histogram",
    "retake_job_seconds",
    "From a job's accept to its first end, if that was completed: its ZIP is whole.",
)

# From rows, and from the stream: what is now

QUEUE_PARTS = _rows(
    "gauge",
    "retake_queue_parts",
    "Parts that are not done: due (nobody was told yet), announced, running, or held (paused, or to be tried later).",
    ["state"],
)
QUEUE_OLDEST = _rows(
    "gauge", "retake_queue_oldest_seconds", "For how long the part that is due longest has waited; 0 when none is."
)
QUEUE_WINDOW = _rows("gauge", "retake_queue_window", "How many parts may be announced and not claimed at once.")
STREAM_MESSAGES = _rows(
    "gauge", "retake_stream_messages", "Messages in the JetStream stream: all, or unacknowledged by workers.", ["state"]
)
WORKSPACE_PARTS = _rows(
    "gauge",
    "retake_workspace_parts",
    "Parts by workspace, waiting or running: of the five with most of them, and of all `(others)`.",
    ["workspace", "state"],
)
FLEET_WORKERS = _rows(
    "gauge",
    "retake_fleet_workers",
    "Workers: active, or lost (of this day, and did not say good-bye).",
    ["state"],
)
FLEET_SLOTS = _rows("gauge", "retake_fleet_slots", "Slots of all active workers together: busy or idle.", ["state"])
WEBHOOKS_WAITING = _rows("gauge", "retake_webhooks_waiting", "Messages to callback URLs that are still to arrive.")
WEBHOOKS_OVERDUE = _rows(
    "gauge", "retake_webhooks_overdue_seconds", "For how long the next try of a message is overdue; 0 when none is."
)
STORAGE_USED = _rows("gauge", "retake_storage_used_bytes", "Bytes stored, and kept free for what is under way.")
STORAGE_CAP = _rows("gauge", "retake_storage_cap_bytes", "The storage cap; 0 when there is none.")
ORPHANS = _rows("gauge", "retake_orphan_objects", "Objects that no row knows of, as the janitor saw last.")
ORPHAN_BYTES = _rows("gauge", "retake_orphan_bytes", "Their bytes.")
JANITOR_ENDED = _rows("gauge", "retake_janitor_ended_timestamp_seconds", "When the janitor's last pass ended.")
JANITOR_SECONDS = _rows("gauge", "retake_janitor_pass_seconds", "How long the janitor's last pass took.")
JANITOR_DID = _rows("gauge", "retake_janitor_chore_items", "What each chore of the janitor's last pass did.", ["chore"])
JANITOR_FAILED = _rows(
    "gauge",
    "retake_janitor_chore_failed",
    "1 for each chore that failed in the janitor's last pass; orphan_objects also when there are too many to be true.",
    ["chore"],
)
SCHEMA = _rows("gauge", "retake_schema_version", "The version of the schema that the database has.")

FROM_ROWS = [one for one in list(globals().values()) if isinstance(one, Figure) and one.read is None]
