"""Who is given anything: the pages of this machine, and no other site."""

import socket

import pytest
from camera_clips import ask, served


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "LOCALHOST", "localhost:22"])
def test_names_of_this_machine_are_admitted(clip, host):
    with served(clip) as server:
        assert ask(server, "/state.json", Host=host).status == 200
        assert ask(server, "/state.json", Host=host, Origin=f"http://{host}").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:{port}"},  # whose name was made to mean 127.0.0.1
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost.evil.example:{port}", "Origin": "http://localhost.evil.example:{port}"},
        {"Host": "0.0.0.0:{port}"},
        {"Host": ""},
        {"Host": "["},
        {"Host": "evil.example@127.0.0.1:{port}"},
        {"Host": "localhost/evil.example"},
        {"Host": "evil.example@127.0.0.1:{port}", "Origin": "http://evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://127.0.0.1.evil.example:{port}"},
        {"Origin": "null"},
    ],
)
def test_other_sites_are_refused(clip, headers):
    with served(clip) as server:
        for path in ("/", "/frame.jpg", "/after.mjpg", "/snapshot.png", "/state.json"):
            answer = ask(server, path, **headers)
            assert (answer.status, answer.headers["Content-Type"]) == (403, "text/plain; charset=utf-8")
            assert answer.headers["Access-Control-Allow-Origin"] is None
        assert ask(server, "/style", "POST", b"same", **headers).status == 403
        assert server.live.stylizer.style.name == "neg"


def test_the_page_loads_nothing_from_elsewhere(clip):
    with served(clip) as server:
        answer = ask(server, "/")
        page = answer.read().decode()
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "http://" not in page
        assert "https://" not in page
        with pytest.raises(OSError):  # noqa: PT011  (nothing listens on the other addresses)
            socket.create_connection(("127.0.0.2", server.server_address[1]), timeout=1).close()
