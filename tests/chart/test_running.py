"""A demo comes up: servers, migration, API, worker, janitor and helm's own tests run as their pods say."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from chart.ground import Ground
from chart.rendering import NEWEST, Objects, template

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


@pytest.fixture
def objects() -> Objects:
    """In a hurry: a janitor waits for a lease after Postgres was started, before it takes work from anybody."""
    return Objects(template(NEWEST, {"demo": {"enabled": True}, "settings": {"RETAKE_TIME_SCALE": 0.05}}))


@pytest.fixture
async def ground(objects: Objects, tmp_path: Path) -> AsyncIterator[Ground]:
    made = Ground(objects, tmp_path)
    yield made
    await made.stop()


async def test_a_demo_comes_up_and_its_tests_pass(ground: Ground, objects: Objects) -> None:
    (migrate,) = objects.pod("api").spec["initContainers"]
    for server in ("postgres", "nats", "s3"):
        await ground.start(server)
    migrated = await ground.run("api", migrate)

    for service in ("api", "worker"):
        await ground.start(service)
    ended = {component: await ground.run(component) for component in ("janitor", "test", "doctor")}
    async with httpx.AsyncClient() as client:
        asked = await client.get(f"http://127.0.0.1:{ground.port('api', 'metrics')}/queue")

    assert migrated[0] == 0, migrated[1]
    assert {component: code for component, (code, _) in ended.items()} == dict.fromkeys(ended, 0), ended
    assert "0 jobs are listed" in ended["test"][1]
    assert asked.json() == {"queued": 0, "running": 0, "parts": 0}
