"""Video: files that lie about their size or name other files; the same limits at every door."""

import os
import re
import subprocess
import sys
import textwrap
from itertools import islice
from pathlib import Path

import pytest
from clips import RATE, left_over, make, read, same
from grown import grown

from sakuga.errors import IncompleteError, SakugaError, TooLargeError
from sakuga.video import VideoOptions, stylize_video
from sakuga.video.camera import frames
from sakuga.video.container import open_container
from sakuga.video.orientation import Orientation, orientation

FIXED, JOINABLE = [".mp4", ".mkv", ".flv", ".webm", ".avi"], [".ts", ".mpg"]


@pytest.mark.parametrize("suffix", FIXED + JOINABLE)
def test_frames_that_grow_beyond_the_limit_are_refused(tmp_path, suffix):
    source = grown(tmp_path / f"a{suffix}", (640, 480))
    with pytest.raises(TooLargeError, match=r"a\..* has frames of more than 307,199 pixels: make it smaller, or allow"):
        stylize_video(source, tmp_path / "b.mp4", same, max_pixels=640 * 480 - 1)
    assert left_over(tmp_path) == {source.name}


def test_av1_that_grows_beyond_the_limit_is_refused(tmp_path):
    """Its decoder has an error of its own for it."""
    source = grown(tmp_path / "a.mkv", (320, 240), codec="libsvtav1")
    with pytest.raises(TooLargeError, match=r"a\.mkv has frames of more than 76,799 pixels"):
        stylize_video(source, tmp_path / "b.mp4", same, max_pixels=320 * 240 - 1)


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".mkv", "libx264"),
        (".mp4", "libx265"),
        (".webm", "libvpx-vp9"),
        (".mpg", "mpeg2video"),
        (".avi", "mpeg4"),
        (".mkv", "ffv1"),
    ],
)
def test_frames_of_just_the_limit_are_let_through(tmp_path, suffix, codec):
    """Decoders take more than a frame for a frame, and hold that against the limit."""
    source = make(tmp_path / f"a{suffix}", size=(72, 70), video=codec, sounds=(), times=range(4))
    stylize_video(source, tmp_path / "b.mp4", same, max_pixels=72 * 70)
    assert len(read(tmp_path / "b.mp4").times) == 4
    with pytest.raises(TooLargeError, match=rf"a{suffix} (is 72x70,|has frames of) more than 5,039 pixels: make it"):
        stylize_video(source, tmp_path / "c.mp4", same, max_pixels=72 * 70 - 1)


@pytest.mark.parametrize("suffix", JOINABLE)
def test_joined_recordings_may_change_the_size_of_frames(tmp_path, suffix):
    source = grown(tmp_path / f"a{suffix}", (640, 480))
    stylize_video(source, tmp_path / "b.mp4", same)
    after = read(tmp_path / "b.mp4")
    assert after.stream["size"] == (64, 64)
    assert len(after.times) >= 11


@pytest.mark.parametrize("back", [0, 6])
@pytest.mark.parametrize("size", [(640, 480), (32, 64)])
@pytest.mark.parametrize("suffix", FIXED)
def test_frames_of_another_size_are_damage(tmp_path, suffix, size, back):
    source, target = grown(tmp_path / f"a{suffix}", size, large=4, back=back), tmp_path / "b.mp4"
    with pytest.raises(IncompleteError) as caught:
        stylize_video(source, target, same)
    words = r"holds the rest, without (\S+) to (\S+) s, for its frames change their size: ffmpeg -i IN OUT\.mp4"
    begin, end = map(float, re.search(words, str(caught.value)).groups())
    assert begin == pytest.approx(10 / RATE, abs=0.2)
    assert end == pytest.approx(14 / RATE, abs=0.2)
    after = read(target)
    assert after.stream["size"] == (64, 64)
    # FFmpeg's decoder of MPEG-4 loses the frame at which the size falls
    assert 10 + back - (suffix == ".avi") <= len(after.times) <= 10 + back


def test_frames_of_another_size_outside_of_the_part_are_no_matter(tmp_path):
    source = grown(tmp_path / "a.webm", (320, 240))
    stylize_video(source, tmp_path / "b.mp4", same, options=VideoOptions(duration="0.2"))
    stylize_video(source, tmp_path / "c.mp4", same, options=VideoOptions(duration="0.2", start="0.1"))


