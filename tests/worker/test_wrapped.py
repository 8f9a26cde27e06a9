"""Files that lie about their length, or about anything."""

import io
import random

import pytest

from clips import Clips
from retake.domain.errors import BadInput
from retake_worker.wrapped import avi_seconds, matroska_seconds

SECONDS = {"mkv": 2.0, "webm": 0.5, "avi": 1.0}


class Bounded(io.BytesIO):
    """Nobody may read it as a whole."""

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert 0 <= size <= 2**20
        return super().read(size)


def seconds(name: str, data: bytes) -> float | None:
    told = avi_seconds if name == "avi" else matroska_seconds
    return told(Bounded(data), len(data))


@pytest.mark.parametrize("name", SECONDS)
def test_a_file_says_how_long_it_is(clips: Clips, name: str) -> None:
    assert seconds(name, clips(name).read_bytes()) == pytest.approx(SECONDS[name], abs=0.1)


def test_a_live_recording_says_nothing(clips: Clips) -> None:
    assert seconds("webm", clips("webm_live").read_bytes()) is None


@pytest.mark.parametrize("name", SECONDS)
def test_whatever_bytes_say_it_is_a_number_or_bad_input(clips: Clips, name: str) -> None:
    whole, dice = clips(name).read_bytes(), random.Random(4)
    refused = 0
    for _ in range(500):
        data = bytearray(whole)
        for _ in range(3):
            data[dice.randrange(400)] = dice.choice([0, 1, 127, 128, 255])
        try:
            assert isinstance(seconds(name, bytes(data)), float | None)
        except BadInput:
            refused += 1

    assert refused


def test_a_head_without_length_is_not_read_to_the_end_of_the_file(clips: Clips) -> None:
    data = clips("avi").read_bytes()
    place = data.index(b"hdrl") - 4

    with pytest.raises(BadInput):
        seconds("avi", data[:place] + bytes(4) + data[place + 4 :])
