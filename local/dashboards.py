"""What the dashboards show. deploy/grafana/*.json are made of this (`make generate`).

What rows tell, every API tells alike, and it goes on where it was: `max` over them, and `grown` is exact. What
processes count adds up: `sum`. docs/metrics.md says which is which.
"""

from panels import Dashboard, Panel

OURS = '{fault="ours"}'
REQUESTS = '{route=~"/api/.+",route!="/api/health"}'
FAILED = '{route=~"/api/.+",route!="/api/health",status=~"5..",status!="507"}'
READING = '{method="GET",route=~"/api/.+",route!="/api/health"}'
EARLY = '{method="GET",route=~"/api/.+",route!="/api/health",le="0.5"}'
REFUSED = '{status=~"4..|507"}'
ENDING = '{route=~"/api/.+",route!~"/api/health|.+/events"}'
RESULTS = '{route=~"/api/jobs/{job_id}/(download|files/.+)"}'


def now(metric: str, by: str = "") -> str:
    """What rows tell."""
    return f"max by ({by}) ({metric})"


def pace(metric: str, by: str = "", per: int = 1) -> str:
    """How much of it comes in so many seconds, of what rows count."""
    return f"{per} * max by ({by}) (rate({metric}[$__rate_interval]))"


def grown(metric: str, by: str = "") -> str:
    """How much of it came in the time that is shown, of what rows count."""
    return f"max by ({by}) (max_over_time({metric}[$__range]) - min_over_time({metric}[$__range]))"


def rate(metric: str, by: str = "", per: int = 1) -> str:
    """As `pace`, of what processes count."""
    return f"{per} * sum by ({by}) (rate({metric}[$__rate_interval]))"


def share(part: str, whole: str) -> str:
    """In the time that is shown, of what processes count; nothing of something is 0."""
    return f"(sum (increase({part}[$__range])) or vector(0)) / sum (increase({whole}[$__range]))"


def quantile(at: float, metric: str, labels: str = "", by: str = "le", of: str = "sum") -> str:
    return f"histogram_quantile({at}, {of} by ({by}) (rate({metric}_bucket{labels}[$__rate_interval])))"


def halves(metric: str, of: str = "sum") -> dict[str, str]:
    return {"half of them": quantile(0.5, metric, of=of), "95 %": quantile(0.95, metric, of=of)}


def some(expression: str) -> str:
    return f"{expression} > 0"


ours = f"sum ({grown(f'retake_takes_failed_total{OURS}', 'code')})"
ours += f" + sum ({grown(f'retake_videos_failed_total{OURS}', 'code')})"

