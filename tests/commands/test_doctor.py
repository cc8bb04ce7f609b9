import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from made_style import make_style

from sakuga.cli import main
from sakuga.runtime import machine
from sakuga.style import DEFAULT, read
from sakuga.style.checksum import weights_sha256

NOTHING = hashlib.sha256(b"").hexdigest()  # of a style without weights
EMBEDDED = sorted((Path(__file__).parents[2] / "src" / "sakuga" / "styles").glob("*.onnx"))


@pytest.fixture(autouse=True)
def default(style_folder):
    """The default style inverts; it has no weights."""
    return make_style(style_folder / f"{DEFAULT}.onnx", "invert", sha256=NOTHING)


@pytest.fixture
def doctor(capsys):
    """Return a function that runs the command and returns its status and report."""

    def run():
        status = main(["doctor", "--json"])
        out, err = capsys.readouterr()
        assert err == ""
        return status, json.loads(out)

    return run


def with_weights(path, kind):
    """Write a style whose card names its weights."""
    make_style(path, kind)
    return make_style(path, kind, sha256=weights_sha256(path))


# --- the command


def test_a_sound_machine(doctor, style_folder):
    with_weights(style_folder / "Ünïcødé.onnx", "strided")
    status, report = doctor()
    assert (status, report["problems"]) == (0, [])
    assert report["versions"]["numpy"] == np.__version__
    assert {"sakuga", "Python", "onnxruntime", "av", "Pillow"} <= report["versions"].keys()
    assert report["machine"]["cores"]["usable"] >= 1
    assert "CPU" in report["engine"]["providers"]
    assert "CPU" in report["engine"]["engine"]
    sums = {"state": "whole", "variants": ["fp32"]}
    files = {
        name: hashlib.sha256((style_folder / f"{name}.onnx").read_bytes())
        for name in (DEFAULT, "neg", "soft", "Ünïcødé")
    }
    assert report["styles"] == {name: {**sums, "sha256": digest.hexdigest()} for name, digest in files.items()}
    assert report["folders"]["your styles"] == str(style_folder)
    assert report["formats"]["video encoders"]["H.264"] is True
    assert report["formats"]["picture formats"]["WebP"] in (True, False)
    assert report["extras"].keys() >= {"train", "serve", "openvino"}
    assert report["self-test"]["640x360"]["ms"] >= 0


def test_people_get_80_columns(capsys, style_folder):
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > 80 and str(style_folder.parent) not in line and "/" not in line] == []
    assert any(line.startswith(f"  {DEFAULT} ") and "whole, SHA-256" in line for line in lines)
    assert "nothing is broken" in lines
    (style_folder / "odd.onnx").write_bytes(b"no style")
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert f"problems\n- {style_folder}" in out
    assert "nothing is broken" not in out


def test_a_style_with_a_flipped_bit_is_named(doctor, style_folder):
    path = with_weights(style_folder / "mine.onnx", "strided")
    assert doctor()[0] == 0
    data = bytearray(path.read_bytes())
    # Its weights are the greatest part of the file: the middle is one of them.
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    status, report = doctor()
    assert (status, report["styles"]["mine"]["state"]) == (1, "damaged")
    assert report["problems"] == [
        f"{path} is damaged, its weights are not those that its card names: export it again, or get a whole copy"
    ]


def test_a_file_that_is_no_style_is_named(doctor, style_folder):
    (style_folder / "odd.onnx").write_bytes(b"no style")
    status, report = doctor()
    assert status == 1
    assert report["problems"] == [
        f"{style_folder / 'odd.onnx'} is no style: ONNX Runtime cannot read it as an ONNX file; or remove the file"
    ]


def test_no_default_style(doctor, default):
    default.unlink()
    status, report = doctor()
    assert status == 1
    missing = [problem for problem in report["problems"] if problem.startswith("the default style")]
    assert missing == [f"the default style, {DEFAULT}, is missing: pip install --force-reinstall sakuga"]


@pytest.mark.parametrize(
    ("kind", "words"), [("nan", "makes values that are no numbers"), ("half", "makes"), ("constant", "in one colour")]
)
def test_a_style_that_does_not_paint(doctor, default, monkeypatch, kind, words):
    if kind == "constant":
        monkeypatch.setattr("sakuga.stylizer.stylizer.Stylizer.array", lambda self, rgb: np.full_like(rgb, 7))
    else:
        make_style(default, kind, sha256=NOTHING)
    status, report = doctor()
    assert status == 1
    assert any(words in problem for problem in report["problems"])


def test_a_provider_that_does_not_start(doctor, monkeypatch):
    for module in ("providers", "engine"):
        found = ["CUDAExecutionProvider", "CPUExecutionProvider"]
        monkeypatch.setattr(f"sakuga.style.{module}.providers", lambda found=found: found)
    if "CUDA" in (report := doctor()[1])["engine"]["engine"]:
        pytest.skip("it starts here")
    assert report["problems"][0].startswith("CUDAExecutionProvider is installed but does not start")


