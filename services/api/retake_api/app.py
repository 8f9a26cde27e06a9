"""The ASGI application: routes over what `__main__` opened and passes in.

proxies > path prefix > shield (headers) > figures > span > request log (id, one line, last resort)
    > other sites (CORS) > patience (slow bodies) > routes, each behind the gate but for the few here
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from retake import __version__, tracing
from retake.blobs.bucket import Blobs
from retake.domain.timing import Timing
from retake.health import Health
from retake.settings import Api, Storage, Uploads
from retake.store.connect import Database
from retake_api import (
    control,
    creation,
    deliveries,
    docs,
    downloads,
    event_streams,
    files,
    history,
    jobs,
    links,
    login,
    offers,
    openapi,
    pages,
    problems,
    schemas,
    storage,
    tus,
    workers,
)
from retake_api.addresses import PathPrefix
from retake_api.auth import Access, Gate
from retake_api.bodies import SmallBodies
from retake_api.buffers import Buffers
from retake_api.delivery import Delivery
from retake_api.expected import Expected
from retake_api.incoming import MIB, Dock
from retake_api.live import Live
from retake_api.login import Door
from retake_api.other_sites import OtherSites
from retake_api.patience import Patience
from retake_api.request_figures import RequestFigures
from retake_api.request_log import RequestLog
from retake_api.shield import Shield
from retake_api.traced import Traced


@dataclass(frozen=True)
class Tools:
    """What the service works with."""

    database: Database
    blobs: Blobs
    health: Health
    access: Access
    door: Door
    web: Api
    limits: Uploads
    timing: Timing
    storage: Storage
    wake: Callable[[], Awaitable[None]]
    """Tells the relay that there is something to announce."""
    live: Live
    webhooks: bool
    """Whether there are any here."""


def create_app(tools: Tools) -> FastAPI:
    app = FastAPI(
        title="retake", version=__version__, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )  # fmt: skip
    app.add_middleware(tus.Tus)
    app.router.route_class = SmallBodies
    app.add_middleware(Patience, idle=tools.limits.idle, slowest=tools.limits.slowest)
    around(app, tools.web)
    problems.install(app)
    open_to_all(app, tools.health)
    gate = Gate(tools.access)
    login.install(app, gate, tools.door)
    buffers = Buffers(tools.limits.buffer_mib * MIB)
    dock = Dock(
        tools.database, tools.blobs, buffers, tools.limits, tools.storage, tools.timing, webhooks=tools.webhooks
    )
    creation.install(app, gate, dock, tools.wake)
    tus.install(app, gate, dock)
    expected = Expected(tools.database, tools.timing)
    jobs.install(app, gate, tools.database, expected)
    control.install(app, gate, control.Controls(dock, expected, tools.wake), tools.access)
    workers.install(app, gate, tools.database, tools.timing)
    storage.install(app, gate, tools.database, tools.storage, expected)
    delivery = Delivery(tools.database, tools.blobs, tools.timing)
    downloads.install(app, gate.workspace, tools.database, delivery)
    files.install(app, gate.workspace, tools.database, tools.blobs, delivery)
    links.install(app, gate, tools.access)
    event_streams.install(app, gate, tools.database, tools.live)
    history.install(app, gate, tools.database)
    deliveries.install(app, gate, tools.database)
    offers.install(app, gate, tools.limits, tools.storage, webhooks=tools.webhooks)
    docs.install(app)
    openapi.install(app)
    pages.install(app, tools.web.prefix)
    return app


def around(app: FastAPI, web: Api) -> None:
    """What stands around the routes and what slows down their bodies, from inside to outside."""
    if web.origins:
        app.add_middleware(OtherSites, origins=web.origins)
    app.add_middleware(RequestLog)
    if tracing.on():
        app.add_middleware(Traced)
    app.add_middleware(RequestFigures)
    app.add_middleware(Shield)
    app.add_middleware(PathPrefix, prefix=web.prefix)
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(web.proxies))


def open_to_all(app: FastAPI, health: Health) -> None:
    @app.get(
        "/api/health",
        summary="Does every part work?",
        tags=["service"],
        response_model=schemas.Health,
        response_description="They all do.",
        responses={503: {"model": schemas.Health, "description": "A part is down; `parts` names it."}},
    )
    async def health_of_parts() -> JSONResponse:
        parts = await health.parts()
        down = [name for name, works in parts.items() if not works]
        body = {
            "status": "degraded" if down else "ok",
            "version": __version__,
            "parts": {name: "ok" if works else "down" for name, works in parts.items()},
        }
        if down:
            body["error"] = f"These parts do not answer: {', '.join(down)}."
        return JSONResponse(body, 503 if down else 200)

    @app.get("/livez", include_in_schema=False)
    async def the_loop_turns() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", include_in_schema=False)
    async def requests_can_be_served() -> JSONResponse:
        parts = await health.ready()
        return JSONResponse({"parts": parts}, 200 if all(parts.values()) else 503)
