"""What the server offers and how it is: styles, limits, health, metrics."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from typing_extensions import TypedDict

from sakuga.picture import FORMATS
from sakuga.serve.catalogue import Entry
from sakuga.serve.errors import responses
from sakuga.serve.probe import SUFFIXES
from sakuga.serve.studio import Studio

_JPEG = {"description": "A JPEG.", "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}


class Offer(TypedDict):
    """All styles."""

    styles: list[Entry]


class Taken(TypedDict):
    """The limits; `formats` are those of results, pictures are read in many more."""

    max_bytes: int
    max_pixels: int
    max_side: int | None
    max_video_seconds: int
    max_video_bytes: int
    formats: list[str]
    video_formats: list[str]


def router(studio: Studio) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["server"])

    @routes.get("/v1/styles", responses=responses())
    async def styles() -> Offer:
        """List the styles, the default first."""
        return Offer(styles=studio.catalogue.list())

    @routes.get("/v1/styles/{name}", responses=responses(404))
    async def style(name: str) -> dict[str, Any]:
        """Show the card of a style: how it was made and what it may be used for."""
        return studio.catalogue.card(name)

    @routes.get("/v1/styles/{name}/thumbnail", response_class=Response, responses={200: _JPEG, **responses(404)})
    async def thumbnail(name: str, size: Annotated[int, Query(ge=16, le=320)] = 160) -> Response:
        """Show a photograph in a style, `size` pixels wide and high."""
        headers = {"Cache-Control": "private, max-age=3600"}
        return Response(await studio.catalogue.thumbnail(name, size), media_type="image/jpeg", headers=headers)

    @routes.get("/v1/limits", responses=responses())
    async def limits() -> Taken:
        """Say what is taken."""
        given = studio.limits
        return Taken(
            max_bytes=given.max_bytes,
            max_pixels=given.max_pixels,
            max_side=given.max_side,
            max_video_seconds=given.max_video_seconds,
            max_video_bytes=given.max_video_bytes,
            formats=[name.lower() for name in FORMATS],
            video_formats=list(SUFFIXES),
        )

    @routes.get("/healthz", responses=responses())
    async def healthz() -> dict[str, str]:
        """Say that the server is well."""
        return {"status": "ok"}

    @routes.get("/metrics", response_class=PlainTextResponse, responses=responses())
    async def metrics() -> Response:
        """Report to Prometheus."""
        text = await asyncio.to_thread(studio.metrics.text)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return routes
