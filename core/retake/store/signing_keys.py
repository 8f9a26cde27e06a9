"""The key that signs tokens: made once by a migration, the same for every replica."""

from retake.store.connect import Database


async def signing_key(database: Database) -> bytes:
    async with database.transaction() as connection:
        row = await (await connection.execute("SELECT key FROM signing_key")).fetchone()
        assert row is not None
        return bytes(row["key"])
