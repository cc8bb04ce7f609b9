"""POST /v1/stylize: a picture in, the picture painted out."""

import asyncio
import time
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from sakuga.picture import extension
from sakuga.serve.errors import responses
from sakuga.serve.options import PictureOptions, form_schema
from sakuga.serve.pictures import MEDIA_TYPES, is_heavy, paint
from sakuga.serve.studio import Studio
from sakuga.serve.upload import disposition, upload

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_HEADERS = {
    "X-Sakuga-Style": "The style's name, percent-encoded.",
    "X-Sakuga-Width": "Pixels.",
    "X-Sakuga-Height": "Pixels.",
    "Server-Timing": "Milliseconds of decode, paint and encode.",
    "Content-Disposition": "A name for the result.",
}
_PAINTED = {
    "description": "The painted picture.",
    "content": dict.fromkeys(MEDIA_TYPES.values(), _BINARY),
    "headers": {name: {"schema": {"type": "string"}, "description": text} for name, text in _HEADERS.items()},
}
_BODY = {"required": True, "content": {**form_schema(PictureOptions), "image/*": _BINARY}}


def router(studio: Studio) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["pictures"])

    @routes.post(
        "/v1/stylize",
        response_class=Response,
        responses={200: _PAINTED, **responses(400, 408, 413, 415, 429, 503)},
        openapi_extra={"requestBody": _BODY},
    )
    async def stylize(request: Request, options: Annotated[PictureOptions, Query()]) -> Response:
        """Paint one picture.

        Send it as the field `file` of a form, with the options as further fields, or as the body itself, with the
        options in the address. The place where a photo was taken is left out of the result.
        """
        async with upload(request) as sent:
            chosen = sent.options(options)
            style = studio.catalogue.get(chosen.style)
            begin = time.perf_counter()
            painters = studio.heavy if await asyncio.to_thread(is_heavy, sent.file) else studio.painters
            painted = await painters.serve(request, lambda left: paint(sent.file, style, chosen, studio.limits, left))
            studio.pictures.took(sum(painted.seconds.values()))
            studio.metrics.pixels.inc(painted.pixels)
        timing = {"wait": time.perf_counter() - begin - sum(painted.seconds.values()), **painted.seconds}
        headers = {
            "X-Sakuga-Style": quote(style.name),
            "X-Sakuga-Width": str(painted.width),
            "X-Sakuga-Height": str(painted.height),
            "Server-Timing": ", ".join(f"{name};dur={1000 * value:.1f}" for name, value in timing.items()),
            "Content-Disposition": disposition(sent.name, style.name, extension(painted.format)),
        }
        return Response(painted.data, media_type=MEDIA_TYPES[painted.format], headers=headers)

    return routes
