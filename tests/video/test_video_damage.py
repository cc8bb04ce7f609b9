"""Video: damage of the sound alone, and of the last frame, is told with its times; the rest is kept."""

import re
from fractions import Fraction

import av
import pytest
from clips import make, read, same

from sakuga.errors import IncompleteError
from sakuga.video import VideoOptions, asf, stylize_video
from sakuga.video.ends import ends_within
from sakuga.video.matroska import holes

MISSING = r"is damaged or cut off: .* holds the rest, without ([\d.]+) to ([\d.]+) s"


def zero(path, which, *, sound=True):
    """Overwrite the contents of some packets of one stream with zeros; return from when to when."""
    with av.open(str(path)) as reader:
        stream = (reader.streams.audio if sound else reader.streams.video)[0]
        packets = [
            (packet.pos, bytes(packet), float(packet.pts * packet.time_base))
            for packet in reader.demux(stream)
            if packet.size
        ]
    data = bytearray(path.read_bytes())
    for position, content, _ in packets[which]:
        inside = path.suffix != ".ts"  # there they are cut into pieces of 188 bytes
        begin = data.index(content, position) if inside else position
        size = len(content) if inside else -(-len(content) // 188) * 188
        data[begin : begin + size] = bytes(size)
    path.write_bytes(data)
    return packets[which][0][2], packets[which][-1][2]


def damaged_sounds(path):
    """How many packets of sound cannot be decoded."""
    count = 0
    with av.open(str(path)) as reader:
        for packet in reader.demux(audio=0):
            try:
                packet.decode()
            except av.FFmpegError:
                count += 1
    return count


@pytest.mark.parametrize(
    ("name", "sound", "options"),
    [
        ("a.mp4", "aac", {}),
        ("a.mp4", "aac", {"audio": "aac"}),
        ("a.mp4", "aac", {"start": "0.3"}),
        ("a.avi", "mp3", {}),
        ("a.ts", "aac", {}),
        ("a.mkv", "libopus", {}),
    ],
)
def test_damaged_sound_is_left_out_and_told(tmp_path, name, sound, options):
    video = "mpeg4" if name == "a.avi" else "libx264"
    source, target = make(tmp_path / name, sounds=(sound,), video=video), tmp_path / "b.mkv"
    before, frames = len(read(source).sounds[0]), len(read(source).times)
    begin, end = zero(source, slice(-(before // 3), -(before // 3) + 4))
    with pytest.raises(IncompleteError, match=MISSING + " of its sound$") as caught:
        stylize_video(source, target, same, options=VideoOptions(**options))
    said = re.search(MISSING, str(caught.value))
    assert begin - 0.15 <= float(said[1]) <= begin + 0.15
    assert end - 0.1 <= float(said[2]) <= end + 0.25
    after = read(target)
    assert damaged_sounds(target) == 0
    if not options:
        assert len(after.times) == frames
        assert before - 8 < len(after.sounds[0]) < before


def test_damaged_sound_outside_of_the_part_is_no_matter(tmp_path):
    source = make(tmp_path / "a.mp4", times=range(24))
    zero(source, slice(38, 42))  # at 0.8 s
    stylize_video(source, tmp_path / "b.mp4", same, options=VideoOptions(duration="0.5"))
    stylize_video(source, tmp_path / "c.mp4", same, options=VideoOptions(audio="none"))


def test_sound_that_is_cut_off_is_told(tmp_path):
    """All pictures are there: the sound stands behind them in the file, and the end of it is missing."""
    source = make(tmp_path / "a.mp4", muxing={"movflags": "faststart"})
    with av.open(str(source)) as reader:
        positions = {"audio": [], "video": []}
        for packet in reader.demux():
            if packet.size:
                positions[packet.stream.type].append(packet.pos)
    behind = sum(position > max(positions["video"]) for position in positions["audio"])
    source.write_bytes(source.read_bytes()[: positions["audio"][-behind] + 9])
    with pytest.raises(IncompleteError, match=MISSING + " of its sound$") as caught:
        stylize_video(source, tmp_path / "b.mp4", same)
    said = re.search(MISSING, str(caught.value))
    assert float(said[1]) == pytest.approx(1 - behind * 1024 / 48000, abs=0.15)
    assert said[2] == "1.1"  # packets of sound are rounded up
    assert len(read(tmp_path / "b.mp4").times) == 24


@pytest.mark.parametrize(("name", "video"), [("a.mp4", "libx264"), ("a.avi", "mpeg4"), ("a.webm", "libvpx-vp9")])
def test_a_damaged_last_frame_is_told(tmp_path, name, video):
    """FFmpeg's threads keep its error to themselves."""
    sound = "libopus" if name == "a.webm" else "aac"
    source, target = make(tmp_path / name, times=range(12), video=video, sounds=(sound,)), tmp_path / "b.mkv"
    zero(source, slice(-1, None), sound=False)
    with pytest.raises(IncompleteError, match=MISSING + "$") as caught:
        stylize_video(source, target, same)
    assert re.search(MISSING, str(caught.value))[2] in ("0.5", "0.6")
    assert 8 <= len(read(target).times) < 12


def test_pcm_without_speakers_does_not_fit_into_mp4(tmp_path, capsys):
    """Matroska does not tell which speakers two channels are for, and MP4 wants to know when all is written."""
    source = make(tmp_path / "a.mkv", sounds=("pcm_s16le",))
    stylize_video(source, tmp_path / "b.mp4", same)
    assert "sound (pcm_s16le jpn) that does not fit into .mp4: it becomes AAC" in capsys.readouterr().err
    assert len(read(tmp_path / "b.mp4").times) == 24


@pytest.mark.parametrize("noise", [bytes(700), bytes(range(1, 240)) * 3])
def test_a_hole_in_matroska_is_told(tmp_path, noise):
    """FFmpeg goes on at the next cluster, and says nothing."""
    source, target = make(tmp_path / "a.mkv", times=range(48), muxing={"cluster_time_limit": "250"}), tmp_path / "b.mkv"
    assert holes(source, Fraction(2)) == []
    data = bytearray(source.read_bytes())
    middle = data.index(bytes.fromhex("1f43b675"), len(data) // 2) - 300
    data[middle : middle + len(noise)] = noise
    source.write_bytes(data)
    with pytest.raises(IncompleteError) as told:
        stylize_video(source, target, same)
    ((begin, end),) = re.findall(MISSING, str(told.value))
    times = [float(time) for time in read(target).times]
    assert 0 < 48 - len(times) < 24
    assert len([time for time in times if float(begin) + 0.15 < time < float(end) - 0.05]) == 0
    assert (float(begin) > 0.5, float(end) < 1.9) == (True, True)


@pytest.mark.parametrize("muxing", [{}, {"live": "1"}], ids=["of known sizes", "sent while it was made"])
def test_matroska_that_is_cut_off_within_its_last_frames_is_told(tmp_path, muxing):
    """So near its end that its length would not tell. Behind the last frame there is nothing that would be missed."""
    source, target = make(tmp_path / "a.mkv", times=range(48), muxing=muxing), tmp_path / "b.mkv"
    data = source.read_bytes()
    with av.open(str(source)) as reader:
        last = [packet.pos for packet in reader.demux(video=0) if packet.size]
    stylize_video(source, target, same)
    source.write_bytes(data[: last[-1] + 6])
    with pytest.raises(IncompleteError) as told:
        stylize_video(source, target, same, overwrite=True)
    ((begin, end),) = re.findall(MISSING, str(told.value))
    assert float(begin) == pytest.approx(1.95, abs=0.11)
    assert float(end) == pytest.approx(2, abs=0.11)
    assert len(read(target).times) == 47


@pytest.mark.parametrize("noise", [bytes(200), bytes(range(1, 201))])
def test_a_frame_that_is_gone_from_an_avi_is_told(tmp_path, noise):
    """FFmpeg goes on at the next one, a frame earlier than before, and says nothing."""
    source, target = make(tmp_path / "a.avi", times=range(48), video="mpeg4", sounds=("mp3",)), tmp_path / "b.mkv"
    with av.open(str(source)) as reader:
        frame = [packet.pos for packet in reader.demux(video=0) if packet.size][24]
    data = bytearray(source.read_bytes())
    data[frame - 4 : frame - 4 + len(noise)] = noise
    source.write_bytes(data)
    with pytest.raises(IncompleteError) as told:
        stylize_video(source, target, same)
    ((begin, end),) = re.findall(MISSING, str(told.value))
    assert (float(begin), float(end)) == (pytest.approx(1, abs=0.11), pytest.approx(1.1, abs=0.11))
    assert len(read(target).times) == 47


@pytest.mark.parametrize("noise", [bytes(900), bytes(range(1, 226)) * 4])
def test_frames_that_are_gone_from_a_windows_video_are_told(tmp_path, noise):
    source, target = tmp_path / "a.wmv", tmp_path / "b.mkv"
    data = bytearray(make(source, times=range(48), video="wmv2", sounds=("mp3",)).read_bytes())
    assert asf.holes(source, 1) == []
    middle = len(data) // 2
    data[middle : middle + len(noise)] = noise
    source.write_bytes(data)
    with pytest.raises(IncompleteError) as told:
        stylize_video(source, target, same)
    ((begin, end),) = re.findall(MISSING, str(told.value))
    times = [float(time) for time in read(target).times]
    gap = max(range(1, len(times)), key=lambda i: times[i] - times[i - 1])
    assert (float(begin), float(end)) == (pytest.approx(times[gap - 1], abs=0.2), pytest.approx(times[gap], abs=0.2))
    assert 38 < len(times) < 48


@pytest.mark.parametrize(
    ("name", "limit", "filler"),
    [
        ("a.mkv", "matroska._MAX_ELEMENTS", b"\xec\x80"),  # Void
        ("a.avi", "ends.MAX_PARTS", b"JUNK\0\0\0\0"),
        ("a.mp4", "ends.MAX_PARTS", b"\0\0\0\x08free"),
    ],
)
def test_files_of_countless_parts_are_not_looked_through(tmp_path, monkeypatch, name, limit, filler):
    """What is behind as many as an honest file has is not searched for faults: each part takes a step of ours."""
    monkeypatch.setattr(f"sakuga.video.{limit}", 50)
    source = make(tmp_path / name, times=range(2), video="mpeg4")
    cut = {"a.mkv": b"\x1f\x43\xb6\x75\x84\xa3", "a.avi": b"00dc\xff\0\0\0____", "a.mp4": b"\0\0\1\0moov"}[name]
    for count, told in ((0, 1), (99, 0)):
        data = (b"RIFF____AVI " if name == "a.avi" else source.read_bytes()) + filler * count + cut
        (tmp_path / "c").write_bytes(data)
        found = holes(tmp_path / "c", Fraction(0)) if name == "a.mkv" else ends_within(tmp_path / "c", name[2:])
        assert bool(found) == told


def boxes(data, name):
    """Where the boxes of this name begin in an MP4."""
    return [found.start() - 4 for found in re.finditer(name, data)]


@pytest.mark.parametrize(
    ("name", "muxing", "end", "more"),
    [
        ("a.ts", {}, lambda data: len(data) - 188 * 9 - 1, ""),
        ("a.m2ts", {"mpegts_m2ts_mode": "1"}, lambda data: len(data) - 192 * 9 - 1, ""),
        ("a.avi", {}, lambda data: data.rindex(b"00dc", 0, data.rindex(b"idx1")) + 20, ""),
        ("a.mov", {}, lambda data: boxes(data, b"trak")[1] + 60, ", and whatever stood in the list that is cut off"),
        (
            "a.mp4",
            {"movflags": "frag_every_frame+empty_moov"},
            lambda data: boxes(data, b"moof")[-1] + 20,
            ", and whatever stood in the list that is cut off",
        ),
    ],
)
def test_a_video_that_ends_within_one_of_its_parts_is_told(tmp_path, name, muxing, end, more):
    """So near its end that its length, where it has one, would not tell."""
    video = "mpeg4" if name == "a.avi" else "libx264"
    source, target = make(tmp_path / name, times=range(48), video=video, muxing=muxing), tmp_path / "b.mkv"
    stylize_video(source, target, same)
    data = source.read_bytes()
    source.write_bytes(data[: end(data)])
    with pytest.raises(IncompleteError, match=MISSING + more + "$") as told:
        stylize_video(source, target, same, overwrite=True)
    assert float(re.search(MISSING, str(told.value))[2]) == pytest.approx(2, abs=0.15)
    assert 45 <= len(read(target).times) <= 48


def test_the_length_of_a_windows_video_that_is_cut_off_is_known(tmp_path):
    """Its header has it, and FFmpeg forgets it where the file is shorter than the header says."""
    whole = make(tmp_path / "whole.wmv", times=range(48), video="wmv2", sounds=("mp3",)).read_bytes()
    source = tmp_path / "a.asf"
    source.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(IncompleteError) as told:
        stylize_video(source, tmp_path / "b.mkv", same, warn=lambda _: None)
    ((begin, end),) = re.findall(MISSING, str(told.value))
    assert float(begin) == pytest.approx(len(read(tmp_path / "b.mkv").times) / 24, abs=0.2)
    assert float(end) == pytest.approx(2, abs=0.2)
