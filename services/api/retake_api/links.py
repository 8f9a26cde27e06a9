"""`POST /api/jobs/{id}/link`: an address that opens the results of one job for an hour, for those who cannot send a
header: curl, mail, `<video>`.

The link of the answer opens the ZIP; its `link` parameter opens every take and picture of the job as well.
"""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from retake.api_keys import Scope
from retake.store.moments import moment_in
from retake_api.addresses import address, origin
from retake_api.auth import LINK, Access, Caller, Gate
from retake_api.jobs import own
from retake_api.schemas import JobId, Link

LIFE = timedelta(hours=1)


def install(app: FastAPI, gate: Gate, access: Access) -> None:
    """Whoever may read may hand on what they could read."""

    @app.post(
        "/api/jobs/{job_id}/link",
        summary="A link to a job's results that needs no token",
        tags=["results"],
        status_code=201,
        response_model=Link,
        response_description="It opens the ZIP; its `link` parameter also opens single takes and pictures of the job.",
    )
    async def make_link(
        request: Request, job_id: JobId, caller: Annotated[Caller, Depends(gate.needs(Scope.READ))]
    ) -> Response:
        job = await own(access.database, caller, job_id)
        expires = await moment_in(access.database, LIFE)
        token = access.signer.sign(LINK, f"{caller.workspace}/{job}", expires)
        url = f"{origin(request)}{address(f'/api/jobs/{job_id}/download')}?link={token}"
        told = Link(url=url, expires_at=expires).model_dump(mode="json", by_alias=True)
        return JSONResponse(told, 201, {"Location": url, "Cache-Control": "no-store"})
