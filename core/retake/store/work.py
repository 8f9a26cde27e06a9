"""What a worker that claimed a part is given to do."""

from retake.domain.work import ChunkPlace, Claim, Take, Work
from retake.store.connect import Database
from retake.store.move import LeaseLost


async def work_of(database: Database, claimed: Claim) -> Work:
    """What there is to do: only variations that are still queued."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT v.name, v.source_id, v.probe, s.size, j.variations, j.seed, j.options, p.indices
            FROM part p
            JOIN video v ON v.id = p.video_id JOIN source s ON s.id = v.source_id JOIN job j ON j.id = p.job_id
            WHERE p.id = %s AND p.claim = %s AND p.state = 'running'
            """,
            (claimed.part, claimed.number),
        )
        row = await rows.fetchone()
        if row is None:
            raise LeaseLost
        chunks = await connection.execute(
            "SELECT key, size, sha256 FROM chunk WHERE source_id = %s AND state = 'done' ORDER BY n",
            (row["source_id"],),
        )
        takes = await connection.execute(
            """
            SELECT index, recipe FROM variation
            WHERE video_id = %s AND index = ANY(%s) AND state = 'queued' ORDER BY index
            """,
            (claimed.video, row["indices"]),
        )
        recipes = await connection.execute(
            "SELECT recipe FROM variation WHERE video_id = %s ORDER BY index", (claimed.video,)
        )
        return Work(
            name=row["name"],
            source=row["source_id"],
            size=row["size"],
            chunks=[ChunkPlace(**chunk) for chunk in await chunks.fetchall()],
            variations=row["variations"],
            seed=row["seed"],
            options=row["options"],
            probe=row["probe"],
            takes=[Take(**take) for take in await takes.fetchall()],
            recipes=[row["recipe"] for row in await recipes.fetchall()],
        )
