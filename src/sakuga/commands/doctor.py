"""`sakuga doctor`: what this machine computes with, what is installed, and what is broken."""

import importlib.metadata
import platform
import textwrap
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import tyro
from tyro.conf import FlagCreatePairsOff, arg

from sakuga.errors import SakugaError
from sakuga.runtime import machine
from sakuga.runtime.console import print_json, printable
from sakuga.runtime.extras import PACKAGES, too_old

WIDTH, INDENT = 80, 20
AGAIN = "pip install --force-reinstall"
ENCODERS = {"H.264": "libx264", "H.265": "libx265", "VP9": "libvpx-vp9", "AV1": "libsvtav1", "AAC": "aac"}
TEST_SIZE = (360, 640)

Facts = dict[str, Any]


def main(args: Sequence[str]) -> int:
    """Run `sakuga doctor`; the exit status, 1 when something is broken."""
    return tyro.cli(doctor, args=list(args), prog="sakuga doctor", config=(FlagCreatePairsOff,))


def doctor(*, json: Annotated[bool, arg(help_behavior_hint="")] = False) -> int:
    """Print what this machine computes with, the versions, the styles with their checksums, and what is broken.

    Args:
        json: Print it as JSON.
    """
    problems: list[str] = []
    report: Facts = {}
    for title, section in SECTIONS.items():
        try:
            report[title] = section(problems)
        except SakugaError as error:
            problems.append(str(error))
        except Exception as error:  # a broken package is what this command is for
            problems.append(f"{title}: {type(error).__name__}: {error}; try {AGAIN} sakuga")
        if not json:
            _print(title, report.get(title, {}))
    report["problems"] = problems = list(dict.fromkeys(problems))
    if json:
        print_json(report)
    else:
        print("problems" if problems else "nothing is broken")
        for problem in problems:
            _wrap(problem, "- ", "  ")
    return 1 if problems else 0


