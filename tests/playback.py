"""What a player makes of a file: every frame decoded, with its time. Independent of what retake itself reads."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retake_worker.distance import Frames, Planes


@dataclass(frozen=True)
class Track:
    """Times in seconds: when each decoded piece starts, and when the last one is over."""

    starts: list[float]
    end: float

    @property
    def pieces(self) -> int:
        return len(self.starts)


class Player:
    def __init__(self, ffmpeg: Path) -> None:
        self._ffmpeg = ffmpeg

    def picture(self, file: Path) -> Track:
        return self._track(file, "v")

    def sound(self, file: Path) -> Track:
        return self._track(file, "a") if "Audio:" in self.says(file) else Track([], 0)

    def _track(self, file: Path, kind: str) -> Track:
        """Empty when there is none."""
        told = self._run(file, "-map", f"0:{kind}:0", "-fps_mode", "passthrough", "-enc_time_base", "1:90000",
                         "-f", "framecrc", "-").decode().splitlines()  # fmt: skip
        tick = next((line.split(":")[1].split("/") for line in told if line.startswith("#tb")), ["1", "1"])
        scale = int(tick[0]) / int(tick[1])
        rows = [[int(field) for field in line.split(",")[:4]] for line in told if line and line[0] != "#"]
        return Track([row[2] * scale for row in rows], max(((row[2] + row[3]) * scale for row in rows), default=0))

    def frames(self, file: Path, width: int, height: int, *filters: str) -> Planes:
        """Every frame, small: frames x (Y, U, V) x height x width."""
        chain = ",".join([*filters, f"scale={width}:{height}:flags=area", "format=yuv444p"])
        raw = self._run(
            file, "-vf", chain, "-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-f", "rawvideo", "-"
        )
        return np.frombuffer(raw, np.uint8).reshape(-1, 3, height, width).astype(np.float32)

    def look(self, file: Path, positions: list[int], width: int, height: int) -> Frames:
        return Frames(self.frames(file, width, height)[positions])

    def loudness(self, file: Path, per_second: int = 1000) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        """The loudest sample of each piece of a second."""
        raw = self._run(file, "-ac", "1", "-ar", "48000", "-f", "s16le", "-")
        samples = np.abs(np.frombuffer(raw, np.int16).astype(np.float64))
        step = 48000 // per_second
        return samples[: len(samples) // step * step].reshape(-1, step).max(axis=1)

    def lufs(self, file: Path) -> float:
        """How loud all of it is to people (EBU R 128)."""
        argv = [self._ffmpeg, "-nostdin", "-hide_banner", "-i", file, "-vn", "-af", "ebur128", "-f", "null", "-"]
        said = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stderr
        return float(re.findall(r"I: +(-?[0-9.]+) LUFS", said)[-1])

    def peak(self, file: Path) -> float:
        """The farthest sample, as a share of full scale, before a player cuts it off."""
        raw = self._run(file, "-vn", "-f", "f32le", "-")
        return float(np.abs(np.frombuffer(raw, np.float32)).max())

    def colour(self, file: Path) -> list[float]:
        """Red, green and blue as a screen shows them, on average."""
        raw = self._run(file, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
        return [float(mean) for mean in np.frombuffer(raw, np.uint8).reshape(-1, 3).mean(axis=0)]

    def says(self, file: Path) -> str:
        """All that ffmpeg says of a file when it is asked nothing."""
        argv = [self._ffmpeg, "-hide_banner", "-i", file]
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False).stderr

    def _run(self, file: Path, *arguments: str) -> bytes:
        argv = [self._ffmpeg, "-nostdin", "-v", "error", "-i", file, *arguments]
        done = subprocess.run(argv, capture_output=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, b""), done.stderr
        return done.stdout
