"""docs/train-your-own.md: every command on the page, in order, as it stands but for sizes."""

import re
import shlex
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from sakuga.cli import main
from sakuga.evaluation.measures import named

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "train-your-own.md"
BRIEF = "--steps 2 --crop 32 --batch 1 --save-every 1 --features-weights random:0 --cache kept"
TINY = f"{BRIEF} --width 8"
SMALLER = {
    "sakuga train distill --init cel": f"{BRIEF} --side 64",  # of the size that cel has
    "sakuga train whitebox": f"{TINY} --load 48 --warmup 1",
    "sakuga train distill": f"{TINY} --side 64 --blocks 1",
    "sakuga evaluate": "--weights random:0 --size 64 --frames 3",
    "sakuga compare": "--weights random:0 --size 64 --frames 3 --max-side 64",
}


def commands() -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    inline = re.findall(r"`(sakuga prepare [^`]*-o [^`]*)`", text)
    return [*blocks.splitlines(), *(line for line in inline if "MODULE:FUNCTION" not in line)]


def film(path: Path) -> None:
    """Three scenes of twelve frames: pans over the sample photographs."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=12)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 192, 128, "yuv420p", 4_000_000
        for name in ("astronaut", "chelsea", "coffee"):
            photo = np.asarray(Image.open(ROOT / "examples" / f"{name}.jpg").convert("RGB").resize((240, 180)))
            for t in range(12):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(photo[t : t + 128, t : t + 192]))
                container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.mark.filterwarnings("ignore:feature losses use:UserWarning")
def test_every_command_of_the_page(tmp_path, monkeypatch, capfd):
    folder = tmp_path / "Ünïcødé 写真 (1)"
    monkeypatch.setenv("SAKUGA_CACHE", str(tmp_path / "nothing"))
    for name in ("films", "photos", "kept-photos", "kept-frames"):
        (folder / name).mkdir(parents=True)
    monkeypatch.chdir(folder)
    film(folder / "films" / "clip.mp4")
    rng = np.random.default_rng(0)
    for i, place in enumerate(["photos/a.jpg", "photos/b.jpg", "kept-photos/c.jpg", "kept-frames/d.png", "photo.jpg"]):
        noise = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
        noise.resize((96 + i, 72), Image.Resampling.BICUBIC).save(folder / place)

    for code in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(code, {})
    assert len([*Path("few-photos").iterdir()]) == 4
    lines = commands()
    assert len(lines) == 15
    for line in lines:
        smaller = next((extra for start, extra in SMALLER.items() if line.startswith(start)), "")
        status = main(shlex.split(f"{line} {smaller}")[1:])
        said = capfd.readouterr()
        assert status == 0, f"{line}\n{said.out}{said.err}"

    scenes = [int(path.stem.removeprefix("clip-")) // 12 for path in Path("frames").glob("*.png")]
    assert set(scenes) == {0, 1, 2}
    assert Image.open("check.png").width > 100
    assert Image.open("photo.mine.jpg").size == (100, 72)
    assert Path("runs/mine-fast/last.pt").exists()
    assert "<html" in Path("report/compare.html").read_text(encoding="utf-8")


def test_the_page_says_what_a_negative_kid_and_inverted_colours_are():
    """Where they are met: with the figures, and in the table of what looks wrong."""
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    judge, wrong = page.split("## 5. Judge")[1].split("## 6. Use")[0], page.split("## When it looks wrong")[1]
    assert re.search(r"KID is an estimate[^.]* a little below 0", judge)
    (why,) = re.findall(r"\| colours are inverted[^|]*\|([^|]*)\|", wrong)
    assert "CycleGAN" in why
    assert "the way back undoes" in why
    (kid,) = [row.meaning for row in named("") if row.name == "KID"]
    assert "below 0" in kid
