"""POST /api/jobs with `fromFiles`: more takes of videos of earlier jobs, while their sources are kept. No byte moves.

A file that is nowhere, somebody else's, or of a job that was deleted, is the same 404 as everywhere.
"""

from typing import Any
from uuid import UUID

from retake.store.sources import KeptFile, files_with_sources
from retake_api.incoming import Dock
from retake_api.jobs import read_id
from retake_api.problems import NothingHere, Problem

MOST_FILES = 200


async def earlier_files(given: Any, dock: Dock, workspace: UUID) -> list[KeptFile]:
    asked = read_files(given)
    found = await files_with_sources(dock.database, workspace, asked)
    if not found.keys() >= set(asked):
        raise NothingHere
    for (_, file), kept in zip(asked, (found[one] for one in asked), strict=True):
        if not kept.kept:
            sentence = f"The bytes of {kept.name} are not kept any more; please upload it again."
            raise Problem(409, "source_gone", sentence, fileId=str(file))
    return [found[one] for one in asked]


def read_files(given: Any) -> list[tuple[UUID, UUID]]:
    """Job and file of each."""
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_FILES:
        sentence = f"`fromFiles` must be a list of 1 to {MOST_FILES} files, each with its `jobId` and `fileId`."
        raise Problem(422, "invalid_files", sentence, limit=MOST_FILES)
    asked = []
    for one in given:
        match one:
            case {"jobId": str(job), "fileId": str(file), **rest} if not rest:
                asked.append((read_id(job), read_id(file)))
            case _:
                sentence = 'Each of `fromFiles` must be {"jobId": "...", "fileId": "..."}.'
                raise Problem(422, "invalid_files", sentence)
    if len(set(asked)) < len(asked):
        raise Problem(422, "repeated_file", "`fromFiles` names one file twice.")
    return asked
