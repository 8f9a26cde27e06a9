"""The clips that look filmed are what tests believe of them."""

import numpy as np
import pytest

from scenes import KINDS, Film, frames


def brightness(of: Film) -> np.ndarray:
    shown = np.stack([np.frombuffer(frame, np.uint8) for frame in frames(of)])
    assert shown.shape == (of.count, of.width * of.height * 3 // 2)
    return shown[:, : of.width * of.height].astype(float)


@pytest.mark.parametrize("kind", KINDS)
def test_a_film_is_the_same_every_time_and_moves(kind: str) -> None:
    of = Film(kind, 96, 54, seconds=0.4)

    shown = brightness(of)

    assert (shown == brightness(of)).all()
    assert (np.abs(np.diff(shown, axis=0)).mean(axis=1) > 0).any()


def test_another_seed_is_another_film() -> None:
    assert (brightness(Film("motion", 96, 54, 0.1)) != brightness(Film("motion", 96, 54, 0.1, seed=2))).any()


def test_a_hand_held_camera_moves_more_than_a_talking_head_and_cuts() -> None:
    motion, face = (
        np.abs(np.diff(brightness(Film(kind, 96, 54, seconds=2.2)), axis=0)).mean(axis=1) for kind in ("motion", "face")
    )

    assert np.median(motion) > 1.5 * np.median(face)
    assert motion.argmax() + 1 == 57
    assert motion.max() > 4 * np.median(motion)


def test_the_dark_is_dark() -> None:
    assert np.median(brightness(Film("dark", 96, 54, 0.1))) < 45