JOURNEY = Dashboard(
    "journey",
    "user journey",
    "What people see: requests, uploads and downloads, and how long it takes from submitting videos to having takes.",
    {
        "In the time shown": [
            Panel("Jobs accepted", "short", {"": grown("retake_jobs_accepted_total")}, kind="stat", width=4),
            Panel("Videos accepted", "short", {"": grown("retake_videos_accepted_total")}, kind="stat", width=4),
            Panel("Takes finished", "short", {"": grown("retake_takes_completed_total")}, kind="stat", width=4),
            Panel("Failed by our fault", "short", {"": ours}, "Takes and videos whose files are not to blame.",
                  kind="stat", width=4, steps=[("orange", 1)], alerts=["RetakeTakesFail"]),
            Panel("Requests failed", "percentunit",
                  {"": share(f"retake_http_requests_total{FAILED}", f"retake_http_requests_total{REQUESTS}")},
                  "Answered with 5xx, but for a full store. Promised: at most 0.1 %.",
                  kind="stat", width=4, steps=[("red", 0.001)], alerts=["RetakeErrorBudgetBurns"]),
            Panel("Begun in half a second", "percentunit",
                  {"": share(f"retake_http_first_byte_seconds_bucket{EARLY}",
                             f"retake_http_first_byte_seconds_count{READING}")},
                  "Answers to GET. Promised: at least 99 %.",
                  kind="stat", width=4, alerts=["RetakeLatencyBudgetBurns"]),
        ],
        "From submitting to having": [
            Panel("Jobs", "short",
                  {"accepted": pace("retake_jobs_accepted_total", per=3600),
                   "{{state}}": pace("retake_jobs_ended_total", "state", per=3600)}, "An hour."),
            Panel("Until the first take", "s", halves("retake_first_take_seconds", "max"), "From a job's accept.",
                  alerts=["RetakeQueueOld"]),
            Panel("Until the whole ZIP", "s", halves("retake_job_seconds", "max"),
                  "From a job's accept to its first end, if it was completed."),
            Panel("What failed", "short",
                  {"take: {{code}} ({{fault}})": some(grown("retake_takes_failed_total", "code, fault")),
                   "video: {{code}} ({{fault}})": some(grown("retake_videos_failed_total", "code, fault"))},
                  "In the time shown, by why, and whose fault that is. Videos are those that never had takes.",
                  kind="bargauge", alerts=["RetakeTakesFail"]),
            Panel("Webhooks", "short",
                  {"{{outcome}}, a minute": rate("retake_webhooks_total", "outcome", 60),
                   "waiting": now("retake_webhooks_waiting")},
                  "Tries, and messages that are still to arrive. A receiver that is down makes both grow."),
            Panel("Webhooks overdue", "s", {"the next try": now("retake_webhooks_overdue_seconds")},
                  "Nobody tries what is due. This is no fault of receivers.", steps=[("red", 300)],
                  alerts=["RetakeWebhooksOverdue"]),
        ],
        "Requests": [
            Panel("Requests", "reqps", {"{{status}}": rate("retake_http_requests_total", "status")},
                  "By status; 499: the client left.", stacked=True, alerts=["RetakeErrorBudgetBurns"]),
            Panel("First byte", "s",
                  {told: quantile(at, "retake_http_first_byte_seconds", READING)
                   for told, at in {"half of them": 0.5, "95 %": 0.95, "99 %": 0.99}.items()},
                  "Of answers to GET.", steps=[("red", 0.5)], alerts=["RetakeLatencyBudgetBurns"]),
            Panel("Slowest to begin", "s",
                  {"{{method}} {{route}}":
                   f"topk(5, {quantile(0.95, 'retake_http_first_byte_seconds', REQUESTS, 'method, route, le')})"},
                  "95 % of a route's answers begin earlier. The answer to an upload comes after its bytes."),
            Panel("Slowest to end", "s",
                  {"{{method}} {{route}}":
                   f"topk(5, {quantile(0.95, 'retake_http_request_seconds', ENDING, 'method, route, le')})"},
                  "95 % of a route's requests are over earlier. It is mostly the client's line that counts."),
            Panel("Failed", "reqps",
                  {"{{status}} {{method}} {{route}}":
                   some(rate(f"retake_http_requests_total{FAILED}", "status, method, route"))},
                  "Answered with 5xx, but for a full store.", alerts=["RetakeErrorBudgetBurns"]),
            Panel("Refused", "reqps",
                  {"{{status}} {{method}} {{route}}":
                   f"topk(5, {rate(f'retake_http_requests_total{REFUSED}', 'status, method, route')} > 0)"},
                  "The most frequent ones. 507 is a full store, 499 a client that left."),
            Panel("Bytes", "Bps",
                  {"received": rate("retake_http_received_bytes_total"),
                   "sent": rate("retake_http_sent_bytes_total"),
                   "of these takes and ZIPs": rate(f"retake_http_sent_bytes_total{RESULTS}")}),
            Panel("Downloads", "short", {"{{end}}": rate("retake_downloads_total", "end", 60)},
                  "A minute, by how they ended. Only those that broke are our fault.", stacked=True),
            Panel("At once", "short",
                  {"requests": "sum (retake_http_requests_under_way)",
                   "of these listeners": "sum (retake_live_listeners)"}),
        ],
    },
)  # fmt: skip

made = "max (rate(retake_take_seconds_total[$__rate_interval]))"
work = "sum (rate(retake_worker_part_seconds_sum[$__rate_interval]))"
cpu = "sum (rate(retake_ffmpeg_cpu_seconds_total[$__rate_interval]))"
cpu += " + sum (rate(process_cpu_seconds_total[$__rate_interval]) and on (namespace, instance) retake_worker_slots > 0)"

