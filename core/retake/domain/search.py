"""Texts as they are looked for: two that people would call the same, in whatever case and composition, are equal."""

from collections.abc import Iterable
from unicodedata import normalize


def folded(text: str) -> str:
    return normalize("NFKC", normalize("NFKC", text).casefold())


def searchable(texts: Iterable[str]) -> str:
    """All of them, each on a line of its own."""
    return "\n".join(map(folded, texts))
