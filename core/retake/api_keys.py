"""Named API keys: a file with one line for each, made by `python -m retake key`. The key itself stands nowhere.

    # name      workspace  scopes       SHA-256 of the key
    nightly     team-a     read,submit  sha256:9f86d081...

Keys are 256 random bits, so one round of SHA-256 is enough to keep them: there is nothing to guess.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from secrets import token_urlsafe

PREFIX = "rk_"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


class Scope(StrEnum):
    READ = "read"  # look at jobs and fetch what came of them
    SUBMIT = "submit"  # make jobs, and say what is to become of them
    ADMIN = "admin"  # what weighs on others: priority above normal


@dataclass(frozen=True)
class ApiKey:
    name: str
    workspace: str
    scopes: frozenset[Scope]
    sha256: str


class Malformed(ValueError):
    """The text says in which line, and what."""


def make(name: str, workspace: str, scopes: str) -> tuple[str, str]:
    """A new key, and the line for the file. Raises Malformed."""
    key = PREFIX + token_urlsafe(32)
    line = f"{name} {workspace} {scopes} sha256:{digest(key)}"
    read_line(line)
    return key, line


def digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def read(text: str) -> dict[str, ApiKey]:
    """Digest -> key. Raises Malformed."""
    keys: dict[str, ApiKey] = {}
    names: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            key = read_line(line)
        except Malformed as wrong:
            raise Malformed(f"line {number}: {wrong}") from None
        if key.name in names or key.sha256 in keys:
            raise Malformed(f"line {number}: the key {key.name} is there twice")
        names.add(key.name)
        keys[key.sha256] = key
    return keys


def read_line(line: str) -> ApiKey:
    words = line.split()
    if len(words) != 4:
        raise Malformed("it must be a name, a workspace, scopes and sha256:..., with blanks between them")
    name, workspace, scopes, hashed = words
    for what, word in (("name", name), ("workspace", workspace)):
        if not _NAME.fullmatch(word):
            raise Malformed(f"the {what} {word!r} must be 1 to 64 letters, digits, dots, - or _")
    if not set(scopes.split(",")) <= set(Scope):
        raise Malformed(f"the scopes {scopes!r} must be of {', '.join(Scope)}, with commas between them")
    found = _DIGEST.fullmatch(hashed)
    if not found:
        raise Malformed("the last word must be sha256: and 64 of 0-9 and a-f, not the key itself")
    return ApiKey(name, workspace, frozenset(map(Scope, scopes.split(","))), found[1])
