"""Video: high dynamic range and interlaced sources become what screens show."""

from fractions import Fraction

import av
import numpy as np
import pytest
from clips import BT709, make, quadrants, read

from sakuga.picture.hdr import HLG, PQ, ToneMap, compress, hlg_to_scene, light_to_pq, pq_to_light
from sakuga.video import VideoOptions, stylize_video
from sakuga.video.options import CODECS

BT2020 = 9
STRIPES = [0.0, 5.0, 50.0, 1000.0]
"""Light in cd/m², in columns."""
SHOWN = [0, 54, 142, 255]
"""On a screen of power 2.4 with white at 203: 255 (5 / 203)^(1 / 2.4) = 255 · 0.2136 = 54.5; of 50: 255 · 0.5578 =
142.2; 1000, the peak, is white."""


def test_pq_values():
    """ITU-R BT.2408, table 1: 203 cd/m² has a PQ signal of 58 %; 100 cd/m² 51 %, 1000 cd/m² 75 %, 10,000 100 %."""
    np.testing.assert_allclose(light_to_pq(np.array([100, 203, 1000, 10_000])), [0.51, 0.58, 0.75, 1], atol=0.005)
    np.testing.assert_allclose(pq_to_light(light_to_pq(np.array([0.01, 1, 500]))), [0.01, 1, 500], rtol=1e-6)


def test_hlg_values():
    """ITU-R BT.2100: half the signal is a twelfth of the light, the whole is all of it."""
    np.testing.assert_allclose(hlg_to_scene(np.array([0, 0.5, 1])), [0, 1 / 12, 1], atol=1e-6)


def test_the_curve_leaves_the_dark_alone_and_ends_at_white():
    light = np.linspace(0, 1000, 2001)
    low = compress(light)
    np.testing.assert_allclose(low[light <= 85], light[light <= 85], rtol=1e-3, atol=1e-6)
    assert (np.diff(low) > 0).all()
    assert low[-1] == pytest.approx(203, rel=1e-3)
    assert 130 < low[np.searchsorted(light, 203)] < 180


def test_tone_mapping_of_greys():
    signal = np.rint(65535 * light_to_pq(np.array(STRIPES))).astype(np.uint16)
    shown = ToneMap(PQ)(np.repeat(signal[None, :, None], 3, axis=2))
    np.testing.assert_allclose(shown[0], np.repeat(np.array(SHOWN)[:, None], 3, axis=1), atol=1)


def test_hlg_of_grey():
    """A signal of 0.5 is scene light 1/12, on the screen 1000 (1/12)^1.2 = 50.7 cd/m²: 255 (50.7/203)^(1/2.4) = 143."""
    shown = ToneMap(HLG)(np.full((1, 1, 3), 32768, np.uint16))
    np.testing.assert_allclose(shown, 143, atol=1)


def test_a_colour_within_bt709_keeps_its_hue():
    """Linear BT.709 red of 60 cd/m² in BT.2020 (ITU-R BT.2087): 60 (0.6274, 0.0691, 0.0164)."""
    light = 60 * np.array([0.6274, 0.0691, 0.0164])
    shown = ToneMap(PQ)(np.rint(65535 * light_to_pq(light)).astype(np.uint16)[None, None])[0, 0]
    np.testing.assert_allclose(shown, [255 * (60 / 203) ** (1 / 2.4), 0, 0], atol=4)  # 153


