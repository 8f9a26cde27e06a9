from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from retake.settings import (
    CONCERNS,
    Api,
    Bucket,
    Clock,
    Laptop,
    Nats,
    Observe,
    Postgres,
    SettingsError,
    Worker,
    read,
)
from retake.variables import variables

SECRET = "hunter2-hunter2"


def complaints(cls: type, environ: Mapping[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        read(cls, environ)
    return str(refused.value).splitlines()


def test_what_is_not_set_takes_its_default() -> None:
    settings = read(Observe, {})

    assert (settings.log_level, settings.host, settings.port) == ("info", "0.0.0.0", 9090)


def test_an_empty_variable_counts_as_not_set() -> None:
    assert read(Observe, {"RETAKE_METRICS_PORT": ""}).port == 9090
    assert read(Worker, {"RETAKE_WORKER_NAME": ""}).name is None


def test_values_become_what_their_rule_says() -> None:
    environ = {"RETAKE_DATABASE_URL": "postgresql://me:pw@db/retake", "RETAKE_DATABASE_POOL": "7"}

    assert (read(Postgres, environ).url, read(Postgres, environ).pool) == (environ["RETAKE_DATABASE_URL"], 7)
    assert read(Clock, {"RETAKE_TIME_SCALE": "0.05"}).timing().lease == 3


@pytest.mark.parametrize(
    ("cls", "name", "value", "rule"),
    [
        (Observe, "RETAKE_METRICS_PORT", "0", "a whole number from 1 to 65535"),
        (Observe, "RETAKE_METRICS_PORT", "65536", "a whole number from 1 to 65535"),
        (Observe, "RETAKE_METRICS_PORT", "80.5", "a whole number from 1 to 65535"),
        (Observe, "RETAKE_LOG_LEVEL", "loud", "one of debug, info, warning, error"),
        (Worker, "RETAKE_WORKER_SLOTS", "many", "a whole number from 1 to 64"),
        (Worker, "RETAKE_WORKER_NAME", "a b", "1 to 100 letters, digits, dots, - or _"),
        (Clock, "RETAKE_TIME_SCALE", "2", "a number from 0.01 to 1"),
        (Clock, "RETAKE_TIME_SCALE", "nan", "a number from 0.01 to 1"),
        (Nats, "RETAKE_NATS_STREAM", "a.b", "1 to 64 letters, digits, - or _"),
        (Bucket, "RETAKE_S3_BUCKET", "No", "an S3 bucket name"),
        (Bucket, "RETAKE_S3_PREFIX", "/", "path parts of a-z, 0-9 or -, each followed by /"),
        (Bucket, "RETAKE_S3_ENDPOINT", "s3.example", "a URL starting with http:// or https://"),
        (Bucket, "RETAKE_S3_REGION", " ", "text that is not empty"),
    ],
)
def test_a_refusal_names_the_variable_its_rule_and_the_value(cls: type, name: str, value: str, rule: str) -> None:
    assert f"{name} must be {rule}, not {value!r}." in complaints(cls, {name: value})


@pytest.mark.parametrize(
    ("cls", "name", "value"),
    [
        (Postgres, "RETAKE_DATABASE_URL", f"mysql://me:{SECRET}@db/x"),
        (Postgres, "RETAKE_DATABASE_URL", f"postgresql://me:{SECRET}@[::1/x"),
        (Nats, "RETAKE_NATS_URL", f"http://{SECRET}@nats:4222"),
        (Bucket, "RETAKE_S3_SECRET_KEY", f" {SECRET} "),
        (Api, "RETAKE_PASSWORD", f"{SECRET} "),
    ],
)
def test_the_value_of_a_secret_is_in_no_message(cls: type, name: str, value: str) -> None:
    told = "\n".join(complaints(cls, {name: value}))

    assert f"{name} must be " in told
    assert SECRET not in told


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    settings = read(Api, {"RETAKE_PASSWORD": SECRET})

    assert settings.password == SECRET
    assert SECRET not in f"{settings} {settings!r}"


def test_a_missing_variable_is_named_with_its_rule_and_its_purpose() -> None:
    [told] = complaints(Postgres, {})

    assert told == (
        "RETAKE_DATABASE_URL is missing; it must be a URL starting with postgresql:// or postgres://. "
        "Where Postgres is, with user, password and database."
    )


def test_all_complaints_come_at_once() -> None:
    environ = {"RETAKE_S3_BUCKET": "No", "RETAKE_S3_ENDPOINT": "nowhere", "RETAKE_S3_BUKET": "x"}

    told = complaints(Bucket, environ)

    named = {line.split()[0] for line in told}
    assert named == {
        "RETAKE_S3_BUKET", "RETAKE_S3_ENDPOINT", "RETAKE_S3_ACCESS_KEY", "RETAKE_S3_SECRET_KEY", "RETAKE_S3_BUCKET",
    }  # fmt: skip


def test_an_unknown_variable_is_refused_with_the_one_that_was_meant() -> None:
    assert complaints(Observe, {"RETAKE_LOGLEVEL": "info"}) == [
        "RETAKE_LOGLEVEL is not a setting; did you mean RETAKE_LOG_LEVEL?"
    ]
    assert complaints(Observe, {"RETAKE_ZZZZ": "1"}) == [
        "RETAKE_ZZZZ is not a setting; docs/configuration.md lists those there are."
    ]


def test_settings_of_other_processes_and_of_other_programs_are_left_alone() -> None:
    environ = {"RETAKE_WORKER_SLOTS": "2", "RETAKE_PASSWORD_FILE": "/nowhere", "PATH": "/bin", "RETAKEN": "x"}

    assert read(Observe, environ).log_level == "info"


@pytest.mark.parametrize(
    "name",
    [
        "RETAKE_API_SERVICE_HOST",
        "RETAKE_API_SERVICE_PORT",
        "RETAKE_API_SERVICE_PORT_HTTP",
        "RETAKE_API_PORT_80_TCP",
        "RETAKE_API_PORT_80_TCP_PROTO",
        "RETAKE_API_PORT_80_TCP_PORT",
        "RETAKE_API_PORT_80_TCP_ADDR",
        "RETAKE_NATS_PORT_4222_UDP_ADDR",
        "RETAKE_NATS_PORT",
        "RETAKE_METRICS_PORT",
    ],
)
def test_the_service_links_of_kubernetes_are_no_settings(name: str) -> None:
    assert read(Observe, {name: "tcp://10.0.0.1:80"}).port == 9090


def test_a_service_link_hides_no_misspelt_setting() -> None:
    assert complaints(Observe, {"RETAKE_NATS_PORT": "4222"})[0].startswith("RETAKE_NATS_PORT is not a setting")


def test_a_value_may_come_from_a_file(tmp_path: Path) -> None:
    place = tmp_path / "password"
    place.write_text(f"{SECRET}\n")

    assert read(Api, {"RETAKE_PASSWORD_FILE": str(place)}).password == SECRET


def test_a_value_and_a_file_together_are_refused(tmp_path: Path) -> None:
    place = tmp_path / "password"
    place.write_text(SECRET)

    told = complaints(Api, {"RETAKE_PASSWORD": SECRET, "RETAKE_PASSWORD_FILE": str(place)})

    assert told == ["RETAKE_PASSWORD and RETAKE_PASSWORD_FILE are both set; keep one."]


def test_a_file_that_cannot_be_read_is_refused_with_its_name(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")

    for place in (tmp_path / "missing", tmp_path, binary):
        [told] = complaints(Api, {"RETAKE_PASSWORD_FILE": str(place)})
        assert told.startswith(f"RETAKE_PASSWORD_FILE names {str(place)!r}, which cannot be read")


def test_a_file_with_a_value_that_breaks_the_rule_is_refused_without_showing_it(tmp_path: Path) -> None:
    place = tmp_path / "url"
    place.write_text(f"mysql://{SECRET}@db")

    [told] = complaints(Postgres, {"RETAKE_DATABASE_URL_FILE": str(place)})

    assert told == "RETAKE_DATABASE_URL must be a URL starting with postgresql:// or postgres://."


def test_an_optional_variable_is_none_and_a_wrong_one_is_still_refused() -> None:
    assert read(Laptop, {}).port is None
    assert complaints(Laptop, {"RETAKE_PORT": "http"}) == [
        "RETAKE_PORT must be a whole number from 1 to 65535, not 'http'."
    ]


@pytest.mark.parametrize("cls", CONCERNS)
def test_every_default_keeps_its_own_rule(cls: Any) -> None:
    for variable in variables(cls).values():
        if variable.default is not None:
            variable.rule.parse(variable.default)
