"""Draws a dashboard with the figures of a running Prometheus, as an SVG file: for those who have no Grafana.

python local/draw.py http://127.0.0.1:9090 journey drawn.svg --minutes 10
"""

import argparse
import html
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

BOARDS = Path(__file__).resolve().parent.parent / "deploy/grafana"
CELL_X, CELL_Y, STEPS = 60, 36, 240
COLOURS = ("#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0", "#508642", "#cca300")
LIGHTS = {"green": "#73bf69", "orange": "#ff9830", "red": "#f2495c"}
UNITS = {"percentunit": (100, " %"), "s": (1, " s"), "reqps": (1, "/s")}


@dataclass(frozen=True)
class Line:
    legend: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Asked:
    """A Prometheus, and the time that is shown."""

    address: str
    since: float
    until: float

    def lines(self, target: Mapping[str, Any]) -> Iterator[Line]:
        step = max(1.0, (self.until - self.since) / STEPS)
        around = {"__rate_interval": f"{max(15, int(4 * step))}s", "__range": f"{int(self.until - self.since)}s"}
        query = target["expr"]
        for name, value in {**around, "namespace": ".*"}.items():
            query = query.replace(f"${name}", value)
        asked = urlencode({"query": query, "start": self.since, "end": self.until, "step": step})
        with urlopen(f"{self.address}/api/v1/query_range?{asked}") as answer:  # noqa: S310  the address is the caller's
            found = json.load(answer)["data"]["result"]
        for one in found:
            legend = target["legendFormat"]
            for name, value in one["metric"].items():
                legend = legend.replace(f"{{{{{name}}}}}", value)
            points = [(at, float(value)) for at, value in one["values"] if math.isfinite(float(value))]
            if points:
                yield Line(legend, points)


def told(value: float, unit: str) -> str:
    if unit in {"bytes", "Bps"}:
        for size in ("B", "KB", "MB", "GB"):
            if value < 1000 or size == "GB":
                return f"{value:.3g} {size}{'/s' if unit == 'Bps' else ''}"
            value /= 1000
    factor, word = UNITS.get(unit, (1, ""))
    return f"{value * factor:.3g}{word}"


def text(x: float, y: float, words: str, *, size: int = 11, colour: str = "#ccccdc", anchor: str = "start") -> str:
    style = f'font-size="{size}" fill="{colour}" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{html.escape(words)}</text>'


def stacked(lines: Sequence[Line]) -> list[Line]:
    """Each on top of those before it, at the times of all."""
    below: dict[float, float] = {}
    found = []
    for line in lines:
        below |= {at: below.get(at, 0) + value for at, value in line.points}
        found.append(Line(line.legend, [(at, below[at]) for at, _ in line.points]))
    return found


