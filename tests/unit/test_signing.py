from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from retake_api.signing import Signed, Signer

SIGNER = Signer(bytes(32))
MOMENT = datetime(2026, 3, 1, 12, 0, 0, 125_000, tzinfo=UTC)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_signed_is_read_again_on_any_replica(subject: str) -> None:
    token = SIGNER.sign("link", subject, MOMENT)

    assert Signer(bytes(32)).verify("link", token) == Signed(subject, MOMENT)
    assert all(c.isalnum() or c in "-_." for c in token)


def test_a_token_is_for_one_purpose_and_one_installation() -> None:
    token = SIGNER.sign("link", "job", MOMENT)

    assert SIGNER.verify("session", token) is None
    assert Signer(b"x" * 32).verify("link", token) is None


def test_no_altered_added_or_missing_byte_passes() -> None:
    token = SIGNER.sign("link", "job", MOMENT)
    others = "ABab01-_.=: é\x00\ud800"

    tried = {token[:n] + c + token[n + 1 :] for n in range(len(token)) for c in others} - {token}
    tried |= {token[:n] + token[n + 1 :] for n in range(len(token))}
    tried |= {token[:n] + c + token[n:] for n in range(len(token) + 1) for c in others}

    assert [one for one in tried if SIGNER.verify("link", one) is not None] == []


@given(st.text())
def test_anything_else_is_not_ours(text: str) -> None:
    assert SIGNER.verify("link", text) is None
