"""What is in a job's ZIP: its finished takes, a folder per source, and before them manifest.json, which says of each
take what it is and how to render it again. Only facts that never change, so the same takes give the same bytes."""

import json
from collections.abc import Sequence

from retake.store.results import FinishedTake, Results
from retake_api.zipnames import MANIFEST, clean, folders, stem, take_path
from retake_api.zipstream import Entry, Stored, literal


def entries(results: Results) -> list[Entry]:
    named = folders(results.sources)
    paths = [take_path(named[take.source], take.index, results.variations) for take in results.takes]
    takes = [
        Entry(path, results.created_at, take.size, take.crc32, Stored(take.key))
        for path, take in zip(paths, results.takes, strict=True)
    ]
    return [literal(MANIFEST, results.created_at, manifest(results, paths)), *takes]


def manifest(results: Results, paths: Sequence[str]) -> bytes:
    """`paths` are those of the takes inside the ZIP."""
    document = {
        "version": 1,
        "jobId": str(results.job),
        "createdAt": results.created_at.isoformat(),
        "variations": [_described(results, take, path) for path, take in zip(paths, results.takes, strict=True)],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def filename(results: Results) -> str:
    """What the ZIP is called: like its job, else like its only source, else by its id."""
    if isinstance(name := results.options.get("name"), str) and name.strip():
        return f"{clean(name)}.zip"
    if len(results.sources) == 1:
        return f"{stem(results.sources[0])}.zip"
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
