"""Whole little files to mutate, all made here: pictures in every format and mode, clips, styles."""

import io
import struct
import sys
import zlib
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageCms, PngImagePlugin, features

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/fuzz.py does not begin in the tests' folder
import grown as growing
from made_style import make_style

EXAMPLES = Path(__file__).parents[2] / "examples"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'
COLOURS = {b"cICP": b"\x0c\x10\0\1", b"gAMA": struct.pack(">I", 55556)}
COLOURS[b"cHRM"] = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
LISTS = [
    b"ffconcat version 1.0\nfile clip.mp4\nfile 'other clip.mp4'\nduration 2\n",
    b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nclip.ts\n#EXT-X-ENDLIST\n",
    b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><BaseURL>a.mp4</BaseURL></Period></MPD>',
    b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
]
"""Lists, playlists, manifests and descriptions, which name other files."""
CLIPS = {"mp4": "libx264", "mov": "mpeg4", "mkv": "libx264", "webm": "libvpx", "avi": "mpeg4", "ts": "mpeg2video"}


def scene(height: int = 24, width: int = 32, channels: int = 3, shift: int = 0) -> np.ndarray:
    """Gradients with an edge, uint8 (H, W, C)."""
    y, x = np.mgrid[:height, :width]
    planes = [x * 7 + shift * 9, y * 9, (x > width // 2) * 200, (x + y) % 2 * 255]
    return (np.stack(planes[:channels], axis=2) % 256).astype(np.uint8)


def exif() -> Image.Exif:
    """What a camera writes: text, orientation, its own directory and the place."""
    tags = Image.Exif()
    tags[0x010F], tags[0x0112], tags[0x011A] = "Maker", 6, 72.0
    tags[0x8769] = {0x9003: "2024:05:06 07:08:09", 0x927C: b"note" * 8, 0xA002: 32}
    tags[0x8825] = {1: "N", 2: (35.0, 41.0, 22.5)}
    return tags


def save(image: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


@cache
def pictures(kind: str) -> list[bytes]:
    """The whole files of a kind: a format in lower case, or `other` for those that are only read."""
    rgb, rgba = Image.fromarray(scene()), Image.fromarray(scene(channels=4))
    frames = [Image.fromarray(scene(shift=i)) for i in range(4)]
    told = {"exif": exif().tobytes(), "icc_profile": SRGB}
    moving: dict[str, object] = {"save_all": True, "append_images": frames[1:], "duration": 40}
    wide = Image.fromarray(scene().astype(np.uint16)[..., 0] * 257)
    if kind == "png":
        modes = [rgb.convert(mode) for mode in ("1", "L", "LA", "P")] + [wide, rgba]
        coded = [save(rgb, "PNG") for _ in range(3)]
        for index, (name, data) in enumerate(COLOURS.items()):
            body = name + data
            chunk = struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
            coded[index] = coded[index][:33] + chunk + coded[index][33:]
        whole = [save(rgb, "PNG", **told), *(save(m, "PNG") for m in modes), save(frames[0], "PNG", **moving)]
        return [*whole, *coded, save(frames[0], "PNG", default_image=True, **moving)]
    if kind == "jpeg":
        example = Image.open(EXAMPLES / "astronaut.jpg").resize((64, 64))
        made = [save(rgb, "JPEG", quality=80, **told), save(rgb, "JPEG", progressive=True, xmp=XMP)]
        made += [save(rgb.convert(mode), "JPEG") for mode in ("L", "CMYK", "YCbCr")]
        return [*made, save(example, "JPEG", **told), save(rgb, "MPO", save_all=True, append_images=frames)]
    if kind == "gif":
        see_through = [Image.fromarray(scene(channels=4, shift=i)) for i in range(3)]
        clear = save(see_through[0], "GIF", save_all=True, append_images=see_through[1:], disposal=2, loop=0)
        return [save(rgb, "GIF"), save(frames[0], "GIF", **moving), clear]
    if kind == "webp":
        lossless = save(rgba, "WEBP", lossless=True, exif=told["exif"], xmp=XMP)
        return [save(rgb, "WEBP", **told), lossless, save(frames[0], "WEBP", **moving)]
    if kind == "tiff":
        ways = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "lzma", "zstd")
        made = [save(rgb, "TIFF", compression=way) for way in ways]
        made += [save(rgb.convert("1"), "TIFF", compression="group4"), save(wide, "TIFF"), save(rgba, "TIFF", **told)]
        made += [save(rgb, "TIFF", save_all=True, append_images=[wide, rgba.resize((9, 5))])]
        return [*made, save(rgb.convert("CMYK"), "TIFF"), save(rgb.convert("LAB"), "TIFF"), tiled_tiff(), planar_tiff()]
    if kind == "avif":
        if not features.check("avif"):
            return pictures("png")
        return [save(rgb, "AVIF", **told), save(rgba, "AVIF"), save(frames[0], "AVIF", **moving)]
    formats = ("BMP", "DIB", "PPM", "TGA", "JPEG2000", "QOI", "ICO", "DDS", "SGI", "PCX")
    icon = save(rgb, "ICNS", sizes=[(16, 16)])
    return [*(save(rgb, format) for format in formats), icon, save(rgb.convert("P"), "BMP"), psd()]


def with_xmp(packet: bytes) -> bytes:
    """A PNG with this XMP packet."""
    info = PngImagePlugin.PngInfo()
    info.add(b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + packet)
    return save(Image.fromarray(scene()), "PNG", pnginfo=info)


def tiff(tags: dict[int, tuple[int, ...]], pixels: bytes, *, order: str = "<") -> bytes:
    """A TIFF of one directory, every tag a list of LONGs; -1 stands for where the pixels begin."""
    entries, heap = b"", b""
    heap_at = 8 + 2 + 12 * len(tags) + 4
    pixels_at = heap_at + sum(4 * len(values) for values in tags.values() if len(values) > 1)
    for tag, values in sorted(tags.items()):
        words = b"".join(struct.pack(order + "I", pixels_at if v == -1 else v) for v in values)
        entries += struct.pack(order + "HHI", tag, 4, len(values))
        if len(values) > 1:
            entries, heap = entries + struct.pack(order + "I", heap_at + len(heap)), heap + words
        else:
            entries += words
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, len(tags))
    return head + entries + struct.pack(order + "I", 0) + heap + pixels


def plain_tags(width: int, height: int, **changes: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
    """The tags of an uncompressed 8-bit RGB picture in one strip."""
    tags = {256: (width,), 257: (height,), 258: (8, 8, 8), 259: (1,), 262: (2,), 273: (-1,), 277: (3,)}
    tags |= {278: (height,), 279: (width * height * 3,)}
    return tags | {int(key[1:]): value for key, value in changes.items()}


def tiled_tiff() -> bytes:
    tags = plain_tags(32, 16, t322=(16,), t323=(16,), t324=(-1, -1), t325=(768, 768))
    for tag in (273, 278, 279):
        del tags[tag]
    return tiff(tags, scene(16, 16).tobytes())


def planar_tiff() -> bytes:
    return tiff(plain_tags(16, 16, t273=(-1, -1, -1), t279=(256,) * 3, t284=(2,)), bytes(range(256)), order=">")


def psd() -> bytes:
    """The merged picture alone, 8 bits, RGB, not compressed."""
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 24, 32, 8, 3)
    return head + struct.pack(">III", 0, 0, 0) + b"\0\0" + scene().transpose(2, 0, 1).tobytes()


def clip(path: Path, codec: str, *, frames: int = 6, size: tuple[int, int] = (64, 48)) -> bytes:
    """A short clip with a sound track where the container has a plain one."""
    with av.open(str(path), "w") as out:
        video = out.add_stream(codec, rate=12)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.thread_count = 1
        sound = out.add_stream("libopus" if path.suffix == ".webm" else "mp2", rate=48000)
        sound.codec_context.layout = "stereo"
        for i in range(frames):
            out.mux(video.encode(av.VideoFrame.from_ndarray(scene(size[1], size[0], shift=i), format="rgb24")))
        out.mux(video.encode())
        quiet = np.zeros((1, 2 * sound.codec_context.frame_size), np.int16)
        for i in range(8):
            tone = av.AudioFrame.from_ndarray(quiet, format="s16", layout="stereo")
            tone.sample_rate, tone.pts, tone.time_base = 48000, i * quiet.shape[1] // 2, Fraction(1, 48000)
            out.mux(sound.encode(tone))
        out.mux(sound.encode())
    return path.read_bytes()


@cache
def videos(kind: str, folder: Path) -> list[bytes]:
    return [clip(folder / f"sample.{kind}", CLIPS[kind])]


@cache
def styles(folder: Path) -> list[bytes]:
    """Small styles of every shape of network that the tests know."""
    kinds = ("identity", "blur", "strided", "global", "double")
    return [make_style(folder / f"{kind}.onnx", kind).read_bytes() for kind in kinds]


@cache
def grown(suffix: str, size: tuple[int, int], folder: Path) -> bytes:
    """A clip whose last frames are larger than its header says."""
    path = growing.grown(folder / f"{size[0]}x{size[1]}.{suffix}", size, small=3, large=1)
    return path.read_bytes()
