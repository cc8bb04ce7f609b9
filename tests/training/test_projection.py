"""Pictures projected into a generator's latents, by the algorithm and by the command."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.testing import assert_close

from sakuga import runs
from sakuga.cli import main
from sakuga.data.images import to_uint8
from sakuga.export.onnx import export
from sakuga.networks.stylegan import StyleGANGenerator
from sakuga.networks.stylegan2 import StyleGAN2Generator
from sakuga.systems.lsgan import LSGAN
from sakuga.systems.stylegan import StyleGAN
from sakuga.systems.stylegan2 import StyleGAN2
from sakuga.training import projection
from sakuga.training.projection import Projection, noise_correlation, ramp

TINY = {"crop": 16, "noise": 8, "width": 4, "widest": 8, "layers": 2}


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    """Fewer points to measure w by, and no weights, whatever the machine holds."""
    monkeypatch.setattr(projection, "SAMPLES", 100)
    monkeypatch.setenv("SAKUGA_CACHE", str(tmp_path / "no-cache"))
    torch.manual_seed(0)


def squared(one, other):
    return (one - other).square().mean()


def test_ramp():
    """Up in the first twentieth, down by a cosine in the last quarter, as in appendix D."""
    assert [ramp(t) for t in (0, 0.025, 0.05, 0.5, 0.75)] == pytest.approx([0, 0.5, 1, 1, 1])
    assert [ramp(t) for t in (0.875, 1)] == pytest.approx([0.5, 0])


def test_noise_correlation():
    """Of rows of +1 and -1: across each is its neighbour, down the opposite; halved they vanish."""
    rows = torch.tensor([1.0, -1.0]).repeat(8)[:, None].expand(16, 16)[None, None]
    assert_close(noise_correlation([rows]), torch.tensor(2.0))
    # One value all over: both products are 1 at 16 pixels, and (2 · 1)² at 8.
    assert_close(noise_correlation([torch.ones(1, 1, 16, 16)]), torch.tensor(2.0 + 2 * 16.0))
    # Of noise: 2 / 4096 + 2 / 1024 + 2 / 256 + 2 / 64 = 0.042 on average.
    many = [float(noise_correlation([torch.randn(1, 1, 64, 64)])) for _ in range(20)]
    assert sum(many) / 20 == pytest.approx(0.0415, rel=0.3)


@pytest.mark.parametrize("kind", [StyleGAN2Generator, StyleGANGenerator])
def test_what_it_made_is_found_again(kind):
    """Of one latent by w; of one for each layer w+ comes nearer."""
    generator = kind(8, side=8, width=4, widest=8, layers=2).eval()
    with torch.no_grad():
        latents = generator.mapping(3 * torch.randn(generator.layers, 8))[None]
        goals = [generator.render(w) for w in (latents[:, :1].repeat(1, generator.layers, 1), latents)]
    left = {}
    for number, goal in enumerate(goals):
        for space in ("w", "w+") if number else ("w",):
            found = Projection(generator, goal, squared, space=space, steps=40)
            assert len([*found.run()]) == 40
            left[number, space] = found.error() / found.error(found.mean_latents)
            for one in found.maps:
                assert_close(one.mean(), torch.tensor(0.0), atol=1e-5, rtol=0)
                assert_close(one.square().mean(), torch.tensor(1.0))
    assert left[0, "w"] < 0.3
    assert left[1, "w+"] < left[1, "w"]


def test_goes_on_exactly():
    generator = StyleGAN2Generator(8, side=8, width=4, widest=8, layers=2)
    goal = torch.rand(1, 3, 8, 8) * 2 - 1
    whole = Projection(generator, goal, squared, steps=6)
    first, again = (Projection(generator, goal, squared, steps=6) for _ in range(2))
    errors = [*whole.run()]
    way = first.run()
    assert [next(way) for _ in range(3)] == errors[:3]
    again.resume(first.state())
    assert [*again.run()] == errors[3:]
    assert torch.equal(whole.latents, again.latents)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    system = StyleGAN2(StyleGAN2.Config(**TINY))
    (tmp_path / "faces").mkdir()
    runs.save(runs.finished(system, 1), tmp_path / "faces")
    with torch.no_grad():
        made = system.artefact().module.eval()(torch.randn(1, 8), torch.ones(1))
    Image.fromarray(to_uint8(made.clamp(-1, 1))[0]).resize((32, 32)).save(tmp_path / "me.png")
    return system


def test_command(run, tmp_path, capsys):
    """Its latent makes the same picture again, by the training and by the file exported from it."""
    command = ["project", "me.png", "-s", "faces", "--steps", "12"]
    assert main(command) == 0
    out = capsys.readouterr()
    assert "plain pixels" in out.err
    assert out.out.startswith("squared pixels 0.")
    assert main(["generate", "faces", "--latent", "me.projected.npz", "-o", "again.png"]) == 0
    export(run, tmp_path / "file.onnx", name="file")
    assert main(["generate", "file.onnx", "--latent", "me.projected.npz", "-o", "file.png"]) == 0
    pictures = [np.asarray(Image.open(tmp_path / name)) for name in ("me.projected.png", "again.png", "file.png")]
    assert all(np.array_equal(pictures[0], one) for one in pictures[1:])
    truncated = ["generate", "faces", "--latent", "me.projected.npz", "--set", "truncation=0", "-o", "mean.png"]
    assert main(truncated) == 0
    assert not np.array_equal(np.asarray(Image.open(tmp_path / "mean.png")), pictures[0])
    assert not (tmp_path / "me.projected.part").exists()
    assert main(command) != 0  # nothing is replaced


def test_command_goes_on_where_it_was_stopped(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sakuga.commands.project.SAVE_EVERY", 2)
    command = ["project", "me.png", "-s", "faces", "--steps", "7"]
    assert main([*command, "-o", "whole.png"]) == 0
    take, taken = torch.optim.Adam.step, []

    def stop(optimizer, *args):
        taken.append(1)
        if len(taken) == 6:
            raise KeyboardInterrupt
        return take(optimizer, *args)

    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.Adam, "step", stop)
        assert main(command) == 130
    assert main(command) == 0
    assert "going on from step 4 of 7" in capsys.readouterr().err
    assert (tmp_path / "me.projected.png").read_bytes() == (tmp_path / "whole.png").read_bytes()


def test_sentences(run, tmp_path, capsys):
    """Bad input is named, and nothing is left."""
    (tmp_path / "lsgan").mkdir()
    other = LSGAN(LSGAN.Config(crop=16, width=4))
    runs.save(runs.finished(other, 1), tmp_path / "lsgan")
    export(StyleGAN(StyleGAN.Config(**TINY)), tmp_path / "first.onnx", name="first")
    export(other, tmp_path / "drawn.onnx", name="drawn")
    (tmp_path / "text.png").write_text("no picture")
    np.savez(tmp_path / "other.npz", w=np.zeros(3))
    for command, sentence in (
        (["project", "me.png", "-s", "lsgan"], "is of lsgan, which has no latents"),
        (["project", "me.png", "-s", "first.onnx"], "does not hold its weights by name"),
        (["project", "me.png", "-s", "drawn.onnx"], "is of lsgan, which has no latents"),
        (["project", "text.png", "-s", "faces"], "text.png"),
        (["project", "nobody.png", "-s", "faces"], "nobody.png"),
        (["project", "me.png", "-s", "nowhere"], "nowhere"),
        (["project", "me.png", "-s", "faces", "--steps", "0"], "--steps"),
        (["project", "me.png", "-s", "faces", "-o", "me.jpg"], "must end in .png"),
        (["generate", "faces", "--latent", "other.npz"], "no latent that sakuga project wrote"),
        (["generate", "faces", "--latent", "none.npz"], "does not exist"),
        (["generate", "faces", "--latent", "me.png"], "no latent"),
        (["generate", "faces", "--latent", "me.png", "-n", "3"], "leave out --count"),
    ):
        assert main(command) in (1, 2)
        assert sentence in capsys.readouterr().err, command
    assert not [*tmp_path.glob("*.projected.*")]