def test_a_camera_s_file_does_not_change_its_size(tmp_path):
    shown = frames(str(grown(tmp_path / "a.webm", (320, 240))))
    with pytest.raises(SakugaError, match=r"the frames of .*a\.webm change their size at 0\.4 s: ffmpeg -i IN OUT"):
        assert {(frame.width, frame.height) for frame in islice(shown, 12)} == {(64, 64)}
    shown = frames(str(grown(tmp_path / "a.ts", (320, 240))))
    assert len({(frame.width, frame.height) for frame in islice(shown, 12)}) == 2


def test_a_large_header_is_refused_with_its_size(tmp_path):
    source = make(tmp_path / "a.mp4")
    with pytest.raises(TooLargeError, match=r"a\.mp4 is 64x48, more than 3,071 pixels: make it smaller, or allow more"):
        stylize_video(source, tmp_path / "b.mp4", same, max_pixels=64 * 48 - 1)


def test_numbered_pictures_have_the_limit_too(tmp_path):
    stylize_video(make(tmp_path / "a.mp4"), tmp_path / "%02d.png", same)
    with pytest.raises(TooLargeError, match=r"01\.png"):
        stylize_video(tmp_path / "%02d.png", tmp_path / "b.mp4", same, max_pixels=64 * 48 - 1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak of memory as Linux tells it")
@pytest.mark.parametrize(("suffix", "small"), [(".mp4", 10), (".ts", 1), (".flv", 1), (".mpg", 1)])
def test_memory_is_not_taken_for_frames_that_are_refused(tmp_path, suffix, small):
    """Each of the large ones has 25 million pixels, 37 MB; FFmpeg looks at the first frames when it opens a file."""
    source = grown(tmp_path / f"a{suffix}", (5000, 5000), small=small, large=6)
    code = """
        import resource, sys
        from pathlib import Path
        from sakuga.errors import TooLargeError
        from sakuga.video import stylize_video
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            stylize_video(Path(sys.argv[1]), Path("b.mp4"), lambda rgb: rgb, max_pixels=10**7)
        except TooLargeError:
            print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(source)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) < 100, "MiB"


def lists(folder):
    """Files that are no video but name one, or an address, each with a video's suffix."""
    victim = make(folder / "secret.mp4")
    address = "http://127.0.0.1:9/a.mp4"
    hls = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{victim.name}\n#EXT-X-ENDLIST\n"
    dash = (
        f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>'
        f'<Representation id="0" mimeType="video/mp4"><BaseURL>{address}</BaseURL></Representation>'
        "</AdaptationSet></Period></MPD>"
    )
    return {
        "concat.mp4": f"ffconcat version 1.0\nfile {victim.name}\n",
        "concat.mkv": f"ffconcat version 1.0\nfile '{victim.resolve()}'\n",
        "address.mp4": f"ffconcat version 1.0\nfile {address}\n",
        "playlist.ts": hls,
        "manifest.mp4": dash,
        "description.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
    }


@pytest.mark.parametrize(
    "name", ["concat.mp4", "concat.mkv", "address.mp4", "playlist.ts", "manifest.mp4", "description.mp4"]
)
def test_lists_of_other_files_are_no_videos(tmp_path, name):
    source = tmp_path / name
    source.write_text(lists(tmp_path)[name])
    with pytest.raises(SakugaError, match=rf"{name} is not a video, or is damaged"):
        stylize_video(source, tmp_path / "b.mp4", same)
    with pytest.raises(SakugaError, match=rf"{name} is not a video, or is damaged"):
        next(frames(str(source)))
    assert left_over(tmp_path) == {"secret.mp4", name}


def test_nothing_opens_files_but_the_container(tmp_path):
    """av.open for reading stands in one place; cameras are no files."""
    root = Path(open_container.__code__.co_filename).parents[1]
    found = {
        str(path.relative_to(root)).replace(os.sep, "/")
        for path in root.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "av.open(" in line and '"w"' not in line
    }
    assert found == {"video/av_compat.py", "video/camera.py"}


def test_side_data_that_pyav_has_no_name_for():
    """As EXIF of an AVIF in a film's clothes: the frame is shown as it lies."""

    class Frame:
        @property
        def side_data(self):
            raise ValueError("31 is not a valid Type")

    assert orientation(Frame()) == Orientation()
