"""Videos on the page without a server: as many frames at the same times, the same sound, and sentences for the rest."""

import av
import numpy as np
import pytest
from grown import grown
from on_page import PAN, choose, download, expect, row, style, stylized


def read(path):
    """The frames of a video with their times, and the packets of its sound."""
    with av.open(str(path)) as file:
        frames = [(float(frame.time), frame.to_ndarray(format="rgb24").astype(int)) for frame in file.decode(video=0)]
    with av.open(str(path)) as file:
        return frames, [bytes(packet) for packet in file.demux(audio=0) if packet.size]


def clip(path, *, frames=3, rate=10, size=(64, 48), turn=0):
    """A clip without sound, of which each frame is lighter at the top than at the bottom."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=rate)
        (stream.width, stream.height), stream.pix_fmt = size, "yuv420p"
        if turn:
            stream.set_display_rotation(turn)
        rgb = np.full((size[1], size[0], 3), 60, np.uint8)
        rgb[: size[1] // 2] = 200
        for _ in range(frames):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        file.mux(stream.encode())
    return path


def failed(page, n, sentence):
    expect(row(page, n)).to_have_attribute("data-status", "failed")
    expect(row(page, n).locator(".note")).to_contain_text(sentence)


def test_a_video_has_the_frames_times_and_sound_of_the_command(visit, tmp_path):
    short = stylized(PAN, tmp_path / "short.mp4", "--strength", "0", "--duration", "0.4")
    page = visit()
    style(page, "Paprika")  # which knows the whole picture, and so changes a little from one frame to the next
    choose(page, short)
    expect(row(page)).to_have_attribute("data-status", "done", timeout=90_000)
    name, data = download(page, page.locator("#save"))
    assert name == "short.paprika.mp4"
    result = tmp_path / "result.mp4"
    result.write_bytes(data)
    target = stylized(short, tmp_path / "target.mp4", "-s", "paprika")
    (frames, sound), (wanted, packets), (photos, _) = read(result), read(target), read(short)
    assert [time for time, _ in frames] == pytest.approx([time for time, _ in wanted], abs=1e-3)
    assert len(frames) == 6
    assert sound == packets
    for (_, made), (_, want), (_, photo) in zip(frames, wanted, photos, strict=True):
        assert abs(made - want).mean() < abs(want - photo).mean() / 3


def test_a_video_that_lies_on_its_side_comes_out_upright_and_with_even_sides(visit, tmp_path):
    page = visit()
    choose(page, clip(tmp_path / "clip.mp4", turn=90, size=(66, 48)))
    expect(row(page)).to_have_attribute("data-status", "done")
    (tmp_path / "result.mp4").write_bytes(download(page, page.locator("#save"))[1])
    with av.open(str(tmp_path / "result.mp4")) as file:
        frames = list(file.decode(video=0))
    assert [(frame.width, frame.height, frame.rotation) for frame in frames] == [(48, 66, 0)] * 3
    left, right = np.split(frames[0].to_ndarray(format="rgb24").astype(int), 2, axis=1)
    assert left.mean() > right.mean() + 80  # turned by a quarter against the clock


def test_a_video_is_cancelled(visit, tmp_path):
    page = visit()
    choose(page, PAN)
    expect(row(page).locator(".note")).to_contain_text("of 30")
    row(page).get_by_role("button", name="Cancel").click()
    expect(row(page).locator(".note")).to_have_text("Cancelled")
    choose(page, clip(tmp_path / "clip.mp4"))
    expect(row(page, 2)).to_have_attribute("data-status", "done")


def test_what_is_too_long_or_too_large_is_refused_with_a_sentence(visit, tmp_path):
    page = visit()
    choose(
        page,
        clip(tmp_path / "long.mp4", frames=31, rate=1),
        clip(tmp_path / "large.mp4", size=(2560, 1440), frames=1),
        clip(tmp_path / "last.mp4"),
    )
    expect(row(page, 3)).to_have_attribute("data-status", "done")
    failed(page, 1, "The video has 31 seconds; this page takes up to 30")
    failed(page, 2, "The video has 2560x1440 pixels")


def test_frames_of_another_size_are_refused(visit, tmp_path):
    """Of a video that lies on its side too: its frames are turned, and brought to one size, before they are painted."""
    page = visit()
    choose(
        page,
        grown(tmp_path / "clip.webm", (96, 80), small=3),
        grown(tmp_path / "turned.mp4", (96, 80), small=3, turn=90),
        grown(tmp_path / "same.mp4", (64, 64), turn=90),
    )
    expect(row(page, 3)).to_have_attribute("data-status", "done")
    for n in (1, 2):
        failed(page, n, "The video's frames change from 64x64 to 96x80 at 0.1 s")


def test_without_webcodecs_the_page_says_so(visit):
    page = visit(script="delete globalThis.VideoEncoder")
    expect(page.get_by_role("heading", name="Drop pictures here")).to_be_visible()
    choose(page, PAN)
    failed(page, 1, "lacks WebCodecs")
