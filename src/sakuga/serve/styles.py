"""What the server offers and how it is: styles with a sample of each, limits, health, metrics."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import asdict
from difflib import get_close_matches
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse, Response
from PIL import Image
from prometheus_client import CONTENT_TYPE_LATEST
from typing_extensions import TypedDict

from sakuga.errors import SakugaError, UsageError
from sakuga.picture import FORMATS
from sakuga.serve.errors import RefusedError, responses
from sakuga.serve.workers import Workers
from sakuga.style import DEFAULT, Style, read, survey
from sakuga.style.inputs import FRAME, describe, examples, photo
from sakuga.stylizer import Stylizer
from sakuga.video import SUFFIXES as VIDEO_SUFFIXES

if TYPE_CHECKING:
    from sakuga.serve.state import State

SAMPLE = Path(__file__).parent / "page" / "sample.jpg"
log = logging.getLogger("sakuga.serve")


class Entry(TypedDict):
    """A style in the list."""

    name: str
    title: str
    licence: str
    system: str
    default: bool
    scale: int
    thumbnail: str
    inputs: list[dict[str, Any]]


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


def find(folders: Iterable[Path]) -> dict[str, Style]:
    """The styles that `sakuga styles` lists, then those in the folders; of two with one name the first counts.

    Raises UsageError for a folder that is none or holds no style file. Files that are no styles are left out, with a
    warning.
    """
    found: dict[str, Style] = {}
    for style in survey():
        if isinstance(style, Style) and photo(style.card.inputs):
            found.setdefault(style.name, style)
    for folder in folders:
        files = sorted(folder.glob("*.onnx")) if folder.is_dir() else []
        if not files:
            raise UsageError(f"{folder} is not a folder with style files (.onnx): check --styles")
        for file in files:
            if file.stem in found:
                log.warning("%s is left out: there is a style of this name already", file)
                continue
            try:
                style = read(file)
                if photo(style.card.inputs):
                    found[file.stem] = style
                else:
                    log.warning("%s is left out: it takes no photo", file)
            except SakugaError as error:
                log.warning("left out: %s", error)
    if not found:
        raise UsageError("there is no style to serve: name a folder of them with --styles")
    return found


def _sample_inputs(style: Style) -> dict[str, object]:
    """Something for whatever the style insists on, to show it at all."""
    return examples(style.card.inputs, SAMPLE) | ({FRAME.name: "whole"} if style.card.frame else {})


class Styles:
    """Styles by name. The default is sakuga's own where it is there, else the first."""

    def __init__(self, styles: dict[str, Style], workers: Workers) -> None:
        self.styles, self.workers = styles, workers
        self.default = DEFAULT if DEFAULT in styles else next(iter(styles))
        self._samples: dict[str, asyncio.Future[Image.Image]] = {}

    def list(self) -> list[Entry]:
        """All styles, the default first and those for faces last, which not every picture has."""
        order = sorted(
            self.styles.values(), key=lambda style: (style.name != self.default, style.card.frame is not None)
        )
        return [
            Entry(
                name=style.name,
                title=style.card.title,
                licence=style.card.licence,
                system=style.card.system,
                default=style.name == self.default,
                scale=style.card.scale,
                thumbnail=f"/v1/styles/{quote(style.name, safe='')}/thumbnail",
                inputs=describe(style.card.settings),
            )
            for style in order
        ]

    def card(self, name: str) -> dict[str, Any]:
        """All that a style says about itself, without where it lies on this machine. Raises RefusedError (404)."""
        style = self.get(name, 404)
        return {**asdict(style.card), "name": name, "embedded": style.embedded, "bytes": style.size}

    def get(self, name: str | None, status: int = 422) -> Style:
        """The style of this name, or the default; raises RefusedError with `status` where there is none."""
        name = self.default if name is None else name
        if name in self.styles:
            return self.styles[name]
        near = get_close_matches(name[:100], self.styles, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else "see /v1/styles."
        raise RefusedError(status, "unknown_style", f"There is no style {name[:100]!r}: {hint}")

    async def thumbnail(self, name: str, size: int) -> bytes:
        """The sample in this style as a JPEG of size · size pixels; it is stylised when first asked for."""
        style = self.get(name, 404)
        if name not in self._samples:
            work = self.workers.submit(lambda: Stylizer(style, inputs=_sample_inputs(style))(SAMPLE))
            self._samples[name] = asyncio.wrap_future(work)
        try:
            sample = await asyncio.shield(self._samples[name])
        except Exception:  # whatever it was, the next one who asks may have more luck
            self._samples.pop(name, None)
            raise
        out = BytesIO()
        sample.resize((size, size), Image.Resampling.LANCZOS).save(out, "JPEG", quality=85)
        return out.getvalue()


def router(state: "State") -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["server"])

    @routes.get("/v1/styles", responses=responses())
    async def styles() -> Offer:
        """List the styles, the default first and those for faces last."""
        return Offer(styles=state.styles.list())

    @routes.get("/v1/styles/{name}", responses=responses(404))
    async def style(name: str) -> dict[str, Any]:
        """Show the card of a style: how it was made and what it may be used for."""
        return state.styles.card(name)

    @routes.get("/v1/styles/{name}/thumbnail", response_class=Response, responses={200: _JPEG, **responses(404)})
    async def thumbnail(name: str, size: Annotated[int, Query(ge=16, le=320)] = 160) -> Response:
        """Show a photograph in a style, `size` pixels wide and high."""
        headers = {"Cache-Control": "private, max-age=3600"}
        return Response(await state.styles.thumbnail(name, size), media_type="image/jpeg", headers=headers)

    @routes.get("/v1/limits", responses=responses())
    async def limits() -> Taken:
        """Say what is taken."""
        given = state.limits
        return Taken(
            max_bytes=given.max_bytes,
            max_pixels=given.max_pixels,
            max_side=given.max_side,
            max_video_seconds=given.max_video_seconds,
            max_video_bytes=given.max_video_bytes,
            formats=[name.lower() for name in FORMATS],
            video_formats=sorted(suffix.removeprefix(".") for suffix in VIDEO_SUFFIXES),
        )

    @routes.get("/healthz", responses=responses())
    async def healthz() -> dict[str, str]:
        """Say that the server is well."""
        return {"status": "ok"}

    @routes.get("/metrics", response_class=PlainTextResponse, responses=responses())
    async def metrics() -> Response:
        """Report to Prometheus."""
        text = await asyncio.to_thread(state.metrics.text)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return routes