def _versions(problems: list[str]) -> Facts:
    from sakuga import __version__

    facts: Facts = {"sakuga": __version__, "Python": f"{platform.python_version()} on {platform.platform(terse=True)}"}
    names = ("numpy", "onnxruntime", "av", "Pillow", "torch", "openvino")
    for name in names:
        try:
            facts[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            if (gpu := _distribution("onnxruntime")) and name == "onnxruntime":  # it comes under other names too
                facts[gpu] = importlib.metadata.version(gpu)
            elif name not in ("torch", "openvino"):
                problems.append(f"{name} is not installed: pip install sakuga")
    for name, (version, lowest) in too_old().items():
        problems.append(f"{name} {version} is too old: pip install --upgrade '{name}>={lowest}'")
    return facts


def _distribution(prefix: str) -> str | None:
    """Return the package that is called a variant of `prefix`, such as onnxruntime-gpu."""
    found = (one.metadata["Name"] or "" for one in importlib.metadata.distributions())
    return next((name for name in found if name.startswith(f"{prefix}-")), None)


def _machine(_: list[str]) -> Facts:
    facts = {
        "processor": machine.processor(),
        "cores": machine.core_counts(),
        "instructions": machine.instructions(),
        "memory": machine.memory() or "unknown",
    }
    if cards := machine.graphics_cards():
        facts["graphics cards"] = cards
    return facts


def _engine(problems: list[str]) -> Facts:
    import onnxruntime as ort

    from sakuga.style import DEFAULT, load
    from sakuga.style.engine import pick
    from sakuga.style.providers import providers

    chosen = providers()[0]
    engine = pick(load(DEFAULT))
    if engine.precision == "fp32" and chosen.removesuffix("ExecutionProvider") not in engine.name:
        problems.append(
            f"{chosen} is installed but does not start, so the processor computes: install the driver and the "
            "libraries that ONNX Runtime's documentation names for it, or plain onnxruntime in its place"
        )
    return {
        "providers": [name.removesuffix("ExecutionProvider") for name in ort.get_available_providers()],
        "engine": f"{engine.name}, {engine.precision} (for {DEFAULT})",
    }


def _styles(problems: list[str]) -> Facts:
    from sakuga.style import DEFAULT, Style, survey
    from sakuga.style.checksum import weights_sha256

    facts: Facts = {}
    for style in survey():
        if not isinstance(style, Style):
            problems.append(f"{style}; or remove the file")
            continue
        found, variants = weights_sha256(style.path), ["fp32", "int8"] if style.int8 else ["fp32"]
        state = "not checked" if found is None else "whole" if found == style.card.sha256 else "damaged"
        facts[style.name] = {"state": state, "sha256": style.file_sha256, "variants": variants}
        if state == "damaged":
            remedy = f"{AGAIN} sakuga" if style.embedded else "export it again, or get a whole copy"
            problems.append(f"{style.path} is damaged, its weights are not those that its card names: {remedy}")
    if DEFAULT not in facts:
        problems.append(f"the default style, {DEFAULT}, is missing: {AGAIN} sakuga")
    return facts


def _folders(_: list[str]) -> Facts:
    from sakuga.runtime.home import cache_folder
    from sakuga.style import EMBEDDED, folder

    return {"embedded styles": str(EMBEDDED), "your styles": str(folder()), "cache": str(cache_folder())}


def _formats(problems: list[str]) -> Facts:
    import av
    from PIL import features

    encoders = {name: encoder in av.codecs_available for name, encoder in ENCODERS.items()}
    if not encoders["H.264"]:
        problems.append(f"PyAV has no encoder for H.264, so no video can be written: {AGAIN} av")
    pictures = {name: bool(features.check(name.lower())) for name in ("JPG", "WebP", "AVIF", "LibTIFF")}
    if not pictures["JPG"]:
        problems.append(f"Pillow has no JPEG: {AGAIN} Pillow")
    facts = {"video encoders": encoders, "FFmpeg": av.ffmpeg_version_info, "picture formats": pictures}
    return facts


def _extras(problems: list[str]) -> Facts:
    facts: Facts = {}
    for extra, packages in {**PACKAGES, "openvino": {"openvino"}}.items():
        missing = sorted(name for name in packages if not find_spec(name))
        whole = "installed" if not missing else f"without {', '.join(missing)}"
        facts[extra] = "not installed" if len(missing) == len(packages) else whole
    if find_spec("torch"):
        try:
            import torch
        except Exception as error:  # a library that does not load, on Windows above all
            problems.append(f"torch is installed but does not load ({error}): {AGAIN} torch")
        else:
            found = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
            found += ["Apple's GPU (mps)"] if torch.backends.mps.is_available() else []
            facts["training runs on"] = found or "the processor"
    return facts


def _self_test(problems: list[str]) -> Facts:
    import numpy as np

    from sakuga.style import DEFAULT
    from sakuga.stylizer import Stylizer

    rows, columns = np.mgrid[: TEST_SIZE[0], : TEST_SIZE[1]]
    picture = np.stack(
        [rows * 255 // TEST_SIZE[0], columns * 255 // TEST_SIZE[1], (rows // 20 + columns // 20) % 2 * 255], 2
    )
    picture = picture.astype(np.uint8)
    stylizer, seconds = Stylizer(DEFAULT), []
    for _ in range(4):
        begin = time.perf_counter()
        stylised = stylizer.array(picture)
        seconds.append(time.perf_counter() - begin)
    if stylised.shape != picture.shape or stylised.std() < 1:
        problems.append(f"{DEFAULT} paints a test picture in one colour: try --precision fp32, and report it")
    if not _video_works():
        problems.append(f"a test video that was encoded cannot be decoded again: {AGAIN} av")
    times = {"ms": round(1000 * min(seconds[1:])), "ms the first time": round(1000 * seconds[0])}
    return {f"{TEST_SIZE[1]}x{TEST_SIZE[0]}": times}


def _video_works() -> bool:
    """Whether a video can be written, and what it shows can be read: by the very functions that videos go through."""
    import numpy as np
    from PIL import Image

    from sakuga.video import stylize_video

    with TemporaryDirectory(prefix="sakuga-") as name:
        folder = Path(name)
        picture = np.full((48, 64, 3), (200, 120, 40), np.uint8)
        Image.fromarray(picture).save(folder / "0.png")
        found: list[np.ndarray] = []

        def look(rgb: np.ndarray) -> np.ndarray:
            found.append(rgb)
            return rgb

        stylize_video(folder / "%d.png", folder / "a.mp4", look)
        stylize_video(folder / "a.mp4", folder / "b.mp4", look)
    return len(found) == 2 and bool(np.abs(found[1].astype(int) - picture).max() < 16)


SECTIONS: dict[str, Callable[[list[str]], Facts]] = {
    "versions": _versions,
    "machine": _machine,
    "engine": _engine,
    "styles": _styles,
    "folders": _folders,
    "formats": _formats,
    "extras": _extras,
    "self-test": _self_test,
}


def _print(title: str, facts: Facts) -> None:
    print(title)
    for key, value in facts.items():
        _wrap(_text(value), f"  {key:<{INDENT - 3}} ", " " * INDENT)
    print(flush=True)


def _wrap(text: str, first: str, others: str) -> None:
    wrapper = textwrap.TextWrapper(WIDTH, initial_indent=first, subsequent_indent=others)
    wrapper.break_long_words = wrapper.break_on_hyphens = False  # paths are to be copied
    print(wrapper.fill(printable(text)))


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    if not isinstance(value, dict):
        return str(value)
    parts = []
    for name, each in value.items():
        if isinstance(each, bool):  # what there is, what there is not
            parts.append(name if each else f"no {name}")
        elif isinstance(each, int | float):
            parts.append(f"{each} {name}")
        else:
            parts.append(f"SHA-256 {each[:12]}" if name == "sha256" else _text(each))
    return ", ".join(parts)
