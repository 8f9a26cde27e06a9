import json

import pytest

from retake_api.options import LARGEST_SEED, Options, read_options, read_variations
from retake_api.problems import Problem


@pytest.mark.parametrize(
    ("text", "count"),
    [("", None), ("  ", None), ("1", 1), ("5", 5), ("20", 20), ("0", 1), ("-3", 1), ("100", 20), ("3.7", 3),
     ("1e1", 10), (" 4\n", 4), ("+6", 6), (".5", 1), ("7.", 7), ("1e999", 20), ("-1e999", 1), ("9" * 400, 20)],
)  # fmt: skip
def test_numbers_of_variations_are_clamped_and_truncated(text: str, count: int | None) -> None:
    assert read_variations(text) == count


@pytest.mark.parametrize("text", ["abc", "3 or 4", "nan", "inf", "0x10", "1_000", "٣", "1e", "--1", "3,5"])
def test_text_that_is_no_number_is_refused_with_the_rule(text: str) -> None:
    with pytest.raises(Problem, match="1 to 20") as refused:
        read_variations(text)

    assert refused.value.status == 422


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", Options()),
        ("{}", Options()),
        ('{"seed": 0}', Options(seed=0)),
        (f'{{"seed": {LARGEST_SEED}}}', Options(seed=LARGEST_SEED)),
        ('{"name": "Söckchen", "seed": null}', Options(name="Söckchen")),
        ('{"priority": "low", "keepSource": false}', Options(priority="low", keep_source=False)),
    ],
)
def test_options_are_read(text: str, options: Options) -> None:
    assert read_options(text) == options


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "7", "null", '"x"', '{"preset": 1}', '{"Seed": 1}', '{"seed": "1"}', '{"seed": true}', '{"seed": 1.5}',
     '{"seed": -1}', f'{{"seed": {LARGEST_SEED + 1}}}', '{"name": 1}', '{"name": ""}', '{"name": "\\u0000"}',
     '{"name": "\\ud83d"}', '{"name": "' + "x" * 201 + '"}', "[" * 10_000, '{"seed": NaN}',
     '{"seed": ' + "9" * 5000 + "}", '{"priority": 2}', '{"priority": "urgent"}', '{"priority": ["low"]}',
     '{"keepSource": "true"}', '{"keepSource": 1}', '{"keep_source": true}', '{"callbackUrl": "example.org"}',
     '{"callbackUrl": 7}', '{"haltOnErrors": true}'],
)  # fmt: skip
def test_options_that_mean_nothing_are_refused(text: str) -> None:
    with pytest.raises(Problem) as refused:
        read_options(text)

    assert refused.value.status == 422


@pytest.mark.parametrize("option", ["name", "seed", "priority", "keepSource", "callbackUrl", "preset", "effects"])
def test_each_option_that_is_refused_is_named(option: str) -> None:
    with pytest.raises(Problem) as refused:
        read_options(json.dumps({option: {"what": "no option is like this"}}))

    assert [one["where"] for one in refused.value.more["errors"]] == [f"options.{option}"]


def test_options_are_stored_as_they_were_given() -> None:
    given = {"name": "n", "seed": 0, "priority": "high", "keepSource": False, "callbackUrl": "https://example.org"}

    assert read_options(json.dumps(given)).stored() == given


def test_an_unknown_option_is_refused_with_those_there_are() -> None:
    with pytest.raises(Problem) as refused:
        read_options('{"haltOnErrors": true}')

    assert {"keepSource", "name", "priority", "seed"} <= set(refused.value.more["allowed"])


def test_a_higher_priority_is_a_larger_share() -> None:
    shares = [read_options(json.dumps({"priority": word})).weight for word in ("low", "normal", "high")]

    assert shares == sorted(shares)
    assert len(set(shares)) == 3
    assert Options().weight == 1
