"""POST /v1/stylize: one picture in, read, stylized and written in a worker's thread, the result out."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from sakuga.errors import NoFaceError, SakugaError, UsageError
from sakuga.picture import FORMATS, Picture, encode, extension, metadata, read_header
from sakuga.serve.errors import RefusedError, responses
from sakuga.serve.limits import PROBE_SECONDS, Limits
from sakuga.serve.state import State
from sakuga.serve.uploads import PictureOptions, Upload, disposition, form_schema, read_inputs, read_picture, upload
from sakuga.serve.watched import AbandonedError, Watched
from sakuga.style import Style
from sakuga.stylizer import Stylizer

MEDIA_TYPES = {name: f"image/{name.lower()}" for name in FORMATS}
_HEAVY_PIXELS = 8_000_000  # pixels
_COMMON = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF", "BMP")
MIN_SIDE = 64  # narrower pictures are padded to this before they are stylised
_SLOW = f"To look into the picture took more than {PROBE_SECONDS} s: save it anew with another program."
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_HEADERS = {
    "X-Sakuga-Style": "The style's name, percent-encoded.",
    "X-Sakuga-Width": "Pixels.",
    "X-Sakuga-Height": "Pixels.",
    "Server-Timing": "Milliseconds of decode, paint and encode.",
    "Content-Disposition": "A name for the result.",
}
_PAINTED = {
    "description": "The stylised picture.",
    "content": dict.fromkeys(MEDIA_TYPES.values(), _BINARY),
    "headers": {name: {"schema": {"type": "string"}, "description": text} for name, text in _HEADERS.items()},
}
_BODY = {"required": True, "content": {**form_schema(PictureOptions), "image/*": _BINARY}}


@dataclass(frozen=True)
class Result:
    """A result: its bytes, the key of FORMATS, its size, and the seconds that each part took."""

    data: bytes
    format: str
    width: int
    height: int
    pixels: int
    seconds: dict[str, float]


def is_heavy(sent: Upload, limits: Limits, left: threading.Event) -> bool:
    """Whether a picture is one of those that would keep others waiting, by what its header claims.

    It ends once the client has `left`. Raises RefusedError (413) where it takes more than PROBE_SECONDS.
    """
    file = Watched(sent.file.read(), left, PROBE_SECONDS)
    try:
        header = read_header(file, max_pixels=limits.max_pixels)
    except SakugaError as error:
        if file.late:
            raise RefusedError(413, "too_large", _SLOW) from error
        return True  # what is wrong is for `process` to say
    finally:
        sent.file.seek(0)
    large = header.width * header.height * header.frames > _HEAVY_PIXELS
    return large or bool(sent.pictures) or header.format not in _COMMON


def process(
    sent: Upload,
    style: Style,
    options: PictureOptions,
    inputs: dict[str, object],
    limits: Limits,
    left: threading.Event,
) -> Result:
    """Stylise the file that was sent; `left` says that it is of no use any more.

    Raises RefusedError for what cannot be stylised, AbandonedError after `left`.
    """
    seconds: dict[str, float] = {}
    with _timed(seconds, "decode"):
        picture = _without_place(read_picture(Watched(sent.file.read(), left), limits), options.strip)
        _check(picture, style, options, limits)
    look = options.look()
    if len(picture.frames) > 1 and look.quality == "auto":
        look = replace(look, quality="fast")  # as if the animation were given at once
    stylizer = Stylizer(style, look, inputs=read_inputs(inputs, limits))
    with _timed(seconds, "paint"):
        frames = []
        for frame in picture.frames:  # one by one: an animation can be given up on its way
            if left.is_set():
                raise AbandonedError
            try:
                frames += stylizer.picture(replace(picture, frames=[frame])).frames
            except NoFaceError as error:
                raise RefusedError(422, "no_face", "No face was found in the picture: try frame=whole.") from error
    picture = replace(picture, frames=frames)
    name = (options.format or picture.format).upper()
    name = name if name in FORMATS else "PNG"
    with _timed(seconds, "encode"):
        try:
            data = encode(picture, name)
        except UsageError:
            raise
        except SakugaError as error:
            raise RefusedError(422, "bad_option", f"format: {error}.") from error
    height, width = frames[0].rgb.shape[:2]
    return Result(data, name, width, height, sum(f.rgb.shape[0] * f.rgb.shape[1] for f in frames), seconds)


def _without_place(picture: Picture, strip: bool) -> Picture:
    if strip:
        return replace(picture, exif=None, xmp=None, dpi=None)
    exif = picture.exif and metadata.exif_without_place(picture.exif)
    xmp = picture.xmp and metadata.xmp_without_place(picture.xmp)
    return replace(picture, exif=exif, xmp=xmp)


def _check(picture: Picture, style: Style, options: PictureOptions, limits: Limits) -> None:
    """Raise RefusedError for a picture that is small enough to be read but not to be stylised."""
    height, width = picture.frames[0].rgb.shape[:2]
    longest = max(height, width)
    limits.check_side("picture", width, height, options.max_side)
    side = min(longest, options.max_side or longest)
    # Narrow pictures are padded; and a style that enlarges makes more of each pixel.
    tall, wide = (max(MIN_SIDE, round(length * side / longest)) for length in (height, width))
    if tall * wide * len(picture.frames) * style.card.scale**2 > limits.max_pixels:
        sentence = (
            f"The style {style.name} would work on more than {limits.max_pixels:,} pixels: ask for a smaller max_side."
        )
        raise RefusedError(413, "too_many_pixels", sentence)


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - begin


def router(state: State) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["pictures"])

    @routes.post(
        "/v1/stylize",
        response_class=Response,
        responses={200: _PAINTED, **responses(400, 408, 413, 415, 429, 503)},
        openapi_extra={"requestBody": _BODY},
    )
    async def stylize(request: Request, options: Annotated[PictureOptions, Query()]) -> Response:
        """Stylise one picture.

        Send it as the field `file` of a form, with the options as further fields, or as the body itself, with the
        options in the address. The place where a photo was taken is left out of the result.
        """
        state.limits.check_space(state.folder)
        async with upload(request) as sent:
            chosen = sent.options(options)
            style = state.styles.get(chosen.style)
            inputs = chosen.style_inputs(style, sent.pictures)
            begin = time.perf_counter()
            heavy = await state.picture_probes.serve(request, lambda left: is_heavy(sent, state.limits, left))
            workers = state.heavy if heavy else state.workers
            result = await workers.serve(request, lambda left: process(sent, style, chosen, inputs, state.limits, left))
            state.pictures.record_duration(sum(result.seconds.values()))
            state.metrics.pixels.inc(result.pixels)
        timing = {"wait": time.perf_counter() - begin - sum(result.seconds.values()), **result.seconds}
        headers = {
            "X-Sakuga-Style": quote(style.name),
            "X-Sakuga-Width": str(result.width),
            "X-Sakuga-Height": str(result.height),
            "Server-Timing": ", ".join(f"{name};dur={1000 * value:.1f}" for name, value in timing.items()),
            "Content-Disposition": disposition(sent.name, style.name, extension(result.format)),
        }
        return Response(result.data, media_type=MEDIA_TYPES[result.format], headers=headers)

    return routes
