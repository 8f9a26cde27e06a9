"""Objects that no row knows of go two hours after they were first seen so, by the database's clock.

Only what looks like a key of ours is ever looked at; what others keep in the bucket is theirs. When a large part of
what is ours has no row, it is the rows that are missing: then nothing is deleted, and an operator is told.
"""

from collections.abc import AsyncIterator

from retake import logs
from retake.blobs.bucket import Blob, Blobs
from retake.blobs.keys import parse
from retake.disposal import unclaimed
from retake.domain.timing import Timing
from retake.store.connect import Database
from retake.store.orphans import (
    begin_search,
    due_orphans,
    forget_orphans,
    forget_unseen,
    note_orphans,
)

log = logs.logger(__name__)

PAGE = 1000
FEW, PART = 20, 0.25
"""More than so many, and more than such a part of all objects of ours, are too many to be true."""


class TooManyOrphans(Exception):
    """A large part of all objects has no row: is this the right database, and not one restored from a backup?"""

    def __init__(self, orphans: int, objects: int) -> None:
        super().__init__(
            f"{orphans} of {objects} objects have no row, which cannot be; nothing was deleted. Is this the right "
            "database, and none restored from a backup? If so, `python -m retake_janitor orphan_objects --anyway`"
        )


async def run_once(database: Database, blobs: Blobs, timing: Timing, *, dry: bool = False, anyway: bool = False) -> int:
    """1. Everything is listed; what is unclaimed is noted with its age. 2. Too many: stop. 3. Those that are old
    enough, and unclaimed still, go."""
    began, objects, orphans = await begin_search(database), 0, 0
    async for page in _pages(blobs):
        sizes = {blob.key: blob.size for blob in page}
        found = await unclaimed(database, sizes)
        objects += len(sizes)
        orphans += len(found)
        if not dry:
            await note_orphans(database, {key: sizes[key] for key in found})
    if not dry:
        await forget_unseen(database, began)
    if orphans > FEW and orphans > PART * objects and not anyway:
        raise TooManyOrphans(orphans, objects)
    return await _delete_due(database, blobs, timing, dry=dry)


async def _delete_due(database: Database, blobs: Blobs, timing: Timing, *, dry: bool) -> int:
    deleted = 0
    while due := await due_orphans(database, timing.orphan, PAGE):
        keys = await unclaimed(database, due)
        deleted += len(keys)
        if dry:
            for key in keys:
                log.info("would delete an object without a row", key=key)
            break
        await blobs.delete_many(keys)
        await forget_orphans(database, due)
    return deleted


async def _pages(blobs: Blobs) -> AsyncIterator[list[Blob]]:
    """Objects of ours, so many at once."""
    page: list[Blob] = []
    async for blob in blobs.listing():
        if parse(blob.key) is None:
            continue
        page.append(blob)
        if len(page) == PAGE:
            yield page
            page = []
    if page:
        yield page
