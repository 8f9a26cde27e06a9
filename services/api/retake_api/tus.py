"""Uploads that can be interrupted and resumed: tus 1.0 (tus.io), its core and four of its extensions.

    POST /api/uploads (how long, what name) -> PATCH (bytes from an offset on), again and again -> POST /api/jobs

All state is in Postgres, so that any replica continues any upload. What an upload is, and that its offset moves only
by compare-and-set, is in store/uploads.py; how a request's bytes get there, in resuming.py; here are the headers.
"""

from email.utils import format_datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retake import tracing
from retake.store.uploads import OffsetMoved, Upload, begin_upload, end_upload, find_uploads
from retake_api.addresses import address
from retake_api.admission import admitted
from retake_api.auth import Caller, Gate
from retake_api.described import refuses, takes
from retake_api.form import media_type
from retake_api.incoming import MIB, Dock, refuse
from retake_api.jobs import read_id
from retake_api.problems import NothingHere, Problem
from retake_api.resuming import beyond, receive
from retake_api.schemas import UploadBegun, UploadId
from retake_api.tus_headers import BYTES, VERSION, name_of, number_of, refuse_unsupported

PATH = "/api/uploads"
EXTENSIONS = "creation,creation-with-upload,expiration,termination"
MOST_PIECES = 10_000
"""Of one upload: each is an object, and whoever reads the video fetches them one by one."""

Length = Annotated[str | None, Header(examples=["48213377"], description="How many bytes it will have.")]
Metadata = Annotated[str | None, Header(examples=["filename aG9saWRheS5tcDQ="], description="Its name, in Base64.")]
Offset = Annotated[str | None, Header(examples=["0"], description="Where the bytes of this request belong.")]
_OVER = {
    410: "The upload was ended, has expired, or is used by a job.",
    412: "`Tus-Resumable` is not 1.0.0; `Tus-Version` says what it may be.",
}
_BYTES = {
    **_OVER,
    413: "More bytes than were declared, or more than a video may have.",
    415: f"Not {BYTES}, or its first bytes are those of no video.",
}
_BEGINNING = {
    400: "A header cannot be read, or asks for an extension that is not announced.",
    507: "Storage is full.",
    **_BYTES,
}
_CONTINUING = {
    400: "A header cannot be read.",
    409: "The upload is at another offset, or another request has gone on with it meanwhile.",
    **_BYTES,
}


async def speak(tus_resumable: Annotated[str | None, Header(examples=[VERSION])] = None) -> None:
    """A dependency of every call but OPTIONS: both sides speak the same version."""
    if tus_resumable != VERSION:
        sentence = f"This speaks tus {VERSION}: say so in the header Tus-Resumable."
        raise Problem(412, "tus_version", sentence, headers={"Tus-Version": VERSION}, allowed=[VERSION])


