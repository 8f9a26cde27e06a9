"""How much is kept and how long: the settings behind docs/retention.md."""

from datetime import timedelta

from retake.variables import concern, decimal, setting, whole


@concern
class Storage:
    """What is kept, how long, and how much of it."""

    cap_mib: int | None = setting(
        "RETAKE_STORAGE_CAP_MIB",
        whole(1, 1_000_000_000),
        optional=True,
        explain="What all workspaces together may store, in MiB. Above 85 % of it the oldest ended jobs go; what still "
        "does not fit is refused. Else no limit; `make run` sets 80 % of the disk that is free for it.",
    )
    hours: float = setting(
        "RETAKE_RETENTION_HOURS",
        decimal(0.001, 100_000),
        default="24",
        explain="How long takes are kept after their job ended, in hours. It holds for jobs that are accepted from "
        "then on.",
    )
    catalog_hours: float = setting(
        "RETAKE_CATALOG_RETENTION_HOURS", decimal(0.001, 100_000), default="24", explain="The same for catalog jobs."
    )
    kept_jobs: int = setting(
        "RETAKE_KEPT_JOBS",
        whole(0, 10_000),
        default="10",
        explain="How many jobs of one workspace may be kept when room is made.",
    )

    @property
    def cap(self) -> int | None:
        """In bytes."""
        return None if self.cap_mib is None else self.cap_mib * 2**20

    def retention(self, kind: str) -> timedelta:
        """Of a job of that kind, from its end on."""
        return timedelta(hours=self.catalog_hours if kind == "catalog" else self.hours)