WORK = Dashboard(
    "work",
    "workers and queue",
    "Whether work moves: what waits and for how long, who works on it, how fast, and what is done again.",
    {
        "Now": [
            Panel("Parts that wait", "short", {"": 'sum (max by (state) (retake_queue_parts{state=~"due|announced"}))'},
                  kind="stat", width=4),
            Panel("The oldest waits", "s", {"": now("retake_queue_oldest_seconds")}, kind="stat", width=4,
                  steps=[("orange", 300), ("red", 1800)], alerts=["RetakeQueueOld"]),
            Panel("Slots idle", "short", {"": now('retake_fleet_slots{state="idle"}')}, kind="stat", width=4,
                  alerts=["RetakeWorkWaitsWhileSlotsIdle"]),
            Panel("Slots busy", "short", {"": now('retake_fleet_slots{state="busy"}')}, kind="stat", width=4),
            Panel("Workers", "short", {"": now('retake_fleet_workers{state="active"}')}, kind="stat", width=4),
            Panel("Workers lost", "short", {"": now('retake_fleet_workers{state="lost"}')},
                  "Today; they did not say good-bye.", kind="stat", width=4, alerts=["RetakeWorkersLost"]),
        ],
        "What waits": [
            Panel("Parts", "short", {"{{state}}": now("retake_queue_parts", "state")},
                  "Held: paused, or to be tried later.", stacked=True),
            Panel("The oldest waits", "s", {"": now("retake_queue_oldest_seconds")},
                  alerts=["RetakeQueueOld", "RetakeWorkWaitsWhileSlotsIdle"]),
            Panel("Who has the slots", "short",
                  {"{{workspace}}": now('retake_workspace_parts{state="running"}', "workspace")},
                  "Running parts by workspace: the busiest five, and all others.", stacked=True),
            Panel("Who waits", "short", {"{{workspace}}": now('retake_workspace_parts{state="waiting"}', "workspace")},
                  "Waiting parts by workspace: the busiest five, and all others.", stacked=True),
            Panel("Hints", "short",
                  {"announced": now('retake_queue_parts{state="announced"}'), "window": now("retake_queue_window"),
                   "in the stream": now('retake_stream_messages{state="all"}'),
                   "not acknowledged": now('retake_stream_messages{state="unacknowledged"}')},
                  "Parts that are announced and not claimed, how many may be, and messages in the stream."),
            Panel("Announced", "short",
                  {"announced": rate("retake_relay_announced_total", per=60),
                   "again, in vain before": rate("retake_relay_reannounced_total", per=60)},
                  "A minute.", alerts=["RetakeHintsLost"]),
        ],
        "Who works": [
            Panel("Slots", "short", {"{{state}}": now("retake_fleet_slots", "state")},
                  "Of all active workers; more workers, more slots.", stacked=True, width=6,
                  alerts=["RetakeWorkWaitsWhileSlotsIdle"]),
            Panel("Workers", "short", {"{{state}}": now("retake_fleet_workers", "state")}, width=6),
            Panel("Busy", "percentunit", {"{{instance}}": "retake_worker_slots_busy / (retake_worker_slots > 0)"},
                  "Part of its slots, by worker.", width=6),
            Panel("Memory", "bytes",
                  {"{{instance}}":
                   "process_resident_memory_bytes and on (namespace, instance) retake_worker_slots > 0"},
                  "Of workers, without their FFmpegs.", width=6),
        ],
        "How fast": [
            Panel("Takes", "short", {"finished": pace("retake_takes_completed_total", per=60)}, "A minute."),
            Panel("Speed", "none", {"times real time": f"{made} / ({work} > 0)"},
                  "Seconds of takes for each second that a slot worked, looking at videos and all."),
            Panel("Cost", "none", {"CPU seconds": f"({cpu}) / ({made} > 0)"},
                  "CPU seconds of workers and their FFmpegs for each second of takes."),
            Panel("Time of a part", "s",
                  {"{{kind}}, half of them": quantile(0.5, "retake_worker_part_seconds", by="kind, le"),
                   "{{kind}}, 95 %": quantile(0.95, "retake_worker_part_seconds", by="kind, le")}),
            Panel("Guessed wrong", "percentunit",
                  {"{{kind}}": quantile(0.5, "retake_guess_error_ratio", by="kind, le")},
                  "By how much half of all parts took longer or shorter than people were told."),
            Panel("Sources", "short", {"{{how}}": rate("retake_worker_sources_total", "how", 60)},
                  "Asked for by parts, a minute: fetched from the store, or shared with another part.", stacked=True),
        ],
        "What is done again": [
            Panel("Parts", "short", {"{{outcome}}": rate("retake_worker_parts_total", "outcome", 60)},
                  "A minute, by how a worker's hold on them ended; docs/metrics.md has the words.", stacked=True,
                  width=6),
            Panel("Lost", "short",
                  {"taken back from lost workers": grown("retake_parts_lost_total"),
                   "workers that noticed": 'sum (increase(retake_worker_parts_total{outcome="lease_lost"}[$__range]))'},
                  "Within as long a time as is shown, until each moment.", width=6, alerts=["RetakeWorkersLost"]),
            Panel("FFmpeg", "short", {"{{ended}}": rate('retake_ffmpeg_runs_total{ended!="done"}', "ended", 60)},
                  "Runs that did not end well, a minute.", stacked=True, width=6, alerts=["RetakeTakesFail"]),
            Panel("Sandbox", "short", {"{{layer}}": "min by (layer) (retake_sandbox_layers)"},
                  "1: the layer is in force on every worker.", width=6, alerts=["RetakeSandboxLayerMissing"]),
        ],
    },
)  # fmt: skip

