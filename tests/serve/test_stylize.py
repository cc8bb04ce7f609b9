"""POST /v1/stylize: what comes back, and that it is what the command makes."""

import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from running import picture, running

GPS_IFD, MAKER, EXIF_IFD, USER_COMMENT = 0x8825, 0x010F, 0x8769, 0x9286


def pixels(data):
    return np.asarray(Image.open(BytesIO(data)).convert("RGB")).astype(int)


def test_a_form_is_painted(server):
    data = picture()
    answer = server.client.post("/v1/stylize", files={"file": ("a.png", data)})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-sakuga-style"] == "invert"
    assert (answer.headers["x-sakuga-width"], answer.headers["x-sakuga-height"]) == ("32", "24")
    for part in ("decode", "paint", "encode"):
        assert f"{part};dur=" in answer.headers["server-timing"]
    # The network is -x on [-1, 1], which is 255 - v on bytes.
    np.testing.assert_array_equal(pixels(answer.content), 255 - pixels(data))


def test_a_body_is_painted_with_the_options_of_the_address(server):
    data = picture()
    query = {"style": "blur", "strength": "0", "format": "webp", "max_side": "16"}
    answer = server.client.post("/v1/stylize", params=query, content=data, headers={"content-type": "image/png"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["x-sakuga-style"] == "blur"
    assert Image.open(BytesIO(answer.content)).size == (16, 12)
    assert 'filename="picture.blur.webp"' in answer.headers["content-disposition"]


def test_a_body_may_be_called_anything(server):
    data = picture()
    for kind in ("application/x-www-form-urlencoded", "application/octet-stream", "text/plain"):  # the first is curl's
        answer = server.client.post("/v1/stylize", content=data, headers={"content-type": kind})
        np.testing.assert_array_equal(pixels(answer.content), 255 - pixels(data))


def test_options_of_the_form_win_and_empty_ones_are_left_alone(server):
    form = {"style": "blur", "format": "", "strength": ""}
    sent = {"params": {"style": "invert"}, "data": form, "files": {"file": ("a.png", picture())}}
    assert server.client.post("/v1/stylize", **sent).headers["x-sakuga-style"] == "blur"


@pytest.mark.parametrize(
    ("name", "make", "options"),
    [
        ("Ünïcødé 写真 (1).jpg", {"format": "JPEG", "quality": 88, "dpi": (72, 72)}, {}),
        ("a.png", {}, {"style": "double"}),
        ("b.webp", {"format": "WEBP", "lossless": True}, {"strength": "0.4", "keep_color": "true"}),
        ("c.tif", {"format": "TIFF"}, {"max_side": "16"}),
        ("d.gif", {"format": "GIF"}, {"style": "blur"}),
        ("e.bmp", {"format": "BMP"}, {"style": "blur"}),
        ("f.png", {}, {"format": "avif"}),
    ],
)
def test_the_bytes_are_the_commands(server, made_style, tmp_path, name, make, options):
    from sakuga.cli import main

    data = picture(**make)
    source = tmp_path / name
    source.write_bytes(data)
    chosen = dict(options)
    style = chosen.pop("style", "invert")
    flags = [part for key, value in chosen.items() for part in (f"--{key.replace('_', '-')}", value) if part != "true"]
    assert main([str(source), "-s", str(made_style(style)), "-o", str(tmp_path / "out"), *flags]) == 0
    (made,) = (tmp_path / "out").iterdir()
    answer = server.client.post("/v1/stylize", files={"file": (name, data)}, data=options)
    assert answer.status_code == 200, answer.text
    assert answer.content == made.read_bytes()


def with_metadata(format="JPEG"):
    exif = Image.Exif()
    exif[MAKER] = "Camera"
    exif[GPS_IFD] = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}
    exif[EXIF_IFD] = {USER_COMMENT: b"ASCII\0\0\0note"}
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description exif:GPSLatitude="52,31.2N" xmp:Rating="3">'
        b"<exif:GPSLongitude>13,24.3E</exif:GPSLongitude></rdf:Description></x:xmpmeta>"
    )
    with Image.open(BytesIO(picture())) as image:
        out = BytesIO()
        image.save(out, format, exif=exif, xmp=xmp)
    return out.getvalue()


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_the_place_is_left_out_and_the_rest_is_kept(server, format):
    sent = with_metadata(format)
    assert Image.open(BytesIO(sent)).getexif().get_ifd(GPS_IFD)
    result = Image.open(BytesIO(server.client.post("/v1/stylize", files={"file": ("a", sent)}).content))
    exif = result.getexif()
    assert exif[MAKER] == "Camera"
    assert exif.get_ifd(EXIF_IFD)[USER_COMMENT] == b"ASCII\0\0\0note"
    assert GPS_IFD not in exif
    assert b"GPS" not in result.info["xmp"]
    assert b'xmp:Rating="3"' in result.info["xmp"]


