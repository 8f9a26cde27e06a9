"""What is rendered is what Kubernetes 1.28 to 1.36 and the operators know, field by field; and helm takes the chart."""

import copy
import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from jsonschema_rs import Draft202012Validator, Registry, ValidationError

from chart import tools
from chart.rendering import CHART, VALUES, VERSIONS, Json, Refused, helm, rendered, template
from conftest import requires_tool

KUBERNETES = [f"1.{minor}" for minor in range(28, 37)]
CUSTOM = {"keda.sh/v1alpha1", "monitoring.coreos.com/v1", "postgresql.cnpg.io/v1", "gateway.networking.k8s.io/v1"}
GENERATED = re.compile(r"whsec_[A-Za-z0-9+/=]+|\b[A-Za-z0-9]{20,40}\b")


def folder(version: str) -> Path:
    return tools.schemas() / f"v{version}.0-local-strict"


@cache
def validator(version: str, kind: str, api: str) -> Draft202012Validator:
    """Of one kind, strict: fields that it does not know are refused."""
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api)
    schema = json.loads((folder(version) / f"{kind.lower()}-{group}.json").read_text())
    return Draft202012Validator(schema, registry=_definitions(version))


@cache
def _definitions(version: str) -> Registry:
    name = "_definitions.json"
    return Registry([(name, json.loads((folder(version) / name).read_text()))])


def complaints(version: str, objects: list[Json]) -> list[str]:
    found = []
    for one in objects:
        try:
            validator(version, one["kind"], one["apiVersion"]).validate(one)
        except ValidationError as error:
            found.append(f"{one['kind']} {one['metadata']['name']}: {error.message}")
    return found


def built_in(objects: list[Json]) -> list[Json]:
    return [one for one in objects if one["apiVersion"] not in CUSTOM]


@pytest.mark.parametrize("version", KUBERNETES)
def test_every_release_of_kubernetes_knows_every_field(version: str) -> None:
    for values in VALUES:
        assert complaints(version, built_in(rendered(values).all)) == [], values


def refused_by_models(objects: list[Json]) -> list[str]:
    done = subprocess.run(
        [tools.node(), tools.HERE / "custom.mjs"],
        input="".join(f"{json.dumps(one)}\n" for one in objects),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_operators_know_every_field_of_their_resources() -> None:
    custom = [one for values in VALUES for one in rendered(values).all if one["apiVersion"] in CUSTOM]

    assert {one["apiVersion"] for one in custom} == CUSTOM
    assert refused_by_models(custom) == []


def test_a_field_that_does_not_exist_and_one_of_another_type_are_found() -> None:
    spoilt = copy.deepcopy([rendered("keda").pod("worker").owner, *rendered("keda").of("ScaledObject")])
    spoilt[0]["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]["httpGets"] = {}
    spoilt[1]["spec"]["triggers"][0]["metadata"]["targetValue"] = 4
    spoilt[1]["spec"]["maxReplicas"] = 4

    assert len(complaints("1.36", built_in(spoilt))) == 1
    assert refused_by_models(spoilt[1:]) == [
        "ScaledObject retake-worker: data/spec/triggers/0/metadata/targetValue must be string",
        "ScaledObject retake-worker: no field .spec.maxReplicas",
    ]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", VALUES)
def test_helm_finds_nothing_to_say(version: str, values: str) -> None:
    said = helm(version, "lint", "--strict", CHART, "--values", CHART / f"ci/{values}.yaml")

    assert "0 chart(s) failed" in said
    assert "WARNING" not in said


@pytest.mark.parametrize("values", VALUES)
def test_both_majors_of_helm_make_the_same(values: str) -> None:
    one, other = (json.dumps(rendered(values, version).all, sort_keys=True) for version in VERSIONS)

    assert GENERATED.sub("made up", one) == GENERATED.sub("made up", other)


@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_found_out_when_the_chart_needs_a_newer_kubernetes(version: str) -> None:
    assert template(version, {}, "--kube-version", "1.28.0")
    with pytest.raises(Refused, match=r"1\.27"):
        template(version, {}, "--kube-version", "1.27.9")


@requires_tool("promtool", "prometheus")
def test_prometheus_takes_the_rules(tmp_path: Path) -> None:
    (rule,) = rendered("production").of("PrometheusRule")
    place = tmp_path / "rules.json"
    place.write_text(json.dumps(rule["spec"]))

    checked = subprocess.run(["promtool", "check", "rules", place], stdout=subprocess.PIPE, text=True, check=False)

    assert (checked.returncode, "SUCCESS" in checked.stdout) == (0, True), checked.stdout


def test_dockerfiles_keep_to_the_rules_of_their_trade() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*Dockerfile"], cwd=tools.TOP, stdout=subprocess.PIPE, text=True, check=True
    )
    files = listed.stdout.split()

    checked = subprocess.run([tools.hadolint(), *files], cwd=tools.TOP, stdout=subprocess.PIPE, text=True, check=False)

    assert len(files) >= 4
    assert (checked.returncode, checked.stdout) == (0, "")
