"""How much `make run` stores before it makes room, when nobody says."""

import os
import shutil
from pathlib import Path

import pytest

from retake_local.folder import storage_cap

GIB = 2**30


def test_it_is_four_fifths_of_what_the_disk_has_for_objects_also_when_they_are_there_already(tmp_path: Path) -> None:
    empty = int(storage_cap(tmp_path, {})["RETAKE_STORAGE_CAP_MIB"])
    free = shutil.disk_usage(tmp_path).free / 2**20
    (tmp_path / "s3" / "bucket").mkdir(parents=True)
    with (tmp_path / "s3" / "bucket" / "object").open("wb") as sparse:
        os.truncate(sparse.fileno(), 1000 * GIB)

    full = int(storage_cap(tmp_path, {})["RETAKE_STORAGE_CAP_MIB"])

    assert empty == pytest.approx(0.8 * free, abs=5 * 1024)  # others write to this disk, too
    assert full - empty == pytest.approx(0.8 * 1000 * 1024, abs=5 * 1024)


@pytest.mark.parametrize("name", ["RETAKE_STORAGE_CAP_MIB", "RETAKE_S3_ENDPOINT"])
def test_a_cap_that_is_set_and_a_store_that_is_elsewhere_are_left_alone(tmp_path: Path, name: str) -> None:
    assert storage_cap(tmp_path, {name: "given"}) == {}
