"""Secrets are made once, kept on upgrades, and stand nowhere but in Secrets."""

import json
import re

import pytest

from chart.cluster import cluster
from chart.rendering import CHART, VALUES, VERSIONS, Json, Objects, helm, rendered, template

DEMO: Json = {"demo": {"enabled": True}}


def secrets(objects: list[Json]) -> dict[str, Json]:
    return {one["metadata"]["name"]: one["stringData"] for one in objects if one["kind"] == "Secret"}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "values",
    [DEMO, {"nats": {"mode": "chart"}, "objectStore": {"mode": "minio"}}],
    ids=["demo", "minio and the NATS chart"],
)
def test_an_upgrade_keeps_every_secret_that_the_install_made(version: str, values: Json) -> None:
    first = template(version, values)
    with cluster(first) as url:
        server = ("--dry-run=server", "--is-upgrade", "--disable-openapi-validation", "--kube-apiserver", url)
        second = template(version, values, *server)

    assert len(secrets(first)) >= 4
    assert secrets(second) == secrets(first)


@pytest.mark.parametrize("version", VERSIONS)
def test_each_installation_has_secrets_of_its_own(version: str) -> None:
    one, other = (secrets(template(version, DEMO)) for _ in range(2))

    assert one.keys() == other.keys()
    assert all(one[name][key] != other[name][key] for name in one for key in one[name])
    assert all(len(text) >= 20 for secret in one.values() for text in secret.values())


def test_a_secret_that_others_make_is_not_made() -> None:
    assert secrets(rendered("production").all) == {}
    assert secrets(rendered("minimal").all).keys() == {"retake-auth"}


@pytest.mark.parametrize("values", VALUES)
def test_whoever_installs_is_told_what_is_still_to_be_made(values: str) -> None:
    objects = rendered(values)
    file = CHART / f"ci/{values}.yaml"
    notes = helm("4.1", "install", "retake", CHART, "--dry-run=client", "--values", file).partition("NOTES:")[2]

    made = {*secrets(objects.all), *(f"{one['metadata']['name']}-app" for one in objects.of("Cluster"))}
    wanted = {(name, item["key"]) for pod in objects.pods for name, item in pod.mounted if name not in made}

    assert wanted == {(name, key) for name, key in re.findall(r"^  ([\w-]+): ([\w-]+)$", notes, re.MULTILINE)}


@pytest.mark.parametrize("values", VALUES)
def test_no_secret_stands_anywhere_else(values: str) -> None:
    """Not in arguments, variables, ConfigMaps or annotations."""
    objects: Objects = rendered(values)
    rest = json.dumps([one for one in objects.all if one["kind"] != "Secret"])

    texts = [text for secret in secrets(objects.all).values() for text in secret.values()]

    assert [text for text in texts if text in rest] == []
    assert "valueFrom" not in rest.replace('"valueFrom": {"fieldRef"', "")
    assert not re.search(r"whsec_|postgres(ql)?://|nats://\S+@", rest)
