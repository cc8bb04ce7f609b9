"""What a picture is between its decoder and its encoder."""

from dataclasses import dataclass

from sakuga.picture.pixels import Array


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame: rgb (H, W, 3) uint8, or uint16 of a 16-bit source, and alpha (H, W) of the same type, or None.

    Upright (the EXIF orientation is applied). Where alpha is zero, rgb holds the colours around, so that a network
    sees no garbage at the edge. `duration` is in milliseconds; 0 outside an animation.
    """

    rgb: Array
    alpha: Array | None = None
    duration: float = 0


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture and what is needed to write it back the same.

    `format` is Pillow's name for the source's format; `loop` the number of times an animation plays (0: for ever);
    `icc` is an RGB profile or None; `exif` has orientation 1 and no thumbnail; `quality` is a JPEG's, estimated;
    `lossless` says that a WebP source was; `note` is what a person should hear about the source. Change one with
    `replace(picture, frames=...)`.
    """

    frames: list[Frame]
    format: str = "PNG"
    loop: int = 0
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    quality: int | None = None
    lossless: bool = False
    note: str = ""
