from pathlib import Path

import pytest
from tests.agreement.checkout import TOP, change, copy, run

PART = "proto/retake/wire/v1/part.proto"


def breaking(top: Path, home: Path) -> tuple[int, str]:
    return run(top, "buf", "breaking", "proto", "--against", "proto/released.json", home=home)


def test_the_schema_only_grew_since_the_release_and_needs_no_home_to_tell(tmp_path: Path) -> None:
    assert breaking(TOP, tmp_path) == (0, "")
    assert run(TOP, "buf", "lint", "proto", home=tmp_path) == (0, "")


def test_a_new_field_is_growth(tmp_path: Path) -> None:
    top = copy(tmp_path)
    change(top / PART, "string kind = 3;", "string kind = 3;\n  string mood = 9;")

    assert breaking(top, tmp_path) == (0, "")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("  string kind = 3;\n", "", 'Previously present field "3" with name "kind"'),
        ("string kind = 3;", "uint32 kind = 3;", 'Field "3" with name "kind" on message "PartAnnounced" changed type'),
        ("string kind = 3;", "string sort = 3;", "changed name"),
        ("string kind = 3;", "string kind = 9;", 'Previously present field "3"'),
    ],
)
def test_a_field_that_went_or_changed_is_refused(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    top = copy(tmp_path)
    change(top / PART, old, new)

    code, words = breaking(top, tmp_path)

    assert code != 0
    assert complaint in words


def test_the_released_schema_is_an_image_without_source_positions() -> None:
    assert "sourceCodeInfo" not in (TOP / "proto/released.json").read_text()
