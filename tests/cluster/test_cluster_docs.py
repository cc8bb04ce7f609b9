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
    known |= {"--cache", "--photos", "--style-images", "--count"}  # of prepare and evaluate
    blocks = re.findall(r"```(?:bash|yaml)\n(.*?)```", PAGE, re.DOTALL)
    commands = [line.partition("#")[0] for block in blocks for line in re.findall(r"\bsakuga (?!train ).*", block)]
    flags = {word for line in commands for word in shlex.split(line) if word.startswith("--")}
    assert flags >= {"--cluster", "--from", "--manifest"}
    assert flags <= known


def test_its_numbers_are_those_of_the_code():
    assert f"about {SHARE // 10**6} megapixels and at most {MAX_JOBS} pictures" in PAGE


def test_its_trainings_are_what_the_command_and_torchrun_take(monkeypatch):
    train = pytest.importorskip("sakuga.commands.train_options")
    torchrun = pytest.importorskip("torch.distributed.run").get_args_parser()
    from sakuga.systems import load_system

    blocks = "".join(re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)).replace("\\\n", " ")
    launches = re.findall(r"torchrun (.*? -m) -- +sakuga train (\w+) (.*)", blocks)
    assert len(launches) == 2
    for launcher, system, options in launches:
        known = torchrun.parse_args([*shlex.split(launcher), "sakuga"])
        machines, processes = int(known.nnodes), int(known.nproc_per_node)
        for name, value in (("WORLD_SIZE", machines * processes), ("LOCAL_WORLD_SIZE", processes)):
            monkeypatch.setenv(name, str(value))
        monkeypatch.setenv("TORCHELASTIC_RUN_ID", "one")
        monkeypatch.setenv("MASTER_ADDR", "10.0.0.1")
        _, loop, _ = train.parse(load_system(system), shlex.split(options))
        assert (loop.nodes, loop.devices) == (machines, processes)
