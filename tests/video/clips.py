"""Clips made by PyAV in a temporary folder, and what they hold when they are read back."""

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
import pytest

from sakuga.errors import SakugaError
from sakuga.video import stylize_video

FRAMES, RATE, SOUND_RATE = 24, 24, 48000
QUADRANTS = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (180, 180, 60)]  # upper left, upper right, lower left, ...
BT709, BT601 = 1, 6


def quadrants(height=48, width=64, shade=0):
    """Four coloured quarters: tells how a picture lies and which matrix it was coded with."""
    rgb = np.empty((height, width, 3), np.uint8)
    for (y, x), colour in zip(((0, 0), (0, 1), (1, 0), (1, 1)), QUADRANTS, strict=True):
        rgb[y * height // 2 : (y + 1) * height // 2, x * width // 2 : (x + 1) * width // 2] = colour
    return rgb + np.uint8(shade)


def make(
    path,
    *,
    times=range(FRAMES),
    time_base=Fraction(1, RATE),
    size=(64, 48),
    video="libx264",
    sounds=("aac",),
    matrix=BT601,
    full_range=False,
    pix_fmt="yuv420p",
    turn=None,
    flip=False,
    aspect=None,
    colours=None,
    subtitles=None,
    muxing=None,
    delay=0,
    silence=0.0,
):
    """Write a clip with frames at the ticks `times`, and a tone on each sound track; `delay` shifts all, in seconds."""
    with av.open(str(path), "w", container_options=muxing or {}) as out:
        picture = out.add_stream(video, rate=RATE)
        picture.width, picture.height = size
        picture.pix_fmt = pix_fmt
        context = picture.codec_context
        picture.time_base = context.time_base = time_base
        context.colorspace, context.color_range = matrix, 2 if full_range else 1
        context.color_primaries, context.color_trc = colours or (2, 2)
        if video == "libx264":
            context.options = {"crf": "1", "bf": "2"}
        if aspect:
            context.sample_aspect_ratio = aspect
        if turn or flip:
            picture.set_display_rotation(turn or 0, hflip=flip)
        tracks = [out.add_stream(codec, rate=SOUND_RATE, options={"strict": "-2"}) for codec in sounds]
        for i, track in enumerate(tracks):
            track.metadata["language"] = ("jpn", "eng", "fra")[i]
        texts = out.add_mux_stream(subtitles) if subtitles else None
        last = None
        for i, tick in enumerate(times):
            rgb = av.VideoFrame.from_ndarray(quadrants(size[1], size[0], i % 256), format="rgb24")
            rgb.colorspace = matrix
            frame = rgb.reformat(format=pix_fmt, dst_color_range=2 if full_range else 1)
            frame.pts, frame.time_base = tick + round(delay / time_base), time_base
            out.mux(picture.encode(frame))
            last = tick
        out.mux(picture.encode())
        seconds = float((last + 1) * time_base)
        for number, track in enumerate(tracks):
            for begin in range(0, int(seconds * SOUND_RATE), 1024):
                phase = np.arange(begin, begin + 1024) * 2 * np.pi * (440 + 110 * number) / SOUND_RATE
                wave = (np.sin(phase) * 0.3).astype(np.float32)
                wave[: max(0, round(silence * SOUND_RATE) - begin)] = 0
                tone = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
                tone.sample_rate, tone.time_base = SOUND_RATE, Fraction(1, SOUND_RATE)
                tone.pts = begin + round(delay * SOUND_RATE)
                out.mux(track.encode(tone))
            out.mux(track.encode())
        if texts:
            packet = av.Packet(b"hello")
            packet.pts = packet.dts = 0
            packet.duration, packet.time_base, packet.stream = 500, Fraction(1, 1000), texts
            out.mux(packet)
    return path


@dataclass
class Clip:
    """What a file holds; times in seconds."""

    times: list
    frames: list
    length: float | None
    sounds: list
    stream: dict


def read(path):
    times, frames, sounds = [], [], {}
    with av.open(str(path)) as reader:
        video = reader.streams.video[0]
        context = video.codec_context
        stream = {
            "codec": context.name,
            "size": (context.width, context.height),
            "pix_fmt": context.pix_fmt,
            "matrix": context.colorspace,
            "range": context.color_range,
            "aspect": video.sample_aspect_ratio,
            "time_base": video.time_base,
            "languages": [track.language for track in reader.streams.audio],
            "subtitles": [track.codec_context.name for track in reader.streams.subtitles],
        }
        length = None if video.duration is None else float(video.duration * video.time_base)
        for packet in reader.demux():
            if packet.stream is video:
                for frame in packet.decode():
                    times.append(frame.pts * frame.time_base)
                    frames.append(frame.to_ndarray(format="rgb24"))
                    stream["turn"] = frame.rotation
            elif packet.stream.type == "audio" and packet.size:
                sounds.setdefault(packet.stream_index, []).append((packet.pts * packet.time_base, bytes(packet)))
    return Clip(times, frames, length, list(sounds.values()), stream)


def same(rgb):
    return rgb


def invert(rgb):
    return 255 - rgb


def check_same_times_and_sound(source, target, length=None):
    """The length is the source's, unless libav reads that one wrong."""
    before, after = read(source), read(target)
    assert len(before.times) == len(after.times) > 0
    assert after.times == before.times
    assert after.length == pytest.approx(length or before.length, abs=1 / RATE)
    assert after.sounds == before.sounds
    return before, after


def left_over(folder):
    return {path.name for path in folder.iterdir()}


def check_refused(source, words, target="b.mp4", error=SakugaError, **more):
    before = left_over(source.parent)
    with pytest.raises(error, match=words) as caught:
        stylize_video(source, source.parent / target, same, **more)
    assert "\n" not in str(caught.value)
    assert left_over(source.parent) == before
