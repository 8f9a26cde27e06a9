"""One request's videos and fields, as far as they have come.

Each video becomes an open source, written while it arrives. What is wrong is found out as early as can be: a field when
it ends, a video at its first kilobyte. Sources become ready only when all of the request is here and right; until then
nothing of it counts, and `drop` gives it up.
"""

from collections.abc import AsyncIterator
from secrets import randbelow
from uuid import UUID, uuid4

from retake.domain.recipe import LARGEST_SEED
from retake.store.connect import Unavailable
from retake.store.jobs import NewJob
from retake.store.sources import begin_source, drop_unaccepted, finish_source
from retake_api.form import Part
from retake_api.incoming import Dock, Incoming, refuse
from retake_api.options import Options, read_options, read_variations
from retake_api.problems import Problem
from retake_api.pulse import Pulse

FIELDS = ("videos", "variations", "options")
_LONGEST_FIELD = 64 * 2**10


class Arrival:
    def __init__(self, dock: Dock, workspace: UUID) -> None:
        self._dock, self._workspace = dock, workspace
        self._part = Part("", None)
        self._current: Incoming | None = None
        self._text = bytearray()
        self._ended: set[str] = set()
        self._variations: int | None = None
        self._options = Options()
        self.job = uuid4()
        self._pulse = Pulse(dock.database, self.job, dock.timing.touch)
        self.videos: list[Incoming] = []

    async def take(self, form: AsyncIterator[Part | bytes | None]) -> NewJob:
        """All of it. Raises what is wrong with it; whoever gets no job out of it calls `drop`."""
        async for event in form:
            await self._pulse.beat(*self._sources)
            match event:
                case Part():
                    self._begin(event)
                case bytes():
                    await (self._feed_video(event) if self._part.field == "videos" else self._feed_field(event))
                case None:
                    await (self._end_video() if self._part.field == "videos" else self._end_field())
        if not self.videos:
            raise Problem(400, "no_videos", "The form has no videos; put them in the field `videos`.")
        variations = self._options.variations(self._variations)
        await finish_source(self._dock.database, *self._sources, arrival=self.job)
        seed = self._options.seed
        return NewJob(
            id=self.job,
            workspace=self._workspace,
            videos=[(video.name, video.source) for video in self.videos],
            variations=variations,
            seed=randbelow(LARGEST_SEED + 1) if seed is None else seed,
            options=self._options.stored(),
            priority=self._options.weight,
        )

    async def drop(self) -> bool:
        """Gives up rows, then bytes; what cannot be given up now is found later by its rows. False: it was accepted."""
        for video in self.videos:
            await video.abandon()
        try:
            keys = await drop_unaccepted(self._dock.database, self.job, self._sources)
        except Unavailable:
            return True
        if keys is None:
            return False
        await self._dock.discard(keys)
        return True

    @property
    def _sources(self) -> list[UUID]:
        return [video.source for video in self.videos]

    def _begin(self, part: Part) -> None:
        if part.field not in FIELDS:
            sentence = f"The form has a field `{part.field[:100]}`, which means nothing here; videos go into `videos`."
            raise Problem(400, "unknown_field", sentence, allowed=list(FIELDS))
        if part.field == "videos" and part.filename is None:
            raise Problem(400, "not_a_file", "The field `videos` takes files.")
        if part.field in self._ended:
            raise Problem(422, "repeated_field", f"The field `{part.field}` is there twice.")
        self._part, self._current, self._text = part, None, bytearray()

    async def _feed_field(self, data: bytes) -> None:
        self._text += data
        if len(self._text) > _LONGEST_FIELD:
            raise Problem(413, "field_too_large", f"The field `{self._part.field}` is too long.")

    async def _end_field(self) -> None:
        self._ended.add(self._part.field)
        text = self._text.decode("utf-8", "replace")
        if self._part.field == "variations":
            self._variations = read_variations(text)
        else:
            self._options = read_options(text)

    async def _feed_video(self, data: bytes) -> None:
        if self._current is None:
            most = self._dock.limits.files
            if len(self.videos) == most:
                raise Problem(413, "too_many_files", f"One request may bring {most} videos.", limit=most)
            source = await begin_source(self._dock.database, self._workspace)
            self._current = Incoming(self._dock, self._part.filename or "video", source)
            self.videos.append(self._current)
        await self._current.feed(data)

    async def _end_video(self) -> None:
        """Without a byte: an empty file, or a file input that nobody used."""
        if self._current is not None:
            await self._current.end()
        elif self._part.filename:
            refuse(self._part.filename, b"", self._dock.limits.more_types)