def test_strip_leaves_only_the_colour_profile(server):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    with Image.open(BytesIO(with_metadata())) as image:
        out = BytesIO()
        image.save(out, "PNG", exif=image.getexif(), icc_profile=profile, dpi=(300, 300))
    answer = server.client.post("/v1/stylize", params={"strip": True}, content=out.getvalue())
    info = Image.open(BytesIO(answer.content)).info
    assert set(info) == {"icc_profile"}
    assert info["icc_profile"] == profile


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("../../etc/passwd.png", "passwd.invert.png"),
        ("C:\\x\\y.png", "y.invert.png"),
        ('a"b\r\nX-Evil: 1.png', "abX-Evil 1.invert.png"),
        (".png", "picture.invert.png"),
        ("", None),
    ],
)
def test_names_are_only_names(server, name, told):
    # A body of our own: a client would clean the name up before sending it.
    safe = name.replace("\r\n", "").encode()
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + safe.replace(b'"', b'\\"')
    body += b'"\r\n\r\n' + picture() + b"\r\n--x--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = server.client.post("/v1/stylize", content=body, headers=headers)
    if told is None:
        assert answer.status_code in (200, 422)
    else:
        assert f'filename="{told}"' in answer.headers["content-disposition"]
        assert "x-evil" not in answer.headers


def test_the_thumbnail_is_the_sample_in_the_style(server):
    from sakuga.serve.styles import SAMPLE

    answer = server.client.get("/v1/styles/invert/thumbnail", params={"size": 320})
    assert answer.headers["content-type"] == "image/jpeg"
    sample = 255 - np.asarray(Image.open(SAMPLE).convert("RGB")).astype(int)
    assert abs(pixels(answer.content) - sample).mean() < 4  # JPEG's own error
    assert pixels(server.client.get("/v1/styles/blur/thumbnail").content).shape == (160, 160, 3)


def test_a_thumbnail_that_failed_is_tried_again(made_style, monkeypatch):
    def fail(*_):
        raise MemoryError

    with running([made_style("invert")]) as server:
        with monkeypatch.context() as patched:
            patched.setattr("sakuga.serve.styles.Stylizer", fail)
            assert server.client.get("/v1/styles/invert/thumbnail").status_code == 500
        assert server.client.get("/v1/styles/invert/thumbnail").status_code == 200


def test_styles_are_listed_and_described_without_paths(server):
    found = server.client.get("/v1/styles").json()["styles"]
    assert [(one["name"], one["default"], one["scale"]) for one in found] == [
        ("invert", True, 1),
        ("blur", False, 1),
        ("double", False, 2),
    ]
    card = server.client.get("/v1/styles/blur").json()
    assert (card["name"], card["receptive_field"], card["licence"]) == ("blur", 3, "Apache-2.0")
    assert "path" not in card


def test_nothing_heavy_is_imported_by_the_help():
    code = "import sys; from sakuga.cli import main; main(['--help']); assert 'fastapi' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
