"""Jobs whose time is over are wished away; their bytes go afterwards."""

from retake.store.connect import Database
from retake.store.jobs import expire_due


async def run_once(database: Database) -> int:
    return await expire_due(database)
