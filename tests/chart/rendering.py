"""What helm makes of the chart, as objects that can be asked: pods, their containers, what they are told."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from chart import tools

Json = dict[str, Any]

CHART = tools.TOP / "deploy/helm/retake"
VALUES = sorted(file.stem for file in (CHART / "ci").glob("*.yaml"))
VERSIONS = sorted(tools.HELMS)
NEWEST = VERSIONS[-1]
COMPONENT = "app.kubernetes.io/component"


class Refused(Exception):
    """helm did not want to; the text is what it said."""


def helm(version: str, *arguments: str | Path) -> str:
    """With nothing of this machine's own helm."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [tools.helm(version), *arguments],
            env={"PATH": os.environ["PATH"], "HOME": home, "KUBECONFIG": os.devnull},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise Refused(done.stderr)
    return done.stdout


def template(version: str, values: Json, *more: str, name: str = "retake", namespace: str = "videos") -> list[Json]:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(values, file)
        file.flush()
        text = helm(version, "template", name, CHART, "--namespace", namespace, "--values", file.name, *more)
    return [one for one in yaml.load_all(text, yaml.CSafeLoader) if one]


@cache
def rendered(values: str, version: str = NEWEST) -> "Objects":
    """Of a file in ci."""
    said = yaml.safe_load((CHART / f"ci/{values}.yaml").read_text(encoding="utf-8"))
    return Objects(template(version, said or {}))


@dataclass(frozen=True)
class Pod:
    """Of whatever object makes it."""

    owner: Json
    labels: dict[str, str]
    annotations: dict[str, str]
    spec: Json

    @property
    def component(self) -> str:
        return self.labels[COMPONENT]

    @property
    def containers(self) -> list[Json]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def mounted(self) -> Iterator[tuple[str, Json]]:
        """Secrets that are mounted, and which key becomes which file."""
        (volume,) = (volume for volume in self.spec["volumes"] if volume["name"] == "credentials")
        for source in volume["projected"]["sources"] if "projected" in volume else [volume]:
            secret = source["secret"]
            yield from ((secret.get("name") or secret["secretName"], item) for item in secret["items"])

    @property
    def ports(self) -> dict[str, int]:
        return {port["name"]: port["containerPort"] for one in self.containers for port in one.get("ports", [])}


class Objects:
    def __init__(self, objects: Sequence[Json]) -> None:
        self.all = list(objects)

    def of(self, *kinds: str) -> list[Json]:
        return [one for one in self.all if one["kind"] in kinds]

    def named(self, kind: str, name: str) -> Json:
        (found,) = (one for one in self.of(kind) if one["metadata"]["name"] == name)
        return found

    @property
    def pods(self) -> list[Pod]:
        return [pod for one in self.all for pod in _pods(one)]

    def pod(self, component: str) -> Pod:
        return next(pod for pod in self.pods if pod.component == component)

    def environment(self, pod: Pod, container: Json, place: Path, credentials: Json | None = None) -> dict[str, str]:
        """What the container's process is told; its files lie in `place`, not where they would be mounted. Secrets that
        the chart does not make are `credentials`: name -> key -> text."""
        told = {}
        for source in container.get("envFrom", []):
            told |= self.named("ConfigMap", source["configMapRef"]["name"])["data"]
        told |= {one["name"]: one["value"] for one in container.get("env", []) if "value" in one}
        self._mount(pod, place, credentials or {})
        return {name: value.replace("/etc/retake", str(place)) for name, value in told.items()}

    def _mount(self, pod: Pod, place: Path, credentials: Json) -> None:
        made = {one["metadata"]["name"]: one["stringData"] for one in self.of("Secret")}
        for name, item in pod.mounted:
            (place / item["path"]).write_text({**credentials, **made}[name][item["key"]])


def _pods(one: Json) -> Iterator[Pod]:
    match one["kind"]:
        case "Deployment" | "StatefulSet" | "Job":
            made = one["spec"]["template"]
        case "CronJob":
            made = one["spec"]["jobTemplate"]["spec"]["template"]
        case "Pod":
            made = one
        case _:
            return
    yield Pod(one, made["metadata"]["labels"], made["metadata"].get("annotations", {}), made["spec"])
