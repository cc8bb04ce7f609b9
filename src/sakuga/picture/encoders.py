"""The bytes of a picture in each format that is written: JPEG, PNG, WebP, TIFF, AVIF, GIF."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, PngImagePlugin, TiffImagePlugin

from sakuga.picture import metadata
from sakuga.picture.pixels import Array, over_white, to8

if TYPE_CHECKING:
    from sakuga.picture.types import Frame, Picture

_EXIF_IFD, _PIXEL_WIDTH, _PIXEL_HEIGHT, _MAKER_NOTE = 0x8769, 0xA002, 0xA003, 0x927C
_MARKER = 65000  # what fits into one segment of a JPEG, with room for its header


def image(frame: Frame, *, alpha: bool | None = None) -> Image.Image:
    """An 8-bit RGB or RGBA image of a frame; `alpha` forces a channel (opaque where the frame has none) or none."""
    if alpha is False or (alpha is None and frame.alpha is None):
        return Image.fromarray(to8(frame.rgb))
    opaque = np.full(frame.rgb.shape[:2], 255, np.uint8)
    return Image.fromarray(np.dstack([to8(frame.rgb), opaque if frame.alpha is None else to8(frame.alpha)]))


def jpeg(picture: Picture) -> bytes:
    """The first frame, on white where it is transparent."""
    rgb = over_white(picture.frames[0])
    # Below 85 ringing shows around drawn lines, and halved chroma bleeds out of flat colours.
    options: dict[str, Any] = {"quality": max(picture.quality or 95, 85), "subsampling": 0}
    exif = _exif(picture)
    options["exif"] = exif if len(exif) <= _MARKER else _exif(picture, drop=_MAKER_NOTE)
    if len(options["exif"]) > _MARKER:
        del options["exif"]
    if picture.xmp and len(picture.xmp) <= _MARKER:
        options["xmp"] = picture.xmp
    return _save(Image.fromarray(rgb), "JPEG", icc_profile=picture.icc, dpi=picture.dpi, **options)


def png(picture: Picture) -> bytes:
    """All frames; 16 bits a channel where the (single) frame has them."""
    text = PngImagePlugin.PngInfo()
    if picture.xmp:
        text.add_itxt("XML:com.adobe.xmp", picture.xmp.decode("utf-8", "replace"))
    options: dict[str, Any] = {"pnginfo": text, "icc_profile": picture.icc, "exif": _exif(picture), "dpi": picture.dpi}
    if len(picture.frames) > 1:
        durations = [frame.duration for frame in picture.frames]
        return _save_all(picture, "PNG", duration=durations, loop=picture.loop, **options)
    frame = picture.frames[0]
    if frame.rgb.dtype == np.uint8:
        return _save(image(frame), "PNG", **options)
    # Pillow cannot write 16-bit colour: let it write the chunks of a single pixel, then put in our own size and pixels.
    samples = _samples(frame).astype(">u2")
    height, width, channels = samples.shape
    rows = samples.reshape(height, -1).view(np.uint8)
    filtered = np.full((height, 1 + rows.shape[1]), 1, np.uint8)  # filter 1: the difference to the pixel on the left
    filtered[:, 1:] = rows
    filtered[:, 1 + 2 * channels :] -= rows[:, : -2 * channels]
    own = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 16, 2 if channels == 3 else 6, 0, 0, 0),
        b"IDAT": zlib.compress(filtered.tobytes()),
    }
    data = b"\x89PNG\r\n\x1a\n"
    for kind, content, _ in PngImagePlugin.getchunks(Image.new("RGB", (1, 1)), **options):
        body = kind + own.get(kind, content)
        data += struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data


def tiff(picture: Picture) -> bytes:
    """All frames as pages, deflated, with 8 or 16 bits a channel. (Pillow cannot write 16-bit colour.)"""
    out, link = BytesIO(), 4
    for index, frame in enumerate(picture.frames):
        out.write(b"\0" * (out.tell() % 2))
        at = out.tell() or 8
        directory, strips = _tiff_page(replace(picture, frames=[frame]), described=index == 0)
        directory.save(out)  # behind the header of the file, which it writes before the first page
        out.write(b"".join(strips))
        with out.getbuffer() as written:
            written[link : link + 4] = struct.pack("<I", at)
            link = at + 2 + 12 * int.from_bytes(written[at : at + 2], "little")
    return out.getvalue()


def _tiff_page(picture: Picture, *, described: bool) -> tuple[TiffImagePlugin.ImageFileDirectory_v2, list[bytes]]:
    """The directory of a page, with EXIF and XMP if it is to be `described`, and its strips."""
    samples = _samples(picture.frames[0])
    height, width, channels = samples.shape
    bits = samples.dtype.itemsize * 8
    rest = samples.astype(f"<u{samples.dtype.itemsize}")
    rest[:, 1:] -= samples[:, :-1]  # predictor 2: differences deflate better
    rows = max(1, 2**18 // rest[0].nbytes)
    strips = [zlib.compress(rest[top : top + rows].tobytes()) for top in range(0, height, rows)]
    sizes = [len(strip) for strip in strips]
    ifd = TiffImagePlugin.ImageFileDirectory_v2()
    if described and (exif := _exif(picture)):
        tags = Image.Exif()
        tags.load(exif)
        for tag in tags:
            ifd[tag] = tags.get_ifd(tag) if tag in (_EXIF_IFD, 0x8825) else tags[tag]
    own: dict[int, Any] = {
        TiffImagePlugin.IMAGEWIDTH: width,
        TiffImagePlugin.IMAGELENGTH: height,
        TiffImagePlugin.BITSPERSAMPLE: (bits,) * channels,
        TiffImagePlugin.COMPRESSION: 8,
        TiffImagePlugin.PREDICTOR: 2,
        TiffImagePlugin.PHOTOMETRIC_INTERPRETATION: 2,
        TiffImagePlugin.SAMPLESPERPIXEL: channels,
        TiffImagePlugin.PLANAR_CONFIGURATION: 1,
        TiffImagePlugin.ROWSPERSTRIP: rows,
        TiffImagePlugin.STRIPOFFSETS: tuple(sum(sizes[:i]) for i in range(len(sizes))),  # from the directory's end
        TiffImagePlugin.STRIPBYTECOUNTS: tuple(sizes),
    }
    if channels == 4:
        own[TiffImagePlugin.EXTRASAMPLES] = 2
    if picture.icc:
        own[TiffImagePlugin.ICCPROFILE] = picture.icc
    if described and picture.xmp:
        own[TiffImagePlugin.XMP] = picture.xmp
    if picture.dpi:
        own |= {TiffImagePlugin.RESOLUTION_UNIT: 2}
        own |= {TiffImagePlugin.X_RESOLUTION: picture.dpi[0], TiffImagePlugin.Y_RESOLUTION: picture.dpi[1]}
    ifd.tagtype[TiffImagePlugin.STRIPBYTECOUNTS] = 4  # LONG: a short number holds 64 KiB
    for tag, value in own.items():
        ifd[tag] = value
    return ifd, strips


def webp(picture: Picture) -> bytes:
    """All frames; lossless where the source was."""
    options: dict[str, Any] = {"lossless": picture.lossless, "quality": 80 if picture.lossless else 90, "method": 4}
    options |= {"icc_profile": picture.icc or b"", "exif": _exif(picture)[6:], "xmp": picture.xmp or b""}
    if len(picture.frames) == 1:
        return _save(image(picture.frames[0]), "WEBP", **options)
    # Timestamps are whole milliseconds: rounding them, not the durations, keeps the length of the whole.
    data = _save_all(picture, "WEBP", duration=_whole(picture.frames, 1), loop=picture.loop, **options)
    return data if all(frame.alpha is None for frame in picture.frames) else metadata.webp_with_alpha(data)


def avif(picture: Picture) -> bytes:
    """All frames; colour lossy, alpha lossless."""
    options: dict[str, Any] = {"quality": 85, "subsampling": "4:4:4", "icc_profile": picture.icc or b""}
    options |= {"exif": _exif(picture), "xmp": picture.xmp or b""}
    if len(picture.frames) > 1:
        options["duration"] = _whole(picture.frames, 1)
    if all(frame.alpha is None for frame in picture.frames):
        return _save_all(picture, "AVIF", **options)
    try:
        return _save_all(picture, "AVIF", advanced={"alpha:lossless": "1"}, **options)
    except ValueError:  # an encoder without that option: exact alpha then takes the best quality for all
        return _save_all(picture, "AVIF", **(options | {"quality": 100}))


GIF_LONGEST = 655_350
"""Milliseconds for which a frame of a GIF can be shown."""


def gif(picture: Picture) -> bytes:
    """All frames, each with its own palette; transparent where alpha is below a half."""
    clear = any(frame.alpha is not None and to8(frame.alpha).min() < 128 for frame in picture.frames)
    frames = [_indexed(frame, clear=clear) for frame in picture.frames]
    options: dict[str, Any] = {"optimize": False, "disposal": 2 if clear else 1}
    if len(frames) > 1:
        durations = _bounded(frames, _whole(picture.frames, 10))
        options |= {"save_all": True, "append_images": frames[1:], "duration": durations}
        if picture.loop != 1:
            # The file counts repetitions, we count plays.
            options["loop"] = max(picture.loop - 1, 0) if picture.loop else 0
    return _save(frames[0], "GIF", **options)


def _bounded(frames: Sequence[Image.Image], durations: Sequence[int]) -> list[int]:
    """Durations such that frames that are alike, which become one, are together no longer than a GIF can say."""
    found: list[int] = []
    left = GIF_LONGEST
    for place, duration in enumerate(durations):
        this, before = frames[place], frames[max(0, place - 1)]
        if place == 0 or (this.tobytes(), this.getpalette()) != (before.tobytes(), before.getpalette()):
            left = GIF_LONGEST
        found.append(min(duration, left))
        left -= found[-1]
    return found


def _indexed(frame: Frame, *, clear: bool) -> Image.Image:
    """A frame in 255 colours of its own and, last, transparency if it is `clear`: viewers make of an opaque frame's
    place what they like, unless it has a transparent colour too. No dithering: it would crawl from frame to frame.
    """
    indexed = Image.fromarray(to8(frame.rgb)).quantize(255, method=Image.Quantize.MEDIANCUT, kmeans=1)
    if not clear:
        return indexed
    indices = np.asarray(indexed)
    if frame.alpha is not None:
        indices = np.where(to8(frame.alpha) < 128, np.uint8(255), indices)
    result = Image.fromarray(indices)
    palette = indexed.getpalette() or []
    result.putpalette(palette + [0] * (768 - len(palette)))
    result.info["transparency"] = 255
    return result


def _whole(frames: Sequence[Frame], unit: int) -> list[int]:
    """Durations in ms as multiples of `unit`, rounded so that every frame starts as near to its time as can be."""
    ends = np.rint(np.cumsum([frame.duration for frame in frames]) / unit).astype(int) * unit
    return [int(duration) for duration in np.diff(ends, prepend=0)]


def _samples(frame: Frame) -> Array:
    return frame.rgb if frame.alpha is None else np.dstack([frame.rgb, frame.alpha])


def _exif(picture: Picture, drop: int | None = None) -> bytes:
    """The picture's EXIF, with its note of the size corrected; without the tag `drop` of the EXIF directory."""
    if not picture.exif:
        return b""
    tags = Image.Exif()
    tags.load(picture.exif)
    if _EXIF_IFD in tags:
        inner = dict(tags.get_ifd(_EXIF_IFD))
        height, width = picture.frames[0].rgb.shape[:2]
        inner |= {tag: size for tag, size in ((_PIXEL_WIDTH, width), (_PIXEL_HEIGHT, height)) if tag in inner}
        if drop is not None:
            inner.pop(drop, None)
        tags[_EXIF_IFD] = inner
    return tags.tobytes()


def _save_all(picture: Picture, name: str, **options: Any) -> bytes:
    alpha = any(frame.alpha is not None for frame in picture.frames)
    first, *rest = (image(frame, alpha=alpha) for frame in picture.frames)
    return _save(first, name, save_all=True, append_images=rest, **options)


def _save(first: Image.Image, name: str, **options: Any) -> bytes:
    out = BytesIO()
    first.save(out, name, **{key: value for key, value in options.items() if value not in (None, b"")})
    return out.getvalue()


ENCODERS = {
    "JPEG": (".jpg", jpeg),
    "PNG": (".png", png),
    "WEBP": (".webp", webp),
    "TIFF": (".tif", tiff),
    "AVIF": (".avif", avif),
    "GIF": (".gif", gif),
}
"""The suffix and the encoder of each format. A new one is also a choice of `sakuga.runtime.flags.Format`."""
