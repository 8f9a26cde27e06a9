"""The ASGI application: routes over what `__main__` opened and passes in."""

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from retake import __version__
from retake.health import Health
from retake_api import problems


def create_app(health: Health, needed: frozenset[str]) -> FastAPI:
    """`needed` are the parts without which no request can be served; the others only make it degraded."""
    app = FastAPI(title="retake", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    problems.install(app)

    @app.get("/api/health")
    async def people_ask_whether_it_works() -> JSONResponse:
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
        parts = {name: works for name, works in (await health.parts()).items() if name in needed}
        return JSONResponse({"parts": parts}, 200 if all(parts.values()) else 503)

    return app
