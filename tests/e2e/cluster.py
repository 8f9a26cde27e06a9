"""`make e2e-cluster`: the chart on a real cluster, from installing it to taking it away, with kubectl and helm.

It works in a namespace of its own, `retake-e2e`, with Pod Security `restricted`, and stops at the first thing that is
not as it should be. SET holds what helm should set beside, such as `image.registry=registry.example.org/team`.
"""

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from retake_worker.ffmpeg_process import find_ffmpeg

CHART = Path(__file__).resolve().parents[2] / "deploy/helm/retake"
SPACE, RELEASE = "retake-e2e", "retake"
PATIENCE = 600.0
WORKERS = "app.kubernetes.io/component=worker"
NEEDS = """It needs
  - kubectl and helm (3.17 or newer) on the PATH,
  - a cluster that they reach, by KUBECONFIG or ~/.kube/config, with a default StorageClass,
  - images that its nodes can pull: `make images REGISTRY=registry.example.org/team`, push them, then
    `make e2e-cluster SET=image.registry=registry.example.org/team`.
With KEDA in it scaling is tried, too."""


class Unfit(Exception):
    """Something was not as it should be; the text says what."""


def say(words: str) -> None:
    print(words, flush=True)


def run(*argv: str | Path, text: str | None = None) -> str:
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False, timeout=PATIENCE + 60)
    if done.returncode:
        raise Unfit(f"`{' '.join(map(str, argv))}` ended with {done.returncode}:\n{done.stderr or done.stdout}")
    return done.stdout


def kubectl(*words: str, text: str | None = None) -> str:
    return run("kubectl", "--namespace", SPACE, *words, text=text)


def helm(verb: str, *words: str | Path) -> str:
    return run("helm", "--namespace", SPACE, verb, *words)


def install(*settings: str) -> None:
    """Installs, or upgrades to, a demo with two workers that has these settings."""
    given = ["demo.enabled=true", "worker.replicas=2", *os.environ.get("SET", "").split(), *settings]
    more = [word for one in given for word in ("--set", one)]
    helm("upgrade", RELEASE, CHART, "--install", "--wait", "--timeout", f"{PATIENCE:.0f}s", *more)


def until(what: str, look: Callable[[], bool], within: float = PATIENCE) -> None:
    deadline = time.monotonic() + within
    while not look():
        if time.monotonic() > deadline:
            raise Unfit(f"{what}: not within {within:.0f} s")
        time.sleep(1)


class People:
    """Somebody who logged in, through a forwarded port that is opened anew when its pod goes."""

    def __init__(self) -> None:
        secret = json.loads(kubectl("get", "secret", f"{RELEASE}-auth", "-o", "json"))
        self._password = _decoded(secret["data"]["password"])

    @contextmanager
    def logged_in(self) -> Iterator[httpx.Client]:
        port = _free_port()
        argv = ["kubectl", "--namespace", SPACE, "port-forward", f"service/{RELEASE}-api", f"{port}:80"]
        forwarding = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until("the forwarded port opens", lambda: _listens(port), 60)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
                token = client.post("/api/auth", json={"password": self._password}).raise_for_status().json()["token"]
                client.headers["Authorization"] = f"Bearer {token}"
                yield client
        finally:
            forwarding.terminate()
            forwarding.wait()

    def submit(self, seconds: int, takes: int) -> str:
        with self.logged_in() as client:
            form = [("videos", ("clip.mp4", video(seconds), "video/mp4"))]
            answer = client.post("/api/jobs", files=form, data={"variations": str(takes)})
            job: str = answer.raise_for_status().json()["jobId"]
            return job

    def show(self, job: str, more: str = "") -> Any:
        with self.logged_in() as client:
            return client.get(f"/api/jobs/{job}{more}").raise_for_status().json()

    def wait(self, job: str) -> dict[str, Any]:
        until(f"job {job} ends", lambda: self.show(job)["endedAt"] is not None)
        found: dict[str, Any] = self.show(job)
        if found["status"] != "completed":
            raise Unfit(f"job {job} ended as {found['status']}: {json.dumps(found, indent=1)}")
        return found

    def wait_for_work(self, job: str) -> None:
        until(f"job {job} is worked on", lambda: self.show(job)["progress"] > 0)

    def losses(self, job: str) -> int:
        return sum(one["kind"] == "lost" for one in self.show(job, "/history"))


