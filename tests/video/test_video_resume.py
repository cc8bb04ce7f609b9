"""Video: what was killed goes on, and the result is the one made in one go."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from clips import invert, left_over, make, read

from sakuga.errors import ExistsError, SakugaError
from sakuga.video import VideoOptions, stylize_video
from sakuga.video.segments import LENGTH

FRAMES = 2 * LENGTH + 10
WHO = {"style": "negative"}


class Stop:
    """Inverts frames and raises at the n-th; counts them."""

    def __init__(self, at=None, error=KeyboardInterrupt):
        self.at, self.error, self.count = at, error, 0

    def __call__(self, rgb):
        self.count += 1
        if self.count == self.at:
            raise self.error
        return 255 - rgb


@pytest.fixture
def source(tmp_path):
    return make(tmp_path / "Ünïcødé 写真 (1).mp4", times=range(FRAMES))


def go(source, target, paint=invert, identity=WHO, **more):
    stylize_video(source, target, paint, identity=identity, **more)


KILLED = """
    import os, signal
    from pathlib import Path
    from sakuga.video import stylize_video
    count = 0
    def paint(rgb):
        global count
        count += 1
        if count == {at}:
            os.kill(os.getpid(), signal.SIGKILL)
        return 255 - rgb
    stylize_video(Path({source!r}), Path({target!r}), paint, identity={who!r})
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no kill -9")
@pytest.mark.parametrize(("suffix", "kills"), [(".mp4", [LENGTH + 60]), (".mkv", [LENGTH + 60, 20, LENGTH + 1])])
def test_killed_and_resumed_equals_one_go(tmp_path, source, suffix, kills):
    target, whole = tmp_path / f"b{suffix}", tmp_path / f"whole{suffix}"
    for at in kills:  # the later ones count from where they go on
        code = textwrap.dedent(KILLED).format(at=at, source=str(source), target=str(target), who=WHO)
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
        assert left_over(tmp_path) == {source.name, f".{target.name}.sakuga-part"}, "nothing else may be left"
    paint = Stop()
    calls = []
    go(source, target, paint, progress=lambda *call: calls.append(call))
    assert paint.count <= FRAMES - LENGTH
    assert [done for done, _ in calls] == list(range(FRAMES - paint.count + 1, FRAMES + 1))
    go(source, whole)
    assert left_over(tmp_path) == {source.name, target.name, whole.name}
    assert target.read_bytes() == whole.read_bytes()  # so frames, times and sound are equal
    clip, before = read(target), read(source)
    assert len(clip.times) == FRAMES
    assert [data for _, data in clip.sounds[0]] == [data for _, data in before.sounds[0]]


def test_ctrl_c_keeps_what_is_finished_and_says_so(tmp_path, source):
    with pytest.raises(KeyboardInterrupt, match=f"the same command goes on from frame {LENGTH}$"):
        go(source, tmp_path / "b.mp4", Stop(at=LENGTH + 60))
    assert left_over(tmp_path) == {source.name, ".b.mp4.sakuga-part"}
    paint = Stop()
    go(source, tmp_path / "b.mp4", paint)
    assert paint.count == FRAMES - LENGTH
    assert left_over(tmp_path) == {source.name, "b.mp4"}


def test_two_runs_at_once_do_not_meet(tmp_path, source):
    """The second one says so, and a batch skips it; afterwards the place is free."""
    target, met = tmp_path / "b.mp4", []

    def stylize(rgb):
        if not met:
            met.append(True)
            with pytest.raises(ExistsError, match=r"b\.mp4 is being made by another run: wait for it"):
                go(source, target)
        return invert(rgb)

    go(source, target, stylize)
    assert met
    assert left_over(tmp_path) == {source.name, target.name}
    target.unlink()
    go(source, target)


@pytest.mark.parametrize("error", [SakugaError("brush"), RuntimeError("brush")])
def test_an_error_that_would_come_again_keeps_nothing(tmp_path, source, error):
    with pytest.raises(type(error), match="brush"):
        go(source, tmp_path / "b.mp4", Stop(LENGTH + 60, error))
    assert left_over(tmp_path) == {source.name}


def test_without_an_identity_nothing_is_kept(tmp_path, source):
    with pytest.raises(KeyboardInterrupt):
        go(source, tmp_path / "b.mp4", Stop(at=LENGTH + 60), identity=None)
    assert left_over(tmp_path) == {source.name}


@pytest.mark.parametrize("change", ["options", "identity", "source", "size"])
def test_something_else_starts_anew(tmp_path, source, change):
    with pytest.raises(KeyboardInterrupt):
        go(source, tmp_path / "b.mp4", Stop(at=LENGTH + 60))
    paint, more = Stop(), {}
    if change == "options":
        more["options"] = VideoOptions(crf=30)
    elif change == "identity":
        more["identity"] = {"style": "another"}
    elif change == "size":
        more["max_side"] = 32
    else:
        os.utime(source, (1, 1))
    go(source, tmp_path / "b.mp4", paint, **more)
    assert paint.count == FRAMES
    assert left_over(tmp_path) == {source.name, "b.mp4"}


def test_the_work_folder_says_what_it_is_for(tmp_path, source):
    with pytest.raises(KeyboardInterrupt):
        go(source, tmp_path / "b.mp4", Stop(at=LENGTH + 60))
    facts = json.loads((tmp_path / ".b.mp4.sakuga-part" / "made-of.json").read_text(encoding="utf-8"))
    assert facts["source"][:2] == [str(source), source.stat().st_size]
    assert facts["style"] == WHO


class Trail:
    """Stands for sakuga.video.stabilisation.Stabilizer: mixes each frame with all before it."""

    def __init__(self):
        self.last = None

    def __call__(self, photo, painted):
        self.last = painted if self.last is None else ((self.last.astype(int) * 3 + painted) // 4).astype(np.uint8)
        return self.last

    def state(self):
        return {} if self.last is None else {"last": self.last}

    def restore(self, state):
        self.last = state.get("last")


@pytest.mark.parametrize("fps", [None, "60"])
def test_a_steadied_video_goes_on_with_the_state_it_had(tmp_path, source, monkeypatch, fps):
    monkeypatch.setattr("sakuga.video.stabilisation.Stabilizer", Trail)
    options = VideoOptions(stable=True, fps=fps)
    go(source, tmp_path / "whole.mp4", options=options)
    with pytest.raises(KeyboardInterrupt):
        go(source, tmp_path / "b.mp4", Stop(at=LENGTH + 60), options=options)
    paint = Stop()
    go(source, tmp_path / "b.mp4", paint, options=options)
    assert paint.count < FRAMES
    assert (tmp_path / "b.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    go(source, tmp_path / "plain.mp4")
    steadied, plain = (read(tmp_path / name).frames[LENGTH + 20] for name in ("b.mp4", "plain.mp4"))
    assert not np.array_equal(steadied, plain), "the stabiliser was not called"
