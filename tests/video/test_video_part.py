"""Long videos divided among processes: together they are what one run makes, whatever parts are missing."""

import numpy as np
import pytest
from clips import invert, make
from test_video_resume import Stop

from sakuga.errors import ExistsError, IncompleteError, SakugaError
from sakuga.video import VideoOptions, part, stylize_video
from sakuga.video.part import is_long, stylize_part
from sakuga.video.segments import LENGTH, WorkFolder
from sakuga.video.source import FileSource

WHO = {"style": "negative"}
FRAMES = 2 * LENGTH + 10


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A clip of three segments."""
    return make(tmp_path_factory.mktemp("film") / "a.mp4", times=range(FRAMES))


def divide(source, target, numbers, count, paint=invert):
    for number in numbers:
        stylize_part(source, target, paint, number, count, identity=WHO)


def whole(source, target, paint=invert):
    stylize_video(source, target, paint, identity=WHO)
    return target.read_bytes()


def test_parts_in_any_order_are_one_video(tmp_path, film):
    target = tmp_path / "b.mp4"
    divide(film, target, (1, 0), 2)
    paint = Stop()
    assert whole(film, target, paint) == whole(film, tmp_path / "c.mp4")
    assert not paint.count, "all frames were there"


def test_frames_that_last_differently(tmp_path):
    times = [3 * i + (i % 7 == 0) for i in range(LENGTH + 20)]
    source, target = make(tmp_path / "a.mkv", times=times), tmp_path / "b.mkv"
    divide(source, target, (1, 0), 2)
    paint = Stop()
    assert whole(source, target, paint) == whole(source, tmp_path / "c.mkv")
    assert not paint.count


def test_what_a_part_did_not_make_is_made_at_the_end(tmp_path, film):
    target = tmp_path / "b.mp4"
    divide(film, target, (0, 2), 3)
    with pytest.raises(MemoryError):
        divide(film, target, (1,), 3, Stop(at=50, error=MemoryError))
    again = Stop()
    divide(film, target, (2,), 3, again)
    assert not again.count, "a part that is made again keeps what it has"
    paint = Stop()
    assert whole(film, target, paint) == whole(film, tmp_path / "c.mp4")
    assert paint.count == FRAMES - LENGTH


def test_a_run_keeps_out_of_the_folder_while_parts_are_made(tmp_path):
    source, target = make(tmp_path / "a.mp4", times=range(4), sounds=()), tmp_path / "b.mp4"

    def meanwhile(rgb):
        with pytest.raises(ExistsError, match="being made by another run"):
            WorkFolder(target, WHO)
        return invert(rgb)

    divide(source, target, (0,), 1, meanwhile)


def test_a_damaged_file_gives_what_one_run_gives(tmp_path, film):
    source = tmp_path / "a.mp4"
    data = bytearray(film.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = np.random.default_rng(0).bytes(3000)
    source.write_bytes(data)
    target = tmp_path / "b.mp4"
    failed = 0
    for number in (2, 1, 0):
        try:
            divide(source, target, (number,), 3)
        except SakugaError:
            failed += 1
    assert 0 < failed < 3
    sentences = []
    for one in (target, tmp_path / "c.mp4"):
        with pytest.raises(IncompleteError) as caught:
            whole(source, one)
        sentences.append(str(caught.value).replace(one.name, ""))
    assert target.read_bytes() == (tmp_path / "c.mp4").read_bytes()
    assert sentences[0] == sentences[1]


def test_frames_from_any_number_on_are_those_of_the_whole(film):
    source = FileSource(film, max_side=None, options=VideoOptions(), warn=print)
    frames = list(source.frames())
    assert source.count == len(frames) == FRAMES
    for first, stop in ((0, 3), (1, 4), (200, 203), (FRAMES - 3, FRAMES)):
        for one, other in zip(source.part(first, stop), frames[first:stop], strict=True):
            assert (one.pts, one.duration) == (other.pts, other.duration)
            np.testing.assert_array_equal(one.image, other.image)


def test_of_streams_without_numbers_no_part_is_made(tmp_path):
    source = make(tmp_path / "a.ts", times=range(30), sounds=())
    paint = Stop()
    divide(source, tmp_path / "b.mp4", (0, 1), 2, paint)
    assert not paint.count


def test_which_videos_are_divided(tmp_path, monkeypatch):
    source = make(tmp_path / "a.mp4", sounds=())
    target = tmp_path / "b.mp4"
    assert not is_long(source, target, VideoOptions())
    monkeypatch.setattr(part, "MIN_SECONDS", 0.5)
    assert is_long(source, target, VideoOptions())
    for options in (VideoOptions(stable=True), VideoOptions(start="0.1"), VideoOptions(fps="12")):
        assert not is_long(source, target, options)
    assert not is_long(source, tmp_path / "b.gif", VideoOptions())
    assert not is_long(tmp_path / "none.mp4", target, VideoOptions())
    assert not is_long(tmp_path / "%05d.png", target, VideoOptions())
