"""What is in a job's ZIP: its finished takes, a folder per source, and before them manifest.json and manifest.csv, both
of which say of each take what it is and how to render it again. Only facts that never change, so the same takes give
the same bytes."""

import csv
import io
import json
from collections.abc import Mapping, Sequence

from retake.store.results import FinishedTake, Results
from retake_api.segments import Stored
from retake_api.zipnames import MANIFEST, TABLE, clean, folders, stem, take_path
from retake_api.zipstream import Entry, literal


def entries(results: Results) -> list[Entry]:
    named = folders(results.sources)
    paths = [take_path(named[take.source], take.index, results.variations) for take in results.takes]
    takes = [
        Entry(path, results.created_at, take.size, take.crc32, Stored(take.key))
        for path, take in zip(paths, results.takes, strict=True)
    ]
    described = [_described(results, take, path) for path, take in zip(paths, results.takes, strict=True)]
    return [
        literal(MANIFEST, results.created_at, manifest(results, described)),
        literal(TABLE, results.created_at, table(described)),
        *takes,
    ]


def manifest(results: Results, described: Sequence[Mapping[str, object]]) -> bytes:
    document = {
        "version": 1,
        "jobId": str(results.job),
        "createdAt": results.created_at.isoformat(),
        "variations": described,
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def table(described: Sequence[Mapping[str, object]]) -> bytes:
    """The same as comma-separated values, a line per take; what has parts is JSON."""
    text = io.StringIO(newline="")
    lines = csv.DictWriter(text, described[0])
    lines.writeheader()
    for one in described:
        lines.writerow(
            {name: json.dumps(it, ensure_ascii=False) if isinstance(it, Mapping) else it for name, it in one.items()}
        )
    return text.getvalue().encode()


def filename(results: Results) -> str:
    """What the ZIP is called: like its job, else like its only source, else by its id."""
    if isinstance(name := results.options.get("name"), str) and name.strip():
        return f"{clean(name)}.zip"
    if len(only := {take.source for take in results.takes}) == 1:
        return f"{stem(results.sources[only.pop()])}.zip"
    return f"retake-{str(results.job)[:8]}.zip"


def _described(results: Results, take: FinishedTake, path: str) -> dict[str, object]:
    return {
        "path": path,
        "source": results.sources[take.source],
        "index": take.index,
        "seed": results.seed,
        "recipe": take.recipe,
        "engine": take.engine,
        "distance": take.distance,
        "duration": take.duration,
        "size": take.size,
        "crc32": f"{take.crc32:08x}",
        "sha256": take.sha256,
    }