def hdr_clip(path, transfer=PQ):
    """Columns of grey, PQ, 10 bits."""
    code = light_to_pq(np.repeat(np.array(STRIPES), 16))
    luma = np.rint(64 + 876 * code).astype(np.uint16)  # limited range in 10 bits
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx265", rate=24, options={"x265-params": "log-level=error:lossless=1"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        context = stream.codec_context
        context.colorspace, context.color_range, context.color_primaries, context.color_trc = BT2020, 1, 9, transfer
        for i in range(3):
            yuv = np.concatenate([np.tile(luma, (48, 1)), np.full((24, 64), 512, np.uint16)])
            frame = av.VideoFrame(64, 48, "yuv420p10le")
            planes = [yuv[:48], np.full((24, 32), 512, np.uint16), np.full((24, 32), 512, np.uint16)]
            for plane, values in zip(frame.planes, planes, strict=True):
                padded = np.zeros((plane.height, plane.line_size // 2), np.uint16)
                padded[:, : values.shape[1]] = values
                plane.update(padded.tobytes())
            frame.pts, frame.time_base = i, Fraction(1, 24)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def test_an_hdr_video_is_brought_to_bt709_and_it_is_said(tmp_path, capsys):
    source, seen = hdr_clip(tmp_path / "a.mp4"), []

    def paint(rgb):
        seen.append(rgb)
        return rgb

    stylize_video(source, tmp_path / "b.mp4", paint)
    columns = seen[0][24, 8::16]
    np.testing.assert_allclose(columns, np.repeat(np.array(SHOWN)[:, None], 3, axis=1), atol=2)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "a.mp4 is HDR" in said
    after = read(tmp_path / "b.mp4")
    assert after.stream["matrix"] == BT709
    np.testing.assert_allclose(after.frames[0][24, 8::16], columns, atol=5)
    with av.open(str(tmp_path / "b.mp4")) as reader:
        context = reader.streams.video[0].codec_context
        assert (context.color_primaries, context.color_trc, context.format.name) == (1, 1, "yuv420p")


def test_ten_bits_without_hdr(tmp_path, capsys):
    source = make(tmp_path / "a.mp4", video="libx265", pix_fmt="yuv420p10le", sounds=(), times=range(3))
    seen = []
    stylize_video(source, tmp_path / "b.mp4", lambda rgb: (seen.append(rgb), rgb)[1])
    assert np.abs(seen[0].astype(int) - quadrants()).mean() < 8
    assert read(tmp_path / "b.mp4").stream["pix_fmt"] == "yuv420p"
    assert capsys.readouterr().err == ""


def bar(position, size=(64, 48)):
    rgb = np.full((*size[::-1], 3), 40, np.uint8)
    rgb[:, position : position + 12] = 220
    return rgb


def interlaced_clip(path, size=(64, 48)):
    """A bar that moves by 4 pixels from field to field: in each frame the even rows are earlier than the odd ones."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "1", "x264-params": "tff=1"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for i in range(5):
            rgb = bar(8 * i, size)
            rgb[1::2] = bar(8 * i + 4, size)[1::2]
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("suffix", "options"), [(".mp4", None), (".mp4", VideoOptions(start="0.08")), (".ts", None), (".mkv", None)]
)
def test_interlaced_frames_are_painted_whole(tmp_path, suffix, options):
    source, seen = interlaced_clip(tmp_path / f"a{suffix}"), []
    with av.open(str(source)) as reader:
        raw = [f.to_ndarray(format="rgb24") for f in reader.decode(video=0)]
        assert all(frame.interlaced_frame for frame in av.open(str(source)).decode(video=0))

    def combs(rgb):
        return np.abs(np.diff(rgb[..., 0].astype(int), axis=0)).mean()

    stylize_video(source, tmp_path / "b.mp4", lambda rgb: (seen.append(rgb), rgb)[1], options=options)
    skipped = 2 if options else 0
    assert len(seen) == 5 - skipped
    times = [float(time) for time in read(tmp_path / "b.mp4").times]
    assert times == pytest.approx([i / 25 for i in range(5 - skipped)], abs=0.001)
    for before, after in zip(raw[skipped:], seen, strict=True):
        assert combs(after) < combs(before) / 4


def test_joined_interlaced_recordings_may_change_the_size_of_frames(tmp_path):
    source, seen = tmp_path / "a.ts", []
    parts = [interlaced_clip(tmp_path / f"{size[0]}.ts", size) for size in ((64, 48), (128, 96))]
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    stylize_video(source, tmp_path / "b.mp4", lambda rgb: (seen.append(rgb.shape), rgb)[1])
    assert seen == [(48, 64, 3)] * 10


def test_the_encoders_are_there():
    assert all(codec.encoder in av.codecs_available for codec in CODECS.values())
