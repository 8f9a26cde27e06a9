import re
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from tests.agreement.checkout import TOP, change, copy, run

from retake.metrics import REGISTRY
from retake.settings import CONCERNS
from retake.variables import variables


def check(place: Path) -> tuple[int, str]:
    return run(place, "python", "local/generate.py", "--check")


def a_longer_page(top: Path) -> None:
    (top / "docs/metrics.md").write_text((top / "docs/metrics.md").read_text() + "and more\n")


def another_default(top: Path) -> None:
    change(top / "core/retake/settings.py", 'default="8080"', 'default="8081"')


def another_metric(top: Path) -> None:
    change(top / "core/retake/metrics.py", "retake_bus_reconnects_total", "retake_bus_connects_total")


def another_field(top: Path) -> None:
    change(top / "proto/retake/wire/v1/part.proto", "string kind = 3;", "string kind = 3;\n  string mood = 9;")


def another_summary(top: Path) -> None:
    change(top / "services/api/retake_api/jobs.py", "List jobs, newest first", "List jobs")


def another_value(top: Path) -> None:
    change(top / "deploy/helm/retake/values.yaml", "  # Scale by CPU.\n    enabled", "  # By CPU.\n    enabled")


def another_alert(top: Path) -> None:
    place = top / "deploy/prometheus/retake.rules.yaml"
    place.write_text(f"{place.read_text()}# and more\n")


def edited_code(top: Path) -> None:
    change(top / "core/retake/wire/v1/part_pb2.pyi", "part_id: str\n", "part_id: int\n")


def lost_code(top: Path) -> None:
    (top / "core/retake/wire/v1/progress_pb2.py").unlink()


def carried_without_source(top: Path) -> None:
    (top / "deploy/helm/retake/files/grafana/old.json").write_text("{}")


def code_without_source(top: Path) -> None:
    (top / "core/retake/wire/v1/old_pb2.py").write_text("")


SOURCES: dict[Callable[[Path], None], str] = {
    another_default: "docs/configuration.md is not current",
    another_metric: "docs/metrics.md is not current",
    another_field: "core/retake/wire/v1/part_pb2.py is not current",
    another_summary: "docs/openapi.json is not current",
    another_value: "deploy/helm/retake/README.md is not current",
    another_alert: "deploy/helm/retake/files/prometheus/retake.rules.yaml is not current",
}
OUTPUTS: dict[Callable[[Path], None], str] = {
    a_longer_page: "docs/metrics.md is not current",
    edited_code: "core/retake/wire/v1/part_pb2.pyi is not current",
    lost_code: "core/retake/wire/v1/progress_pb2.py is missing",
    carried_without_source: "deploy/helm/retake/files/grafana/old.json is left over",
    code_without_source: "core/retake/wire/v1/old_pb2.py is left over",
}


def test_generated_files_are_current() -> None:
    assert check(TOP) == (0, "")


@pytest.mark.parametrize("spoilt", [SOURCES, OUTPUTS], ids=["by their sources", "by hand"])
def test_files_that_are_not_current_are_named_and_generating_mends_them(
    tmp_path: Path, spoilt: dict[Callable[[Path], None], str]
) -> None:
    top = copy(tmp_path)
    for spoil in spoilt:
        spoil(top)

    code, words = check(top)

    assert code == 1
    for complaint in spoilt.values():
        assert f"{complaint}: run `make generate` and commit what it changes" in words
    assert run(top, "python", "local/generate.py") == (0, "")
    assert check(top) == (0, "")


def test_metrics_are_documented_under_the_names_they_are_exported_with() -> None:
    exported = re.findall(r"^# HELP (\S+)", generate_latest(REGISTRY).decode(), re.MULTILINE)
    documented = re.findall(r"^\| `(\w+)` \|", (TOP / "docs/metrics.md").read_text(), re.MULTILINE)

    assert sorted(exported) == sorted(documented)


def test_every_setting_is_documented() -> None:
    documented = re.findall(r"^\| `(\w+)` \|", (TOP / "docs/configuration.md").read_text(), re.MULTILINE)

    assert documented == [one.name for concern in CONCERNS for one in variables(concern).values()]
