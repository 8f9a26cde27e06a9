"""Requests as spans, and resumable uploads in the trace of their job. Traces are on for the whole API here."""

from collections.abc import Iterator

import httpx
import pytest

from api.conftest import Start, logged_in, rows
from api.test_problems import NoDatabase
from api.tus_client import begun, patch
from api.wire import clip
from collector import Collector, Span, collecting
from retake import tracing
from retake.store.connect import Database

pytestmark = pytest.mark.anyio

TRACE, ABOVE = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture(autouse=True)
def traces() -> Iterator[Collector]:
    """First of all fixtures, so that the API is made with them. What was sent is there after `tracing.close()`."""
    with collecting() as collector:
        tracing.configure("api", collector.url, None)
        try:
            yield collector
        finally:
            tracing.close()


def told(traces: Collector, *names: str) -> list[Span]:
    tracing.close()
    return [span for span in traces.spans if span.name in names]


async def test_an_upload_that_came_in_pieces_and_its_job_are_in_the_trace_of_the_one_that_began_it(
    client: httpx.AsyncClient, traces: Collector, database: Database
) -> None:
    traced = {"Tus-Resumable": "1.0.0", "traceparent": f"00-{TRACE}-{ABOVE}-01"}
    where, other = await begun(client, 5000, headers=traced), await begun(client, 5000)
    for piece in (clip()[:3000], clip()[3000:]):
        await patch(client, where, 3000 if len(piece) == 2000 else 0, piece)
    await patch(client, other, 0, clip())

    body = {"uploads": [where.rpartition("/")[2], other.rpartition("/")[2]]}
    job = (await client.post("/api/jobs", json=body)).raise_for_status().json()["jobId"]

    (kept,) = await rows(database, "SELECT traceparent FROM job")
    tracing.close()
    tree = traces.tree(TRACE)
    shape = sorted((one.name, tree[one.parent].name if one.parent in tree else one.parent) for one in tree.values())
    begin = "POST /api/uploads"
    assert shape == [(begin, ABOVE), ("accept", begin), *2 * [("upload", begin)]]
    (accept,) = [span for span in tree.values() if span.name == "accept"]
    linked = {span.name for span in traces.spans if span.id in accept.links}
    assert linked == {"POST /api/jobs", "POST /api/uploads"}  # the request that asked for it, and the other upload
    assert (accept.about["retake.job"], kept["traceparent"]) == (job, f"00-{TRACE}-{accept.id}-01")


async def test_a_request_says_what_it_was_and_nothing_of_its_query(
    client: httpx.AsyncClient, traces: Collector
) -> None:
    answer = await client.get("/api/jobs/none?link=s3cret", headers={"traceparent": "s3cret"})
    await client.request("PROPFIND", "/api/jobs", headers={"traceparent": f"00-{TRACE}-{ABOVE}-01"})
    await client.get("/livez")

    spans = told(traces, "GET /api/jobs/{job_id}", "_OTHER", "_OTHER /api/jobs", "GET /livez")
    assert [(span.name, span.parent) for span in spans] == [("GET /api/jobs/{job_id}", ""), ("_OTHER /api/jobs", ABOVE)]
    assert spans[0].about == {
        "http.request.method": "GET",
        "http.route": "/api/jobs/{job_id}",
        "http.response.status_code": 404,
        "url.path": "/api/jobs/none",
        "retake.job": "none",
        "retake.request": answer.headers["X-Request-Id"],
    }
    assert not spans[0].failed
    assert b"s3cret" not in b"".join(traces.bodies)


async def test_an_error_of_ours_is_a_span_that_failed(start: Start, traces: Collector) -> None:
    async with logged_in(await start()) as client:
        broken = await start(database=NoDatabase(RuntimeError("/srv/s3cret")))
        await broken.client.get("/api/jobs", headers={"Authorization": client.headers["Authorization"]})

    (span,) = told(traces, "GET /api/jobs")
    assert span.failed
    assert span.about["http.response.status_code"] == 500
    assert b"s3cret" not in b"".join(traces.bodies)