def video(seconds: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clip.mp4"
        run(
            find_ffmpeg(None), "-v", "error", "-f", "lavfi", "-i", f"testsrc2=s=1280x720:r=30:d={seconds}",
            "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", file,
        )  # fmt: skip
        return file.read_bytes()


def _decoded(data: str) -> str:
    return run("base64", "-d", text=data).strip()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        port: int = opened.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def an_empty_cluster_gets_a_demo_that_is_well() -> None:
    kubectl(
        "apply", "-f", "-",
        text=json.dumps({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": SPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
        }),
    )  # fmt: skip
    install()
    helm("test", RELEASE)


def a_person_gets_a_zip() -> None:
    people = People()
    job = people.submit(2, 3)
    people.wait(job)
    with people.logged_in() as client:
        archive = zipfile.ZipFile(io.BytesIO(client.get(f"/api/jobs/{job}/download").raise_for_status().content))
    if archive.testzip() is not None or sum(name.endswith(".mp4") for name in archive.namelist()) != 3:
        raise Unfit(f"the ZIP has {archive.namelist()}")


def work_that_waits_brings_workers_and_none_leaves_without() -> None:
    if not run("kubectl", "get", "crd", "scaledobjects.keda.sh", "--ignore-not-found", "-o", "name").strip():
        say("    not run: KEDA is not in this cluster")
        return
    scaling = (
        "kind=keda",
        "minReplicas=0",
        "maxReplicas=3",
        "partsPerWorker=1",
        "pollingInterval=5",
        "scaleDownSeconds=30",
    )
    install(*(f"worker.autoscaling.{one}" for one in scaling))
    people = People()
    until("without work there is no worker", lambda: workers() == [])
    jobs = [people.submit(20, 5) for _ in range(4)]
    until("waiting work brings workers", lambda: len(workers()) >= 2)
    for job in jobs:
        people.wait(job)
    until("workers leave when there is no work", lambda: workers() == [])
    install()


def workers() -> list[str]:
    return kubectl("get", "pods", "-l", WORKERS, "-o", "jsonpath={.items[*].metadata.name}").split()


def killed_pods_lose_nothing() -> None:
    people = People()
    job = people.submit(20, 5)
    people.wait_for_work(job)
    kubectl("delete", "pods", "-l", WORKERS, "--grace-period=0", "--force", "--wait=false")
    kubectl("delete", "pods", "-l", "app.kubernetes.io/component=api", "--grace-period=0", "--force", "--wait=false")
    kubectl("delete", "pods", "-l", "app.kubernetes.io/component=nats", "--grace-period=0", "--force", "--wait=false")
    until("the API is there again", lambda: ready("api"))
    people.wait(job)


def ready(component: str) -> bool:
    told = json.loads(kubectl("get", "deployment", f"{RELEASE}-{component}", "-o", "json"))
    return bool(told["status"].get("readyReplicas", 0) == told["spec"]["replicas"])


def a_drain_spends_no_attempt() -> None:
    people = People()
    job = people.submit(20, 5)
    people.wait_for_work(job)
    kubectl("rollout", "restart", f"deployment/{RELEASE}-worker")
    kubectl("rollout", "status", f"deployment/{RELEASE}-worker", f"--timeout={PATIENCE:.0f}s")
    people.wait(job)
    if lost := people.losses(job):
        raise Unfit(f"{lost} parts of job {job} were lost, and should have been finished or given back")


def an_upgrade_keeps_passwords_and_work() -> None:
    people = People()
    job = people.submit(20, 5)
    people.wait_for_work(job)
    install("settings.RETAKE_LOG_LEVEL=debug")
    people.wait(job)
    if lost := people.losses(job):
        raise Unfit(f"{lost} parts of job {job} were lost in the upgrade")
    helm("test", RELEASE)


def nothing_is_left_when_it_is_taken_away() -> None:
    helm("uninstall", RELEASE, "--wait", "--timeout", f"{PATIENCE:.0f}s")
    kinds = (
        "deployments,statefulsets,cronjobs,services,configmaps,networkpolicies,roles,rolebindings,poddisruptionbudgets"
    )
    left = kubectl("get", kinds, "-l", f"app.kubernetes.io/instance={RELEASE}", "-o", "name").split()
    if left:
        raise Unfit(f"these are left: {', '.join(left)}")
    run("kubectl", "delete", "namespace", SPACE, f"--timeout={PATIENCE:.0f}s")


STEPS: tuple[Callable[[], None], ...] = (
    an_empty_cluster_gets_a_demo_that_is_well,
    a_person_gets_a_zip,
    work_that_waits_brings_workers_and_none_leaves_without,
    killed_pods_lose_nothing,
    a_drain_spends_no_attempt,
    an_upgrade_keeps_passwords_and_work,
    nothing_is_left_when_it_is_taken_away,
)


def complaint() -> str | None:
    """Why this cannot run here."""
    if missing := [tool for tool in ("kubectl", "helm") if shutil.which(tool) is None]:
        return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed."
    try:
        run("kubectl", "version", "--request-timeout=10s")
    except Unfit as error:
        return f"there is no cluster that answers: {error}"
    if run("kubectl", "get", "namespace", SPACE, "--ignore-not-found", "-o", "name").strip():
        return f"there is a namespace {SPACE} already, perhaps of a run that failed: look at it, then delete it."
    return None


def main() -> int:
    if (why := complaint()) is not None:
        say(f"e2e-cluster: {why}\n{NEEDS}")
        return 2
    for step in STEPS:
        began = time.monotonic()
        say(f"  {step.__name__.replace('_', ' ')} ...")
        try:
            step()
        except (Unfit, httpx.HTTPError, subprocess.TimeoutExpired) as error:
            say(f"  BAD: {error}\nThe namespace {SPACE} is left as it is, to be looked at.")
            return 1
        say(f"  ok ({time.monotonic() - began:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
