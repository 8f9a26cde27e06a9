"""Every PromQL expression that is committed, and where it stands."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TOP = Path(__file__).resolve().parents[2]
RULES = TOP / "deploy/prometheus/retake.rules.yaml"
DASHBOARDS = sorted((TOP / "deploy/grafana").glob("*.json"))


@dataclass(frozen=True)
class Expression:
    place: str
    text: str
    legend: str = ""

    def filled_in(self, **variables: str) -> str:
        """As Grafana does it."""
        text = self.text
        for name, value in variables.items():
            text = text.replace(f"${name}", value)
        return text


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def of_rules() -> Iterator[Expression]:
    for rule in rules():
        yield Expression(rule.get("alert") or rule["record"], rule["expr"])


def panels(dashboard: Path) -> list[dict[str, Any]]:
    return [panel for panel in json.loads(dashboard.read_text())["panels"] if panel["type"] != "row"]


def of_dashboards() -> Iterator[Expression]:
    for dashboard in DASHBOARDS:
        for panel in panels(dashboard):
            for target in panel["targets"]:
                yield Expression(f"{dashboard.stem}: {panel['title']}", target["expr"], target["legendFormat"])
