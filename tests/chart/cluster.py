"""The little of a Kubernetes API that a template's `lookup` needs: it knows kinds, and holds Secrets it was given."""

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Json = dict[str, Any]


def kept(secret: Json) -> Json:
    """As a cluster keeps it: stringData becomes data."""
    data = {key: base64.b64encode(text.encode()).decode() for key, text in secret.get("stringData", {}).items()}
    return {**{key: value for key, value in secret.items() if key != "stringData"}, "data": data}


def _answer(path: str, kinds: set[tuple[str, str]], secrets: dict[str, Json]) -> Json | None:
    match path.removeprefix("/").split("/"):
        case ["version"]:
            return {"major": "1", "minor": "36", "gitVersion": "v1.36.0"}
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"]}
        case ["apis"]:
            versions = sorted({version for version, _ in kinds if "/" in version})
            groups = [
                {"name": one.split("/")[0], "versions": [of], "preferredVersion": of}
                for one in versions
                if (of := {"groupVersion": one, "version": one.split("/")[1]})
            ]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        case ["api", version] | ["apis", *_, version] if path.count("/") < 4:
            group = path.removeprefix("/apis/").removeprefix("/api/")
            resources = [
                {"name": f"{kind.lower()}s", "namespaced": True, "kind": kind, "verbs": ["get", "list"]}
                for one, kind in sorted(kinds)
                if one == group
            ]
            return {"kind": "APIResourceList", "groupVersion": group, "version": version, "resources": resources}
        case ["api", "v1", "namespaces", _, "secrets", name]:
            return secrets.get(name)
    return None


@contextmanager
def cluster(objects: Iterable[Json]) -> Iterator[str]:
    """The address of one that knows the kinds of these objects, and has the Secrets among them."""
    objects = list(objects)
    kinds = {(one["apiVersion"], one["kind"]) for one in objects}
    secrets = {one["metadata"]["name"]: kept(one) for one in objects if one["kind"] == "Secret"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = _answer(self.path.partition("?")[0], kinds, secrets)
            text = json.dumps(found or {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404})
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
