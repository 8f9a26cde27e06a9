"""Named API keys: what opens for them, and what does not."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from api.conftest import Server, Start, form, rows
from api.wire import clip
from retake.api_keys import digest, make, read
from retake.blobs.bucket import Blobs
from retake.settings import SettingsError
from retake.store.connect import Database
from retake_api.keys import Keys

pytestmark = pytest.mark.anyio

Give = Callable[..., str]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def give(file: Path) -> Give:
    """A new key, known from now on."""

    def given(name: str, workspace: str, scopes: str) -> str:
        key, line = make(name, workspace, scopes)
        file.write_text((file.read_text() if file.exists() else "# keys\n\n") + line + "\n")
        return key

    return given


def shown(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def submit(server: Server, key: str, **fields: str) -> httpx.Response:
    return await server.client.post("/api/jobs", headers=shown(key), **form(("a.mp4", clip()), **fields))


async def test_a_key_does_what_its_scopes_say(start: Start, give: Give, file: Path) -> None:
    reader, sender, both = give("r", "w", "read"), give("s", "w", "submit"), give("b", "w", "read,submit")
    server = await start(web={"keys": str(file)})

    sent = await submit(server, sender)
    refused = await submit(server, reader)
    blind = await server.client.get("/api/jobs", headers=shown(sender))

    assert sent.status_code == 202
    assert (refused.status_code, refused.json()["code"], refused.json()["scope"]) == (403, "missing_scope", "submit")
    assert "`submit`" in refused.json()["error"]
    assert (blind.status_code, blind.json()["scope"]) == (403, "read")
    for key in (reader, both):
        listed = await server.client.get("/api/jobs", headers=shown(key))
        assert [job["id"] for job in listed.json()] == [sent.json()["jobId"]]


async def test_a_priority_above_normal_needs_the_scope_admin(
    start: Start, give: Give, file: Path, database: Database, blobs: Blobs
) -> None:
    sender, admin = give("s", "w", "submit"), give("a", "w", "submit,admin")
    server = await start(web={"keys": str(file)})

    refused = await submit(server, sender, options='{"priority": "high"}')
    left = [blob.key async for blob in blobs.listing()]
    for key, priority in ((sender, "low"), (sender, "normal"), (admin, "high")):
        assert (await submit(server, key, options=f'{{"priority": "{priority}"}}')).status_code == 202

    assert (refused.status_code, refused.json()["code"], refused.json()["scope"]) == (403, "missing_scope", "admin")
    assert left == []
    stored = await rows(database, "SELECT priority, options FROM job ORDER BY priority")
    assert [row["options"]["priority"] for row in stored] == ["low", "normal", "high"]
    assert [row["priority"] for row in stored] == [0.25, 1, 4]


async def test_workspaces_are_made_and_see_nothing_of_each_other(start: Start, give: Give, file: Path) -> None:
    mine, theirs = give("m", "mine", "read,submit"), give("t", "theirs", "read,submit")
    server = await start(web={"keys": str(file)})
    job = (await submit(server, mine)).json()["jobId"]

    assert (await server.client.get(f"/api/jobs/{job}", headers=shown(mine))).status_code == 200
    assert (await server.client.get(f"/api/jobs/{job}", headers=shown(theirs))).status_code == 404
    assert (await server.client.get(f"/api/jobs/{job}", headers=shown(await server.log_in()))).status_code == 404


async def test_no_altered_key_opens_anything(start: Start, give: Give, file: Path) -> None:
    key = give("k", "w", "read")
    server = await start(web={"keys": str(file)})
    altered = [key[:n] + ("A" if key[n] != "A" else "B") + key[n + 1 :] for n in range(len(key))]

    for tried in [*altered, key[:-1], key + "A", file.read_text().split()[-1]]:
        assert (await server.client.get("/api/jobs", headers=shown(tried))).status_code == 401, tried
    assert (await server.client.get("/api/jobs", headers=shown(key))).status_code == 200


async def test_the_file_is_read_again_when_it_changed_and_what_is_broken_changes_nothing(
    database: Database, give: Give, file: Path
) -> None:
    old = give("old", "w", "read")
    keys = Keys(database, file, look_every=0)
    await keys.load()
    new = give("new", "elsewhere", "read")
    assert await keys.find(new)

    file.write_text("nonsense\n")
    with capture_logs() as lines:
        assert await keys.find(old)
    file.write_text("")

    assert await keys.find(old) is None
    assert [line["error"] for line in lines if line["log_level"] == "error"] == [
        "line 1: it must be a name, a workspace, scopes and sha256:..., with blanks between them"
    ]
    assert len(await rows(database, "SELECT FROM workspace WHERE name = 'elsewhere'")) == 1


async def test_a_file_that_makes_no_sense_is_a_complaint_about_the_setting(start: Start, file: Path) -> None:
    file.write_text("a b c\n")

    with pytest.raises(SettingsError, match=r"RETAKE_API_KEYS names .*line 1"):
        await start(web={"keys": str(file)})
    with pytest.raises(SettingsError, match="RETAKE_API_KEYS"):
        await start(web={"keys": str(file / "none")})


async def test_a_key_is_not_logged_out(start: Start, give: Give, file: Path) -> None:
    key = give("k", "w", "read,submit")
    server = await start(web={"keys": str(file)})

    answer = await server.client.delete("/api/auth", headers=shown(key))

    assert (answer.status_code, answer.json()["code"]) == (403, "not_a_session")


def test_the_command_prints_a_key_and_the_line_that_makes_it_known(file: Path) -> None:
    argv = [sys.executable, "-m", "retake", "key", "nightly", "--workspace", "team", "--scope", "read,submit"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("RETAKE_")}

    made = subprocess.run(argv, stdout=subprocess.PIPE, text=True, env=env, check=True)

    _, key, _, line = (words.strip() for words in made.stdout.splitlines())
    assert key.startswith("rk_")
    assert line.startswith("nightly team read,submit sha256:")
    assert list(read(line)) == [digest(key)]
