"""Samples that stand in fragments (moof) beside or instead of the index: recorders and streams write them so."""

from dataclasses import dataclass, field

from retake_worker.boxes import Box, broken
from retake_worker.samples import Samples

_FIELDS = (0x100, 0x200, 0x400, 0x800)  # duration, size, flags, shift of each sample, in this order


@dataclass
class _Run:
    """Of one track, in one fragment. `lasts` is None when the track's default holds."""

    count: int
    lasts: int | None


@dataclass
class Fragments:
    """What all fragments of a file hold, by track."""

    _runs: dict[int, list[_Run]] = field(default_factory=dict)

    def add(self, moof: Box) -> None:
        for traf in moof.children():
            if traf.name != b"traf":
                continue
            tfhd = traf.child(b"tfhd")
            each = _default_duration(tfhd)
            runs = self._runs.setdefault(tfhd.number(4), [])
            runs += [_run(trun, each) for trun in traf.children() if trun.name == b"trun"]

    def samples(self, track: int, mvex: Box | None) -> Samples | None:
        """A track's samples in all fragments; each run is taken to begin with one that needs no other."""
        runs = self._runs.get(track)
        if runs is None:
            return None
        default = 0
        for trex in mvex.children() if mvex is not None else ():
            if trex.name == b"trex" and trex.number(4) == track:
                default = trex.number(12)
        count, ticks, sync = 0, 0, []
        for run in runs:
            if run.count:
                sync.append(count)
            count += run.count
            ticks += run.count * default if run.lasts is None else run.lasts
        return Samples(count, ticks, sync, 0)


def _default_duration(tfhd: Box) -> int | None:
    if not tfhd.flags & 0x8:
        return None
    return tfhd.number(8 + (8 if tfhd.flags & 0x1 else 0) + (4 if tfhd.flags & 0x2 else 0))


def _run(trun: Box, each: int | None) -> _Run:
    count, flags = trun.number(4), trun.flags
    columns = sum(bool(flags & one) for one in _FIELDS)
    at = 8 + (4 if flags & 0x1 else 0) + (4 if flags & 0x4 else 0)
    if columns and at + count * columns * 4 > len(trun):
        raise broken("a run of samples does not fit into its box")
    if flags & 0x100:
        return _Run(count, sum(trun.table(at, count, columns)[0]))
    return _Run(count, None if each is None else count * each)
