"""What docs/cluster.md gives to copy."""

import re
import shlex
from pathlib import Path

import pytest

from sakuga.cli import main
from sakuga.cluster.parts import MAX_JOBS
from sakuga.stylizer.batch import SHARE

PAGE = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text(encoding="utf-8")


def test_the_manifest_of_kuberay():
    yaml = pytest.importorskip("yaml")
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    job = yaml.safe_load(block)
    assert (job["apiVersion"], job["kind"], set(job["spec"])) == (
        "ray.io/v1",
        "RayJob",
        {"entrypoint", "shutdownAfterJobFinishes", "rayClusterSpec"},
    )
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    containers = [one for group in groups for one in group["template"]["spec"]["containers"]]
    assert len({(one["image"], str(one["envFrom"])) for one in containers}) == 1  # the same sakuga, the same keys
    assert all(one["resources"]["limits"] == one["resources"]["requests"] for one in containers)
    assert groups[0]["rayStartParams"] == {"num-cpus": "0"}  # the head plans and hands out
    assert groups[1]["minReplicas"] <= groups[1]["replicas"] <= groups[1]["maxReplicas"]


def test_its_options_are_those_of_the_command(capsys):
    main(["stylize", "--help"])
    known = set(re.findall(r"--[a-z][a-z-]*", capsys.readouterr().out))
    blocks = re.findall(r"```(?:bash|yaml)\n(.*?)```", PAGE, re.DOTALL)
    commands = [line.partition("#")[0] for block in blocks for line in re.findall(r"\bsakuga .*", block)]
    flags = {word for line in commands for word in shlex.split(line) if word.startswith("--")}
    assert flags >= {"--cluster", "--from", "--manifest"}
    assert flags <= known


def test_its_numbers_are_those_of_the_code():
    assert f"about {SHARE // 10**6} megapixels and at most {MAX_JOBS} pictures" in PAGE
