"""POST /v1/video and /v1/jobs: a video is a job that is asked for later."""

import asyncio
import re
import shutil
import tempfile
from pathlib import Path
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from sakuga.serve.errors import RefusedError, responses
from sakuga.serve.gate import client
from sakuga.serve.jobs import Status
from sakuga.serve.options import PaintOptions, form_schema
from sakuga.serve.probe import check
from sakuga.serve.studio import Studio
from sakuga.serve.upload import disposition, upload

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"required": True, "content": {**form_schema(PaintOptions), "video/*": _BINARY}}
_VIDEO = {"description": "The painted video.", "content": {"video/mp4": _BINARY}}


def router(studio: Studio) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["videos"])

    @routes.post(
        "/v1/video",
        status_code=202,
        response_model=Status,
        responses=responses(400, 408, 413, 415, 429, 503),
        openapi_extra={"requestBody": _BODY},
    )
    async def video(request: Request, options: Annotated[PaintOptions, Query()]) -> JSONResponse:
        """Queue one video; ask for it at the `url` of the answer."""
        async with upload(request) as sent:
            chosen = sent.options(options)
            style = studio.catalogue.get(chosen.style)
            folder = Path(tempfile.mkdtemp(dir=studio.folder))
            try:
                source = folder / "source.mp4"
                await asyncio.to_thread(_copy, sent.file, source)
                await asyncio.to_thread(check, source, studio.limits, max_side=chosen.max_side)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            job = studio.jobs.add(folder, sent.name, style, chosen, client(request.scope))
        status = job.tell()
        return JSONResponse(status, 202, {"Location": status["url"]})

    @routes.get("/v1/jobs/{id}", responses=responses(404))
    async def job(id: str) -> Status:
        """Say how far a video is."""
        return studio.jobs.get(id).tell()

    @routes.get(
        "/v1/jobs/{id}/result", response_class=FileResponse, responses={200: _VIDEO, **responses(404, 409, 416)}
    )
    async def result(id: str, request: Request) -> FileResponse:
        """Fetch a painted video, whole or in part (Range)."""
        job = studio.jobs.get(id)
        if job.tell()["status"] != "done":
            raise RefusedError(409, "no_result", f"The job is {job.tell()['status']}: it has no result.")
        _check_range(request.headers.get("range", "bytes=0-"), job.result.stat().st_size)
        headers = {"Content-Disposition": disposition(job.name or "video.", job.style.name, ".mp4")}
        return FileResponse(job.result, media_type="video/mp4", headers=headers)

    @routes.delete("/v1/jobs/{id}", status_code=204, response_class=Response, responses=responses(404))
    async def cancel(id: str) -> Response:
        """Cancel a video that is not finished; forget one that is, with its result."""
        studio.jobs.remove(id)
        return Response(status_code=204)

    return routes


def _check_range(wanted: str, size: int) -> None:
    """Raise RefusedError (416) for a range that there is not: FileResponse would answer in plain text."""
    found = re.fullmatch("bytes=([0-9]{1,18})-([0-9]{0,18})|bytes=-[0-9]{0,17}[1-9][0-9]{0,17}", wanted)
    first = int(found[1] or 0) if found else size
    if not found or first >= size or (found[2] and int(found[2]) < first):
        raise RefusedError(416, "no_range", f"Range: the result has {size} bytes: ask for bytes=FIRST-LAST of them.")


def _copy(file: BinaryIO, target: Path) -> None:
    with target.open("wb") as out:
        shutil.copyfileobj(file, out, 2**20)
