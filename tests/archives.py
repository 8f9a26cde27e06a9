"""Laid-out archives on the disk."""

from pathlib import Path

from retake_api.segments import Layout


def sparse(layout: Layout, file: Path) -> Path:
    """With holes for objects."""
    with file.open("wb") as out:
        for segment in layout.segments:
            if isinstance(segment.content, bytes):
                out.seek(segment.start)
                out.write(segment.content)
        out.truncate(layout.size)
    return file
