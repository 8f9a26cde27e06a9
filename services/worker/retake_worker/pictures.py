"""The samples of a source that an inspect run leaves in its folder: a few small frames, as they are."""

from pathlib import Path

import numpy as np

from retake_worker.distance import Planes
from retake_worker.probe_command import SAMPLES


def read_samples(folder: Path) -> Planes:
    """Of all stretches; the colours as fine as the brightness."""
    files = sorted(folder.glob(SAMPLES.format(window="*")))
    return np.concatenate([_frames(file) for file in files])


def _frames(file: Path) -> Planes:
    """Of YUV4MPEG2: a line that says the size, then for each frame a line and its planes, the colours halved."""
    header, _, rest = file.read_bytes().partition(b"\n")
    said = {field[:1]: field[1:] for field in header.split()[1:]}
    if b"W" not in said:
        return np.zeros((0, 3, 2, 2), np.float32)
    width, height = int(said[b"W"]), int(said[b"H"])
    mark, luma, chroma = len(b"FRAME\n"), width * height, width * height // 4
    frames = np.frombuffer(rest, np.uint8).reshape(-1, mark + luma + 2 * chroma)[:, mark:].astype(np.float32)
    y = frames[:, :luma].reshape(-1, 1, height, width)
    colours = frames[:, luma:].reshape(-1, 2, height // 2, width // 2)
    return np.concatenate([y, colours.repeat(2, axis=2).repeat(2, axis=3)], axis=1)
