"""A picture in, a picture out."""

from sakuga.picture.decode import Source, read
from sakuga.picture.encode import encode, extension, to_pil, write
from sakuga.picture.formats import FORMATS, MAX_PIXELS, READABLE_SUFFIXES, SUFFIXES
from sakuga.picture.types import Frame, Picture

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "READABLE_SUFFIXES",
    "SUFFIXES",
    "Frame",
    "Picture",
    "Source",
    "encode",
    "extension",
    "read",
    "to_pil",
    "write",
]
