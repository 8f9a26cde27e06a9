"""How far the takes of a video were kept apart, as people are told.

Planned on samples of the source at first, then measured on what was rendered. A pair is two indices; 0 is the source.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Pair = tuple[int, int]


def told(pairs: Sequence[Pair], takes: int, *, measured: bool) -> dict[str, Any]:
    """As it is stored with a video."""
    return {"pairs": [list(pair) for pair in sorted(pairs)], "takes": takes, "measured": measured}


def shown(stored: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Of one video, or of all of a job that have it: None when none has."""
    videos = list(stored)
    if not videos:
        return None
    pairs = [pair for video in videos for pair in video["pairs"]]
    return {"near_pairs": len(pairs), "kept": not pairs, "note": _note(pairs) if pairs else None}


def _note(pairs: Sequence[Sequence[int]]) -> str:
    sources = sum(0 in pair for pair in pairs)
    takes = len(pairs) - sources
    found = []
    if takes:
        found.append(f"{takes} pair{'s' if takes > 1 else ''} of takes")
    if sources:
        found.append(f"{sources} take{'s' if sources > 1 else ''} and the source")
    return f"{' and '.join(found)} look nearly the same; fewer variations or a stronger preset keep them apart."
