"""What waits is announced, also when no API is alive to see to it. Without NATS there is nobody to tell."""

from retake import logs
from retake.bus.connection import open_bus
from retake.bus.errors import BusError
from retake.domain.timing import Timing
from retake.relay import Relay
from retake.settings import Nats
from retake.store.announcements import next_to_announce
from retake.store.connect import Database

log = logs.logger(__name__)


async def run_once(database: Database, nats: Nats, timing: Timing, holder: str, *, dry: bool = False) -> int:
    if dry:
        return await _rehearse(database, timing)
    try:
        async with open_bus(nats, timing, name=holder, patience=5) as bus:
            relay = Relay(database, bus, timing, holder)
            try:
                return await relay.run_once()
            finally:
                await relay.leave()
    except BusError as error:
        log.warning("nothing can be announced now", error=str(error))
        return 0


async def _rehearse(database: Database, timing: Timing) -> int:
    waiting = await next_to_announce(database, timing)
    for part in waiting:
        log.info("would announce a part, unless an API does", part=part.part, job=str(part.job))
    return len(waiting)
