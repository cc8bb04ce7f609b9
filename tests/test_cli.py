import io
import json
import os
import re
import signal
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from made_style import make_style
from PIL import Image

from sakuga.cli import main
from sakuga.verbs import VERBS


@pytest.fixture(autouse=True)
def here(tmp_path, style_folder, monkeypatch):
    """Each test begins in an empty folder, with the styles `neg` (inverts) and `soft` (blurs)."""
    make_style(style_folder / "neg.onnx", "invert", title="Negative")
    make_style(style_folder / "soft.onnx", "blur")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def photo(path, seed=0, size=(20, 16), **options):
    """Write a picture (size: width, height) and return its pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return pixels


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def tree():
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())


def process(*args, input=None, **options):
    command = [sys.executable, "-m", "sakuga", *args]
    return subprocess.run(command, input=input, capture_output=True, timeout=60, **options)


@pytest.fixture
def run(capsys):
    """Return a function that runs the command and returns exit status, lines of stdout, and stderr."""

    def run(*args):
        status = main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return status, out.splitlines(), err

    return run


# --- one picture


def test_one_picture_goes_beside_its_input(run):
    before = photo("in/photo.png")
    assert run("in/photo.png", "-s", "neg") == (0, ["in/photo.neg.png"], "")
    np.testing.assert_array_equal(pixels("in/photo.neg.png"), 255 - before)
    assert tree() == ["in/photo.neg.png", "in/photo.png"]


def test_the_verb_may_be_named_and_options_may_come_first(run):
    photo("photo.png")
    assert run("stylize", "photo.png", "-s", "neg")[:2] == (0, ["photo.neg.png"])
    assert run("--style", "soft", "photo.png")[:2] == (0, ["photo.soft.png"])


def test_a_style_may_be_a_path(run, style_folder):
    photo("photo.png")
    make_style(Path("mine.onnx"), "invert")
    assert run("photo.png", "-s", "mine.onnx")[:2] == (0, ["photo.mine.png"])


def test_output_is_a_file_when_it_has_a_suffix_and_its_format_follows(run):
    photo("photo.png")
    assert run("photo.png", "-s", "neg", "-o", "new/result.webp")[:2] == (0, ["new/result.webp"])
    with Image.open("new/result.webp") as image:
        assert (image.format, image.size) == ("WEBP", (20, 16))


@pytest.mark.parametrize("output", ["out", "out/", "exists.d"])
def test_output_is_a_folder_otherwise(run, output):
    photo("photo.png")
    Path("exists.d").mkdir()
    target = str(Path(output) / "photo.neg.png")
    assert run("photo.png", "-s", "neg", "-o", output)[:2] == (0, [target])
    assert Path(target).is_file()


def test_an_existing_result_is_an_error_that_names_overwrite(run):
    before = photo("photo.png")
    Path("photo.neg.png").write_bytes(b"mine")
    status, out, err = run("photo.png", "-s", "neg")
    assert (status, out) == (1, [])
    assert re.fullmatch(r"sakuga: photo\.neg\.png exists: .*--overwrite.*\n", err)
    assert Path("photo.neg.png").read_bytes() == b"mine"
    assert run("photo.png", "-s", "neg", "--overwrite")[0] == 0
    np.testing.assert_array_equal(pixels("photo.neg.png"), 255 - before)


def test_a_picture_can_replace_itself_when_asked(run):
    before = photo("photo.png")
    assert run("photo.png", "-s", "neg", "-o", "photo.png")[0] == 1
    assert run("photo.png", "-s", "neg", "-o", "photo.png", "--overwrite")[0] == 0
    np.testing.assert_array_equal(pixels("photo.png"), 255 - before)


def test_options_reach_the_stylizer(run):
    before = photo("photo.png", size=(40, 20)).astype(int)
    assert run("photo.png", "-s", "neg", "--strength", "0")[0] == 0
    np.testing.assert_array_equal(pixels("photo.neg.png"), before)
    run("photo.png", "-s", "neg", "--strength", "0.25", "-o", "quarter.png")
    np.testing.assert_allclose(pixels("quarter.png"), 0.75 * before + 0.25 * (255 - before), atol=1)
    run("photo.png", "-s", "neg", "--max-side", "10", "--threads", "1", "-o", "small.png")
    assert pixels("small.png").shape == (5, 10, 3)
    run("photo.png", "-s", "neg", "--keep-color", "-o", "color.png")
    luma = np.array([0.299, 0.587, 0.114])
    expected = np.clip(before + ((255 - 2 * before) @ luma)[..., None], 0, 255)
    np.testing.assert_allclose(pixels("color.png"), expected, atol=1)


@pytest.mark.parametrize(
    ("format", "suffix", "name"),
    [("jpeg", ".jpg", "JPEG"), ("png", ".png", "PNG"), ("webp", ".webp", "WEBP"), ("tiff", ".tif", "TIFF")],
)
def test_format(run, format, suffix, name):
    photo("photo.bmp")
    assert run("photo.bmp", "-s", "neg", "--format", format)[1] == [f"photo.neg{suffix}"]
    with Image.open(f"photo.neg{suffix}") as image:
        assert image.format == name


@pytest.mark.parametrize(
    ("name", "saved_as", "result"),
    [
        ("a.JPG", "JPEG", "a.neg.JPG"),
        ("a.jpeg", "JPEG", "a.neg.jpeg"),
        ("a.bmp", "BMP", "a.neg.png"),
        ("plain", "JPEG", "plain.neg.jpg"),
        ("plain", "PNG", "plain.neg.png"),
        ("odd.v1.data", "WEBP", "odd.v1.neg.webp"),
    ],
)
def test_suffix_and_format_are_kept(run, name, saved_as, result):
    photo(name, format=saved_as)
    assert run(name, "-s", "neg")[1] == [result]
    with Image.open(result) as image:
        assert image.format == {"BMP": "PNG"}.get(saved_as, saved_as)


def test_format_and_a_name_that_says_nothing_about_it(run):
    photo("photo.png")
    Path("taken").touch()
    assert run("photo.png", "-s", "neg", "-o", "taken", "--format", "jpeg", "--overwrite")[:2] == (0, ["taken"])
    with Image.open("taken") as image:
        assert image.format == "JPEG"


# --- standard input and output


def test_standard_input_to_standard_output():
    before = photo("photo.png")
    done = process("-", "-s", "neg", input=Path("photo.png").read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    with Image.open(io.BytesIO(done.stdout)) as image:
        assert image.format == "PNG"
        np.testing.assert_array_equal(np.asarray(image), 255 - before)
    assert tree() == ["photo.png"]


def test_standard_input_to_a_file_or_folder_and_a_file_to_standard_output():
    data = io.BytesIO()
    Image.fromarray(photo("photo.png")).save(data, "WEBP")
    done = process("-", "-s", "neg", "-o", "out.jpg", input=data.getvalue())
    assert done.stdout.decode().splitlines() == ["out.jpg"]
    done = process("-", "-s", "neg", "-o", "folder", input=data.getvalue())
    assert [Path(line) for line in done.stdout.decode().splitlines()] == [Path("folder/stdin.neg.webp")]
    again = process("-", "-s", "neg", "-o", "folder", input=data.getvalue())
    assert again.returncode == 1
    assert b"--overwrite" in again.stderr
    done = process("photo.png", "-s", "neg", "-o", "-", "--format", "jpeg")
    assert done.stdout.startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize("args", [["-", "photo.png"], ["-", "-"], [".", "-o", "-"], ["%d.png", "-o", "-"]])
def test_a_stream_is_one_picture(run, args):
    photo("photo.png")
    status, out, err = run(*args, "-s", "neg")
    assert (status, out) == (2, [])
    assert "- stands for one picture" in err


def test_standard_input_that_is_no_picture():
    for data in (b"", b"no picture"):
        done = process("-", "-s", "neg", input=data)
        assert (done.returncode, done.stdout) == (1, b"")
        assert re.fullmatch(rb"sakuga: [^\n]+\n", done.stderr)


# --- folders, globs, several


def test_a_folder_mirrors_its_tree(run):
    photos = {name: photo(f"in/{name}", seed) for seed, name in enumerate(["a.png", "sub/a.png", "sub/deep/b.png"])}
    Path("in/notes.txt").write_text("no picture")
    photo("in/.hidden.png")
    status, out, err = run("in", "-s", "neg", "-o", "out")
    assert status == 0
    assert out == ["out/a.neg.png", "out/sub/a.neg.png", "out/sub/deep/b.neg.png"]
    assert err == "sakuga: 3 done, 0 skipped (exist already), 0 failed\n"
    for name, before in photos.items():
        np.testing.assert_array_equal(pixels(f"out/{name}".replace(".png", ".neg.png")), 255 - before)


def test_a_second_run_skips_what_is_done_and_does_not_stylise_results(run):
    photo("in/a.png")
    photo("in/b.png")
    assert run("in", "-s", "neg")[1] == ["in/a.neg.png", "in/b.neg.png"]
    photo("in/c.png")
    changed = Path("in/a.neg.png").stat().st_mtime_ns
    status, out, err = run("in", "-s", "neg")
    assert (status, out) == (0, ["in/c.neg.png"])
    assert "1 done, 2 skipped" in err
    assert Path("in/a.neg.png").stat().st_mtime_ns == changed
    # Another known style does not take the first one's results for pictures either.
    assert run("in", "-s", "soft")[1] == ["in/a.soft.png", "in/b.soft.png", "in/c.soft.png"]
    assert len(run("in", "-s", "neg", "--overwrite")[1]) == 3
    assert Path("in/a.neg.png").stat().st_mtime_ns > changed
    assert len(tree()) == 9


def test_a_folder_of_nothing_but_results_and_an_empty_folder(run):
    Path("empty").mkdir()
    photo("results/a.neg.png")
    for folder in ("empty", "results", "empty/*.png"):
        status, _, err = run(folder, "-s", "neg")
        assert status == 1
        assert err == f"sakuga: {folder} holds no pictures or videos: check the path\n"


def test_an_earlier_result_named_outright_is_an_input(run):
    photo("a.neg.png")
    assert run("a.neg.png", "-s", "neg")[1] == ["a.neg.neg.png"]


def test_a_folder_run_goes_on_after_errors_and_fails_at_the_end(run):
    photo("in/a.png")
    photo("in/c.jpg")
    Path("in/b.png").write_bytes(b"no picture")
    Path("in/c.jpg").write_bytes(Path("in/c.jpg").read_bytes()[:200])
    photo("in/d.png")
    status, out, err = run("in", "-s", "neg", "-o", "out")
    assert (status, out) == (1, ["out/a.neg.png", "out/d.neg.png"])
    lines = err.splitlines()
    assert [line.startswith("sakuga: in/" + name) for line, name in zip(lines, ["b.png ", "c.jpg "], strict=False)] == [
        True
    ] * 2
    assert lines[2:] == ["sakuga: 2 done, 0 skipped (exist already), 2 failed"]
    assert [name for name in tree() if name.startswith("out")] == ["out/a.neg.png", "out/d.neg.png"]


def test_globs(run):
    for name in ("in/a.png", "in/b.jpg", "in/sub/c.png", "in/sub/d.png"):
        photo(name)
    Path("in/sub/e.txt").write_text("no picture")
    assert run("in/*.png", "-s", "neg", "-o", "one")[1] == ["one/a.neg.png"]
    assert run("in/**/*", "-s", "neg", "-o", "all")[1] == [
        "all/a.neg.png",
        "all/b.neg.jpg",
        "all/sub/c.neg.png",
        "all/sub/d.neg.png",
    ]
    assert run("in/s?b/[cd].png", "-s", "neg", "-o", "two")[1] == ["two/sub/c.neg.png", "two/sub/d.neg.png"]
    assert run("in/nothing*.png", "-s", "neg")[0] == 1


def test_a_name_with_brackets_is_no_glob_when_it_exists(run):
    photo("a[1].png")
    assert run("a[1].png", "-s", "neg")[:2] == (0, ["a[1].neg.png"])


def test_several_files_are_a_batch(run):
    photo("a.png")
    photo("b.png")
    photo("a.neg.png")
    status, out, err = run("a.png", "missing.png", "b.png", "-s", "neg")
    assert (status, out) == (1, ["b.neg.png"])
    assert err.splitlines()[0].startswith("sakuga: missing.png does not exist")
    assert "1 done, 1 skipped (exist already), 1 failed" in err


def test_names_that_would_collide_get_longer(run):
    photo("in/a.jpg", 1)
    photo("in/a.png", 2)
    photo("in/b.png", 3)
    _, out, _ = run("in", "-s", "neg", "--format", "png")
    assert out == ["in/a.jpg.neg.png", "in/a.png.neg.png", "in/b.neg.png"]
    np.testing.assert_array_equal(pixels("in/a.jpg.neg.png"), 255 - pixels("in/a.jpg"))
    np.testing.assert_array_equal(pixels("in/a.png.neg.png"), 255 - pixels("in/a.png"))
    assert "0 done, 3 skipped" in run("in", "-s", "neg", "--format", "png")[2]


def test_an_output_that_is_a_file_cannot_hold_several(run):
    photo("a.png")
    photo("b.png")
    Path("taken").write_text("")
    status, _, err = run("a.png", "b.png", "-s", "neg", "-o", "taken")
    assert status == 2
    assert "taken is a file" in err


def test_an_output_folder_within_the_input_folder(run):
    photo("in/a.png")
    assert run("in", "-s", "neg", "-o", "in/out")[1] == ["in/out/a.neg.png"]
    assert run("in", "-s", "neg", "-o", "in/out")[1] == []
    assert tree() == ["in/a.png", "in/out/a.neg.png"]


# --- video


def test_a_video(run):
    import av

    Path("in").mkdir()
    with av.open("in/clip.mkv", "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for gray in (0, 60, 120, 180):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), gray, np.uint8))
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    assert run("in/clip.mkv", "-s", "neg")[:2] == (0, ["in/clip.neg.mp4"])
    with av.open("in/clip.neg.mp4") as clip:
        means = [frame.to_ndarray(format="rgb24").mean() for frame in clip.decode(video=0)]
    np.testing.assert_allclose(means, [255, 195, 135, 75], atol=4)
    photo("in/clip.png")
    _, out, err = run("in", "-s", "neg")
    assert out == ["in/clip.neg.png"]
    assert "1 done, 1 skipped" in err


# --- wrong usage and failures


@pytest.mark.parametrize(
    "args",
    [
        ["--strength", "1.5"],
        ["--strength", "-1"],
        ["--strength", "nan"],
        ["--strength", "much"],
        ["--max-side", "0"],
        ["--max-side", "1.5"],
        ["--max-pixels", "0"],
        ["--threads", "0"],
        ["--format", "bmp"],
        ["--bogus"],
        ["-o", "result.xyz"],
        ["-o", "result.png", "--format", "jpeg"],
        ["-s", "unknown"],
    ],
)
def test_wrong_usage_is_status_2_and_writes_nothing(run, args):
    photo("photo.png")
    status, out, err = run("photo.png", *([] if "-s" in args else ["-s", "neg"]), *args)
    assert (status, out) == (2, [])
    assert args[0].lstrip("-").replace("-", "_") in err.replace("-", "_") or args[1] in err
    assert tree() == ["photo.png"]


def test_an_unknown_style_suggests_the_nearest(run):
    photo("photo.png")
    assert run("photo.png", "-s", "softt") == (2, [], "sakuga: there is no style 'softt': did you mean 'soft'?\n")


def test_nothing_to_do_is_wrong_usage(run):
    assert run("-s", "neg")[0] == 2
    status, out, _ = run()
    assert status == 2
    assert any("stylize" in line for line in out)


def broken(tmp_path, kind):
    if kind == "missing":
        return "missing.png"
    if kind == "no picture":
        Path("text.png").write_text("hello")
        return "text.png"
    if kind == "empty":
        Path("empty.png").touch()
        return "empty.png"
    photo("photo.png", size=(200, 200))
    if kind == "truncated":
        Path("photo.png").write_bytes(Path("photo.png").read_bytes()[:-5000])
    return "photo.png"


@pytest.mark.parametrize("kind", ["missing", "no picture", "empty", "truncated", "bomb", "no style", "not onnx"])
def test_failures_are_status_1_one_sentence_and_write_nothing(run, tmp_path, kind):
    name = broken(tmp_path, kind)
    style, extra, culprit = "neg", [], name
    if kind == "bomb":
        extra = ["--max-pixels", "39999"]
    if kind == "no style":
        style = culprit = str(make_style(tmp_path / "cardless.onnx", "no_card"))
    if kind == "not onnx":
        style = culprit = str(tmp_path / "text.onnx")
        Path(style).write_text("hello")
    before = tree()
    status, out, err = run(name, "-s", style, *extra)
    assert (status, out) == (1, [])
    assert re.fullmatch(rf"sakuga: {re.escape(culprit)} [^\n]+\n", err)
    assert tree() == before


def test_no_space_leaves_nothing_behind(run, monkeypatch):
    photo("in/a.png")
    photo("in/b.png")

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    status, out, err = run("in", "-s", "neg", "-o", "out")
    assert (status, out) == (1, [])
    assert err.count("no space") == 2
    assert [name for name in tree() if name.startswith("out")] == []


def test_ctrl_c_is_status_130_and_leaves_no_half_file(style_folder):
    for i in range(60):
        photo(f"in/{i:02}.png", size=(400, 400))
    with subprocess.Popen(
        [sys.executable, "-m", "sakuga", "in", "-s", "soft", "-o", "out"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout.readline()
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert err == "sakuga: interrupted\n"
    written = [name for name in tree() if name.startswith("out")]
    assert len(written) < 60
    assert all(pixels(name).shape == (400, 400, 3) for name in written)


def test_a_reader_that_leaves_early_is_no_traceback():
    for i in range(30):
        photo(f"in/{i:02}.png", size=(100, 100))
    command = [sys.executable, "-m", "sakuga", "in", "-s", "soft"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        running.stdout.readline()
        running.stdout.close()
        err = running.stderr.read()
    assert running.returncode == 1
    assert "Traceback" not in err
    assert "Exception" not in err


def test_a_file_name_that_is_not_unicode():
    if sys.platform != "linux":
        pytest.skip("such names exist on Linux only")
    name = os.fsdecode(b"caf\xe9.png")
    photo(name)
    done = process(name, "-s", "neg")
    assert (done.returncode, done.stdout.strip()) == (0, b"caf\xe9.neg.png")
    done = process(os.fsdecode(b"gone\xe9.png"), "-s", "neg")
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


# --- the other verbs


def test_styles(run, style_folder):
    (style_folder / "broken.onnx").write_bytes(b"?")
    status, out, err = run("styles")
    assert status == 0
    assert any(line.startswith("neg ") and "Negative" in line and "Apache-2.0" in line for line in out)
    assert "broken.onnx" in err
    status, out, _ = run("styles", "--json")
    listed = json.loads("\n".join(out))
    assert [one["name"] for one in listed] == ["neg", "soft"]
    assert listed[0]["title"] == "Negative"
    assert listed[0]["bytes"] == (style_folder / "neg.onnx").stat().st_size
    assert {"licence", "data", "system", "file_sha256", "path", "embedded"} <= listed[0].keys()


def test_info(run, style_folder):
    for name in ("neg", style_folder / "neg.onnx"):
        status, out, _ = run("info", name)
        assert status == 0
        assert any(line.split() == ["title", "Negative"] for line in out)
        status, out, _ = run("info", name, "--json")
        assert json.loads("\n".join(out))["title"] == "Negative"
    assert run("info", "ne")[0] == 2
    assert run("info", "gone.onnx")[0] == 1
    assert run("info")[0] == 2


def test_markup_in_a_card_is_text(run, style_folder):
    make_style(style_folder / "loud.onnx", title="[red]loud[/red] :smile:")
    assert any("[red]loud[/red] :smile:" in line for line in run("styles")[1])
    assert any("[red]loud[/red] :smile:" in line for line in run("info", "loud")[1])


def test_version_and_help(run):
    from importlib.metadata import version

    assert run("--version") == (0, [f"sakuga {version('sakuga')}"], "")
    status, out, _ = run("--help")
    assert status == 0
    for verb in ("stylize", "styles", "info", *VERBS):
        assert any(verb in line for line in out)


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_of_other_modules_are_handed_on(run, monkeypatch, verb):
    calls = []
    module, _, name = VERBS[verb].function.partition(":")
    fake = types.SimpleNamespace(**{name: lambda argv: calls.append(argv) or 7})
    monkeypatch.setitem(sys.modules, module, fake)
    assert run(verb, "--steps", "3", "--help")[0] == 7
    assert calls == [["--steps", "3", "--help"]]


def test_without_torch_the_extra_is_named(run, monkeypatch):
    def fail(argv):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setitem(sys.modules, "sakuga.training.train", types.SimpleNamespace(train=fail))
    assert run("train", "x") == (1, [], "sakuga: sakuga train needs torch: pip install 'sakuga[train]'\n")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_function(verb):
    module, _, name = VERBS[verb].function.partition(":")
    assert callable(getattr(pytest.importorskip(module), name))


# --- starting fast


def imported_by(code):
    heavy = ["numpy", "PIL", "onnxruntime", "av", "tyro", "rich", "torch", "onnx"]
    code += f"\nimport sys, json; print(json.dumps([m for m in {heavy} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_the_package_alone_imports_nothing_heavy():
    assert imported_by("import sakuga; sakuga.SakugaError") == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_bars_stand_in_a_terminal_and_results_in_the_pipe():
    import pty

    photo("in/[a].png")  # not Rich's markup
    photo("in/b.png")
    reader, terminal = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "sakuga", "in", "-s", "neg"], stdout=subprocess.PIPE, stderr=terminal, timeout=60
    )
    os.close(terminal)
    seen = b""
    while chunk := _read(reader):
        seen += chunk
    assert done.returncode == 0
    assert done.stdout.decode().splitlines() == [str(Path("in/[a].neg.png")), str(Path("in/b.neg.png"))]
    assert b"2/2" in seen
    assert b"2 done" in seen


def _read(descriptor):
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end is closed
        return b""


def test_one_picture_imports_only_what_it_needs():
    photo("photo.png")
    code = "from sakuga.cli import main; assert main(['photo.png', '-s', 'neg']) == 0"
    assert imported_by(code) == ["numpy", "PIL", "onnxruntime", "tyro"]


def test_listing_names_needs_no_torch_and_training_verbs_no_onnxruntime():
    code = "from sakuga.cli import main; assert main(['styles']) == 0"
    assert not {"torch", "av"} & set(imported_by(code))


def test_nothing_is_reported_to_anybody(here, tmp_path):
    """ONNX Runtime would leave an identity in the home folder and send what it runs, were it not told otherwise."""
    photo("in.png")
    empty = [tmp_path / "home", tmp_path / "temporary"]
    for folder in empty:
        folder.mkdir()
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    variables |= {"HOME": str(empty[0]), "TMPDIR": str(empty[1])}
    subprocess.run([sys.executable, "-m", "sakuga", "in.png", "-s", "neg"], env=variables, check=True)
    assert [file for folder in empty for file in folder.rglob("*")] == []
