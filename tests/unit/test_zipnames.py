import posixpath
import unicodedata
from pathlib import PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retake_api.zipnames import clean, folders, stem, take_path

ODD = [
    "..", ".", "/", "\\", ":", "C:", "~", "a", "A", "é", "e\u0301", "ß", "ss", "İ", "CON", "nul", "com1", ".mp4",
    ".MOV", " ", "\0", "\n", "\x85", "\u202e", "\ud800", " (2)", "manifest.json", "日本", "👩‍👩‍👧", "x" * 130,
    "é" * 130, "😀" * 60,
]  # fmt: skip
names = st.one_of(
    st.text(st.characters(exclude_categories=())),
    st.lists(st.sampled_from(ODD), max_size=8).map("".join),
)


@given(st.lists(names, max_size=8), st.integers(1, 20))
@example(["..", "../..", "/etc/passwd", "C:\\x", "\\\\host\\share", ".", ""], 1)
@example(["CON" + " " * 250 + "x", "a" * 300, "a" * 300 + "b", "😀" * 100], 20)
@example(["manifest.json.mp4", "MANIFEST.CSV"], 20)
def test_no_name_leaves_its_folder_or_meets_another_on_any_system(sources: list[str], takes: int) -> None:
    named = folders(sources)

    for folder in named:
        path = take_path(folder, takes, takes)
        assert posixpath.normpath(f"/somewhere/{path}") == f"/somewhere/{path}"
        assert len(PureWindowsPath(path).parts) == 2
        for part in path.split("/"):
            assert part not in {"", ".", ".."}
            assert not set(part) & set('/\\:*?"<>|')
            assert not any(unicodedata.category(char) in {"Cc", "Cs"} for char in part)
            assert part == part.rstrip(". ")
            assert len(part.encode()) <= 255
            assert part.partition(".")[0].rstrip().lower() not in {"con", "prn", "aux", "nul", "com1", "lpt1"}
    alike = {unicodedata.normalize("NFC", unicodedata.normalize("NFC", folder).casefold()) for folder in named}
    assert len(alike | {"manifest.json", "manifest.csv"}) == len(sources) + 2


@given(names)
@example("con." + 100 * "🗾")
def test_a_clean_name_is_clean(name: str) -> None:
    assert clean(clean(name)) == clean(name)


@pytest.mark.parametrize(
    "name",
    [
        "été",
        "e\u0301te\u0301",
        "日本語の動画",
        "Ελληνικά",
        "עברית",
        "हिन्दी",
        "👩‍👩‍👧 family",
        "a b",
        "v1.2 final",
        "100%",
        "-rf",
        ".hidden",
    ],
)
def test_any_unicode_stays_as_it_was_given(name: str) -> None:
    assert stem(f"{name}.mp4") == name


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("clip.mp4", "clip"),
        ("clip.MOV", "clip"),
        ("clip.mp4.mov", "clip.mp4"),
        ("holiday.2024", "holiday.2024"),
        ("a/b\\c.mp4", "a_b_c"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("..", "video"),
        ("", "video"),
        (".mp4", "video"),
        ("bell\x07\x7f\x85.mp4", "bell___"),
        ("line\nbreak.mp4", "line_break"),
        ("nothing\0.mp4", "nothing_"),
        ("half \ud800.mp4", "half _"),
        ("dots... .mp4", "dots"),
        ("CON.mp4", "_CON"),
        ("nul", "_nul"),
        ("Com1 .h264.mp4", "_Com1 .h264"),
        ("COM¹", "_COM¹"),
        ("console.mp4", "console"),
        ('who? "me" <a|b>*.mp4', "who_ _me_ _a_b__"),
    ],
)
def test_what_a_file_system_would_refuse_is_replaced(source: str, expected: str) -> None:
    assert stem(source) == expected


def test_a_long_name_is_cut_between_characters_so_that_its_files_fit() -> None:
    (folder,) = folders(["a" + "é" * 300])

    assert folder == "a" + "é" * 119
    assert len(take_path(folder, 20, 20).split("/")[1].encode()) <= 255


def test_long_names_that_differ_at_their_ends_only_are_told_apart() -> None:
    one, other = folders(["x" * 300 + "1", "x" * 300 + "2"])

    assert other == "x" * (len(one) - 4) + " (2)"


def test_names_that_are_one_to_some_file_system_get_a_number() -> None:
    sources = ["clip.mp4", "clip.mov", "CLIP.mp4", "clip (2).mp4", "été", "e\u0301te\u0301", "a/b", "a:b"]

    assert folders(sources) == [
        "clip", "clip (2)", "CLIP (3)", "clip (2) (2)", "été", "e\u0301te\u0301 (2)", "a_b", "a_b (2)",
    ]  # fmt: skip


def test_no_folder_takes_the_place_of_the_manifest() -> None:
    assert folders(["Manifest.JSON.mp4", "manifest.csv"]) == ["Manifest.JSON (2)", "manifest.csv (2)"]


def test_many_equal_names_are_numbered_in_order_of_the_videos() -> None:
    assert folders(["a.mp4"] * 500)[-2:] == ["a (499)", "a (500)"]


@pytest.mark.parametrize(
    ("index", "takes", "path"), [(1, 1, "a/a_var1.mp4"), (3, 9, "a/a_var3.mp4"), (3, 10, "a/a_var03.mp4")]
)
def test_the_numbers_of_a_jobs_takes_are_equally_wide(index: int, takes: int, path: str) -> None:
    assert take_path("a", index, takes) == path
