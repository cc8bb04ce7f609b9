"""The colours of the page, light and dark: what is written can be read, as WCAG 2.2 measures it (1.4.3: 4.5 to 1)."""

import re
from pathlib import Path

import pytest

CSS = Path(__file__).parents[2] / "src" / "sakuga" / "serve" / "page" / "style.css"
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", palette))
    for palette in re.findall(r":root \{(.*?)\}", CSS.read_text(encoding="utf-8"), re.DOTALL)[:2]
)
TEXT = [(text, ground) for text in ("ink", "soft", "accent", "wrong") for ground in ("paper", "sheet", "well")]
TEXT += [("on-accent", "accent"), ("ink", "tint")]


def luminance(color):
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    values = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("text", "ground"), TEXT)
@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_stands_out(palette, text, ground):
    dark, light = sorted(luminance(palette[name]) for name in (text, ground))
    assert (light + 0.05) / (dark + 0.05) >= 4.5
