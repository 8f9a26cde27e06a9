"""Settings of the chart are settings of the code: each process reads what its pod tells it, by its own reader."""

import json
from pathlib import Path
from typing import get_type_hints

import pytest

import retake_api.__main__ as api
import retake_janitor.__main__ as janitor
import retake_worker.__main__ as worker
from chart.rendering import CHART, VALUES, Json, Objects, rendered, template
from retake.settings import CONCERNS, Bucket, Laptop, Postgres, Storage, Worker, read, read_all
from retake.variables import Variable, variables

PROGRAMS = {"api": api.Settings, "worker": worker.Settings, "janitor": janitor.Settings}
LEFT_ALONE = {"RETAKE_API_HOST", "RETAKE_API_PORT", "RETAKE_API_SOCKET", "RETAKE_METRICS_HOST", "RETAKE_METRICS_PORT"}
"""What the code has by itself is what a pod wants."""

NO_SECRETS = {"RETAKE_API_KEYS", "RETAKE_S3_ENDPOINT"}
"""Files of hashes, and what may stand in a Secret for convenience."""

_DATABASE = {"url": "postgresql://u:p@db/r", "uri": "postgresql://u:p@db/r"}
_BUS = {"url": "nats://token@bus:4222"}
_BUCKET = {"access-key": "a", "secret-key": "s", "endpoint": "https://s3.example"}
THEIRS: Json = {
    "retake-postgres": _DATABASE,
    "retake-postgres-app": _DATABASE,
    "database": _DATABASE,
    "retake-nats": _BUS,
    "bus": _BUS,
    "retake-s3": _BUCKET,
    "bucket": _BUCKET,
    "shared-password": {"hash": "$argon2id$v=19$m=1,t=1,p=1$c2FsdHNhbHQ$aGFzaA"},
    "webhooks": {"webhook-secret": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"},
    "collector": {"headers": "x-key=abc", "secret-headers": "x-key=abc"},
    "keys": {"api-keys": ""},
    "keys-of-programs": {"api-keys": ""},
}
"""Secrets that others make."""


def told(objects: Objects, component: str, place: Path) -> dict[str, str]:
    pod = objects.pod(component)
    (container,) = pod.spec["containers"]
    return objects.environment(pod, container, place, THEIRS)


@pytest.mark.parametrize("values", VALUES)
def test_every_process_can_read_what_its_pod_tells_it(values: str, tmp_path: Path) -> None:
    for component, settings in PROGRAMS.items():
        read_all(settings, told(rendered(values), component, tmp_path))
    for component in ("migrate", "doctor"):
        if component != "migrate" or values != "minimal":
            read(Postgres, told(rendered(values), component, tmp_path))


@pytest.mark.parametrize("values", VALUES)
def test_a_process_is_given_the_secrets_of_its_own_concerns_and_no_others(values: str, tmp_path: Path) -> None:
    for component, settings in PROGRAMS.items():
        place = tmp_path / component
        place.mkdir()
        concerned = [one for concern in get_type_hints(settings).values() for one in variables(concern).values()]

        env = told(rendered(values), component, place)

        files = {name: text for name, text in env.items() if text.startswith(f"{place}/")}
        assert {Path(text).name for text in files.values()} == {file.name for file in place.iterdir()}
        given = {name.removesuffix("_FILE") for name in files}
        assert given - NO_SECRETS <= {one.name for one in concerned if one.secret}
        assert {one.name for one in concerned if one.secret and not one.optional} <= given


def schema() -> Json:
    properties: Json = json.loads((CHART / "values.schema.json").read_text())["properties"]["settings"]["properties"]
    return properties


def every_variable() -> dict[str, Variable]:
    return {one.name: one for concern in CONCERNS if concern is not Laptop for one in variables(concern).values()}


def test_every_setting_of_the_code_can_be_given_in_exactly_one_way(tmp_path: Path) -> None:
    objects = rendered("everything")
    by_the_chart = {name.removesuffix("_FILE") for one in PROGRAMS for name in told(objects, one, tmp_path)}
    (worker_,) = objects.pod("worker").spec["containers"]
    by_the_chart |= {one["name"].removesuffix("_FILE") for one in worker_["env"]}
    ours = by_the_chart - set(schema()) - {"HOME"}

    assert ours.isdisjoint(schema())
    assert ours | set(schema()) | LEFT_ALONE == set(every_variable())


def test_the_largest_numbers_and_every_choice_arrive_as_they_were_given(tmp_path: Path) -> None:
    values = {name: one["maximum"] for name, one in schema().items() if "maximum" in one}
    values |= {name: one["enum"][0] for name, one in schema().items() if "enum" in one}
    values["RETAKE_SCRATCH_KEEP_MIB"] = 1000
    objects = Objects(template("3.17", {"settings": values}))

    env = told(objects, "api", tmp_path)

    assert len(values) > 15
    assert {name: every_variable()[name].rule.parse(env[name]) for name in values} == {
        name: every_variable()[name].rule.parse(str(value)) for name, value in values.items()
    }


def test_what_yaml_takes_for_a_truth_arrives_as_the_word_it_was(tmp_path: Path) -> None:
    assert read(Worker, told(rendered("minimal"), "worker", tmp_path)).any_version == "yes"


def test_the_storage_cap_is_four_fifths_of_the_disk_of_a_store_in_the_cluster(tmp_path: Path) -> None:
    assert read(Storage, told(rendered("demo"), "api", tmp_path)).cap_mib == 8192
    assert read(Storage, told(rendered("minio"), "api", tmp_path)).cap_mib == 81920
    assert read(Storage, told(rendered("default"), "api", tmp_path)).cap_mib is None


def test_the_bucket_is_told_to_all_alike(tmp_path: Path) -> None:
    one, other = (read(Bucket, told(rendered("production"), name, tmp_path)) for name in ("worker", "janitor"))

    assert (one.endpoint, one.name, one.region, one.prefix) == (
        "https://s3.example.org",
        "takes",
        "eu-central-1",
        "retake/",
    )
    assert one == other


def test_files_in_work_fit_where_they_go() -> None:
    pod = rendered("demo").pod("worker")
    (container,) = pod.spec["containers"]
    (scratch,) = (volume for volume in pod.spec["volumes"] if volume["name"] == "scratch")
    limit = container["resources"]["limits"]["ephemeral-storage"]

    assert {"name": "RETAKE_SCRATCH", "value": "/scratch"} in container["env"]
    assert {"name": "scratch", "mountPath": "/scratch"} in container["volumeMounts"]
    assert int(limit.removesuffix("Gi")) > int(scratch["emptyDir"]["sizeLimit"].removesuffix("Gi"))
