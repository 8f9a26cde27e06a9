"""A real Prometheus that scrapes what it is told to, every second, and keeps rules whose minutes last a second."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import yaml

from conftest import eventually
from observe.expressions import RULES
from retake_local.servers import free_port, http_status

EVERY = "1s"
_SHORTER = {"m": "s", "h": "m"}

Samples = Mapping[tuple[tuple[str, str], ...], float]
"""By labels."""


def hastened(rules: str) -> str:
    """The same rules, sixty times as fast: windows and waits, not thresholds."""
    return re.sub(
        r"(\[|for: )(\d+)([mh])\b", lambda found: f"{found[1]}{found[2]}{_SHORTER[found[3]]}", rules
    )  # fmt: skip


class Prometheus:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(self, query: str) -> Samples:
        """What it answers now; it must understand."""
        answer = await self._client.post("/api/v1/query", data={"query": query})
        assert answer.status_code == 200, f"{query}: {answer.text}"
        result = answer.json()["data"]
        assert result["resultType"] == "vector", query
        return {tuple(sorted(one["metric"].items())): float(one["value"][1]) for one in result["result"]}

    async def one(self, query: str) -> float | None:
        """The one sample there is, if there is one."""
        found = await self.ask(query)
        assert len(found) <= 1, found
        return next(iter(found.values()), None)

    async def by(self, label: str, query: str) -> dict[str, float]:
        return {dict(labels)[label]: value for labels, value in (await self.ask(query)).items()}


@asynccontextmanager
async def scraping(jobs: Mapping[str, Sequence[int]], data: Path) -> AsyncIterator[Prometheus]:
    """`jobs` are ports on this machine."""
    port = free_port()
    (data / "rules.yaml").write_text(hastened(RULES.read_text()))
    config = {
        "global": {"scrape_interval": EVERY, "scrape_timeout": EVERY, "evaluation_interval": EVERY},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [
            {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}]}
            for name, ports in jobs.items()
        ],
    }
    (data / "prometheus.yaml").write_text(yaml.safe_dump(config))
    with (data / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "prometheus", "--config.file", data / "prometheus.yaml", "--storage.tsdb.path", data / "tsdb",
            "--web.listen-address", f"127.0.0.1:{port}", stdout=log, stderr=log,
        )  # fmt: skip
    try:
        await eventually(lambda: http_status(port, "/-/ready", lambda status: status == 200), within=30)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            yield Prometheus(client)
    finally:
        process.terminate()
        await process.wait()
