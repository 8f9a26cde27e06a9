"""The whole system as `make run` starts it, for a browser to look at."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg


class Site:
    def __init__(self, data: Path, **settings: str) -> None:
        self.data = data
        self.settings = {"RETAKE_DATA": str(data), "RETAKE_WORKERS": "1", **settings}
        self.said = ""

    def start(self) -> None:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("RETAKE_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "retake_local", "run"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=inherited | self.settings, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if up := re.search(r"retake is up: (http://127\.0\.0\.1:\d+)", line):
                self.url = up[1] + self.settings.get("RETAKE_PATH_PREFIX", "") + "/"
                return
        raise AssertionError(f"it did not come up:\n{self.said}")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=30)

    @property
    def password(self) -> str:
        return (self.data / "password").read_text().strip()

    @property
    def environment(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.data / "environment.json").read_text())
        return found

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.environment["RETAKE_DATABASE_URL"], autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def signal(self, part: str, number: signal.Signals) -> None:
        """To a part, like `worker-1` or `api`."""
        parts = json.loads((self.data / "state.json").read_text())["parts"]
        os.kill(next(one["pid"] for one in parts if one["name"] == part), number)

    @contextmanager
    def api(self) -> Iterator[httpx.Client]:
        """A program that is logged in beside the browser."""
        with httpx.Client(base_url=self.url, timeout=30) as client:
            answer = client.post("api/auth", json={"password": self.password}).raise_for_status()
            client.cookies.clear()
            client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
            yield client


@contextmanager
def up(data: Path, **settings: str) -> Iterator[Site]:
    site = Site(data, **settings)
    site.start()
    try:
        yield site
    finally:
        site.stop()
