"""Jobs for pages to show: real ones, submitted beside the browser, and rows by the hundred."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ui.site import Site


def submit(site: Site, *videos: Path | tuple[str, Path], **fields: str) -> str:
    """Returns its id. A video may be given another name than its file has."""
    named = [one if isinstance(one, tuple) else (one.name, one) for one in videos]
    with site.api() as api:
        form = [("videos", (name, path.read_bytes())) for name, path in named]
        answer = api.post("api/jobs", files=form, data=fields).raise_for_status()
    job: str = answer.json()["jobId"]
    return job


@contextmanager
def held(site: Site) -> Iterator[None]:
    """The only worker does nothing meanwhile, so that what is submitted waits."""
    site.signal("worker-1", signal.SIGSTOP)
    try:
        yield
    finally:
        site.signal("worker-1", signal.SIGCONT)


def insert(site: Site, names: Sequence[str], state: str = "completed", because: str | None = None) -> list[str]:
    """Ended jobs of one video without takes, the last of them the newest."""
    wish = "expire" if because else "run"
    rows = site.rows(
        """
        WITH named AS (
            SELECT name, n, gen_random_uuid() AS job, gen_random_uuid() AS source
            FROM unnest(%s::text[]) WITH ORDINALITY AS names (name, n)
        ), sources AS (
            INSERT INTO source (id, workspace, state, size)
            SELECT source, (SELECT id FROM workspace WHERE name = 'default'), 'gone', 1000 FROM named
        ), jobs AS (
            INSERT INTO job (id, workspace, kind, wish, state, variations, seed, created_at, ended_at, expires_at,
                             expired_because, search)
            SELECT job, (SELECT id FROM workspace WHERE name = 'default'), 'variations', %s, %s, 5, 1,
                   now() + n * interval '1 microsecond', now(), now() + interval '1 day', %s, lower(name)
            FROM named
        ), videos AS (
            INSERT INTO video (id, job_id, position, name, source_id, state, progress)
            SELECT gen_random_uuid(), job, 0, name, source, 'completed', 1 FROM named
        ) SELECT job::text FROM named ORDER BY n
        """,
        list(names), wish, state, because,
    )  # fmt: skip
    return [row[0] for row in rows]


def forget(site: Site, jobs: Sequence[str]) -> None:
    site.rows("DELETE FROM job WHERE id = ANY(%s::uuid[])", list(jobs))


def shifts(page: Any) -> float:
    """How much has jumped since `watch_shifts`, by the browser's own measure."""
    moved: float = page.evaluate("window.shifted ?? 0")
    return moved


WATCH_SHIFTS = """() => {
    window.shifted = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.shifted += entry.value;
    }).observe({ type: "layout-shift" });
}"""
