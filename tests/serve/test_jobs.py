"""Videos: from the upload to the result, and everything that ends a job before."""

import errno
import re
import threading
from io import BytesIO
from types import SimpleNamespace
from unittest.mock import Mock

import av
import pytest
from grown import grown
from running import picture, running, video, wait_for
from test_refusals import check

from sakuga.serve.errors import RefusedError
from sakuga.serve.limits import Limits
from sakuga.serve.uploads import StylizeOptions
from sakuga.serve.videos import _admit
from sakuga.serve.videos import check as check_video
from sakuga.serve.watched import AbandonedError


def send(server, data, **options):
    return server.client.post("/v1/video", files={"file": ("Ünïcødé 写真 (1).mov", data)}, data=options)


def finished(server, job):
    told = {}

    def done():
        told.update(server.client.get(job["url"]).json())
        return told["status"] not in ("queued", "running")

    wait_for(done)
    return told


def test_a_video_becomes_what_the_command_makes(server, made_style, tmp_path):
    from sakuga.cli import main

    source = tmp_path / "a.mp4"
    source.write_bytes(video())
    assert main([str(source), "-s", str(made_style("invert")), "--max-side", "48", "-o", str(tmp_path / "b.mp4")]) == 0
    answer = send(server, video(), max_side="48")
    assert answer.status_code == 202
    job = answer.json()
    assert (job["url"], answer.headers["location"]) == (f"/v1/jobs/{job['id']}",) * 2
    told = finished(server, job)
    assert (told["status"], told["frames"], told["error"]) == ("done", 12, None)
    assert told["result"] == f"{job['url']}/result"
    result = server.client.get(told["result"])
    assert result.headers["content-type"] == "video/mp4"
    assert (
        "filename*=UTF-8''%C3%9Cn%C3%AFc%C3%B8d%C3%A9%20%E5%86%99%E7%9C%9F%20%281%29.invert.mp4"
        in (result.headers["content-disposition"])
    )
    assert result.content == (tmp_path / "b.mp4").read_bytes()
    part = server.client.get(told["result"], headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    last = server.client.get(told["result"], headers={"Range": "bytes=-3"})
    assert (last.status_code, last.content) == (206, result.content[-3:])
    size = len(result.content)
    for wrong in (f"bytes={size}-", "bytes=5-2", "bytes=-0", "bytes=a-b", "bytes=0-1,4-5", "lines=0-1", "9" * 5000):
        check(server.client.get(told["result"], headers={"Range": wrong}), 416, "no_range")


def test_the_place_is_left_out_and_the_title_is_kept(server):
    sent = video(metadata={"location": "+52.5200+013.4050/", "title": "Walk"})
    with av.open(BytesIO(sent)) as reader:
        assert "location" in reader.metadata
    result = server.client.get(finished(server, send(server, sent).json())["result"]).content
    with av.open(BytesIO(result)) as reader:
        assert "location" not in reader.metadata
        assert reader.metadata["title"] == "Walk"
        assert len(list(reader.decode(video=0))) == 12
    assert b"loci" not in result
    assert b"\xa9xyz" not in result


def test_strip_leaves_no_text_and_no_date(server):
    told = {"title": "Walk", "artist": "Ada", "location": "+52.5200+013.4050/", "creation_time": "2021-05-04T03:02:01Z"}
    results = []
    for strip in ("false", "true"):
        job = finished(server, send(server, video(metadata=told), strip=strip).json())
        results.append(server.client.get(job["result"]).content)
    kept, stripped = (av.open(BytesIO(result)) for result in results)
    assert kept.metadata["title"] == "Walk"
    assert not set(stripped.metadata) - {"major_brand", "minor_version", "compatible_brands"}
    assert "creation_time" not in stripped.streams.video[0].metadata
    assert b"Ada" in results[0]
    assert b"Ada" not in results[1]
    frames, wanted = ([frame.to_ndarray().tobytes() for frame in one.decode(video=0)] for one in (stripped, kept))
    assert len(frames) == 12
    assert frames == wanted


def test_a_finished_job_can_be_forgotten(server):
    job = send(server, video()).json()
    finished(server, job)
    folder = server.state.jobs.get(job["id"]).folder
    assert [file.name for file in folder.iterdir()] == ["result.mp4"]
    assert server.client.delete(job["url"]).status_code == 204
    check(server.client.get(job["url"]), 404, "not_found")
    check(server.client.get(f"{job['url']}/result"), 404, "not_found")
    assert not folder.exists()


def test_a_running_job_can_be_cancelled(server):
    job = send(server, video(frames=1400, rate=24)).json()
    wait_for(lambda: server.client.get(job["url"]).json()["frames"] > 1)
    check(server.client.get(f"{job['url']}/result"), 409, "no_result")
    assert server.client.delete(job["url"]).status_code == 204
    told = server.client.get(job["url"]).json()
    assert (told["status"], told["result"]) == ("cancelled", None)
    wait_for(lambda: len(server.state.videos) == 0)
    assert server.client.get(job["url"]).json()["frames"] < 1400
    assert list(server.state.jobs.get(job["id"]).folder.iterdir()) == []
    assert server.client.delete(job["url"]).status_code == 204
    check(server.client.get(job["url"]), 404, "not_found")


def test_queued_jobs_wait_can_be_cancelled_and_are_few(made_style):
    with running([made_style("invert")], max_videos=2) as server:
        long = video(frames=1400, rate=24)
        first, second = (send(server, long).json() for _ in range(2))
        check(send(server, video()), 503, "queue_full")
        assert server.client.get(second["url"]).json()["status"] == "queued"
        for job in (second, first):
            assert server.client.delete(job["url"]).status_code == 204
            assert server.client.get(job["url"]).json()["status"] == "cancelled"
        wait_for(lambda: len(server.state.videos) == 0)
        assert finished(server, send(server, video()).json())["status"] == "done"


def test_too_long_too_large_or_no_video(made_style):
    limits = {"max_video_seconds": 1, "max_video_bytes": 100_000, "frame_pixels": 5000}
    with running([made_style("invert")], **limits) as server:
        check(send(server, video(frames=30)), 413, "too_long")  # 2.5 s
        check(send(server, video(frames=70, rate=100)), 413, "too_long")  # 0.7 s of 100 frames a second
        check(send(server, video(size=(96, 64))), 413, "too_many_pixels")
        check(send(server, bytes(100_001)), 413, "too_large")
        check(send(server, picture()), 415, "no_video")
        check(send(server, video()[:500]), 415, "no_video")
        check(send(server, b""), 400, "empty")
        check(send(server, video(), strength="2"), 422, "bad_option")
        check(send(server, video(), format="png"), 422, "bad_option")
        assert finished(server, send(server, video()).json())["status"] == "done"
        assert len(list(server.state.folder.iterdir())) == 1  # nothing of those refused


def test_a_side_that_is_too_long_is_reduced_or_refused(made_style):
    with running([made_style("invert")], max_side=48) as server:
        refused = send(server, video())  # 64 x 48
        check(refused, 413, "side_too_long")
        assert "64x48: ask for max_side=48" in refused.json()["error"]
        assert finished(server, send(server, video(), max_side="48").json())["status"] == "done"


def test_frames_are_counted_where_the_file_does_not_tell(made_style, monkeypatch):
    monkeypatch.setattr("sakuga.serve.videos.check", lambda *_, **__: None)
    with running([made_style("invert")], max_video_seconds=1, frames_per_second=5) as server:
        told = finished(server, send(server, video(frames=12)).json())
        assert (told["status"], told["error"]) == ("failed", "The video has more than 5 frames: cut it.")


@pytest.mark.parametrize("head", ["ffconcat version 1.0\nfile ", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n"])
def test_a_playlist_opens_no_other_file(server, tmp_path, head):
    """FFmpeg would read the files and addresses that a playlist names."""
    other = server.state.folder / "other.mp4"
    other.write_bytes(video())
    check(send(server, f"{head}../other.mp4\n#EXT-X-ENDLIST\n".encode()), 415, "no_video")
    other.unlink()


def test_retry_after_follows_how_long_videos_take(made_style):
    with running([made_style("invert")]) as server:
        finished(server, send(server, video()).json())
        wait_for(lambda: len(server.state.videos) == 0)
        assert server.state.videos.seconds != 1.0  # which it is before anything is known


def test_a_video_that_fails_says_why_without_paths(server, monkeypatch):
    monkeypatch.setattr("sakuga.serve.videos.check", lambda *_, **__: None)
    told = finished(server, send(server, b"no video").json())
    assert (told["status"], told["result"]) == ("failed", None)
    assert told["error"].startswith("The video ")
    assert "/" not in told["error"]
    assert list(server.state.jobs.get(told["id"]).folder.iterdir()) == []


def test_what_is_made_of_a_video_has_a_limit(made_style):
    with running([made_style("invert")], max_result_bytes=100) as server:
        told = finished(server, send(server, video()).json())
        assert told["status"] == "failed"
        assert told["error"] == "The result has more than 0 MiB: ask for a smaller max_side, or cut the video."
        assert list(server.state.jobs.get(told["id"]).folder.iterdir()) == []


def test_a_long_video_is_given_up_in_the_middle(made_style, monkeypatch):
    monkeypatch.setattr("sakuga.serve.jobs.Job.bytes", property(lambda job: 1000 * job.frames))
    with running([made_style("invert")], max_result_bytes=100_000) as server:
        told = finished(server, send(server, video(frames=1400, rate=24)).json())
        assert told["status"] == "failed"
        assert told["frames"] < 200


def test_all_results_together_have_a_limit(made_style):
    with running([made_style("invert")]) as server:
        jobs = [finished(server, send(server, video()).json()) for _ in range(2)]
        assert {job["status"] for job in jobs} == {"done"}
    size = len(video())
    with running([made_style("invert")], max_results_bytes=size) as server:
        first, second = (finished(server, send(server, video()).json()) for _ in range(2))
        wait_for(lambda: first["id"] not in server.state.jobs.jobs)
        assert server.client.get(second["result"]).status_code == 200


def test_a_full_disk_is_503(made_style):
    with running([made_style("invert")], min_free_bytes=2**60) as server:
        assert check(send(server, video()), 503, "no_space").headers["retry-after"] == "60"
        check(server.client.post("/v1/stylize", content=picture()), 503, "no_space")


@pytest.mark.parametrize(("path", "make"), [("/v1/video", video), ("/v1/stylize", picture)])
@pytest.mark.parametrize("whole", [False, True])
def test_a_disk_that_fills_up_while_a_file_comes_is_503(server, monkeypatch, path, make, whole):
    """Looked at with every piece; and where others were quicker, the file that cannot be kept is no failure of ours."""
    if whole:
        full = OSError(errno.ENOSPC, "No space left on device")
        monkeypatch.setattr("sakuga.serve.uploads.SpooledTemporaryFile.write", Mock(side_effect=full))
    else:
        free = iter([2**40])
        monkeypatch.setattr("sakuga.serve.limits.shutil.disk_usage", lambda _: SimpleNamespace(free=next(free, 0)))
    check(server.client.post(path, content=make()), 503, "no_space")


def test_a_copy_that_fills_the_disk_is_refused(tmp_path):
    with pytest.raises(RefusedError) as refused:
        _admit(BytesIO(video()), tmp_path, StylizeOptions(), {}, Limits(min_free_bytes=2**60), threading.Event())
    assert refused.value.code == "no_space"


def test_a_disk_that_fills_up_during_a_job_is_the_servers(made_style, monkeypatch):
    """Whoever sent the video can free nothing and choose no folder."""
    monkeypatch.setattr("sakuga.video.segments.WorkFolder.save", Mock(side_effect=OSError(errno.ENOSPC, "full")))
    with running([made_style("invert")], min_free_bytes=0) as server:
        told = finished(server, send(server, video()).json())
        assert (told["status"], told["error"]) == ("failed", "The server's disk is full: come back later.")
        assert list(server.state.jobs.get(told["id"]).folder.iterdir()) == []


def test_results_go_after_their_time(made_style):
    with running([made_style("invert")], keep_seconds=0.0, results=2) as server:
        first = send(server, video()).json()
        finished(server, first)
        second = send(server, video()).json()  # which sweeps
        finished(server, second)
        check(server.client.get(first["url"]), 404, "not_found")


def test_a_video_that_is_cut_off_is_done_as_far_as_it_goes(made_style):
    whole = video(frames=48, format="matroska")
    with running([made_style("invert")]) as server:
        told = finished(server, send(server, whole[: len(whole) * 2 // 3]).json())
        assert told["status"] == "done"
        assert re.fullmatch(
            r"The video is damaged or cut off: the result holds .*, without \d\.\d to 4\.0 s\.", told["error"]
        )
        assert server.client.get(told["result"]).status_code == 200


def test_a_video_whose_frames_grow_is_done_as_far_as_it_goes(made_style, tmp_path):
    data = grown(tmp_path / "a.webm", (320, 240)).read_bytes()
    with running([made_style("invert")]) as server:
        told = finished(server, send(server, data).json())
        assert told["status"] == "done"
        assert (
            "0.4 to 0.5 s, for its frames change their size: ffmpeg -i IN OUT.mp4 brings them to one." in told["error"]
        )
        assert server.client.get(told["result"]).status_code == 200


def test_an_upload_whose_client_has_left_is_not_looked_at(tmp_path):
    left = threading.Event()
    left.set()
    with pytest.raises(AbandonedError):
        _admit(BytesIO(b"x" * 10), tmp_path, StylizeOptions(), {}, Limits(), left)


def test_a_video_that_takes_too_long_to_look_into_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("sakuga.serve.videos.PROBE_SECONDS", 1e-6)
    (tmp_path / "a.mp4").write_bytes(video())
    with pytest.raises(RefusedError) as refused:
        check_video(tmp_path / "a.mp4", Limits())
    assert refused.value.code == "no_video"
