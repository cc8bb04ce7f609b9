"""A video whose frames change their size."""

from fractions import Fraction

import av

RATE = 24


def grown(path, size, *, small=10, large=2, back=0):
    """Write a clip of `small` frames of 64x64 pixels, and then `large` ones of `size` that its header does not know.

    `back`: how many of 64x64 follow again.
    """
    codec = {".webm": "libvpx-vp9", ".mpg": "mpeg2video", ".avi": "mpeg4"}.get(path.suffix, "libx264")
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
        for tick, packet in enumerate(packet for packets in parts for packet in packets):
            packet.pts = packet.dts = tick
            packet.time_base, packet.stream = Fraction(1, RATE), stream
            out.mux(packet)
    return path