STORAGE = Dashboard(
    "storage",
    "storage and janitor",
    "Whether there is room, what goes and why, whether the janitor comes by, and what it all stands on.",
    {
        "Now": [
            Panel("Used", "bytes", {"": now("retake_storage_used_bytes")}, kind="stat", width=4),
            Panel("Of the cap", "percentunit",
                  {"": "max (retake_storage_used_bytes) / (max (retake_storage_cap_bytes) > 0)"},
                  "Nothing where there is no cap.", kind="stat", width=4, steps=[("orange", 0.85), ("red", 0.95)],
                  alerts=["RetakeStorageNearCap"]),
            Panel("Objects without a row", "short", {"": now("retake_orphan_objects")}, kind="stat", width=4),
            Panel("Last pass", "s", {"": "time() - max (retake_janitor_ended_timestamp_seconds)"},
                  "So long ago the janitor's last pass ended.", kind="stat", width=4,
                  steps=[("orange", 600), ("red", 900)], alerts=["RetakeJanitorSilent"]),
            Panel("Last pass took", "s", {"": now("retake_janitor_pass_seconds")}, kind="stat", width=4),
            Panel("Chores failed", "short", {"": "sum (max by (chore) (retake_janitor_chore_failed))"}, kind="stat",
                  width=4, steps=[("red", 1)], alerts=["RetakeChoreFails"]),
        ],
        "Room": [
            Panel("Stored", "bytes",
                  {"used": now("retake_storage_used_bytes"), "cap": some(now("retake_storage_cap_bytes")),
                   "room is made above": some("0.85 * max (retake_storage_cap_bytes)"),
                   "until": some("0.75 * max (retake_storage_cap_bytes)")}, alerts=["RetakeStorageNearCap"]),
            Panel("What comes", "Bps",
                  {"sources": pace("retake_source_bytes_accepted_total"), "takes": pace("retake_take_bytes_total")}),
            Panel("What goes", "short", {"{{because}}": pace("retake_jobs_expired_total", "because", 3600)},
                  "Jobs an hour: their time was over, room was needed, or people deleted them.", stacked=True),
            Panel("Objects without a row", "short", {"objects": now("retake_orphan_objects")},
                  "As the janitor saw last. They go two hours after they were first seen.", width=12),
            Panel("Their bytes", "bytes", {"bytes": now("retake_orphan_bytes")}, width=12),
        ],
        "The janitor": [
            Panel("Time since its last pass", "s", {"": "time() - max (retake_janitor_ended_timestamp_seconds)"},
                  steps=[("red", 900)], alerts=["RetakeJanitorSilent"]),
            Panel("What it did", "short", {"{{chore}}": now("retake_janitor_chore_items", "chore")},
                  "In its last pass.", stacked=True),
            Panel("What failed", "short", {"{{chore}}": some(now("retake_janitor_chore_failed", "chore"))},
                  "In its last pass.", stacked=True, alerts=["RetakeChoreFails"]),
        ],
        "What it stands on": [
            Panel("Ready", "short", {"{{part}}": "min by (part) (retake_ready)"}, "1: it answers to every process."),
            Panel("Errors", "short",
                  {"object store: {{kind}}": rate("retake_bucket_errors_total", "kind", 60),
                   "database: {{kind}}": rate("retake_database_errors_total", "kind", 60),
                   "NATS, connected anew": rate("retake_bus_reconnects_total", per=60),
                   "NATS, cannot be read": rate("retake_bus_malformed_total", per=60)}, "A minute."),
            Panel("Schema", "none",
                  {"of the database": now("retake_schema_version"),
                   "oldest that a process wants": "min (retake_schema_wanted)",
                   "newest that a process wants": "max (retake_schema_wanted)"},
                  least=None, alerts=["RetakeSchemaMismatch"]),
            Panel("Releases", "short", {"{{version}}": "count by (version) (retake_build_info)"},
                  "Processes by release.", stacked=True, width=12, alerts=["RetakeBlind"]),
            Panel("Memory", "bytes",
                  {"{{instance}}":
                   "process_resident_memory_bytes and on (namespace, instance) retake_build_info"},
                  "Of all processes.", width=12),
        ],
    },
)  # fmt: skip

DASHBOARDS = (JOURNEY, WORK, STORAGE)
