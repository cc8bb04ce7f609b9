"""Video: MPEG streams that were joined, whose clock is set anew or leaps, come out whole under one clock."""

from fractions import Fraction

import av
import numpy as np
import pytest
from clips import FRAMES, RATE, make, read, same

from sakuga.errors import IncompleteError, UsageError
from sakuga.video import VideoOptions, stylize_video


def join(path, *delays):
    """Write clips of a second one behind the other, as `cat` does, whose clocks begin `delays` seconds later."""
    video = {"video": "mpeg2video", "sounds": ("mp2",)} if path.suffix == ".mpg" else {}
    parts = [make(path.with_stem(f"part{i}"), delay=delay, **video) for i, delay in enumerate(delays)]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize(
    ("name", "delays"), [("a.ts", (0, 0, 0)), ("a.ts", (0, 100)), ("a.ts", (100, 0)), ("a.mpg", (0, 0))]
)
def test_joined_parts_follow_one_another(tmp_path, name, delays):
    source, target = join(tmp_path / name, *delays), tmp_path / "b.mkv"
    stylize_video(source, target, same)  # raises where damage is told
    made = read(target)
    count = FRAMES * len(delays)
    assert len(made.times) == pytest.approx(count, abs=2 if name == "a.mpg" else 0)
    steps = np.diff([float(time) for time in made.times])
    assert steps.min() > 0
    assert steps.max() < 0.12  # at a joint the longer of pictures and sound counts
    assert len(made.sounds[0]) >= len(delays) * (42 if name == "a.mpg" else 47)  # of 1152 or 1024 samples
    assert float(made.sounds[0][-1][0]) == pytest.approx(float(made.times[-1]), abs=0.15)


def test_a_beginning_within_joined_parts_cannot_be_found(tmp_path):
    source = join(tmp_path / "a.ts", 0, 0)
    with pytest.raises(UsageError, match=r"--start 0.5 cannot be found in .* set anew at [01]\.\d s: leave out"):
        stylize_video(source, tmp_path / "b.mkv", same, options=VideoOptions(start="0.5"))
    stylize_video(source, tmp_path / "b.mkv", same, options=VideoOptions(duration="1.5"))
    assert len(read(tmp_path / "b.mkv").times) == pytest.approx(1.5 * RATE, abs=1)


def test_what_was_cut_out_of_pictures_and_sound_is_not_missing(tmp_path):
    """Three seconds later in both; where the sound alone leaps, that is told."""
    source = make(tmp_path / "a.ts", times=range(2 * FRAMES))
    for moved in (("video", "audio"), ("audio",)):
        with av.open(str(source)) as reader, av.open(str(tmp_path / "cut.ts"), "w") as out:
            streams = {stream.index: out.add_stream_from_template(stream) for stream in reader.streams}
            middle = Fraction(reader.start_time, 1_000_000) + 1
            for packet in reader.demux():
                if packet.dts is None:
                    continue
                if packet.stream.type in moved and packet.dts * packet.time_base >= middle:
                    packet.pts, packet.dts = (time + 3 * 90_000 for time in (packet.pts, packet.dts))
                packet.stream = streams[packet.stream_index]
                out.mux(packet)
        target = tmp_path / f"{len(moved)}.mkv"
        if len(moved) == 2:
            stylize_video(tmp_path / "cut.ts", target, same)
            assert len(read(target).times) == 2 * FRAMES
        else:
            with pytest.raises(IncompleteError, match=r"without 1\.0 to 4\.1 s of its sound"):
                stylize_video(tmp_path / "cut.ts", target, same)
