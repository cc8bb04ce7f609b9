"""POST /v1/video and /v1/jobs: a video is checked, queued as a job, and asked for later."""

import re
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from sakuga.serve.admission import client
from sakuga.serve.errors import RefusedError, refusing, responses
from sakuga.serve.jobs import Status
from sakuga.serve.limits import PROBE_SECONDS, Limits
from sakuga.serve.state import State
from sakuga.serve.uploads import StylizeOptions, VideoFileOptions, disposition, form_schema, read_inputs, upload
from sakuga.serve.watched import AbandonedError

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"required": True, "content": {**form_schema(VideoFileOptions), "video/*": _BINARY}}
_VIDEO = {"description": "The stylised video.", "content": {"video/mp4": _BINARY}}


def router(state: State) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["videos"])

    @routes.post(
        "/v1/video",
        status_code=202,
        response_model=Status,
        responses=responses(400, 408, 413, 415, 429, 503),
        openapi_extra={"requestBody": _BODY},
    )
    async def video(request: Request, options: Annotated[VideoFileOptions, Query()]) -> JSONResponse:
        """Queue one video; ask for it at the `url` of the answer."""
        state.limits.check_space(state.folder)
        async with upload(request) as sent:
            chosen = sent.options(options)
            style = state.styles.get(chosen.style)
            inputs = chosen.style_inputs(style, sent.pictures)
            folder = Path(tempfile.mkdtemp(dir=state.folder))
            try:
                ready = await state.video_probes.serve(
                    request, lambda left: _admit(sent.file, folder, chosen, inputs, state.limits, left)
                )
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            job = state.jobs.add(folder, sent.name, style, chosen, ready, client(request.scope))
        status = job.describe()
        return JSONResponse(status, 202, {"Location": status["url"]})

    @routes.get("/v1/jobs/{id}", responses=responses(404))
    async def job(id: str) -> Status:
        """Say how far a video is."""
        return state.jobs.get(id).describe()

    @routes.get(
        "/v1/jobs/{id}/result", response_class=FileResponse, responses={200: _VIDEO, **responses(404, 409, 416)}
    )
    async def result(id: str, request: Request) -> FileResponse:
        """Fetch a stylised video, whole or in part (Range)."""
        job = state.jobs.get(id)
        if job.describe()["status"] != "done":
            raise RefusedError(409, "no_result", f"The job is {job.describe()['status']}: it has no result.")
        _check_range(request.headers.get("range", "bytes=0-"), job.result.stat().st_size)
        headers = {"Content-Disposition": disposition(job.name or "video.", job.style.name, ".mp4")}
        return FileResponse(job.result, media_type="video/mp4", headers=headers)

    @routes.delete("/v1/jobs/{id}", status_code=204, response_class=Response, responses=responses(404))
    async def cancel(id: str) -> Response:
        """Cancel a video that is not finished; forget one that is, with its result."""
        state.jobs.remove(id)
        return Response(status_code=204)

    return routes


def _check_range(asked: str, size: int) -> None:
    """Raise RefusedError (416) for a range that there is not: FileResponse would answer in plain text."""
    found = re.fullmatch("bytes=([0-9]{1,18})-([0-9]{0,18})|bytes=-[0-9]{0,17}[1-9][0-9]{0,17}", asked)
    first = int(found[1] or 0) if found else size
    if not found or first >= size or (found[2] and int(found[2]) < first):
        raise RefusedError(416, "no_range", f"Range: the result has {size} bytes: ask for bytes=FIRST-LAST of them.")


def _admit(
    file: BinaryIO,
    folder: Path,
    options: StylizeOptions,
    inputs: dict[str, object],
    limits: Limits,
    left: threading.Event,
) -> dict[str, object]:
    """Copy an upload into its job's folder and check it there; return its inputs, read.

    Raises AbandonedError once the client has `left`, and RefusedError (503) where the disk fills up.
    """
    source = folder / "source.mp4"
    with source.open("wb") as out:
        while not left.is_set() and (piece := file.read(2**20)):
            limits.check_space(folder)
            out.write(piece)
    if left.is_set():
        raise AbandonedError
    check(source, limits, max_side=options.max_side)
    return read_inputs(inputs, limits)


def check(file: Path, limits: Limits, *, max_side: int | None = None) -> None:
    """Raise RefusedError for a file that is no video (415), or a longer or larger one than is taken (413).

    `max_side` is what its longer side will be reduced to.
    """
    from sakuga.video.container import open_container, video_stream

    with (
        refusing("video", limits.frame_pixels),
        open_container(file, limits.frame_pixels, seconds=PROBE_SECONDS) as reader,
    ):
        stream = video_stream(reader, file)
        seconds, frames, size = (reader.duration or 0) / 1e6, stream.frames, (stream.width, stream.height)
    if seconds > limits.max_video_seconds or frames > limits.max_video_seconds * limits.frames_per_second:
        sentence = (
            f"The video has {seconds:.0f} s and {frames} frames, and the most here are {limits.max_video_seconds} s "
            f"at {limits.frames_per_second} frames a second: cut it."
        )
        raise RefusedError(413, "too_long", sentence)
    limits.check_side("video", *size, max_side)
