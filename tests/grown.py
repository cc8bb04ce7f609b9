"""Videos whose frames change their size."""

from fractions import Fraction

import av

RATE = 24


def grown(path, size, *, small=10, large=2, back=0, turn=0, codec=None):
    """Write a clip of `small` frames of 64x64 pixels, and then `large` ones of `size` that its header does not know.

    `back`: how many of 64x64 follow again. `turn`: by how many degrees the header has them shown turned.
    """
    codec = codec or {".webm": "libvpx-vp9", ".mpg": "mpeg2video", ".avi": "mpeg4"}.get(path.suffix, "libx264")
    parts = []
    for count, (width, height) in ((small, (64, 64)), (large, size), (back, (64, 64))):
        if not count:
            continue
        context = av.CodecContext.create(codec, "w")
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.time_base, context.framerate = Fraction(1, RATE), RATE
        context.options = {"preset": "ultrafast"} if codec == "libx264" else {}
        frame = av.VideoFrame(width, height, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        packets = []
        for tick in range(count):
            frame.pts, frame.time_base = tick, context.time_base
            packets += context.encode(frame)
        parts.append(packets + context.encode(None))
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=RATE)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        if turn:
            stream.set_display_rotation(turn)
        for tick, packet in enumerate(packet for packets in parts for packet in packets):
            packet.pts = packet.dts = tick
            packet.time_base, packet.stream = Fraction(1, RATE), stream
            out.mux(packet)
    return path


def spliced(path, parts):
    """Write films one behind the other: MPEG streams as `cat` does, others packet by packet under one header."""
    if path.suffix == ".ts":
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
        return path
    with av.open(path, "w") as writer:
        stream, begin = None, 0
        for part in parts:
            with av.open(part) as reader:
                stream = stream or writer.add_stream_from_template(reader.streams.video[0])
                packets = [packet for packet in reader.demux() if packet.size]
                for packet in packets:
                    packet.pts, packet.dts, packet.stream = packet.pts + begin, packet.dts + begin, stream
                    writer.mux(packet)
                begin = packets[-1].pts + 100  # milliseconds
    return path
