"""Why workers went away, as Kubernetes tells it: one that needed more memory than its pod has, or whose machine put it
out, is written down where its parts were lost. Workers whose pods are there no more are gone.

Outside a cluster there is nothing to ask. One that does not answer, or will not, is a line in the log and no more:
nothing depends on what it knows.
"""

import asyncio
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from retake import logs
from retake.domain.losses import Because
from retake.domain.timing import Timing
from retake.store import fleet
from retake.store.connect import Database
from retake.store.losses import Death, explain

log = logs.logger(__name__)

WORKERS = "app.kubernetes.io/component=worker"
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_PAGE = 500
_PATIENCE = (3.0, 10.0)  # to connect, and between bytes

Pod = Mapping[str, Any]


class NotTold(Exception):
    """Kubernetes did not answer, or not with what was asked for."""


@dataclass(frozen=True)
class Cluster:
    """Whom to ask, and about which namespace. Without `host` it is the cluster that this process runs in."""

    namespace: str
    host: str | None = None

    @classmethod
    def around(cls, environ: Mapping[str, str] = os.environ, account: Path = _ACCOUNT) -> "Cluster | None":
        """None outside a cluster, and in a pod that has no account there."""
        if "KUBERNETES_SERVICE_HOST" not in environ or not (account / "token").exists():
            return None
        return cls((account / "namespace").read_text().strip())

    def workers(self) -> list[Pod]:
        """Blocks."""
        from kubernetes import client, config  # noqa: PLC0415  70 MB, only where they are needed

        configuration = client.Configuration(host=self.host)
        configuration.retries = 3
        try:
            if self.host is None:
                config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
            with client.ApiClient(configuration) as api:
                return list(self._pages(client.CoreV1Api(api)))
        except Exception as error:  # it has a tree of its own, and lets out those of what it is made of
            raise NotTold(repr(error)) from error

    def _pages(self, api: Any) -> Iterator[Pod]:
        token = None
        while True:
            told = api.list_namespaced_pod(
                self.namespace, label_selector=WORKERS, limit=_PAGE, _continue=token, _request_timeout=_PATIENCE,
                _preload_content=False,
            )  # fmt: skip
            page = json.loads(told.data)
            yield from page["items"]
            if not (token := page["metadata"].get("continue")):
                return


async def run_once(database: Database, timing: Timing, cluster: Cluster | None, *, dry: bool = False) -> int:
    """How many parts' losses were explained, and workers found to be gone."""
    if cluster is None:
        return 0
    try:
        pods = await asyncio.to_thread(cluster.workers)
    except NotTold as error:
        log.warning("Kubernetes does not say why workers went away", error=str(error))
        return 0
    done = 0
    for death in (death for pod in pods for death in deaths(pod)):
        explained = await explain(database, death, dry=dry)
        if explained:
            log.info("a loss is explained", worker=death.worker, because=death.because, parts=explained, dry=dry)
        done += explained
    return done + await _gone(database, timing, [pod for pod in pods if _may_live(pod)], dry=dry)


async def _gone(database: Database, timing: Timing, living: Sequence[Pod], *, dry: bool) -> int:
    names = {pod["metadata"]["name"] for pod in living}
    gone = [name for name in await fleet.silent(database, timing) if name not in names]
    for name in gone:
        log.info("a worker is gone", worker=name, dry=dry)
        if not dry:
            await fleet.gone(database, name)
    return len(gone)


def _may_live(pod: Pod) -> bool:
    return pod.get("status", {}).get("phase") not in {"Succeeded", "Failed"}


def deaths(pod: Pod) -> Iterator[Death]:
    """Of the worker in a pod, which has the pod's name: how it ended last, and how before it was started again."""
    name, status = pod["metadata"]["name"], pod.get("status", {})
    ends = [
        ended
        for container in status.get("containerStatuses", [])
        for state in (container.get("state", {}), container.get("lastState", {}))
        if (ended := state.get("terminated"))
    ]
    for ended in ends:
        if ended.get("reason") == "OOMKilled" and ended.get("finishedAt"):
            yield Death(name, datetime.fromisoformat(ended["finishedAt"]), Because.OUT_OF_MEMORY)
    if status.get("reason") == "Evicted":
        told = [condition for condition in status.get("conditions", []) if condition["type"] == "DisruptionTarget"]
        at = [ended["finishedAt"] for ended in ends if ended.get("finishedAt")]
        at += [condition["lastTransitionTime"] for condition in told if condition.get("lastTransitionTime")]
        if at:
            yield Death(name, max(map(datetime.fromisoformat, at)), Because.EVICTED)
