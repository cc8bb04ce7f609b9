"""Many requests at once: places, refusals, clients that leave, and videos beside pictures."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from running import picture, running, video, wait_for

from sakuga.serve.errors import RefusedError
from sakuga.serve.queue import Queue
from sakuga.stylizer import Stylizer


def post(server, data=None, **headers):
    return httpx.post(f"{server.url}/v1/stylize", content=data or picture(), timeout=20, headers=headers)


def test_a_full_queue_is_503_at_once_and_nothing_is_lost(made_style, brake):
    with running([made_style("invert")], max_queue=3) as server, ThreadPoolExecutor(4) as clients:
        asked = [clients.submit(post, server) for _ in range(4)]  # one is painted, three wait
        wait_for(lambda: len(server.state.pictures) == 4)
        refused = post(server)
        assert refused.status_code == 503
        assert refused.json()["code"] == "queue_full"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert server.client.get("/healthz").status_code == 200
        metrics = server.client.get("/metrics").text
        assert 'sakuga_queue_length{lane="pictures"} 4.0' in metrics
        assert (
            'sakuga_requests_total{method="POST",route="/v1/stylize",status="503"} 1.0' not in metrics
        )  # no route yet
        brake.go.set()
        assert [one.result().status_code for one in asked] == [200] * 4
        wait_for(lambda: len(server.state.pictures) == 0)
        assert brake.begun == 4


def test_one_client_of_many_gets_half_of_the_places():
    queue = Queue("pictures", 4, 1)
    for _ in range(2):
        queue.enter("203.0.113.5")
    with pytest.raises(RefusedError) as refused:
        queue.enter("203.0.113.5")
    assert refused.value.status == 429
    queue.enter("203.0.113.6")
    queue.enter("127.0.0.1")
    with pytest.raises(RefusedError) as refused:
        queue.enter("203.0.113.7")
    assert refused.value.status == 503
    queue.leave("203.0.113.5")
    queue.enter("203.0.113.5")
    for _ in range(2):
        queue.leave("203.0.113.5")
    assert "203.0.113.5" not in queue.taken  # nothing is kept of clients that have gone


def test_too_many_of_one_client_is_429(made_style, brake, monkeypatch):
    monkeypatch.setattr("sakuga.serve.queue.is_here", lambda client: False)
    with running([made_style("invert")], max_queue=3) as server, ThreadPoolExecutor(2) as clients:
        asked = [clients.submit(post, server) for _ in range(2)]
        wait_for(lambda: len(server.state.pictures) == 2)
        refused = post(server)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many")
        assert int(refused.headers["retry-after"]) >= 1
        brake.go.set()
        assert [one.result().status_code for one in asked] == [200] * 2


def test_a_client_that_comes_back_to_hold_places_is_refused(monkeypatch):
    """Two that hold places for ten minutes each, and again, would otherwise keep all others out for ever."""
    clock = [1000.0]
    monkeypatch.setattr("sakuga.serve.queue.time.monotonic", lambda: clock[0])
    queue, slow = Queue("videos", 4, 1, transfer_seconds=600), "203.0.113.5"
    for _ in range(2):
        with queue.place(slow):
            clock[0] += 590
        queue.record_transfer(slow, 590)
    with pytest.raises(RefusedError) as refused:
        queue.enter(slow)
    assert (refused.value.status, refused.value.code) == (429, "too_many")
    assert 2000 < refused.value.retry < 3600
    for honest in ("203.0.113.6", "127.0.0.1"):
        queue.record_transfer(honest, 100 if honest == "203.0.113.6" else 10_000)
        queue.enter(honest)
        queue.leave(honest)
    clock[0] += refused.value.retry + 1
    queue.enter(slow)
    queue.leave(slow)
    clock[0] += 2 * 3600
    queue.record_transfer("203.0.113.7", 2)
    assert set(queue.transfers) == {"203.0.113.7"}  # nothing is kept of the others


def test_what_a_slow_client_sent_counts_against_it(made_style, monkeypatch):
    monkeypatch.setattr("sakuga.serve.queue.is_here", lambda client: False)
    with running([made_style("invert")]) as server:
        head = b"POST /v1/video HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
        with socket.create_connection(server.address) as slow:
            slow.sendall(head + b"x")
            wait_for(lambda: len(server.state.videos))
            time.sleep(1.1)
        wait_for(lambda: not len(server.state.videos))
        assert 1 < sum(used for used, _ in server.state.videos.transfers.values()) < 10


def test_retry_after_follows_how_long_work_takes():
    queue = Queue("pictures", 100, 2)
    queue.seconds = 8
    for _ in range(10):
        queue.enter("127.0.0.1")
    assert queue.retry_after() == 20  # half of 10, two at a time, 8 s each
    for _ in range(50):
        queue.record_duration(1)
    assert queue.retry_after() == 3  # 5 / 2 * 1.01, rounded up


def test_a_client_that_leaves_takes_its_waiting_work_with_it(made_style, brake):
    with running([made_style("invert")], max_queue=3) as server, ThreadPoolExecutor(1) as clients:
        first = clients.submit(post, server)
        wait_for(lambda: brake.begun == 1)
        data = picture()
        with socket.create_connection(server.address) as line:
            line.sendall(b"POST /v1/stylize HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data))
            wait_for(lambda: len(server.state.pictures) == 2)
        wait_for(lambda: len(server.state.pictures) == 1)
        brake.go.set()
        assert first.result().status_code == 200
        assert post(server).status_code == 200
        assert brake.begun == 2  # the first and the last


def test_a_client_that_does_not_read_is_let_go(made_style):
    limits = {"idle_seconds": 0.5}
    with running([made_style("invert")], **limits) as server, socket.socket() as line:
        data = picture(2000, 1000)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(server.address)
        head = b"POST /v1/stylize?strength=0 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(data)
        line.sendall(head + data)
        wait_for(lambda: server.state.metrics.pixels._value.get() == 2_000_000)
        wait_for(lambda: len(server.state.pictures) == 0)


def test_pictures_are_painted_while_a_video_is(server):
    job = server.client.post("/v1/video", files={"file": ("a.mp4", video(frames=1400, rate=24))}).json()
    wait_for(lambda: server.client.get(job["url"]).json()["frames"] > 0)
    assert [post(server).status_code for _ in range(5)] == [200] * 5
    told = server.client.get(job["url"]).json()
    assert told["status"] == "running", "the video is too short for this test"
    assert server.client.delete(job["url"]).status_code == 204


def test_a_large_picture_does_not_keep_others_waiting(server, brake, monkeypatch):
    monkeypatch.setattr("sakuga.serve.pictures._HEAVY_PIXELS", 1000)
    with ThreadPoolExecutor(2) as clients:
        large = [clients.submit(post, server, picture(40, 40)) for _ in range(2)]  # 1600 pixels
        wait_for(lambda: brake.begun == 1)
        with monkeypatch.context() as free:
            free.setattr("sakuga.serve.pictures.Stylizer", Stylizer)
            assert post(server).status_code == 200  # 768
        assert brake.begun == 1
        brake.go.set()
        assert [one.result().status_code for one in large] == [200, 200]


def test_a_video_lets_pictures_go_first(server, brake, monkeypatch):
    monkeypatch.setattr("sakuga.serve.jobs._GIVE_WAY", 30)
    waiting = threading.Thread(target=post, args=(server,))
    waiting.start()
    wait_for(lambda: brake.begun == 1)
    job = server.client.post("/v1/video", files={"file": ("a.mp4", video(frames=24))}).json()
    wait_for(lambda: server.client.get(job["url"]).json()["frames"] == 1)
    threading.Event().wait(0.3)
    assert server.client.get(job["url"]).json()["frames"] == 1
    brake.go.set()
    waiting.join()
    wait_for(lambda: server.client.get(job["url"]).json()["status"] == "done")
