"""What `helm test` does with the API: is every part well, and do the password and its token open it?"""

import json
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

url, password = sys.argv[1], Path(sys.argv[2]).read_text(encoding="utf-8").strip()


def call(path: str, body: object = None, token: str = "") -> Any:
    """An answer other than 2xx raises, which ends the test."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = Request(f"{url}{path}", None if body is None else json.dumps(body).encode(), headers)  # noqa: S310  our own
    with urlopen(request, timeout=30) as answer:  # noqa: S310  it is http
        return json.load(answer)


def until_it_answers(path: str, patience: float = 30) -> Any:
    """A NetworkPolicy may admit this pod only a moment after its start."""
    ends = time.monotonic() + patience
    while True:
        try:
            return call(path)
        except HTTPError:
            raise
        except URLError:
            if time.monotonic() > ends:
                raise
            time.sleep(1)


health = until_it_answers("/api/health")
sys.stdout.write(f"health: {health}\n")
if not password.startswith("$argon2"):  # of a hash, nobody here knows the password
    jobs = call("/api/jobs", token=call("/api/auth", {"password": password})["token"])
    sys.stdout.write(f"logged in; {len(jobs)} jobs are listed\n")
