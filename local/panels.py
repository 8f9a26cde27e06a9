"""How Grafana wants a dashboard: the JSON around what dashboards.py says.

A dashboard takes its data source from a variable, so that any sidecar can load it, and keeps to one namespace or shows
all. Panels flow from left to right, each as wide as it says, and links of a panel lead to pages in docs/runbooks.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_METRIC = re.compile(r"\b((?:retake|process)_\w+)(\{)?")
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_ACROSS = 24


@dataclass(frozen=True)
class Panel:
    """`shows` are expressions by their legend; without a namespace, which every metric in them gets."""

    title: str
    unit: str
    shows: Mapping[str, str]
    says: str = ""
    kind: str = "timeseries"
    width: int = 8
    stacked: bool = False
    alerts: Sequence[str] = ()
    least: float | None = 0
    steps: Sequence[tuple[str, float]] = ()
    """From which value on it has which colour."""

    @property
    def height(self) -> int:
        return 4 if self.kind == "stat" else 8


@dataclass(frozen=True)
class Dashboard:
    name: str
    title: str
    says: str
    rows: Mapping[str, Sequence[Panel]]


def narrowed(expression: str) -> str:
    """To the namespaces that were chosen."""
    return _METRIC.sub(lambda found: f'{found[1]}{{namespace=~"$namespace"{"," if found[2] else "}"}', expression)


def rendered(dashboard: Dashboard) -> str:
    panels: list[Json] = []
    top = 0
    for title, row in dashboard.rows.items():
        panels.append({"id": len(panels) + 1, "type": "row", "title": title, "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": top, "w": _ACROSS, "h": 1}})  # fmt: skip
        top = _flow(row, panels, top + 1)
    whole = {
        "uid": f"retake-{dashboard.name}",
        "title": f"retake: {dashboard.title}",
        "description": dashboard.says,
        "tags": ["retake"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": _variables()},
        "links": [{"type": "dashboards", "title": "retake", "tags": ["retake"], "asDropdown": True, "keepTime": True,
                   "includeVars": True, "url": ""}],
        "annotations": {"list": []},
        "panels": panels,
    }  # fmt: skip
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _flow(row: Sequence[Panel], panels: list[Json], top: int) -> int:
    """Returns where the next row begins."""
    left = height = 0
    for panel in row:
        if left + panel.width > _ACROSS:
            left, top, height = 0, top + height, 0
        place = {"x": left, "y": top, "w": panel.width, "h": panel.height}
        panels.append({"id": len(panels) + 1, **_panel(panel), "gridPos": place})
        left, height = left + panel.width, max(height, panel.height)
    return top + height


def _panel(panel: Panel) -> Json:
    defaults: Json = {"unit": panel.unit, "decimals": None, "noValue": "–", "min": panel.least}
    if panel.steps:
        steps = [{"color": "green", "value": None}, *({"color": name, "value": at} for name, at in panel.steps)]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    if panel.kind == "timeseries":
        defaults["custom"] = {
            "fillOpacity": 30 if panel.stacked else 8,
            "lineWidth": 1,
            "showPoints": "never",
            "stacking": {"mode": "normal" if panel.stacked else "none"},
            "thresholdsStyle": {"mode": "dashed" if panel.steps else "off"},
        }
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": _SOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": _SOURCE,
                "expr": narrowed(expression),
                "legendFormat": legend,
                **({"instant": True, "range": False} if panel.kind != "timeseries" else {}),
            }
            for number, (legend, expression) in enumerate(panel.shows.items())
        ],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _options(panel.kind),
        "links": [{"title": alert, "url": f"${{runbooks}}/{alert}.md", "targetBlank": True} for alert in panel.alerts],
    }


def _options(kind: str) -> Json:
    match kind:
        case "stat":
            return {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "none"}
        case "bargauge":
            return {"reduceOptions": {"calcs": ["lastNotNull"]}, "orientation": "horizontal", "displayMode": "basic"}
        case _:
            return {
                "legend": {"displayMode": "list", "placement": "bottom"},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }


def _variables() -> list[Json]:
    return [
        {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0},
        {
            "name": "namespace",
            "label": "Namespace",
            "type": "query",
            "datasource": _SOURCE,
            "query": {"query": "label_values(retake_build_info, namespace)", "refId": "namespace"},
            "definition": "label_values(retake_build_info, namespace)",
            "refresh": 2,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        },
        {
            "name": "runbooks",
            "label": "Runbooks are at",
            "type": "textbox",
            "query": "docs/runbooks",
            "current": {"text": "docs/runbooks", "value": "docs/runbooks"},
        },
    ]
