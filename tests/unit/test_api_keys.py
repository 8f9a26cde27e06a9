import pytest

from retake.api_keys import ApiKey, Malformed, Scope, digest, make, read


def test_a_line_that_was_made_is_read_as_what_was_asked_for() -> None:
    key, line = make("nightly", "team-a", "submit,read")

    assert read(f"# ours\n\n  {line}  \n") == {
        digest(key): ApiKey("nightly", "team-a", frozenset({Scope.READ, Scope.SUBMIT}), digest(key))
    }
    assert key not in line


def test_two_keys_are_never_the_same() -> None:
    assert make("a", "w", "read")[0] != make("a", "w", "read")[0]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("a w read", "line 2: it must be a name"),
        ("a w read sha256:" + "0" * 63, "line 2: the last word"),
        ("a w read rk_secret", "line 2: the last word"),
        ("a w all sha256:" + "0" * 64, "line 2: the scopes 'all'"),
        ("a w read, sha256:" + "0" * 64, "line 2: the scopes"),
        ("ä w read sha256:" + "0" * 64, "line 2: the name"),
        ("a ../w read sha256:" + "0" * 64, "line 2: the workspace"),
        ("b w read sha256:" + "1" * 64, "line 2: the key b is there twice"),
        ("c w read sha256:" + "2" * 64, "line 2: the key c is there twice"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(line: str, complaint: str) -> None:
    first = "b w read sha256:" + "2" * 64

    with pytest.raises(Malformed, match=complaint):
        read(f"{first}\n{line}\n")
