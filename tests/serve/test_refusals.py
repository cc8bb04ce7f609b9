"""Every refusal: its status, and always JSON with one sentence and a code."""

import socket
import struct
import time
import zlib
from contextlib import suppress
from io import BytesIO

import httpx
import pytest
from PIL import Image
from running import picture, running, video, wait_for


def check(answer, status, code):
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert set(told) == {"error", "code"}
    assert told["code"] == code, told
    assert told["error"][0].isupper() or told["error"].split(":")[0].isidentifier() or told["error"][0] == "/"
    assert "Traceback" not in told["error"]
    assert "/tmp" not in told["error"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    return answer


def send(server, data, **options):
    return server.client.post("/v1/stylize", files={"file": ("a.png", data)}, data=options)


def bomb(width=60_000, height=60_000):
    """A PNG whose header claims more than it holds."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_a_broken_picture_is_400(server):
    check(send(server, picture(200, 150, "JPEG")[:-2000]), 400, "damaged")


def test_an_empty_file_is_400(server):
    check(server.client.post("/v1/stylize", content=b""), 400, "empty")
    check(send(server, b""), 400, "empty")


def test_a_broken_form_is_400(server):
    headers = {"content-type": "multipart/form-data; boundary=x"}
    check(server.client.post("/v1/stylize", content=b"nonsense", headers=headers), 400, "bad_form")
    check(
        server.client.post("/v1/stylize", content=b"--x", headers={"content-type": "multipart/form-data"}),
        400,
        "bad_form",
    )
    two = [("file", ("a.png", picture())), ("file", ("b.png", picture()))]
    check(server.client.post("/v1/stylize", files=two), 400, "bad_form")
    for path in ("/v1/stylize", "/v1/video"):
        check(server.client.post(f"{path}?style=invert&style=blur", content=picture()), 400, "bad_form")


def test_unknown_addresses_are_404(server):
    check(server.client.get("/v1/nothing"), 404, "not_found")
    check(server.client.get("/v1/styles/nothing"), 404, "unknown_style")
    check(server.client.get("/v1/styles/nothing/thumbnail"), 404, "unknown_style")
    check(server.client.get("/v1/jobs/nothing"), 404, "not_found")
    check(server.client.delete("/v1/jobs/nothing"), 404, "not_found")
    for path in ("/page/nothing.js", "/page/..%2fapp.py", "/page/%2e%2e/app.py", "/page//etc/passwd"):
        check(server.client.get(path), 404, "not_found")


def test_a_photo_sent_to_a_wrong_address_is_told_of_the_address(server):
    check(server.client.post("/stylize", content=bytes(3_000_000)), 404, "not_found")
    check(server.client.put("/v1/stylize", content=bytes(3_000_000)), 405, "method_not_allowed")


def test_other_methods_are_405(server):
    assert check(server.client.get("/v1/stylize"), 405, "method_not_allowed").headers["allow"] == "POST"
    check(server.client.put("/v1/styles"), 405, "method_not_allowed")


def test_a_file_that_is_no_picture_is_415(server):
    check(send(server, b"Dear diary, today I sent no picture at all. " * 5), 415, "no_picture")
    check(send(server, video()), 415, "no_picture")
    check(server.client.post("/v1/stylize", data={"style": "blur"}), 415, "no_picture")  # a form without files


@pytest.mark.parametrize(
    "options",
    [
        {"strength": "1.01"},
        {"strength": "nan"},
        {"strength": "much"},
        {"max_side": "0"},
        {"max_side": "2.5"},
        {"format": "bmp"},
        {"keep_color": "perhaps"},
        {"colour": "red"},
        {"url": "http://localhost/"},
        {"precision": "int9"},
        {"brush": "0.5"},
        {"brush": "{wide}"},
    ],
)
def test_bad_options_are_422_and_named(server, options):
    (name,) = options
    for answer in (send(server, picture(), **options), server.client.post("/v1/stylize", params=options, content=b"x")):
        assert name in check(answer, 422, "bad_option").json()["error"]


@pytest.mark.parametrize("name", ["nothing", "/etc/passwd", "../styles/hosoda.onnx", "a" * 100_000])
def test_styles_are_only_those_of_the_list(server, name):
    code = "unknown_style" if len(name) < 1024 else "bad_form"  # fields are short
    check(send(server, picture(), style=name), 422 if len(name) < 1024 else 400, code)


def test_a_near_miss_is_told(server):
    assert "did you mean blur?" in send(server, picture(), style="blurr").json()["error"]


def test_a_form_without_the_file_is_422(server):
    check(server.client.post("/v1/stylize", files={"photo": ("a.png", picture())}), 422, "no_file")
    check(server.client.post("/v1/stylize", files={"file": (None, "text")}), 422, "no_file")


def test_a_format_that_cannot_hold_the_picture_is_422(server):
    # WebP ends at 16383 pixels a side; 16384 x 1 are painted as 16384 x 64.
    check(send(server, picture(16384, 1), format="webp"), 422, "bad_option")


def test_too_much_is_413(made_style):
    limits = {"max_bytes": 20_000, "max_pixels": 60_000, "max_side": 200}
    with running([made_style("invert"), made_style("double")], **limits) as server:
        check(send(server, bytes(20_001)), 413, "too_large")

        def pieces():  # without Content-Length
            for _ in range(30):
                yield bytes(1000)

        check(server.client.post("/v1/stylize", content=pieces()), 413, "too_large")
        check(send(server, bomb()), 413, "too_many_pixels")
        check(send(server, picture(201, 40, "JPEG")), 413, "side_too_long")
        assert "max_side=200" in send(server, picture(201, 40, "JPEG")).json()["error"]
        assert send(server, picture(201, 40, "JPEG"), max_side="200").status_code == 200
        # 150 x 120 pixels enlarged twice are 300 x 240 = 72,000.
        assert send(server, picture(150, 120, "JPEG")).status_code == 200
        check(send(server, picture(150, 120, "JPEG"), style="double"), 413, "too_many_pixels")
        # 1 x 1000 pixels are painted as 64 x 1000 = 64,000.
        check(send(server, picture(1, 1000), max_side="1000"), 413, "side_too_long")
        frames = [Image.new("RGB", (100, 100), (i, 0, 0)) for i in range(7)]  # 70,000 pixels
        out = BytesIO()
        frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
        check(send(server, out.getvalue()), 413, "too_many_pixels")


def test_narrow_pictures_are_counted_as_they_are_painted(made_style):
    with running([made_style("invert")], max_pixels=60_000) as server:
        check(send(server, picture(1, 1000)), 413, "too_many_pixels")
        assert send(server, picture(1, 900)).status_code == 200  # 57,600


def test_a_bomb_is_refused_before_it_is_decoded(server):
    begin = time.monotonic()
    check(send(server, bomb()), 413, "too_many_pixels")
    assert time.monotonic() - begin < 1


def test_slow_senders_are_408(made_style):
    with running([made_style("invert")], idle_seconds=0.3) as server, socket.create_connection(server.address) as line:
        line.sendall(b"POST /v1/stylize HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
        line.settimeout(5)
        answer = line.recv(4096)
        assert answer.startswith(b"HTTP/1.1 408 ")
        wait_for(lambda: len(server.state.pictures) == 0)


def test_a_trickle_is_408_although_it_never_stops(made_style):
    limits = {"idle_seconds": 0.5, "bytes_per_second": 1000}
    with running([made_style("invert")], **limits) as server, socket.create_connection(server.address) as line:
        line.sendall(b"POST /v1/stylize HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        line.setblocking(False)
        end, answer = time.monotonic() + 5, b""
        while not answer and time.monotonic() < end:
            line.send(b"a")
            time.sleep(0.1)
            with suppress(BlockingIOError):
                answer = line.recv(4096)
        assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_place_is_not_held_for_longer_than_others_should_wait(made_style):
    """However steadily the bytes come: a video of 256 MiB at the slowest allowed rate would take hours."""
    limits = {"transfer_seconds": 0.6, "bytes_per_second": 1}
    with running([made_style("invert")], **limits) as server, socket.create_connection(server.address) as line:
        line.sendall(b"POST /v1/video HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        line.setblocking(False)
        begin, answer = time.monotonic(), b""
        while not answer and time.monotonic() < begin + 5:
            line.send(b"a" * 10)
            time.sleep(0.05)
            with suppress(BlockingIOError):
                answer = line.recv(4096)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert 0.5 < time.monotonic() - begin < 3
        wait_for(lambda: len(server.state.videos) == 0)


def test_one_client_of_many_has_a_share_of_the_connections(made_style, monkeypatch):
    monkeypatch.setattr("sakuga.serve.limited_io.is_here", lambda client: False)
    with running([made_style("invert")], client_connections=3) as server:
        server.client.close()
        lines = [socket.create_connection(server.address) for _ in range(3)]
        with socket.create_connection(server.address) as more:
            more.settimeout(5)
            with suppress(ConnectionResetError):
                assert more.recv(10) == b""
        for line in lines:
            line.close()
        wait_for(lambda: _answers(server.address))


def _answers(address):
    with socket.create_connection(address) as line, suppress(ConnectionResetError, BrokenPipeError):
        line.settimeout(5)
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        return line.recv(20).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("start", [b"", b"GET / HTT", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET / HTT"])
def test_connections_that_do_not_come_to_the_point_are_closed(made_style, start):
    with running([made_style("invert")], idle_seconds=0.2) as server, socket.create_connection(server.address) as line:
        line.sendall(start)
        line.settimeout(5)
        with suppress(ConnectionResetError):
            while line.recv(4096):
                pass


def test_what_is_not_http_is_told_so(server):
    with socket.create_connection(server.address) as line:
        line.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        line.settimeout(5)
        assert line.recv(4096).startswith(b"HTTP/1.1 400 ")


def test_a_faulty_style_is_500(made_style):
    with running([made_style("nan")]) as server:
        assert "export it again" in check(send(server, picture()), 500, "style_failed").json()["error"]


def test_a_fault_of_ours_is_500_and_goes_on(server, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("secret")

    with monkeypatch.context() as patched:
        patched.setattr("sakuga.serve.pictures.process", fail)
        assert "secret" not in check(send(server, picture()), 500, "failed").text
    assert "secret" in caplog.text
    assert send(server, picture()).status_code == 200


def test_pages_of_other_sites_cannot_post(server):
    host = server.url.removeprefix("http://")

    def post(**headers):
        return server.client.post("/v1/stylize", content=picture(), headers=headers)

    for origin in ("http://evil.example", "null", f"http://{host}.evil.example", "http://localhost:1", "http://["):
        check(post(Origin=origin), 403, "foreign_origin")
    check(post(**{"Sec-Fetch-Site": "cross-site"}), 403, "foreign_origin")
    assert post(Origin=f"http://{host}").status_code == 200
    assert "access-control-allow-origin" not in post(Origin=f"http://{host}").headers
    check(server.client.delete("/v1/jobs/x", headers={"Origin": "http://evil.example"}), 403, "foreign_origin")


TRICKS = ("evil.example@localhost", *(f"localhost{end}" for end in ("/x", "?x", "#x", ":x", ":")), "[localhost")


def test_a_host_is_a_name_and_a_port_everywhere(server):
    for host in TRICKS:
        check(server.client.get("/v1/styles", headers={"Host": host}), 403, "foreign_host")
    assert server.client.get("/v1/styles", headers={"Host": "anything.example:80"}).status_code == 200


def test_a_local_server_answers_to_local_names_only(made_style):
    from sakuga.serve.admission import loopback_hosts

    with running([made_style("invert")], hosts=loopback_hosts("127.0.0.1")) as server:
        for host in ("evil.example", "evil.example:7860", "127.0.0.1.evil.example", "[", "", *TRICKS):
            check(server.client.get("/v1/styles", headers={"Host": host}), 403, "foreign_host")
        for host in ("localhost", "LOCALHOST:1", "127.0.0.1:5", "[::1]:7"):
            assert server.client.get("/v1/styles", headers={"Host": host}).status_code == 200


def test_a_server_for_others_answers_to_this_machine_and_to_addresses(made_style):
    from sakuga.serve.admission import machine_hosts

    with running([made_style("invert")], hosts=machine_hosts() | {"art.example"}) as server:
        for host in ("evil.example", "127.0.0.1.evil.example", "1.2.3", "*", "", *TRICKS):
            check(server.client.get("/v1/styles", headers={"Host": host}), 403, "foreign_host")
        own = socket.gethostname()
        for host in ("localhost", own, f"{own}.local:7860", "192.168.1.5:7860", "[2001:db8::7]:1", "art.example:80"):
            assert server.client.get("/v1/styles", headers={"Host": host}).status_code == 200, host


def test_a_refused_upload_gets_its_answer_while_it_is_sent(made_style):
    """Closing the connection at once would destroy the answer before the client has read it."""
    with running([made_style("invert")], max_bytes=1000) as server:
        for _ in range(5):
            answer = httpx.post(f"{server.url}/v1/stylize", content=bytes(8_000_000))
            check(answer, 413, "too_large")


def test_a_file_in_chunks_of_a_few_bytes_is_400_and_holds_nobody_up(server):
    head = b"POST /v1/stylize HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = b""
    with socket.create_connection(server.address) as line, suppress(ConnectionResetError, BrokenPipeError):
        line.settimeout(10)
        line.sendall(head + b"1\r\na\r\n" * 1200)
        while piece := line.recv(4096):
            answer += piece
    assert b'"error": "The file comes in chunks of a few bytes: send larger ones"' in answer
    data = picture(64, 48, "BMP")
    small = (data[at : at + 16] for at in range(0, len(data), 16))  # few of them are no harm
    assert server.client.post("/v1/stylize", content=small).status_code == 200


def test_nonsense_behind_an_answer_that_has_begun_ends_the_connection(server, caplog):
    head = b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
    with socket.create_connection(server.address) as line, suppress(ConnectionResetError, BrokenPipeError):
        line.settimeout(10)
        line.sendall(head)
        assert b"404" in line.recv(4096)
        line.sendall(b"-1\r\n")
        while line.recv(4096):
            pass
    assert "Fatal error" not in caplog.text
