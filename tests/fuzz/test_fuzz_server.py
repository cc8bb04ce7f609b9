"""Broken pictures posted to the server: painted, or refused with a status and a sentence, and nothing stays."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
import campaign
import hostile
from fastapi.testclient import TestClient

from sakuga import style

REFUSALS = {400, 413, 415}
"""The statuses that a file can earn; 500 is the server's own fault."""


@pytest.fixture(scope="module")
def client(made_style: Callable[..., Path]) -> Iterator[TestClient]:
    from sakuga.serve.app import create_app
    from sakuga.serve.limits import Limits

    app = create_app({"blur": style.read(made_style("blur"))}, Limits(workers=1, max_pixels=300_000))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def wrong(client: TestClient, name: str, data: bytes, counts: Counter[int]) -> str:
    """What is wrong with the server's answer, if anything."""
    answer = client.post("/v1/stylize", content=data, headers={"content-type": "application/octet-stream"})
    counts[answer.status_code] += 1
    if answer.status_code == 200:
        return "" if answer.headers["content-type"].startswith("image/") else f"{name}: {answer.headers}"
    told = answer.json()
    clear = set(told) == {"error", "code"} and told["error"].isprintable() and "/tmp" not in told["error"]
    return "" if clear and answer.status_code in REFUSALS else f"{name}: {answer.status_code} {told}"


def test_mutated_pictures(client: TestClient) -> None:
    counts: Counter[int] = Counter()
    cases = [campaign.case(kind, number) for kind in campaign.PICTURES for number in range(30)]
    assert not [fault for case in cases if (fault := wrong(client, case.name, case.data, counts))]
    assert counts[200] >= 30
    assert counts[400] >= 30


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp", "tiff", "other"])
def test_hostile_pictures(client: TestClient, kind: str) -> None:
    counts: Counter[int] = Counter()
    made = hostile.KINDS[kind]()
    assert not [fault for name, (_, data) in made.items() if (fault := wrong(client, name, data, counts))]
    assert sum(counts.values()) == len(made)


def test_nothing_stays_behind(client: TestClient) -> None:
    """Uploads and results of requests that are over are gone."""
    wrong(client, "last", b"\x89PNG", Counter())
    folder: Path = client.app.state.sakuga.folder  # type: ignore[attr-defined]
    assert folder.is_dir()
    assert not list(folder.iterdir())
