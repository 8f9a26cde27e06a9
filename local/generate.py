"""Writes every generated file (`make generate`), or says which ones are not current (`make verify`, with --check).

core/retake/wire/v1/*_pb2.py(i)  from proto/, with the protoc inside grpcio-tools
docs/configuration.md            from retake.settings
docs/metrics.md                  from retake.metrics
docs/openapi.json                from the routes of retake_api
deploy/grafana/*.json            from local/dashboards.py
services/api/web/src/shapes.ts   from the schemas in it
deploy/helm/retake/              schema, table of values, and what it carries: generate_chart.py

proto/released.json is not among them: it is the schema as last released, which `buf breaking` holds the present one
against. A release writes it anew: buf build proto --exclude-source-info --output proto/released.json
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from grpc_tools import protoc
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector

import generate_chart
from dashboards import DASHBOARDS
from panels import rendered
from retake import metrics, settings
from retake.figure import Figure
from retake.variables import Variable, variables
from retake_api import openapi
from retake_api.app import Tools, create_app

TOP = Path(__file__).resolve().parent.parent
WIRE = Path("retake/wire/v1")
Json = dict[str, Any]
SUFFIXES = {"counter": "_total", "info": "_info"}


def wire() -> Iterator[tuple[str, str]]:
    proto = TOP / "proto"
    sources = sorted(str(file.relative_to(proto)) for file in (proto / WIRE).glob("*.proto"))
    with tempfile.TemporaryDirectory() as place:
        argv = ["protoc", f"-I{proto}", f"--python_out={place}", f"--pyi_out={place}", *sources]
        if protoc.main(argv):
            sys.exit("generate: protoc failed; the lines above say why.")
        for file in sorted((Path(place) / WIRE).iterdir()):
            yield f"core/{WIRE}/{file.name}", file.read_text(encoding="utf-8")


def configuration() -> str:
    lines = [
        "# Configuration",
        "",
        "retake reads environment variables, once, at start. A value that breaks its rule, one that is missing, or a",
        "variable that begins with `RETAKE_` and is not listed here stops the process with a sentence about each.",
        "",
        "Every variable may be given as a file instead: `NAME_FILE` holds the path of a file with the value, which is",
        "how a cluster mounts secrets (`RETAKE_DATABASE_URL_FILE=/run/secrets/database-url`). Setting both is refused.",
        "The value of a secret appears in no message and no log.",
        "",
        "This page is generated from `core/retake/settings.py` by `make generate`.",
    ]
    for concern in settings.CONCERNS:
        lines += ["", f"## {concern.__name__}", "", str(concern.__doc__), ""]
        lines += table(
            ("Variable", "Must be", "Default", "Secret", "What it is"),
            (
                (f"`{one.name}`", one.rule.says, default(one), "yes" if one.secret else "", one.explain)
                for one in variables(concern).values()
            ),
        )
    return "\n".join(lines) + "\n"


def default(variable: Variable) -> str:
    if variable.default is not None:
        return f"`{variable.default}`" if variable.default else "empty"
    return "none" if variable.optional else "**required**"


def metric_table() -> str:
    lines = [
        "# Metrics",
        "",
        "Every process serves its metrics at `/metrics` on its own port (`RETAKE_METRICS_PORT`), never behind the",
        "ingress.",
        "",
        "What is counted in a *process* starts at zero with it and is lost with it: when one is killed, what happened",
        "since the last scrape is missing. A metric with labels appears once it was touched. Over processes, take the",
        "`sum`.",
        "",
        "What is read from *rows* is exact: it is counted from the event log, once, whoever died meanwhile, and goes",
        "on where it was. Every API tells the same, so take the `max` over them. While the database (for the stream:",
        "NATS) does not answer, these are absent rather than old.",
        "",
        "This page is generated from `core/retake/metrics.py` by `make generate`.",
        "",
    ]
    found = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase | Figure)]
    lines += table(
        ("Metric", "Type", "Labels", "From", "What it says"),
        (
            (
                f"`{family.name}{SUFFIXES.get(family.type, '')}`",
                family.type,
                labels(one),
                source(one),
                family.documentation,
            )
            for one in (*found, metrics.PROCESS)
            for family in (one.collect() if one is metrics.PROCESS else one.describe())
        ),
    )
    return "\n".join(lines) + "\n"


def labels(metric: Collector) -> str:
    names = getattr(metric, "labels" if isinstance(metric, Figure) else "_labelnames", ())
    return ", ".join(f"`{name}`" for name in names)


def source(metric: Collector) -> str:
    return "rows" if metric in metrics.FROM_ROWS else "process"


def api_document() -> Json:
    """Describing the API needs no tools, but for the settings its routes are made with."""
    none: dict[str, Any] = {tool.name: None for tool in fields(Tools)}
    read = {
        "limits": settings.read(settings.Uploads, {}),
        "storage": settings.read(settings.Storage, {}),
        "web": settings.read(settings.Api, {"RETAKE_PASSWORD": "nobody logs in here"}),
    }
    app = create_app(Tools(**none | read))
    return openapi.document(app)


def typescript(document: Json) -> str:
    """The shapes of bodies for the pages, each with the words the document has for it."""
    lines = ["// What the API says and takes, made of docs/openapi.json by `make generate`."]
    for name, shape in sorted(document["components"]["schemas"].items()):
        lines.append("")
        if "properties" not in shape:
            lines.append(f"export type {name} = {typed(shape)};")
            continue
        lines.append(f"export interface {name} {{")
        for field, inner in shape["properties"].items():
            if words := inner.get("description"):
                lines.append(f"  /** {words} */")
            lines.append(f"  {field}{'' if field in shape.get('required', ()) else '?'}: {typed(inner)};")
        lines.append("}")
    return "\n".join(lines) + "\n"


def typed(schema: Json) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " | ".join(typed(one) for one in schema["anyOf"])
    if values := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return " | ".join(json.dumps(value) for value in values)
    match schema.get("type"):
        case "array" if "prefixItems" in schema:
            return f"[{', '.join(typed(one) for one in schema['prefixItems'])}]"
        case "array":
            inner = typed(schema["items"])
            return f"({inner})[]" if " " in inner else f"{inner}[]"
        case "object":
            inner = schema.get("additionalProperties")
            return f"Record<string, {typed(inner) if isinstance(inner, dict) else 'unknown'}>"
        case "integer" | "number":
            return "number"
        case "string" | "boolean" | "null" as plain:
            return str(plain)
    return "unknown"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    heads = list(head)
    for cells in (heads, ["---"] * len(heads), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def generated() -> dict[str, str]:
    """Path in the repository -> text, of every generated file."""
    document = api_document()
    dashboards = {f"deploy/grafana/{one.name}.json": rendered(one) for one in DASHBOARDS}
    return {
        **dict(wire()),
        "docs/configuration.md": configuration(),
        "docs/metrics.md": metric_table(),
        "docs/openapi.json": json.dumps(document, ensure_ascii=False, indent=1) + "\n",
        "services/api/web/src/shapes.ts": typescript(document),
        **dashboards,
        **generate_chart.generated(dashboards),
    }


def leftovers(wanted: Iterable[str]) -> list[str]:
    """Wire code whose .proto file is gone, dashboards, and what the chart carries of files that are gone."""
    made = (*(TOP / "core" / WIRE).glob("*_pb2.py*"), *(TOP / "deploy/grafana").glob("*.json"))
    present = {str(file.relative_to(TOP)) for file in made}
    return sorted((present | generate_chart.leftovers()) - set(wanted))


def write(files: dict[str, str]) -> None:
    for name, text in files.items():
        place = TOP / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    for name in leftovers(files):
        (TOP / name).unlink()


def check(files: dict[str, str]) -> list[str]:
    """A complaint for each file that is not what would be written now."""
    complaints = []
    for name, text in files.items():
        if not (TOP / name).exists():
            complaints.append(f"{name} is missing")
        elif (TOP / name).read_text(encoding="utf-8") != text:
            complaints.append(f"{name} is not current")
    return complaints + [f"{name} is left over" for name in leftovers(files)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the generated files anew.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a file is not current")
    if not parser.parse_args().check:
        write(generated())
    elif complaints := check(generated()):
        sys.exit("\n".join(f"verify: {one}: run `make generate` and commit what it changes" for one in complaints))


if __name__ == "__main__":
    main()
