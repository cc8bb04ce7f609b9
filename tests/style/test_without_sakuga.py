"""The example of docs/integrations.md: a style file run by ONNX Runtime alone paints what sakuga paints."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sakuga import Stylizer, styles

PAGE = Path(__file__).parents[2] / "docs/integrations.md"


@pytest.mark.filterwarnings("ignore")
def test_the_example(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (style,) = [one for one in styles() if one.name == "anime"]
    Path("mine.onnx").write_bytes(style.path.read_bytes())
    y, x = np.mgrid[:70, :49]
    photo = np.stack([x * 5, y * 3, x + y], axis=-1).astype(np.uint8)
    Image.fromarray(photo).save("photo.png")
    (code,) = re.findall("```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(code.replace("photo.jpg", "photo.png"), {})
    painted = Stylizer("mine.onnx", quality="fast", precision="fp32").array(photo)
    stylised = np.asarray(Image.open("stylised.png")).astype(int)
    assert stylised.shape == photo.shape
    assert np.abs(stylised - painted).max() <= 1
