"""What of the chart is generated: its schema and the table of its README, from values.yaml, and the files it carries.

values.yaml says which values there are, of which type, and, in the comment above each, what it is. What else a value
must be stands here; what a setting must be, retake.settings says. Helm reads no file outside the chart, so dashboards
and alerts lie in it once more.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from retake import settings
from retake.variables import Variable, variables

TOP = Path(__file__).resolve().parent.parent
CHART = Path("deploy/helm/retake")
CARRIED = {"deploy/grafana": "*.json", "deploy/prometheus": "*.yaml"}

VARIABLES = {
    "pathPrefix": "RETAKE_PATH_PREFIX",
    "objectStore.bucket": "RETAKE_S3_BUCKET",
    "objectStore.region": "RETAKE_S3_REGION",
    "objectStore.prefix": "RETAKE_S3_PREFIX",
}
"""Values that become a variable: what that must be, they must."""

PROVIDED = frozenset({
    "RETAKE_S3_ENDPOINT", "RETAKE_API_KEYS", "RETAKE_API_HOST", "RETAKE_API_PORT", "RETAKE_API_SOCKET",
    "RETAKE_METRICS_HOST", "RETAKE_METRICS_PORT", "RETAKE_WORKER_NAME", "RETAKE_SCRATCH", "RETAKE_API_GRACE",
    "RETAKE_WORKER_GRACE", "OTEL_EXPORTER_OTLP_ENDPOINT", *VARIABLES.values(),
})  # fmt: skip
"""Variables that the chart sets by itself or by values of their own: not among `settings`, nor are secrets."""


def _one_of(*words: str) -> dict[str, Any]:
    return {"enum": [*words]}


def _matching(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^({pattern})$"}


_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAME = _matching(f"{_LABEL}(\\.{_LABEL})*")
_NAME_OR_NONE = _matching(f"({_LABEL}(\\.{_LABEL})*)?")
_KEY = _matching("[-._a-zA-Z0-9]+")
_SIZE = _matching("[1-9][0-9]*Gi")
_QUANTITY = {"anyOf": [{"type": "number", "minimum": 0}, _matching("[0-9]+(\\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?")]}
_PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
_COUNT = {"type": "integer", "minimum": 0}
_ONE_OR_MORE = {"type": "integer", "minimum": 1}
_PER_CENT = {"type": "integer", "minimum": 1, "maximum": 100}
_SHARE = {"anyOf": [_COUNT, _matching("[0-9]{1,2}%|100%")]}
_NETWORK = _matching("[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}|[0-9a-fA-F:]+/[0-9]{1,3}")
_HOST = _matching(f"(\\*\\.)?{_LABEL}(\\.{_LABEL})*")


def _list_of(what: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": what}


_WORDS = {"type": "object", "additionalProperties": {"type": "string"}}
_AMOUNTS = {"type": "object", "additionalProperties": _QUANTITY}
_RESOURCES = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"requests": _AMOUNTS, "limits": _AMOUNTS},
}

RULES: dict[str, dict[str, Any]] = {
    "nameOverride": _matching(f"({_LABEL}){{0,1}}") | {"maxLength": 40},
    "fullnameOverride": _matching(f"({_LABEL}){{0,1}}") | {"maxLength": 40},
    "image.registry": _matching("[^/\\s]+(/[^/\\s]+)*|"),
    "image.tag": _matching("[a-zA-Z0-9_][-.a-zA-Z0-9_]{0,127}|"),
    "image.pullPolicy": _one_of("Always", "IfNotPresent", "Never"),
    "image.pullSecrets": _list_of(_NAME),
    "postgres.mode": _one_of("external", "cloudnative-pg", "dev"),
    "nats.mode": _one_of("external", "chart", "dev"),
    "nats.chart.service": _NAME,
    "objectStore.mode": _one_of("external", "minio", "dev"),
    "objectStore.external.endpoint": _matching("(https?://[^/\\s]+)?"),
    "objectStore.minio.image": _matching("\\S+"),
    "postgres.cloudnativePg.instances": _ONE_OR_MORE,
    "api.service.type": _one_of("ClusterIP", "NodePort", "LoadBalancer"),
    "worker.autoscaling.kind": _one_of("none", "hpa", "keda", "keda-prometheus"),
    "worker.autoscaling.prometheusAddress": _matching("(https?://\\S+)?"),
    "tracing.endpoint": _matching("(https?://\\S+)?"),
    "janitor.schedule": _matching("(\\S+\\s+){4}\\S+"),
    "ingress.hosts": _list_of(_HOST),
    "httpRoute.hostnames": _list_of(_HOST),
    "httpRoute.parentRefs": _list_of({"type": "object", "required": ["name"]}),
    "networkPolicy.apiFrom": _list_of({"type": "object"}),
    "networkPolicy.webhookTo": _list_of({"type": "object"}) | {"minItems": 1},
    "networkPolicy.dns.to": _list_of({"type": "object"}) | {"minItems": 1},
    "networkPolicy.kubernetesApi.ports": _list_of(_PORT) | {"minItems": 1},
    "monitoring.podMonitors.interval": _matching("[1-9][0-9]*(s|m)"),
    "api.replicas": _ONE_OR_MORE,
    "worker.replicas": _COUNT,
    "worker.autoscaling.minReplicas": _COUNT,
    "worker.terminationGracePeriodSeconds": {"type": "integer", "minimum": 15},
}
"""Of one value each."""

LAST_WORDS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("existingSecret", "tlsSecret", "storageClass", "className", "priorityClassName"), _NAME_OR_NONE),
    **dict.fromkeys(("kedaNamespace", "monitoringNamespace"), _NAME),
    **dict.fromkeys(("storage", "scratchSize"), _SIZE),
    **dict.fromkeys(("annotations", "podAnnotations", "nodeSelector", "labels"), _WORDS),
    **dict.fromkeys(("minReplicas", "maxReplicas", "partsPerWorker", "pollingInterval"), _ONE_OR_MORE),
    **dict.fromkeys(("activeDeadlineSeconds", "terminationGracePeriodSeconds"), _ONE_OR_MORE),
    **dict.fromkeys(("preStopSeconds", "scaleDownSeconds"), _COUNT),
    "key": _KEY,
    "port": _PORT,
    "networks": _list_of(_NETWORK),
    "resources": _RESOURCES,
    "targetCPU": _PER_CENT,
    "maxUnavailable": _SHARE,
    "podLabels": _WORDS | {"minProperties": 1},
    "tolerations": _list_of({"type": "object"}),
    "image": _matching("\\S+"),
}
"""Of every value whose path ends so, unless it has a rule of its own."""


@dataclass(frozen=True)
class Value:
    path: str
    default: Any
    explain: str
    leaf: bool


def values() -> list[Value]:
    """Every value, in the order of the file."""
    text = (TOP / CHART / "values.yaml").read_text(encoding="utf-8")
    top = yaml.compose(text)
    assert isinstance(top, yaml.MappingNode)
    return list(_values("", top, yaml.safe_load(text), text.splitlines()))


def _values(above: str, node: yaml.MappingNode, defaults: dict[str, Any], lines: list[str]) -> Iterator[Value]:
    for key, value in node.value:
        path, default = f"{above}{key.value}", defaults[key.value]
        inner = isinstance(value, yaml.MappingNode) and bool(value.value) and path not in RULES
        yield Value(path, default, _comment(key.start_mark.line, lines), leaf=not inner or _opaque(path))
        if inner and not _opaque(path):
            yield from _values(f"{path}.", value, default, lines)


def _opaque(path: str) -> bool:
    """Told as a whole: what people know from Kubernetes."""
    return path.rpartition(".")[2] in {"resources", "podLabels"}


def _comment(line: int, lines: list[str]) -> str:
    said: list[str] = []
    while line and (above := lines[line - 1].strip()).startswith("#"):
        said.insert(0, above.removeprefix("#").strip())
        line -= 1
    return " ".join(said)


def schema() -> str:
    """Draft 7, which both majors of helm know."""
    document: dict[str, Any] = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the retake chart",
    }
    top = yaml.safe_load((TOP / CHART / "values.yaml").read_text(encoding="utf-8"))
    explained = {value.path: value.explain for value in values()}
    return json.dumps(document | _schema("", top, explained), indent=1, ensure_ascii=False) + "\n"


def _schema(path: str, default: Any, explained: dict[str, str]) -> dict[str, Any]:
    said = {"description": explained[path]} if explained.get(path) else {}
    if path == "settings":
        return said | _settings()
    rule = RULES.get(path) or LAST_WORDS.get(path.rpartition(".")[2])
    if path in VARIABLES:
        rule = {**_variables()[VARIABLES[path]].rule.schema}
    holds_values = isinstance(default, dict) and bool(default)
    if rule is not None and (rule.get("type") == "object" or not holds_values):
        return said | rule
    if isinstance(default, dict):
        if not holds_values:
            return said | {"type": "object"}
        inner = {name: _schema(f"{path}.{name}".lstrip("."), one, explained) for name, one in default.items()}
        if not path:
            inner["global"] = {"type": "object", "description": "Values of a chart above this one; not read here."}
        return said | {"type": "object", "additionalProperties": False, "properties": inner}
    return said | {"type": {bool: "boolean", int: "integer", str: "string", list: "array"}[type(default)]}


def _variables() -> dict[str, Variable]:
    """Those of a cluster, by name."""
    concerns = [concern for concern in settings.CONCERNS if concern is not settings.Laptop]
    return {one.name: one for concern in concerns for one in variables(concern).values()}


def _settings() -> dict[str, Any]:
    """What is yes or no may also be what YAML 1.1 makes of that."""
    found = {
        name: {"description": f"{one.explain} Must be {one.rule.says}."}
        | ({"enum": ["yes", "no", True, False]} if one.rule.says == "one of yes, no" else one.rule.schema)
        for name, one in _variables().items()
        if not one.secret and name not in PROVIDED
    }
    return {"type": "object", "additionalProperties": False, "properties": found}


def readme() -> str:
    """As it is, with the table anew."""
    text = (TOP / CHART / "README.md").read_text(encoding="utf-8")
    before, begin, rest = text.partition("<!-- values -->\n")
    _, end, after = rest.partition("<!-- end of values -->\n")
    if not begin or not end:
        raise ValueError(f"{CHART}/README.md has lost the comments that its table stands between.")
    rows = [("Value", "Default", "What it is"), ("---", "---", "---"), *_rows()]
    lines = ("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)
    return before + begin + "".join(lines) + end + after


def _rows() -> Iterator[tuple[str, str, str]]:
    for value in values():
        if value.leaf:
            if not value.explain:
                raise ValueError(f"{CHART}/values.yaml does not say what {value.path} is: put a comment above it.")
            yield f"`{value.path}`", f"`{json.dumps(value.default, ensure_ascii=False)}`", value.explain


def generated(dashboards: Mapping[str, str]) -> dict[str, str]:
    """`dashboards` are generated, too: path in the repository -> text."""
    return {f"{CHART}/values.schema.json": schema(), f"{CHART}/README.md": readme(), **carried(dashboards)}


def carried(dashboards: Mapping[str, str]) -> dict[str, str]:
    """Path in the chart -> text, of what lies outside it."""
    lying = {
        str(file.relative_to(TOP)): file.read_text(encoding="utf-8")
        for folder, pattern in CARRIED.items()
        for file in sorted((TOP / folder).glob(pattern))
    }
    return {
        f"{CHART}/files/{Path(name).parent.name}/{Path(name).name}": text
        for name, text in (lying | dict(dashboards)).items()
    }


def leftovers() -> set[str]:
    """Files that could have been carried."""
    return {
        str(file.relative_to(TOP))
        for folder, pattern in CARRIED.items()
        for file in (TOP / CHART / "files" / Path(folder).name).glob(pattern)
    }
