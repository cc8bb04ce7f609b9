"""The camera is a video file over and over."""

import pytest
from camera_clips import make_clip
from made_style import make_style


@pytest.fixture(autouse=True)
def installed(style_folder):
    """The styles `neg` (inverts), `same` and `double` (twice as wide and tall)."""
    for name, kind in (("neg", "invert"), ("same", "identity"), ("double", "double")):
        make_style(style_folder / f"{name}.onnx", kind)
    return style_folder


@pytest.fixture
def clip(tmp_path):
    return make_clip(tmp_path / "Ünïcødé 写真 (1)" / "my clip.mp4")