def chart(panel: Mapping[str, Any], lines: Sequence[Line], asked: Asked, box: tuple[float, ...]) -> Iterator[str]:
    x, y, width, height = box
    unit = panel["fieldConfig"]["defaults"]["unit"]
    piled = panel["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "normal"
    shown = stacked(lines) if piled else list(lines)
    values = [value for line in shown for _, value in line.points] or [0.0]
    least = 0.0 if panel["fieldConfig"]["defaults"]["min"] == 0 else min(values) - 1
    most = max(*values, least + 1e-9) * 1.05
    left, floor, inner = x + 58, y + height - 34, height - 66

    def place(at: float, value: float) -> str:
        across = left + (width - 70) * (at - asked.since) / (asked.until - asked.since)
        return f"{across:.1f},{floor - inner * (value - least) / (most - least):.1f}"

    for part in (0, 0.5, 1):
        level = floor - inner * part
        yield f'<line x1="{left}" x2="{x + width - 12}" y1="{level:.1f}" y2="{level:.1f}" stroke="#33343b"/>'
        yield text(left - 4, level + 4, told(least + (most - least) * part, unit), size=9, anchor="end")
    for number, line in reversed(list(enumerate(shown))):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(place(*point) for point in line.points)
        if piled:
            ends = (place(line.points[-1][0], least), place(line.points[0][0], least))
            yield f'<polygon points="{path} {ends[0]} {ends[1]}" fill="{colour}" opacity="0.45"/>'
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    across = left
    for number, line in enumerate(lines):
        words = line.legend or "value"
        if across + 6 * len(words) > x + width:
            yield text(across, floor + 26, f"and {len(lines) - number} more", size=9)
            break
        yield text(across, floor + 26, f"■ {words}", size=9, colour=COLOURS[number % len(COLOURS)])
        across += 18 + 5.4 * len(words)


def figure(panel: Mapping[str, Any], lines: Sequence[Line], box: tuple[float, ...]) -> Iterator[str]:
    x, y, width, height = box
    defaults = panel["fieldConfig"]["defaults"]
    if panel["type"] == "stat":
        value = lines[0].points[-1][1] if lines else None
        steps = defaults.get("thresholds", {"steps": []})["steps"]
        reached = [one["color"] for one in steps if value is not None and value >= (one["value"] or 0)]
        colour = LIGHTS[reached[-1] if reached else "green"]
        words = defaults["noValue"] if value is None else told(value, defaults["unit"])
        yield text(x + width / 2, y + height / 2 + 22, words, size=30, colour=colour, anchor="middle")
        return
    most = max((line.points[-1][1] for line in lines), default=1)
    for number, line in enumerate(sorted(lines, key=lambda one: -one.points[-1][1])[:8]):
        top = y + 36 + 26 * number
        yield text(x + 10, top + 13, line.legend)
        long = (width - 260) * line.points[-1][1] / most
        yield f'<rect x="{x + 190}" y="{top}" width="{long:.1f}" height="18" fill="{COLOURS[0]}"/>'
        yield text(x + 196 + long, top + 13, told(line.points[-1][1], defaults["unit"]))


def drawn(board: Mapping[str, Any], asked: Asked) -> str:
    shapes = []
    for panel in board["panels"]:
        place = panel["gridPos"]
        box = (place["x"] * CELL_X + 4, place["y"] * CELL_Y + 4, place["w"] * CELL_X - 8, place["h"] * CELL_Y - 8)
        if panel["type"] == "row":
            shapes.append(text(box[0], box[1] + 20, panel["title"], size=15))
            continue
        lines = [line for target in panel["targets"] for line in asked.lines(target)]
        size = f'width="{box[2]}" height="{box[3]}"'
        shapes.append(f'<rect x="{box[0]}" y="{box[1]}" {size} fill="#181b1f" stroke="#33343b" rx="2"/>')
        shapes.append(text(box[0] + 10, box[1] + 20, panel["title"], size=13))
        if panel["type"] == "timeseries":
            shapes += chart(panel, lines, asked, box) if lines else [text(box[0] + 10, box[1] + 60, "no data")]
        else:
            shapes += figure(panel, lines, box)
    wide = 24 * CELL_X
    high = CELL_Y * max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" font-family="sans-serif">'
    return "\n".join([head, f'<rect width="{wide}" height="{high}" fill="#111217"/>', *shapes, "</svg>"]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw a dashboard with the figures of a running Prometheus.")
    parser.add_argument("prometheus", help="its address")
    parser.add_argument("dashboard", choices=sorted(file.stem for file in BOARDS.glob("*.json")))
    parser.add_argument("picture", type=Path, help="the SVG file to write")
    parser.add_argument("--minutes", type=float, default=15, help="how many of the last minutes are shown")
    given = parser.parse_args()
    until = time.time()
    asked = Asked(given.prometheus, until - 60 * given.minutes, until)
    board = json.loads((BOARDS / f"{given.dashboard}.json").read_text(encoding="utf-8"))
    given.picture.write_text(drawn(board, asked), encoding="utf-8")


if __name__ == "__main__":
    main()
