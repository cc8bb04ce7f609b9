"""Build the page that needs no server: `python site/build.py [FOLDER] [--styles FILE ...]`, by default build/site.

It is the page of `sakuga serve` with another engine: ONNX Runtime in the browser. `npm ci --prefix site` brings that
and Mediabunny, which reads and writes video files. The embedded styles, and those of the files, are copied as they are.
`make site [STYLES="FILE ..."]` does both.
"""

import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from sakuga import Stylizer
from sakuga.errors import SakugaError
from sakuga.runtime.http import SCRIPTS
from sakuga.style import DEFAULT, EMBEDDED, Style, read
from sakuga.style.inputs import describe, examples

HERE = Path(__file__).parent
SHARED = HERE.parent / "src" / "sakuga" / "serve" / "page"
MODULES = HERE / "node_modules"
RUNTIME = MODULES / "onnxruntime-web" / "dist"
VIDEO = MODULES / "mediabunny" / "dist" / "bundles" / "mediabunny.min.mjs"
CPU = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
GPU = ("ort.webgpu.bundle.min.mjs", "ort-wasm-simd-threaded.asyncify.wasm")
ON_SERVER = ("reference.css",)
HEAD = """<meta http-equiv="Content-Security-Policy" content="{policy}">
<link rel="manifest" href="manifest.webmanifest">
<script type="module" src="page/offline.js"></script>
"""
POLICY = "; ".join(
    (
        "default-src 'self'",  # nothing comes from another host, and nothing can be sent to one
        "script-src 'self' 'wasm-unsafe-eval' blob:",
        "worker-src 'self' blob:",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self' blob:",
        "form-action 'none'",
        "base-uri 'none'",
    )
)
LINK = ' <a href="/docs">HTTP API</a>'


def build(folder: Path, others: Sequence[Path] = ()) -> None:
    """Write the whole page into a folder, which is emptied first if it is an earlier one.

    `others`: style files to offer beside the embedded ones that are not for faces. Raises SakugaError for one that the
    page cannot run.
    """
    own = [style for style in map(read, sorted(EMBEDDED.glob("*.onnx"))) if not style.card.frame]
    found = [*own, *map(read, others)]
    check(found)
    needed = [*(RUNTIME / name for name in (*CPU, *GPU)), VIDEO]
    if missing := [file for file in needed if not file.is_file()]:
        raise SakugaError(f"{missing[0]} does not exist: run npm ci --prefix site, or make site")
    if folder.exists() and any(folder.iterdir()) and not (folder / "sw.js").is_file():
        raise SakugaError(f"{folder} holds other files: name another folder")
    shutil.rmtree(folder, ignore_errors=True)
    page = folder / "page"
    for part in ("ort", "styles", "thumbnails"):
        (page / part).mkdir(parents=True)
    for file in (
        *sorted(SHARED.iterdir()),
        *SCRIPTS.values(),
        VIDEO,
        *sorted((HERE / "page").iterdir()),
    ):  # ours after the server's
        if file.name not in ON_SERVER:
            shutil.copyfile(file, page / file.name)
    for name in (*CPU, *GPU):
        shutil.copyfile(RUNTIME / name, page / "ort" / name)
    (page / "styles.json").write_text(json.dumps(styles(page, found), ensure_ascii=False), encoding="utf-8")
    (folder / "index.html").write_text(index((page / "index.html").read_text(encoding="utf-8")), encoding="utf-8")
    (page / "index.html").unlink()
    for file in (HERE / "manifest.webmanifest", HERE.parent / "NOTICE"):
        shutil.copyfile(file, folder / file.name)
    (folder / "sw.js").write_text(service_worker(folder), encoding="utf-8")


def styles(page: Path, found: Sequence[Style]) -> list[dict[str, object]]:
    """Copy the styles, make their thumbnails, and return the list of them, the default first."""
    for style in found:
        shutil.copyfile(style.path, page / "styles" / f"{style.name}.onnx")
        photo = page / "sample.jpg"
        made = Stylizer(style, inputs=examples(style.card.inputs, photo))(photo)
        sample = made.resize((160, 160), Image.Resampling.LANCZOS)
        sample.save(page / "thumbnails" / f"{style.name}.jpg", quality=85)
    return [
        {
            "name": style.name,
            "title": style.card.title,
            "licence": style.card.licence,
            "default": style.name == DEFAULT,
            "thumbnail": f"page/thumbnails/{style.name}.jpg",
            "inputs": describe(style.card.settings),
        }
        for style in sorted(found, key=lambda style: style.name != DEFAULT)
    ]


def check(found: Sequence[Style]) -> None:
    """Refuse a style that page/stylizer.js cannot run as the command does, and two of one name."""
    names: set[str] = set()
    for style in found:
        card = style.card
        reasons = {
            "has the name of another one": style.name in names,
            "enlarges": card.scale > 1,
            "is for faces, which the page does not look for": card.frame is not None,
            "is given the photo's histogram": card.match_histogram,
            "looks at the whole of a picture of any size": not (card.receptive_field or card.size),
            "takes no photo": card.photo is None,
            "asks for what the page cannot make": any(one.kind in ("noise", "points", "text") for one in card.settings),
        }
        if reason := next((reason for reason, holds in reasons.items() if holds), None):
            raise SakugaError(f"{style.path} cannot be on the page: the style {style.name} {reason}")
        names.add(style.name)


def index(html: str) -> str:
    """The server's page, which may fetch nothing from elsewhere and is kept."""
    for text in ("</head>", LINK):
        if html.count(text) != 1:
            raise SakugaError(f"{SHARED / 'index.html'} must have {text.strip()} once")
    return html.replace("</head>", HEAD.format(policy=POLICY) + "</head>").replace(LINK, "")


def service_worker(folder: Path) -> str:
    """sw.js with the names of all files but those for GPUs, and a version that changes with any of them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    names = [path.relative_to(folder).as_posix() for path in files if path.name not in GPU]
    facts = {"version": digest.hexdigest()[:12], "files": ["./", *names]}
    return f"self.BUILD = {json.dumps(facts)};\n{(HERE / 'sw.js').read_text(encoding='utf-8')}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Build the page that needs no server.")
    parser.add_argument("folder", type=Path, nargs="?", default=HERE.parent / "build" / "site")
    parser.add_argument(
        "--styles", type=Path, nargs="+", default=[], help="style files to offer beside the embedded ones"
    )
    options = parser.parse_args()
    try:
        build(options.folder, options.styles)
    except (SakugaError, OSError) as error:
        sys.exit(f"site/build.py: {error}")
    print(f"The page is in {options.folder}; to try it: python -m http.server --directory {options.folder}")
