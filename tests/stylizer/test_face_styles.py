"""Styles for faces: each face of a picture or a video is stylised where it lies, and nothing else."""

import json
from dataclasses import replace

import av
import numpy as np
import pytest
from made_style import make_style
from PIL import Image

import sakuga
from sakuga.cli import main
from sakuga.errors import NoFaceError, SakugaError, UsageError
from sakuga.faces import track
from sakuga.faces.find import Face
from sakuga.stylizer import Look, Stylizer, stylizer
from sakuga.stylizer.brush import painted_size

TEMPLATE = np.array([[24.0, 28], [40, 28], [32, 35], [27, 42], [37, 42]])  # of 64, its middle (32, 35)
FRAME = {"template": TEMPLATE.tolist(), "side": 64}


def face(x, y, side=64.0, angle=0.0):
    """A face whose square is of this side, its middle at (x, y)."""
    turn = np.exp(1j * angle) * side / 64
    points = ((TEMPLATE - 31.5) @ [1, 1j]) * turn + complex(x, y)
    return Face(np.stack([points.real, points.imag], 1))


@pytest.fixture
def style(tmp_path):
    return make_style(tmp_path / "faced.onnx", "invert", frame=FRAME)


@pytest.fixture
def found(monkeypatch):
    """The faces that will be found."""
    faces = []
    monkeypatch.setattr(stylizer, "find_faces", lambda rgb, **_: list(faces))
    monkeypatch.setattr(track, "find_faces", lambda rgb, **_: list(faces))
    monkeypatch.setattr(track, "relocate", lambda rgb, points, run: (points, 1.0))
    monkeypatch.setattr(track, "network", lambda name: None)
    return faces


GRAY = np.full((200, 300, 3), 50, np.uint8)


def inverted(made, x, y):
    return (abs(made[y, x].astype(int) - 205) <= 1).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_face_and_nothing_else(style, found, dtype):
    found += [face(60, 60), face(200, 120, 128, 1.57), face(0, 199, 40, 0.5), face(280, 20, 12)]
    scale = np.iinfo(dtype).max // 255
    made = Stylizer(style).array(GRAY.astype(dtype) * scale) / scale
    assert all(inverted(made, x, y) for x, y in [(60, 60), (75, 60), (200, 120), (225, 140), (2, 197), (280, 20)])
    outside = np.abs(np.mgrid[:200, :300] - np.array([60, 60])[:, None, None]).max(0) > 33
    outside[54:186, 134:266] = outside[160:, :60] = outside[:40, 260:] = False
    np.testing.assert_array_equal(made[outside], 50)
    assert np.abs(np.diff(made[60, 20:100, 0])).max() < 60  # no seam


def test_the_look_holds_within_the_faces(style, found):
    found.append(face(60, 60))
    half = Stylizer(style, strength=0.5).array(GRAY)
    assert abs(int(half[60, 60, 0]) - 128) <= 1
    np.testing.assert_array_equal(Stylizer(style, strength=0).array(GRAY), GRAY)


