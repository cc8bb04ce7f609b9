"""The formats that are read and written, by Pillow's names and by suffix."""

from sakuga.picture.encoders import ENCODERS

MAX_PIXELS = 178_956_970
"""The most pixels a picture may have, all frames together, by default: 512 MiB of RGB."""

FORMATS = {name: suffix for name, (suffix, _) in ENCODERS.items()}
"""The formats that are written, with their suffixes. A picture read from any other becomes a PNG."""

SUFFIXES = {suffix: name for name, suffix in FORMATS.items()}
SUFFIXES |= {".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".tiff": "TIFF", ".apng": "PNG"}
"""The format that each suffix of an output means."""

READABLE_SUFFIXES = frozenset(SUFFIXES) | {
    *(".mpo", ".bmp", ".dib", ".jp2", ".j2k", ".jpf", ".jpx", ".jpc", ".j2c", ".ppm", ".pgm", ".pbm", ".pnm", ".qoi"),
    *(".psd", ".ico", ".icns", ".dds", ".sgi", ".rgb", ".rgba", ".bw", ".pcx", ".avifs"),
    *(".heic", ".heif", ".hif", ".jxl"),
    *(".tga", ".icb", ".vda", ".vst"),
}
"""The suffixes by which a folder's pictures are known, for stylising and for training."""
