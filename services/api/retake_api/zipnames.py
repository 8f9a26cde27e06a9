"""Names inside a ZIP: what people called their videos, made safe for every system that may unpack them.

A source becomes one folder, called like it without the extension, and its takes lie in it:

    <source name>/<source name>_var<k>.mp4     k from 1, zero-padded to the same width within a job

Any Unicode stays as it was given, neither composed nor decomposed. What a file system would refuse, or understand as
something else, is replaced. Two names that some file system takes for one (by case, by composition) get ` (2)`, ` (3)`;
which, depends only on the job's list of sources, so the same take has the same name in every download.
"""

import re
import unicodedata
from collections.abc import Sequence

MANIFEST, TABLE = "manifest.json", "manifest.csv"

_ROOT = (MANIFEST, TABLE)  # no folder may be called so
_COMPONENT = 255  # bytes; what the file systems in use agree on
_MOST = _COMPONENT - len("_") - len("_var000000.mp4")  # of a folder's name, so that its files fit too
_EXTENSION = re.compile(r"\.(mp4|mov|m4v|webm|mkv|avi)$", re.IGNORECASE)
_UNSAFE = frozenset('/\\:*?"<>|')
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?", re.IGNORECASE | re.DOTALL)


def folders(sources: Sequence[str]) -> list[str]:
    """The folder of each source of a job, in the order of its videos; no two are alike anywhere."""
    taken = {_alike(name) for name in _ROOT}
    used: dict[str, int] = {}
    named = []
    for source in sources:
        name = folder = stem(source)
        number = used.get(_alike(name), 1)
        while _alike(folder) in taken:
            number += 1
            tail = f" ({number})"
            folder = _cut(name, _MOST - len(tail)) + tail
        used[_alike(name)] = number
        taken.add(_alike(folder))
        named.append(folder)
    return named


def take_path(folder: str, index: int, takes: int) -> str:
    """Where one of `takes` takes lies."""
    return f"{folder}/{folder}_var{index:0{len(str(takes))}}.mp4"


def stem(source: str) -> str:
    """A source's name without the extension of a video."""
    return clean(_EXTENSION.sub("", source))


def clean(name: str) -> str:
    """The nearest name that is one component of a path, and a file of its own, everywhere."""
    whole = name.encode("utf-8", "replace").decode()  # half a surrogate pair cannot be written
    safe = "".join("_" if char in _UNSAFE or unicodedata.category(char) == "Cc" else char for char in whole)
    fitting = _cut(safe, _MOST)
    return _cut(f"_{fitting}", _MOST) if _DEVICE.fullmatch(fitting) else fitting or "video"


def _cut(name: str, most: int) -> str:
    """At most so many bytes, never half a character, and no dots or spaces at the end: Windows drops those."""
    return name.encode()[:most].decode("utf-8", "ignore").rstrip(". ")


def _alike(name: str) -> str:
    """The same for all names that some file system takes for one."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
