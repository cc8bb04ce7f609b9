"""Video: sound is copied where the container takes it, encoded again where it does not, left out where asked for."""

import re

import av
import numpy as np
import pytest
from clips import check_refused, make, read, same

from sakuga.errors import SakugaError, UsageError
from sakuga.video import VideoOptions, stylize_video


@pytest.mark.parametrize(
    ("sound", "target", "audio", "wanted", "said"),
    [
        ("aac", "b.mp4", None, "aac", ""),
        ("aac", "b.webm", None, "opus", r"\(aac jpn\) that does not fit into \.webm: it becomes Opus"),
        (
            "wavpack",
            "b.mp4",
            None,
            "aac",
            r"\(wavpack jpn\) that does not fit into \.mp4: it becomes AAC",
        ),
        ("wavpack", "b.mkv", None, "wavpack", ""),
        ("wavpack", "b.mkv", "aac", "aac", ""),
        ("wavpack", "b.mkv", "copy", "wavpack", ""),
        ("aac", "b.mp4", "none", None, ""),
    ],
)
def test_sound_is_copied_where_it_fits_and_otherwise_encoded_again(
    tmp_path, capsys, sound, target, audio, wanted, said
):
    source, target = make(tmp_path / "a.mkv", sounds=(sound,)), tmp_path / target
    stylize_video(source, target, same, options=VideoOptions(audio=audio))
    assert re.fullmatch(f"sakuga: .*a.mkv has sound {said}\n" if said else "", capsys.readouterr().err)
    before, after = read(source), read(target)
    with av.open(str(target)) as reader:
        assert [stream.codec_context.name for stream in reader.streams.audio] == ([wanted] if wanted else [])
    if wanted:
        assert after.stream["languages"] == ["jpn"]
    if wanted == sound:
        assert [data for _, data in after.sounds[0]] == [data for _, data in before.sounds[0]]


@pytest.mark.parametrize("target", ["b.mp4", "b.mkv", "b.webm", "b.mov"])
@pytest.mark.parametrize("options", [{}, {"start": "0.5"}], ids=["whole", "cut"])
def test_sound_that_is_encoded_again_stays_with_the_pictures(tmp_path, target, options):
    """The tone begins at 0.75 s."""
    source, target = make(tmp_path / "a.mkv", sounds=("wavpack",), silence=0.75), tmp_path / target
    audio = None if target.suffix == ".webm" else "aac"
    stylize_video(source, target, same, options=VideoOptions(audio=audio, **options))
    with av.open(str(target)) as reader:
        picture = next(reader.decode(video=0)).time
    with av.open(str(target)) as reader:
        loud = [
            frame.time + np.argmax(np.abs(frame.to_ndarray()[0]) > 0.1) / frame.sample_rate
            for frame in reader.decode(audio=0)
            if np.abs(frame.to_ndarray()[0]).max() > 0.1
        ]
    assert loud[0] - picture == pytest.approx(0.75 - float(options.get("start", 0)), abs=0.012)


@pytest.mark.parametrize("target", ["b.mp4", "b.mov", "b.mkv"])
def test_times_are_finer_than_those_of_an_avi(tmp_path, target):
    """Of AC-3 it counts in packets of 1,536 samples, of which AAC makes one and a half."""
    source, target = make(tmp_path / "a.avi", video="mpeg4", sounds=("ac3",)), tmp_path / target
    stylize_video(source, target, same, options=VideoOptions(audio="aac"))
    times = [float(time) for time, _ in read(target).sounds[0]]
    assert np.diff(times) == pytest.approx(1024 / 48000, abs=0.0011)


@pytest.mark.parametrize(("audio", "packets"), [("aac", 39), ("copy", 9)])
def test_sound_whose_times_overlap_is_written_in_order(tmp_path, audio, packets):
    source = make(tmp_path / "a.mkv", sounds=())
    with av.open(str(tmp_path / "c.mkv"), "w") as writer, av.open(str(source)) as reader:
        streams = [writer.add_stream_from_template(reader.streams.video[0]), writer.add_stream("flac", rate=48000)]
        for packet in reader.demux():
            if packet.size:
                packet.stream = streams[0]
                writer.mux(packet)
        for _ in range(9):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 2 * 4608), np.int16), format="s16", layout="stereo")
            frame.sample_rate = 48000
            for packet in streams[1].encode(frame):
                packet.pts = packet.dts = 4608
                writer.mux(packet)
    stylize_video(tmp_path / "c.mkv", tmp_path / "b.mp4", same, options=VideoOptions(audio=audio))
    assert len(read(tmp_path / "b.mp4").sounds[0]) >= packets


@pytest.mark.parametrize(
    ("sound", "target", "words"),
    [
        ("aac", "b.webm", r"\(aac jpn\) cannot be copied into \.webm: name the output b\.mkv, or leave out"),
        (
            "wavpack",
            "b.mp4",
            r"\(wavpack jpn\) cannot be copied into \.mp4: name the output b\.mkv, or leave",
        ),
        ("adpcm_ima_wav", "b.mp4", r"sound of .*\(adpcm_ima_wav\) .* into \.mp4: leave out --audio copy"),
        ("adpcm_ima_wav", "b.mkv", r"sound of .*\(adpcm_ima_wav\) .* into \.mkv: leave out --audio copy"),
    ],
)
def test_sound_that_cannot_be_copied_is_refused_with_what_works(tmp_path, sound, target, words):
    options = {"video": "mpeg4"} if sound.startswith("adpcm") else {}
    source = make(tmp_path / ("a.avi" if options else "a.mkv"), sounds=(sound,), **options)
    check_refused(source, words, target, SakugaError, options=VideoOptions(audio="copy"))
    if "b.mkv" in words:
        stylize_video(source, tmp_path / "b.mkv", same, options=VideoOptions(audio="copy"))
    stylize_video(source, tmp_path / target, same)


def test_aac_in_a_webm_is_refused(tmp_path):
    source = make(tmp_path / "a.mp4")
    check_refused(
        source, r"b\.webm cannot hold AAC: leave out", "b.webm", UsageError, options=VideoOptions(audio="aac")
    )
    check_refused(
        source, r"--audio has no meaning for .*b\.gif", "b.gif", UsageError, options=VideoOptions(audio="aac")
    )
