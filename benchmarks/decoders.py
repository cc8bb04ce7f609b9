"""What does the worst picture of each rarer format cost? Time and memory of reading it, legal ones and hostile ones.

    python benchmarks/decoders.py [--only bmp,j2k]

Legal ones have 50 megapixels, the server's limit, or as many as fit into 32 MiB, its other limit, in the coding that
takes longest; hostile ones fill 32 MiB with what their decoder might choke on. Each is read in a process of its own.
Prints Markdown: the seconds of processor time and the peak of memory of each, and what became of it.
"""

import argparse
import io
import resource
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

BYTES, PIXELS = 32 * 2**20, 50_000_000
SIDE = 7040  # 49.6 megapixels, and whole blocks of 64
READ = """
import resource, sys, time
from pathlib import Path
from sakuga.errors import SakugaError
from sakuga.picture import read
data = Path(sys.argv[1]).read_bytes()
begin = time.process_time()
try:
    read(data, max_pixels=int(sys.argv[2])); outcome = "read"
except SakugaError: outcome = "refused"
print(time.process_time() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, outcome)
"""


def noise(count: int) -> bytes:
    """Random bytes."""
    return np.random.default_rng(0).bytes(count)


def photo(side: int = SIDE) -> Image.Image:
    """Smooth noise of so many pixels a side, which every coder finds hard, over and over."""
    tile = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).resize((320, 320))
    return Image.fromarray(np.tile(np.asarray(tile), (side // 320, side // 320, 1)))


def coded(name: str, side: int = SIDE, **options: object) -> bytes:
    """A photo in a format that Pillow, or an extra, writes."""
    file = io.BytesIO()
    photo(side).save(file, name, **options)
    assert file.tell() <= BYTES, (name, file.tell())
    return file.getvalue()


def boxes(kind: bytes, head: bytes) -> bytes:
    """A file of boxes (JPEG 2000, JPEG XL, AVIF) that holds nothing but empty ones behind its head."""
    return head + (b"\0\0\0\x08" + kind) * ((BYTES - len(head)) // 8)


def j2k() -> Iterator[tuple[str, bytes]]:
    small = coded("JPEG2000", 640, no_jp2=True)
    sizes = bytearray(small)
    at = sizes.index(b"\xff\x51") + 6  # SIZ: behind its length and capabilities
    sizes[at : at + 32] = struct.pack(">8I", SIDE, SIDE, 0, 0, 1, 1, 0, 0)
    yield "50 megapixels", coded("JPEG2000", quality_layers=[40], no_jp2=True)
    yield "hostile: tiles of a pixel", bytes(sizes)
    sizes[at : at + 32] = struct.pack(">8I", SIDE, SIDE, 0, 0, SIDE, SIDE, 0, 0)
    yield "hostile: noise for pixels", bytes(sizes) + noise(BYTES - len(sizes))
    yield "hostile: boxes", boxes(b"free", b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 \0\0\0\0jp2 ")


def ppm() -> Iterator[tuple[str, bytes]]:
    side = int((BYTES / 3) ** 0.5) - 8
    yield "10 megapixels", b"P6\n%d %d\n255\n" % (side, side) + noise(3 * side * side)
    side = int((BYTES / 6) ** 0.5) - 8
    yield "5 megapixels as text", b"P3\n%d %d\n9\n" % (side, side) + b"1 " * (3 * side * side)
    yield "50 megapixels, a bit each", b"P4\n%d %d\n" % (SIDE, SIDE) + bytes(SIDE * SIDE // 8)
    yield "hostile: one number", b"P3\n99 99\n255\n" + b"1" * (BYTES - 20)
    yield "hostile: comments", b"P3\n" + b"#\n" * (BYTES // 2 - 20) + b"9 9\n255\n"


def dds() -> Iterator[tuple[str, bytes]]:
    def file(side: int, code: bytes, bits: int, more: bytes = b"") -> bytes:
        head = struct.pack("<7I44x", 124, 0x81007, side, side, 0, 0, 0) + struct.pack("<2I4s5I", 32, 4, code, *[0] * 5)
        return b"DDS " + head + struct.pack("<5I", 0x1000, *[0] * 4) + more + noise(side * side * bits // 8)

    yield "50 megapixels, DXT1", file(SIDE, b"DXT1", 4)
    yield "29 megapixels, BC7", file(5376, b"DX10", 8, struct.pack("<5I", 98, 3, 0, 1, 0))
    yield "29 megapixels, BC6H", file(5376, b"DX10", 8, struct.pack("<5I", 95, 3, 0, 1, 0))


def sgi() -> Iterator[tuple[str, bytes]]:
    def file(bits: int, row: bytes) -> bytes:
        head = struct.pack(">HBBHHHHii", 474, 1, bits, 3, SIDE, SIDE, 3, 0, 255).ljust(512, b"\0")
        tables = np.full(3 * SIDE, 512 + 24 * SIDE, ">u4").tobytes() + np.full(3 * SIDE, len(row), ">u4").tobytes()
        return head + tables + row

    yield "50 megapixels, one row for all", file(1, b"\xff\x07" * (SIDE // 127) + b"\x01\x07" * (SIDE % 127) + b"\0")
    yield "hostile: a row of 32 MiB", file(1, b"\x01\x07" * (2**24 - 2**18))


def avif() -> Iterator[tuple[str, bytes]]:
    yield "50 megapixels", coded("AVIF", quality=30, speed=10)
    small = coded("AVIF", 640)
    yield "hostile: boxes", boxes(b"free", small)
    yield "hostile: noise for pixels", small[: len(small) // 2] + noise(BYTES - len(small))


def tga() -> Iterator[tuple[str, bytes]]:
    head = struct.pack("<3B5x4H2B", 0, 0, 10, 0, 0, SIDE, SIDE, 24, 0)
    yield "50 megapixels, runs", head + b"\xff\1\2\3" * (SIDE * SIDE // 128)
    side = 2890
    yield (
        "8 megapixels, packets of a pixel",
        head[:12] + struct.pack("<2H2B", side, side, 24, 0) + b"\0\1\2\3" * side**2,
    )
    yield "hostile: packets of a pixel that end", head + b"\0\1\2\3" * (BYTES // 4 - 8)


def jxl() -> Iterator[tuple[str, bytes]]:
    import pillow_jxl  # noqa: F401  it makes itself known to Pillow

    yield "50 megapixels", coded("JXL", quality=40, effort=1)
    small = coded("JXL", 640)
    yield "hostile: boxes", boxes(b"free", b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl ")
    yield "hostile: noise for pixels", small[: len(small) // 2] + noise(BYTES - len(small))


def bmp() -> Iterator[tuple[str, bytes]]:
    def file(bits: int, compression: int, side: int, data: bytes) -> bytes:
        colours = bytes(4 << bits) if bits <= 8 else b""
        head = struct.pack("<IiiHHIIiiII", 40, side, side, 1, bits, compression, len(data), 0, 0, 0, 0)
        return struct.pack("<2sIII", b"BM", 54 + len(colours) + len(data), 0, 54 + len(colours)) + head + colours + data

    yield "11 megapixels", file(24, 0, 3340, noise(3340 * 3340 * 3))
    yield "50 megapixels, a bit each", file(1, 0, SIDE, bytes(SIDE * SIDE // 8))
    row = b"\xff\1" * (SIDE // 255) + bytes([SIDE % 255, 1, 0, 0])
    yield "50 megapixels, runs", file(8, 1, SIDE, row * SIDE + b"\0\1")
    yield "16 megapixels, runs of a pixel", file(8, 1, 4032, (b"\1\1" * 4032 + b"\0\0") * 4032 + b"\0\1")
    yield "hostile: steps of nothing", file(8, 1, SIDE, b"\0\2\0\0" * (BYTES // 4 - 300))


def mpo() -> Iterator[tuple[str, bytes]]:
    file = io.BytesIO()
    photo(640).save(file, "MPO", save_all=True, append_images=[photo(640)] * 30)
    yield "31 pictures", file.getvalue()
    many = bytearray(file.getvalue())
    at = many.index(b"MPF\0") + 4
    order = "<" if many[at : at + 2] == b"II" else ">"
    count = many.index(struct.pack(f"{order}HHI", 0xB001, 4, 1), at) + 8  # NumberOfImages
    many[count : count + 4] = struct.pack(f"{order}I", 2**20)
    yield "hostile: a million pictures", bytes(many) + noise(BYTES - len(many))


KINDS: dict[str, Callable[[], Iterator[tuple[str, bytes]]]] = {
    one.__name__: one for one in (j2k, ppm, dds, sgi, avif, tga, jxl, bmp, mpo)
}


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=lambda text: text.split(","), default=[*KINDS], help=", ".join(KINDS))
    print("| format | file | MiB | | s | peak, MiB |\n|---|---|---:|---|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for kind in parser.parse_args().only:
            for name, data in KINDS[kind]():
                assert len(data) <= BYTES, (kind, name, len(data))
                path = Path(folder, "picture")
                path.write_bytes(data)
                command = [sys.executable, "-c", READ, str(path), str(PIXELS)]
                limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, (120, 120))  # noqa: E731
                done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit, check=False)
                seconds, peak, outcome = done.stdout.split() or ("nan", "0", f"ended with {done.returncode}")
                figures = f"{float(seconds):.1f} | {int(peak) // 1024:,}"
                print(f"| {kind} | {name} | {len(data) / 2**20:.1f} | {outcome} | {figures} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
