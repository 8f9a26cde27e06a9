"""The measure of difference, on planes made for it; on rendered takes it is tested in test_render.py."""

from pathlib import Path

import numpy as np
import pytest

from retake.domain.effects.effect import Size
from retake_worker.distance import (
    Difference,
    Frames,
    Planes,
    averaging,
    compare,
    differences,
    distances,
    near_pairs,
    read_frames,
    read_stacked,
)

SHAPE = (6, 3, 90, 160)


def picture(seed: int = 1, shape: tuple[int, ...] = SHAPE) -> Planes:
    """Coarse noise: something with structure at every place."""
    coarse = np.random.default_rng(seed).uniform(30, 220, (*shape[:2], shape[2] // 10 + 1, shape[3] // 10 + 1))
    return coarse.repeat(10, axis=2).repeat(10, axis=3)[..., : shape[2], : shape[3]].astype(np.float32)


def plain_ssim(one: Planes, other: Planes) -> float:
    """The formula as everybody writes it, window by window."""
    scores = []
    for a, b in zip(one[:, 0].astype(float), other[:, 0].astype(float), strict=True):
        for top in range(0, a.shape[0] // 4 * 4 - 4, 4):
            for left in range(0, a.shape[1] // 4 * 4 - 4, 4):
                x, y = a[top : top + 8, left : left + 8], b[top : top + 8, left : left + 8]
                c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
                covariance = ((x - x.mean()) * (y - y.mean())).mean()
                scores.append(
                    (2 * x.mean() * y.mean() + c1)
                    * (2 * covariance + c2)
                    / ((x.mean() ** 2 + y.mean() ** 2 + c1) * (x.var() + y.var() + c2))
                )
    return float(np.mean(scores))


def test_a_take_is_as_near_to_itself_as_can_be() -> None:
    look = compare(Frames(picture()), Frames(picture()))

    assert look.data(time=1.05) == {
        "structure": 0.0, "look": {"ssim": 1.0, "dyuv": 0.0}, "time": 1.05, "mirrored": False, "near": True
    }  # fmt: skip
    assert look.near


def test_structure_is_compared_by_the_formula_everybody_uses() -> None:
    one, other = picture(1), picture(1) * 0.8 + picture(2) * 0.2

    assert compare(Frames(one), Frames(other)).ssim == pytest.approx(plain_ssim(one, other), abs=2e-4)


def test_a_brighter_take_has_the_same_structure_and_other_colours() -> None:
    look = compare(Frames(picture()), Frames(picture() + np.float32(9)))

    assert look.ssim > 0.985
    assert look.dyuv == pytest.approx(9)
    assert not look.near


def test_a_mirrored_take_has_another_structure() -> None:
    look = compare(Frames(picture()), Frames(picture()[..., ::-1]))

    assert look.ssim < 0.6
    assert not look.near


def test_a_mirrored_take_is_known_for_what_it_is_by_its_hash() -> None:
    there, back = Frames(picture()), Frames(picture()[..., ::-1])

    assert compare(there, back).mirrored
    assert compare(there, back).structure < 12
    assert not compare(there, there).mirrored
    assert compare(there, there).structure == 0


def test_other_pictures_differ_in_about_half_of_the_bits_of_their_hashes() -> None:
    assert 90 < compare(Frames(picture(1)), Frames(picture(2))).structure <= 128


def test_a_hash_does_not_mind_other_colours() -> None:
    assert compare(Frames(picture()), Frames(picture() * np.float32(0.9) + np.float32(8))).structure < 12


def test_takes_are_near_only_when_both_figures_say_so() -> None:
    assert Difference(9, 0.986, 1.4, mirrored=False).near
    assert not Difference(9, 0.984, 1.4, mirrored=False).near
    assert not Difference(9, 0.986, 1.6, mirrored=False).near


def test_upright_pictures_have_an_upright_grid() -> None:
    upright = picture(shape=(2, 3, 160, 90))

    assert Frames(upright).grid.shape == (2, 3, 16, 9)
    assert Frames(picture()).grid.shape == (6, 3, 9, 16)


def test_fields_that_end_within_a_sample_share_it() -> None:
    ramp = np.broadcast_to(np.arange(20, dtype=np.float32), (1, 3, 16, 20))

    grid = Frames(np.ascontiguousarray(ramp)).grid

    assert grid.mean() == pytest.approx(9.5)
    assert grid[0, 0, 0, :2] == pytest.approx([0.2, 1.4])  # (0 + 1/4 of 1) / 1.25, (3/4 of 1 + 1/2 of 2) / 1.25


def test_takes_with_other_numbers_of_frames_are_not_compared() -> None:
    with pytest.raises(ValueError, match="6 and 5 frames"):
        compare(Frames(picture()), Frames(picture()[:5]))


def test_each_take_knows_its_source_and_the_take_most_like_it() -> None:
    looks = {0: picture(), 2: picture(2), 3: picture(3), 7: picture(2) + np.float32(2)}

    pairs = differences({index: Frames(planes) for index, planes in looks.items()})
    measured = distances(pairs, [2, 3, 7], {0: 10, 2: 9, 3: 10, 7: 12})

    assert set(measured) == {2, 3, 7}
    assert measured[2]["nearest"] == {"index": 7, **compare(Frames(looks[2]), Frames(looks[7])).data(0.75)}
    assert measured[7]["nearest"]["index"] == 2
    assert measured[3]["source"] == compare(Frames(looks[0]), Frames(looks[3])).data(1)
    assert near_pairs(pairs) == []


def test_near_pairs_are_found_among_takes_and_with_the_source() -> None:
    looks = {0: picture(), 1: picture(2), 2: picture() + np.float32(1), 3: picture(2) + np.float32(1)}

    assert near_pairs(differences({index: Frames(planes) for index, planes in looks.items()})) == [(0, 2), (1, 3)]


def test_a_take_alone_is_compared_with_its_source_only() -> None:
    measured = distances(differences({0: Frames(picture()), 1: Frames(picture(2))}), [1], {0: 1, 1: 1})

    assert set(measured[1]) == {"source"}


def test_frames_are_read_plane_by_plane(tmp_path: Path) -> None:
    file = tmp_path / "1.yuv"
    file.write_bytes(bytes([10]) * 160 * 16 + bytes([20]) * 160 * 16 + bytes([30]) * 160 * 16)

    frames = read_frames(file, Size(160, 16))

    assert frames.count == 1
    assert frames.grid.mean(axis=(0, 2, 3)) == pytest.approx([10, 20, 30])


def test_frames_below_each_other_are_read_as_one_take_each(tmp_path: Path) -> None:
    file = tmp_path / "sisters.yuv"
    plane = bytes([10]) * 160 * 16 + bytes([90]) * 160 * 16
    file.write_bytes(plane * 3)

    upper, lower = read_stacked(file, Size(160, 16), 2)

    assert (upper.y.mean(), lower.y.mean()) == (10, 90)
    assert lower.count == 1


@pytest.mark.parametrize(("start", "stretch"), [(0, None), (3.3, 11.7), (0, 7)])
def test_averaging_weighs_every_sample_by_what_is_shared(start: float, stretch: float | None) -> None:
    matrix = averaging(20, 6, start, stretch)

    middle = start + (20 if stretch is None else stretch) / 2
    assert matrix.sum(axis=1) == pytest.approx([1] * 6)
    assert (matrix @ (np.arange(20) + 0.5)).mean() == pytest.approx(middle, abs=0.05)
