"""A picture in, a picture out."""

from sakuga.picture.decode import Header, Source, read, read_header, read_rgb
from sakuga.picture.encode import check_suffix, dropped, encode, extension, to_pil, write
from sakuga.picture.formats import FORMATS, MAX_PIXELS, READABLE_SUFFIXES, SUFFIXES
from sakuga.picture.types import Frame, Picture

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "READABLE_SUFFIXES",
    "SUFFIXES",
    "Frame",
    "Header",
    "Picture",
    "Source",
    "check_suffix",
    "dropped",
    "encode",
    "extension",
    "read",
    "read_header",
    "read_rgb",
    "to_pil",
    "write",
]