def test_a_picture_without_a_face(style, found, tmp_path, capsys):
    Image.fromarray(GRAY).save(tmp_path / "wall.png")
    with pytest.raises(NoFaceError, match="no face"):
        sakuga.stylize(tmp_path / "wall.png", style)
    assert main([str(tmp_path / "wall.png"), "-s", str(style)]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "wall.png has no face that could be found" in said
    assert "--set frame=whole" in said
    assert not list(tmp_path.glob("wall.*.png"))
    assert main([str(tmp_path / "wall.png"), "-s", str(style), "--set", "frame=whole"]) == 0
    (made,) = tmp_path.glob("wall.*.png")
    np.testing.assert_array_equal(np.asarray(Image.open(made)), 255 - GRAY)
    np.testing.assert_array_equal(Stylizer(style).array(GRAY), GRAY)  # as it is for a frame of a video


def test_the_file_beside_a_picture_wins(style, monkeypatch, tmp_path):
    monkeypatch.setattr(stylizer, "find_faces", lambda rgb: pytest.fail("it need not be looked for"))
    Image.fromarray(GRAY).save(tmp_path / "me.png")
    side = tmp_path / "me.landmarks.json"
    side.write_text(json.dumps({"width": 300, "height": 200, "points": face(80, 60).points.tolist()}))
    for options, x, y in (({}, 80, 60), ({"max_side": 150}, 40, 30)):
        Stylizer(style, **options).file(tmp_path / "me.png", tmp_path / "out.png", overwrite=True)
        made = np.asarray(Image.open(tmp_path / "out.png"))
        assert inverted(made, x, y)
        assert not inverted(made, 3 * x, y)
    side.write_text(json.dumps({"width": 30, "height": 20, "points": [[1, 2]] * 5}))
    with pytest.raises(SakugaError, match="is of a picture of"):
        Stylizer(style).file(tmp_path / "me.png", tmp_path / "out.png", overwrite=True)
    for points, words in (
        ([[9, 9]] * 5, "points that are not of a face"),
        ([[0, 0], [1e9, 0], [5, 5], [0, 9], [9, 9]], "points that are not of a face"),
        ([[0, 0], [100, 0], [50, 0], [100, 0], [0, 0]], "in no order of one"),
    ):
        side.write_text(json.dumps({"points": points}))
        with pytest.raises(SakugaError, match=words):
            Stylizer(style).file(tmp_path / "me.png", tmp_path / "out.png", overwrite=True)
    side.write_text(json.dumps({"points": [[1, 2], [3, 4]]}))
    with pytest.raises(SakugaError, match="counts 5 landmarks of a face, and here are 2"):
        Stylizer(style).file(tmp_path / "me.png", tmp_path / "out.png", overwrite=True)


def test_larger_faces_are_run_larger_where_the_frame_permits_it(tmp_path, found, monkeypatch):
    found.append(face(150, 100, 150))
    for most, side in ((0, 64), (128, 128), (512, 152)):
        path = make_style(tmp_path / f"s{most}.onnx", "invert", frame={**FRAME, "max_side": most}, multiple=8)
        made, sides = Stylizer(path), []
        run = made.engine.run
        watched = replace(made.engine, run=lambda x, run=run, sides=sides: sides.append(x.shape) or run(x))
        monkeypatch.setattr(made, "engine", watched)
        made.array(GRAY)
        assert sides == [(3, side, side)]


def test_no_face_is_drawn_with_a_wide_brush(style):
    """A warp cannot be brought up to size by its photo, which shows everything elsewhere."""
    assert painted_size(Stylizer(style).style.card, Look(), 4000, 6000) is None


def test_a_video(style, found, tmp_path, capsys):
    path = tmp_path / "a.mp4"
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for _ in range(4):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((96, 160, 3), 50, np.uint8), format="rgb24")))
        file.mux(stream.encode())
    Stylizer(style).file(path, tmp_path / "none.mp4")
    assert "no face was found" in capsys.readouterr().err
    found += [face(40, 48), face(118, 50)]
    Stylizer(style).file(path, tmp_path / "b.mp4")
    assert not capsys.readouterr().err
    with av.open(tmp_path / "b.mp4") as file:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in file.decode(video=0)]
    assert len(frames) == 4
    for frame in frames:
        assert np.abs(frame[48, [40, 118]] - 205).max() < 12
        assert np.abs(frame[48, [2, 79]] - 50).max() < 12


def test_small_faces_in_any_style_are_drawn_larger(tmp_path, found, monkeypatch):
    monkeypatch.setattr(stylizer, "missing", lambda: None)
    blur = make_style(tmp_path / "blur.onnx", "blur")
    photo = np.random.default_rng(0).integers(0, 256, (50, 75, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
    plain = Stylizer(blur).array(photo)
    found += [face(60, 60, 80), face(240, 110, 900)]  # the second is large enough
    made = Stylizer(blur, faces=True).array(photo)
    lost = [np.abs(one[45:65, 45:65].astype(int) - photo[45:65, 45:65]).mean() for one in (plain, made)]
    assert lost[1] < 0.8 * lost[0]  # of areas that are hardly wider than the blur
    np.testing.assert_array_equal(made[:, 130:], plain[:, 130:])
    np.testing.assert_array_equal(Stylizer(blur, faces=True, strength=0).array(photo), photo)
    wide = [Stylizer(blur, brush=4, faces=faces).array(photo) for faces in (False, True)]
    lost = [np.abs(one[:, 130:].astype(int) - photo[:, 130:]).mean() for one in wide]
    assert lost[1] < 0.9 * lost[0]  # under a brush of four pixels the second is small too
    found.clear()
    np.testing.assert_array_equal(Stylizer(blur, faces=True).array(photo), plain)
    assert Stylizer(blur, faces=True).tracker() is not None
    assert Stylizer(blur).tracker() is None
    monkeypatch.setattr(stylizer, "missing", lambda: "sakuga download faces")
    with pytest.raises(UsageError, match="sakuga download faces, or leave out --faces"):
        Stylizer(blur, faces=True)


def test_wrong_values(style):
    with pytest.raises(UsageError, match="frame must be one of faces, whole"):
        Stylizer(style, inputs={"frame": "half"})
