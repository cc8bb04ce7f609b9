"""Video: containers, sound, subtitles, titles."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import FRAMES, RATE, check_same_times_and_sound, invert, make, read, same

from sakuga.video import CONTAINERS, SUFFIXES, stylize_video


def test_no_sound(tmp_path):
    source, target = make(tmp_path / "a.mp4", sounds=()), tmp_path / "b.mp4"
    stylize_video(source, target, invert)
    _, after = check_same_times_and_sound(source, target)
    assert after.sounds == []


def test_all_sound_tracks_with_their_languages(tmp_path):
    source, target = make(tmp_path / "a.mkv", sounds=("aac", "mp3", "ac3")), tmp_path / "b.mp4"
    stylize_video(source, target, same)
    before, after = read(source), read(target)
    assert len(after.sounds) == 3
    assert [[data for _, data in track] for track in after.sounds] == [[d for _, d in track] for track in before.sounds]
    assert after.stream["languages"] == ["jpn", "eng", "fra"]


@pytest.mark.parametrize("sound", ["libopus", "vorbis"])
def test_webm_into_mp4(tmp_path, sound):
    source = make(
        tmp_path / "a.webm", video="libvpx", sounds=(sound,), time_base=Fraction(1, 1000), times=range(0, 960, 40)
    )
    target = tmp_path / "b.mp4"
    stylize_video(source, target, invert)
    before, after = read(source), read(target)
    assert after.times == before.times
    assert [data for _, data in after.sounds[0]] == [data for _, data in before.sounds[0]]
    assert after.stream["codec"] == "h264"


@pytest.mark.parametrize("suffix", sorted(set(CONTAINERS) - {".webm"}))
def test_each_container(tmp_path, suffix):
    source, target = make(tmp_path / "a.mp4"), tmp_path / f"b{suffix.upper()}"
    stylize_video(source, target, same)
    before, after = read(source), read(target)
    assert [float(t) for t in after.times] == pytest.approx([float(t) for t in before.times], abs=0.022)
    steps = np.diff([float(t) for t in after.times])
    np.testing.assert_allclose(steps, 1 / RATE, atol=0.0011)
    assert [data for _, data in after.sounds[0]] == [data for _, data in before.sounds[0]]
    gap = [float(clip.sounds[0][0][0] - clip.times[0]) for clip in (before, after)]
    assert gap[1] == pytest.approx(gap[0], abs=0.0011), "sound and picture have moved against each other"


def test_attachments_tracks_and_chapters_are_kept(tmp_path, capsys):
    """Fonts of subtitles are attachments."""
    source, font = tmp_path / "a.mkv", bytes(range(256)) * 5
    make(tmp_path / "plain.mkv", sounds=("aac", "libopus"), subtitles="subrip")
    with av.open(str(tmp_path / "plain.mkv")) as old, av.open(str(source), "w") as new:
        streams = [new.add_stream_from_template(stream, opaque=True) for stream in old.streams]
        new.add_attachment("font.ttf", "application/x-truetype-font", font)
        parts = [{"id": n, "start": n * 500, "end": n * 500 + 500, "metadata": {"title": str(n)}} for n in range(2)]
        new.set_chapters([{**part, "time_base": Fraction(1, 1000)} for part in parts])
        for packet in old.demux():
            if packet.size:
                packet.stream = streams[packet.stream_index]
                new.mux(packet)
    stylize_video(source, tmp_path / "b.mkv", same)
    assert capsys.readouterr().err == ""
    with av.open(str(tmp_path / "b.mkv")) as reader:
        assert [stream.type for stream in reader.streams] == ["video", "audio", "audio", "subtitle", "attachment"]
        (attachment,) = reader.streams.attachments
        assert (attachment.metadata["filename"], attachment.data) == ("font.ttf", font)
        assert [chapter["metadata"]["title"] for chapter in reader.chapters()] == ["0", "1"]
    for suffix in (".mp4", ".webm"):
        stylize_video(source, tmp_path / f"c{suffix}", same)
        assert (
            f"{source} has what {suffix} does not hold, which is left out: srt, font.ttf; -o c.mkv"
            in capsys.readouterr().err
        )


@pytest.mark.parametrize(("suffix", "kept"), [(".mkv", ["srt"]), (".mp4", [])])
def test_subtitles_where_the_container_holds_them(tmp_path, suffix, kept):
    source, target = make(tmp_path / "a.mkv", subtitles="subrip"), tmp_path / f"b{suffix}"
    assert read(source).stream["subtitles"] == ["srt"]
    stylize_video(source, target, same)
    assert read(target).stream["subtitles"] == kept
    if kept:
        with av.open(str(target)) as reader:
            assert [bytes(p) for p in reader.demux(subtitles=0) if p.size] == [b"hello"]


def test_titles_are_kept(tmp_path):
    source, target = tmp_path / "a.mkv", tmp_path / "b.mp4"
    make(tmp_path / "untitled.mkv")
    with av.open(str(tmp_path / "untitled.mkv")) as old, av.open(str(source), "w") as new:
        new.metadata["title"] = "作画"
        streams = [new.add_stream_from_template(stream, opaque=True) for stream in old.streams]
        for packet in old.demux():
            if packet.size:
                packet.stream = streams[packet.stream_index]
                new.mux(packet)
    stylize_video(source, target, same)
    with av.open(str(target)) as reader:
        assert reader.metadata["title"] == "作画"


def test_names_that_look_like_addresses(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "a.mp4").rename("http:a.mp4")
    Path("12:30").mkdir()
    stylize_video(Path("http:a.mp4"), Path("12:30/b.mp4"), same)
    assert len(read(tmp_path / "12:30" / "b.mp4").times) == FRAMES


def test_suffixes():
    assert {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"} <= SUFFIXES
    assert set(CONTAINERS) <= SUFFIXES