def test_missing_codecs(doctor, monkeypatch):
    monkeypatch.setattr("av.codecs_available", {"aac"})
    status, report = doctor()
    assert status == 1
    assert report["formats"]["video encoders"] == dict.fromkeys(["H.264", "H.265", "VP9", "AV1"], False) | {"AAC": True}
    assert report["problems"] == [
        "PyAV has no encoder for H.264, so no video can be written: pip install --force-reinstall av"
    ]


def test_a_broken_package_costs_one_section(doctor, monkeypatch):
    monkeypatch.setattr("PIL.features.check", lambda name: 1 / 0)
    status, report = doctor()
    assert status == 1
    assert report["problems"] == [
        "formats: ZeroDivisionError: division by zero; try pip install --force-reinstall sakuga"
    ]
    assert "self-test" in report


# --- the sum of the weights


@pytest.mark.parametrize("kind", ["invert", "blur", "strided", "double"])
def test_the_sum_is_that_of_the_exporter(tmp_path, kind):
    export = pytest.importorskip("sakuga.export.onnx")
    onnx = pytest.importorskip("onnx")
    path = make_style(tmp_path / "style.onnx", kind)
    assert weights_sha256(path) == export.weights_sha256(onnx.load(path))


def test_the_sum_by_hand(tmp_path):
    path = make_style(tmp_path / "style.onnx", "blur")
    kernel = np.full((3, 1, 3, 3), 1 / 9, np.float32)
    pads = np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64)
    content = b"kernelfloat32(3, 1, 3, 3)" + kernel.tobytes() + b"padsint64(8,)" + pads.tobytes()
    assert weights_sha256(path) == hashlib.sha256(content).hexdigest()
    assert weights_sha256(make_style(tmp_path / "none.onnx", "invert")) == NOTHING


@pytest.mark.parametrize("path", EMBEDDED, ids=lambda path: path.stem)
def test_embedded_styles_are_whole(path):
    assert weights_sha256(path) == read(path).card.sha256


def test_what_is_no_onnx_file_has_no_sum(tmp_path):
    assert EMBEDDED
    whole = make_style(tmp_path / "style.onnx", "strided").read_bytes()
    path = tmp_path / "other"
    for data in (b"", b"no style", whole[: len(whole) // 2], whole[:-1], bytes(range(256)), b"\xff" * 40):
        path.write_bytes(data)
        assert weights_sha256(path) is None


# --- the machine


def test_cores_and_instructions_as_linux_tells_them(monkeypatch):
    entry = "model name\t: Some CPU @ 3 GHz\nflags\t: fpu amx_int8 avx_vnni\n"
    monkeypatch.setattr(machine, "_cpuinfo", lambda: 8 * entry)
    monkeypatch.setattr(machine.psutil, "cpu_count", lambda logical: 4)
    monkeypatch.setattr(machine.os, "cpu_count", lambda: 8)
    monkeypatch.setattr(machine, "cores", lambda: 6)
    monkeypatch.setattr(machine.sys, "platform", "linux")
    assert machine.core_counts() == {"cores": 4, "threads": 8, "usable": 6}
    assert {"AMX", "VNNI"} <= set(machine.instructions())
    assert machine.processor() == "Some CPU @ 3 GHz"


def test_where_nothing_is_told(monkeypatch):
    monkeypatch.setattr(machine, "_cpuinfo", lambda: "")
    monkeypatch.setattr(machine.psutil, "cpu_count", lambda logical: None)
    monkeypatch.setenv("PATH", "")
    assert machine.core_counts().keys() == {"threads", "usable"}
    assert machine.graphics_cards() == []
    assert machine.processor()


def test_graphics_cards_as_their_driver_tells_them(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'Card One'\necho 'Card Two'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.graphics_cards() == ["Card One", "Card Two"]
    program.write_text("#!/bin/sh\necho 'no driver'\nexit 9\n")
    assert machine.graphics_cards() == []


def test_what_is_too_old_is_named_with_the_remedy(doctor, monkeypatch):
    needs = [
        "av>=18",
        "numpy>=2.1",
        "ruff>=900; extra == 'dev'",
        "not-installed>=1",
        'onnxruntime>=900.5; extra == "x"',
    ]
    monkeypatch.setattr("importlib.metadata.requires", lambda _: needs)
    status, report = doctor()
    (problem,) = report["problems"]
    assert status == 1
    assert re.fullmatch(r"onnxruntime [\d.]+ is too old: pip install --upgrade 'onnxruntime>=900\.5'", problem)


def test_a_frame_is_encoded_and_decoded(doctor, monkeypatch):
    monkeypatch.setattr("sakuga.video.stylize_video", lambda *_: None)
    status, report = doctor()
    assert (status, len(report["problems"])) == (1, 1)
    assert "cannot be decoded again: pip install --force-reinstall av" in report["problems"][0]