class Tus:
    """Around every call of the protocol: its version is on each answer, and a method may stand in a header instead."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not f"{scope['path']}/".startswith(f"{scope.get('root_path', '')}{PATH}/"):
            await self._app(scope, receive, send)
            return
        if method := Headers(scope=scope).get("X-HTTP-Method-Override"):
            scope["method"] = method.upper()

        async def versioned(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Tus-Resumable"] = VERSION
            await send(message)

        await self._app(scope, receive, versioned)


Speaking = Annotated[None, Depends(speak)]


def install(app: FastAPI, gate: Gate, dock: Dock) -> None:
    _install_all(app, gate, dock)
    _install_one(app, gate, dock)


def _install_all(app: FastAPI, gate: Gate, dock: Dock) -> None:
    @app.options(
        PATH,
        summary="What is spoken here",
        tags=["uploads"],
        status_code=204,
        response_description="tus 1.0: `Tus-Version`, `Tus-Extension` and `Tus-Max-Size` say the rest.",
    )
    async def describe_uploads(_caller: Annotated[Caller, Depends(gate)]) -> Response:
        longest = str(dock.limits.file_mib * MIB)
        announced = {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Max-Size": longest}
        return Response(status_code=204, headers=announced)

    @app.post(
        PATH,
        summary="Begin an upload",
        tags=["uploads"],
        status_code=201,
        response_model=UploadBegun,
        response_description="Begun: its bytes go to `Location`, any number at a time. HEAD there says how far it is.",
        openapi_extra=takes({BYTES: bytes}, required=False),
        responses=refuses(_BEGINNING),
    )
    async def begin_an_upload(
        request: Request,
        caller: Annotated[Caller, Depends(gate)],
        _spoken: Speaking,
        upload_length: Length = None,
        upload_metadata: Metadata = None,
    ) -> Response:
        refuse_unsupported(request.headers)
        length, metadata = number_of("Upload-Length", upload_length), upload_metadata or ""
        upload_id = await begin(dock, caller, request, length, metadata)
        upload = await known(dock, caller, upload_id)
        begun = UploadBegun(id=upload.id, offset=upload.received, length=length, expires_at=upload.expires_at)
        headers = {"Location": address(f"{PATH}/{upload.id}"), **progress(upload)}
        return JSONResponse(begun.model_dump(mode="json", by_alias=True), 201, headers)


def _install_one(app: FastAPI, gate: Gate, dock: Dock) -> None:
    @app.head(f"{PATH}/{{upload_id}}", include_in_schema=False)
    async def show_upload(upload_id: UploadId, caller: Annotated[Caller, Depends(gate)], _spoken: Speaking) -> Response:
        upload = await known(dock, caller, read_id(upload_id))
        told = {"Upload-Length": str(upload.length), "Cache-Control": "no-store", **progress(upload)}
        if upload.metadata:
            told["Upload-Metadata"] = upload.metadata
        return Response(headers=told)

    @app.patch(
        f"{PATH}/{{upload_id}}",
        summary="Continue an upload",
        tags=["uploads"],
        status_code=204,
        response_description="Stored: `Upload-Offset` says how far it is now, `Upload-Expires` until when it is kept.",
        openapi_extra=takes({BYTES: bytes}),
        responses=refuses(_CONTINUING),
    )
    async def continue_an_upload(
        request: Request,
        upload_id: UploadId,
        caller: Annotated[Caller, Depends(gate)],
        _spoken: Speaking,
        upload_offset: Offset = None,
    ) -> Response:
        refuse_unsupported(request.headers)
        upload = await known(dock, caller, read_id(upload_id))
        await go_on(dock, upload, request, number_of("Upload-Offset", upload_offset))
        return Response(status_code=204, headers=progress(await known(dock, caller, upload.id)))

    @app.delete(
        f"{PATH}/{{upload_id}}",
        summary="End an upload",
        tags=["uploads"],
        status_code=204,
        response_description="Its bytes are given up.",
        responses=refuses(_OVER),
    )
    async def end_an_upload(
        upload_id: UploadId, caller: Annotated[Caller, Depends(gate)], _spoken: Speaking
    ) -> Response:
        upload = await known(dock, caller, read_id(upload_id))
        await dock.discard(await end_upload(dock.database, upload.id))
        return Response(status_code=204)


async def begin(dock: Dock, caller: Caller, request: Request, length: int, metadata: str) -> UUID:
    name, longest = name_of(metadata), dock.limits.file_mib * MIB
    if length > longest:
        sentence = f"{name} has {length:,} bytes, and a video may have {longest:,}."
        raise Problem(413, "file_too_large", sentence, file=name, limit=longest)
    if length == 0:
        refuse(name, b"", dock.limits.more_types)
    brought = declared_bytes(request.headers)
    if brought != 0:
        check_type(request.headers)
    if brought is not None and brought > length:
        raise beyond(name, 0, length)
    beginning = partial(begin_upload, dock.database, caller.workspace, name=name, metadata=metadata, length=length)
    upload_id = await admitted(dock, lambda: beginning(cap=dock.storage.cap, queue=dock.queue))
    if brought != 0:
        await bring(dock, caller, upload_id, request)
    return upload_id


async def bring(dock: Dock, caller: Caller, upload_id: UUID, request: Request) -> None:
    """The bytes that come with the beginning. Without them nobody learns where it is: then it is given up."""
    try:
        await continued(dock, await known(dock, caller, upload_id), request)
    except BaseException:
        await dock.discard(await end_upload(dock.database, upload_id))
        raise


async def go_on(dock: Dock, upload: Upload, request: Request, offset: int) -> None:
    check_type(request.headers)
    if offset != upload.received:
        raise elsewhere()
    brought = declared_bytes(request.headers)
    if brought is not None and offset + brought > upload.length:
        raise beyond(upload.name, offset, upload.length)
    if upload.pieces >= MOST_PIECES:
        raise Problem(413, "too_many_pieces", "This upload has come in too many small pieces; please begin anew.")
    if brought != 0:
        await continued(dock, upload, request)


async def continued(dock: Dock, upload: Upload, request: Request) -> None:
    with tracing.span("upload", parent=upload.traceparent, upload=upload.id, offset=upload.received):
        try:
            await receive(dock, upload, request.stream())
        except OffsetMoved:
            raise elsewhere() from None


def elsewhere() -> Problem:
    return Problem(
        409, "offset_moved", "The upload is at another offset, or another request goes on with it; ask where it is."
    )


async def known(dock: Dock, caller: Caller, upload_id: UUID) -> Upload:
    """The caller's upload of that id, neither used nor gone; or 404 or 410."""
    upload = (await find_uploads(dock.database, caller.workspace, [upload_id])).get(upload_id)
    if upload is None:
        raise NothingHere
    if upload.job_id is not None:
        raise Problem(410, "upload_used", "This upload is used by a job already.", jobId=str(upload.job_id))
    if upload.state == "gone":
        raise Problem(410, "upload_gone", "This upload was ended or has expired; please begin anew.")
    return upload


def progress(upload: Upload) -> dict[str, str]:
    return {
        "Upload-Offset": str(upload.received),
        "Upload-Expires": format_datetime(upload.expires_at, usegmt=True),
    }


def declared_bytes(headers: Headers) -> int | None:
    """How many bytes the request brings; None when it does not say."""
    return None if "Transfer-Encoding" in headers else int(headers.get("Content-Length", "0"))


def check_type(headers: Headers) -> None:
    if media_type(headers.get("Content-Type", "")) != BYTES:
        raise Problem(415, "not_bytes", f"Send the bytes of the video as {BYTES}.", allowed=[BYTES])
