"""Make the sample inputs of this folder out of the photographs that scikit-image ships.

Run `python examples/make.py`; it needs scikit-image besides sakuga. The same versions of the libraries give the
same files.
"""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image
from skimage import data

HERE = Path(__file__).parent
SIZE, RATE, SECONDS, SOUND_RATE = (320, 240), 15, 2, 44100


def pan(photo: np.ndarray, path: Path) -> None:
    """Write a clip that moves over the photo from left to right while it comes nearer, with a soft chord."""
    picture = Image.fromarray(photo)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as out:
        # Without the last, x264 does not give the same bytes every time.
        options = {"crf": "25", "preset": "veryslow", "threads": "1", "x264-params": "cpu-independent=1"}
        video = out.add_stream("libx264", rate=RATE, options=options)
        video.width, video.height = SIZE
        video.pix_fmt = "yuv420p"
        video.codec_context.colorspace, video.codec_context.color_range = 6, 1  # BT.601, limited
        audio = out.add_stream("aac", rate=SOUND_RATE, bit_rate=64_000)
        frames = RATE * SECONDS
        for i in range(frames):
            t = i / (frames - 1)
            ease = t * t * (3 - 2 * t)
            width = picture.width * (0.8 - 0.3 * ease)
            height = width * SIZE[1] / SIZE[0]
            left = (picture.width - width) * (0.1 + 0.4 * ease)
            top = (picture.height - height) * (0.5 + 0.1 * ease)
            view = picture.resize(SIZE, Image.Resampling.LANCZOS, box=(left, top, left + width, top + height))
            rgb = av.VideoFrame.from_image(view)
            rgb.colorspace = 6
            frame = rgb.reformat(format="yuv420p", dst_color_range=1)
            frame.pts, frame.time_base = i, Fraction(1, RATE)
            out.mux(video.encode(frame))
        out.mux(video.encode())

        time = np.arange(SOUND_RATE * SECONDS) / SOUND_RATE
        chord = sum(np.sin(2 * np.pi * note * time) for note in (220.0, 277.18, 329.63))
        wave = (0.04 * chord * np.sin(np.pi * time / SECONDS)).astype(np.float32)  # fades in and out
        tone = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
        tone.sample_rate, tone.pts, tone.time_base = SOUND_RATE, 0, Fraction(1, SOUND_RATE)
        out.mux(audio.encode(tone))
        out.mux(audio.encode())


if __name__ == "__main__":
    for name in ("astronaut", "chelsea", "coffee"):
        Image.fromarray(getattr(data, name)()).save(HERE / f"{name}.jpg", quality=90)
    pan(data.rocket(), HERE / "pan.mp4")
