"""compose.yaml against the Dockerfile, whose steps .ci/docker runs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_compose_takes_from_the_container_what_it_does_not_need():
    yaml = pytest.importorskip("yaml", reason="compose.yaml is read with PyYAML")
    service = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["sakuga"]
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    port = re.search(r"^EXPOSE (\d+)$", image, re.MULTILINE)[1]
    assert service["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f"127.0.0.1:{port}/healthz" in image
    assert int(re.search(r"^USER (\d+):", image, re.MULTILINE)[1]) > 0
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
