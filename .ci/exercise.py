"""What users do, once each, with the sakuga of the Python that runs this: exercise.py EXAMPLES."""

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
import uuid
from importlib.util import find_spec
from pathlib import Path

EXAMPLES = Path(sys.argv[1])
SAKUGA = [str(Path(sys.executable).with_name("sakuga"))]
PHOTO, CLIP = EXAMPLES / "coffee.jpg", EXAMPLES / "pan.mp4"


def run(*args: object) -> str:
    """Run the command; its output, or the end of all with what it said."""
    done = subprocess.run([*SAKUGA, *map(str, args)], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        sys.exit(
            f"sakuga {' '.join(map(str, args))}: status {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
        )
    return done.stdout


def post(url: str, file: Path) -> bytes:
    """Send a file as a form does."""
    mark = uuid.uuid4().hex
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
    body = head.encode() + file.read_bytes() + f"\r\n--{mark}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=300) as answer:
        return answer.read()


def serve() -> None:
    """A picture and a video by form."""
    server = subprocess.Popen(
        [*SAKUGA, "serve", "--port", "0"], stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True
    )
    try:
        lines, address = [], None
        while address is None:
            lines.append(server.stdout.readline())
            address = re.search(r"http://[^/ ]+:\d+", lines[-1])
            if not lines[-1]:
                sys.exit(f"sakuga serve: {''.join(lines)}")
        assert len(post(f"{address[0]}/v1/stylize", PHOTO)) > 10_000
        job = json.loads(post(f"{address[0]}/v1/video?max_side=64", CLIP))
        end = time.monotonic() + 300
        while job["status"] in ("queued", "running") and time.monotonic() < end:
            time.sleep(0.2)
            with urllib.request.urlopen(address[0] + job["url"], timeout=300) as answer:
                job = json.load(answer)
        assert job["status"] == "done", job
    finally:
        server.terminate()
        server.wait(30)


def watch() -> None:
    """A picture that comes into a folder while it is watched."""
    Path("in").mkdir()
    watcher = subprocess.Popen([*SAKUGA, "in", "-o", "out", "--watch"], stderr=subprocess.PIPE, text=True)
    try:
        while "watching" not in (line := watcher.stderr.readline()):
            assert line, "the watcher has ended"
        shutil.copy(PHOTO, "in")
        end = time.monotonic() + 300
        while not list(Path("out").glob("*.jpg")):
            assert time.monotonic() < end, "what came into the folder was not stylised"
            time.sleep(0.2)
    finally:
        watcher.terminate()
        watcher.wait(30)


def formats() -> None:
    """Pictures that a package of its own reads."""
    register = "import pillow_heif; pillow_heif.register_heif_opener()"
    for package, begin, name in (("pillow_heif", register, "a.heic"), ("pillow_jxl", "import pillow_jxl", "a.jxl")):
        if find_spec(package):
            code = f"{begin}; from PIL import Image; Image.open({str(PHOTO)!r}).resize((90, 60)).save({name!r})"
            subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=300)
            run(name, "--max-side", 64, "-o", f"{name}.png")


run("doctor")
run(PHOTO, "--max-side", 300, "-o", "a.png")
run(CLIP, "--max-side", 64, "--duration", 1, "-o", "a.mp4")
run(CLIP, "--max-side", 64, "--duration", 1, "--stable", "--audio", "aac", "-o", "a.mkv")
serve()
formats()
if find_spec("watchfiles"):
    watch()
if find_spec("pyvirtualcam"):
    subprocess.run([sys.executable, "-c", "import pyvirtualcam"], check=True, timeout=300)
if find_spec("torch"):
    for folder, picture in (("photos", PHOTO), ("paintings", EXAMPLES / "chelsea.jpg")):
        Path(folder).mkdir()
        shutil.copy(picture, folder)
    tiny = ("--crop", 32, "--load", 40, "--width", 4, "--blocks", 1, "--steps", 1)
    run("train", "cyclegan", "--run", "run", "--photos", "photos", "--style", "paintings", *tiny)
    run("export", "run", "-o", "own.onnx")
    run(PHOTO, "-s", "own.onnx", "--max-side", 64, "-o", "b.png")
if find_spec("ai_edge_litert"):
    # Its networks are a download of their own: only where they are at hand are they opened.
    code = """
from ai_edge_litert.interpreter import Interpreter
from sakuga.faces.weights import DETECTOR, MESH, Network, missing
if missing() is None:
    Network(DETECTOR), Network(MESH)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
