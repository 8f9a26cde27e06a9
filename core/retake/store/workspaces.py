"""Workspaces: who owns jobs. Each has its row in the ledger from the start."""

from uuid import UUID

from retake.store.connect import Database


async def ensure_workspace(database: Database, name: str, weight: float = 1) -> UUID:
    """The workspace of that name, made if need be."""
    async with database.transaction() as connection:
        await connection.execute(
            "INSERT INTO workspace (name, weight) VALUES (%s, %s) ON CONFLICT (name) DO NOTHING", (name, weight)
        )
        row = await (await connection.execute("SELECT id FROM workspace WHERE name = %s", (name,))).fetchone()
        assert row is not None
        found: UUID = row["id"]
        await connection.execute("INSERT INTO storage (workspace) VALUES (%s) ON CONFLICT DO NOTHING", (found,))
        return found
