"""Metrics, dashboards, alerts, runbooks and docs against each other: whoever names one means one that there is."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.agreement.checkout import TOP

from observe.expressions import DASHBOARDS, RULES, Expression, of_dashboards, of_rules, panels, rules
from retake import metrics
from retake.domain.errors import FAILURES, fault_of
from retake.figure import Figure
from retake.settings import CONCERNS
from retake.variables import variables

NAME = re.compile(r"\bretake_[a-z_]+\b")
PACKAGES = {"retake_api", "retake_worker", "retake_janitor", "retake_client", "retake_local"}
PARTS = {"histogram": ("_bucket", "_count", "_sum")}
ANYWHERE = {"namespace", "instance", "le"}
RUNBOOKS = sorted((TOP / "docs/runbooks").glob("*.md"))
CODE = [file for part in ("core", "services") for file in (TOP / part).rglob("*.py")]


def documented() -> dict[str, set[str]]:
    """Name of a series -> its labels, as docs/metrics.md has them."""
    found: dict[str, set[str]] = {}
    for line in (TOP / "docs/metrics.md").read_text().splitlines():
        if match := re.match(r"\| `(\w+)` \| (\w+) \| (.*?) \| (?:rows|process) \|", line):
            names = set(re.findall(r"`(\w+)`", match[3]))
            found |= {match[1] + suffix: names for suffix in PARTS.get(match[2], ("",))}
    return found | {"retake_build_info": {"version"}}


def named(text: str) -> set[str]:
    return set(NAME.findall(text)) - PACKAGES


EXPRESSIONS = [*of_dashboards(), *of_rules()]


def complaints(expression: Expression) -> Iterator[str]:
    """Metrics that are none, and labels that those it names do not have."""
    known = documented()
    labels: set[str] = set(ANYWHERE)
    for name, matchers in re.findall(r"\b((?:retake|process)_\w+)(?:\{(.*?)\})?[ \[)}+,]", f"{expression.text} "):
        if name not in known:
            yield f"{expression.place}: there is no {name}"
        labels |= known.get(name, set())
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub(r'"[^"]*"', "", matchers)):
            if label not in known.get(name, set()) | ANYWHERE:
                yield f"{expression.place}: {name} has no label {label}"
    for grouped in re.findall(r"\b(?:by|on|group_left)\s*\((.*?)\)", expression.text):
        for label in filter(None, re.split(r"[,\s]+", grouped)):
            if label not in labels:
                yield f"{expression.place}: nothing in it has a label {label}"
    for label in re.findall(r"\{\{(\w+)\}\}", expression.legend):
        if label not in labels:
            yield f"{expression.place}: its legend has the label {label}, which nothing in it has"


def test_dashboards_and_alerts_name_metrics_and_labels_that_there_are() -> None:
    assert len(EXPRESSIONS) > 90
    assert [one for expression in EXPRESSIONS for one in complaints(expression)] == []


@pytest.mark.parametrize(
    "wrong",
    [
        "sum (rate(retake_http_request_total[5m]))",
        "retake_http_request_seconds",
        'sum (rate(retake_http_requests_total{rout="/"}[5m]))',
        "max by (stat) (retake_queue_parts)",
        "sum (retake_jobs_accepted)",
    ],
)
def test_a_name_that_is_a_little_wrong_is_found(wrong: str) -> None:
    assert len(list(complaints(Expression("here", wrong)))) == 1


def test_every_metric_is_counted_somewhere_and_shown_somewhere() -> None:
    ours = {name: one for name, one in vars(metrics).items() if name.isupper() and hasattr(one, "collect")}
    used = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for file in CODE
        if file.name != "metrics.py"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute | ast.Name)
    }
    shown = set().union(*(named(expression.text) for expression in EXPRESSIONS))

    read_by_itself = {name for name, one in ours.items() if isinstance(one, Figure) and one.read}
    assert ours.keys() - used - read_by_itself == {"PROCESS"}
    assert {base(name) for name in documented() if NAME.match(name)} - {base(name) for name in shown} == set()


def base(series: str) -> str:
    return re.sub("_(bucket|count|sum)$", "", series)


def test_docs_and_the_chart_name_metrics_that_there_are() -> None:
    known = {base(name) for name in documented()} | set(documented())
    files = [*(TOP / "docs").rglob("*.md"), *(TOP / "deploy/helm/retake/templates").rglob("*.yaml")]

    unknown = {f"{file.name}: {name}" for file in files for name in named(file.read_text()) - known}

    assert unknown == set()


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    alerts = {rule["alert"]: rule for rule in rules() if "alert" in rule}
    linked = {link["title"] for board in DASHBOARDS for panel in panels(board) for link in panel["links"]}

    assert {file.stem for file in RUNBOOKS} == set(alerts) == linked
    assert all(rule["annotations"]["runbook"] == f"docs/runbooks/{name}.md" for name, rule in alerts.items())
    assert all({"severity"} <= rule["labels"].keys() and rule["annotations"]["summary"] for rule in alerts.values())


@pytest.mark.parametrize("file", RUNBOOKS, ids=lambda file: file.stem)
def test_a_runbook_says_what_to_look_at_and_what_to_do_in_words_that_there_are(file: Path) -> None:
    text = file.read_text()
    said = " ".join(one.read_text() for one in (*CODE, *(TOP / "local").glob("*.py")))
    settings = {one.name for concern in CONCERNS for one in variables(concern).values()}

    assert text.startswith(f"# {file.stem}\n")
    assert all(heading in text for heading in ("**People notice**", "**Look**", "**Do**", "**It is over**"))
    assert set(re.findall(r"\bRETAKE_\w+", text)) <= settings
    quoted = re.findall(r"`((?!nats |make |kubectl )[a-z]+(?: [a-z]+)+)`", text)
    assert [words for words in quoted if words not in said] == []
    assert [link for link in re.findall(r"\]\((.*?)\)", text) if not (file.parent / link).exists()] == []


def test_dashboards_can_be_loaded_by_any_sidecar() -> None:
    boards = [json.loads(file.read_text()) for file in DASHBOARDS]

    assert len({board["uid"] for board in boards}) == len(boards) == 3
    assert '"id": null' not in RULES.read_text()
    for file, board in zip(DASHBOARDS, boards, strict=True):
        used = set(re.findall(r"\$\{?(\w+)", file.read_text()))
        made = {one["name"] for one in board["templating"]["list"]} | {"__rate_interval", "__range", "__all"}
        assert used <= made
        assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels(file))
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        assert not overlapping(board["panels"])


def overlapping(shown: list[dict]) -> bool:
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in shown)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    return len(cells) != len(set(cells)) or max(x for x, _ in cells) >= 24


def test_a_failure_is_the_files_exactly_when_a_better_file_would_help() -> None:
    ours = {one.code for one in FAILURES if fault_of(one.code) == "ours"}

    assert ours == {one.code for one in FAILURES if not one.final} | {"source_lost"}
    assert fault_of("of_another_release") == "ours"
