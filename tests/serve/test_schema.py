"""The OpenAPI description: what it says, that it is true, and that its page needs nothing from elsewhere."""

import re
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from running import running, wait_for
from test_refusals import check

schemathesis = pytest.importorskip("schemathesis")
GenerationMode = schemathesis.GenerationMode
EXAMPLES = 8  # for each operation
# A schema cannot say which bytes are a picture: what it allows may be refused.
UNTESTABLE = [schemathesis.checks.positive_data_acceptance]


def _try(operation, tried):
    """Send made-up requests, right ones and wrong ones."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def conforms(data):
        mode = data.draw(st.sampled_from(list(GenerationMode)))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        tried[operation.label] += 1
        case.call_and_validate(timeout=20, excluded_checks=UNTESTABLE)

    conforms()


def test_every_answer_is_as_described(server):
    """Schemathesis: no status, header, content type or body that the description does not name, and no 500."""
    tried = Counter()
    for found in schemathesis.openapi.from_url(f"{server.url}/openapi.json").get_all_operations():
        _try(found.ok(), tried)
    assert len(tried) == 11
    assert all(count >= EXAMPLES for label, count in tried.items() if "{" in label or "POST" in label), tried


def test_all_refusals_are_described(server):
    paths = server.client.get("/openapi.json").json()["paths"]
    assert set(paths) == {
        *("/v1/stylize", "/v1/video", "/v1/jobs/{id}", "/v1/jobs/{id}/result", "/v1/styles", "/v1/styles/{name}"),
        *("/v1/styles/{name}/thumbnail", "/v1/limits", "/healthz", "/metrics"),
    }
    for path in ("/v1/stylize", "/v1/video"):
        operation = paths[path]["post"]
        assert {"400", "403", "408", "413", "415", "422", "429", "500", "503"} < set(operation["responses"])
        form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
        assert form["required"] == ["file"]
        assert {"file", "style", "strength", "keep_color", "max_side"} <= set(form["properties"])
        assert {one["name"] for one in operation["parameters"]} == set(form["properties"]) - {"file"}
        assert operation["responses"]["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/Error")


def test_the_reference_page_works_offline(server):
    page = server.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    for text in ("POST /v1/stylize", "DELETE /v1/jobs/{id}", "keep_color", "multipart/form-data"):
        assert text in page.text
    used = re.findall(r'(?:src|href)="([^"#]*)"', page.text)
    assert used
    assert all(server.client.get(one).status_code == 200 for one in used if one)
    assert "//" not in "".join(used)
    assert "<script" not in page.text


def test_every_file_of_the_page_comes_from_here(server):
    index = server.client.get("/")
    assert index.headers["content-type"] == "text/html; charset=utf-8"
    used = re.findall(r'(?:src|href)="([^"]*)"', index.text)
    assert {"page/app.js", "page/style.css", "/docs"} <= set(used)
    for one in used:
        assert server.client.get(f"/{one.removeprefix('/')}").status_code == 200, one
    assert server.client.get("/page/app.js").headers["content-type"].startswith("text/javascript")


def test_limits_are_told(made_style):
    with running([made_style("invert")], max_side=900, max_bytes=5000) as server:
        told = server.client.get("/v1/limits").json()
        assert (told["max_side"], told["max_bytes"], told["max_video_seconds"]) == (900, 5000, 60)
        assert told["formats"] == ["jpeg", "png", "webp", "tiff", "avif", "gif"]
        assert "mp4" in told["video_formats"]


@pytest.mark.parametrize("path", ["/", "/healthz", "/v1/styles", "/docs", "/page/app.js"])
def test_head_is_get_without_the_body(server, path):
    head, got = server.client.head(path), server.client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(got.content))
    assert head.headers["content-type"] == got.headers["content-type"]


def test_health_and_metrics(made_style):
    with running([made_style("invert")]) as server:
        assert server.client.get("/healthz").json() == {"status": "ok"}
        check(server.client.get("/v1/jobs/strangers-make-this-up"), 404, "not_found")
        wait_for(lambda: 'route="/healthz",status="200"} 1.0' in server.client.get("/metrics").text)
        text = server.client.get("/metrics").text
        assert 'sakuga_requests_total{method="GET",route="/v1/jobs/{id}",status="404"} 1.0' in text
        assert "strangers" not in text
        assert "sakuga_in_flight 1.0" in text  # this one
