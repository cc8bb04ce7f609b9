"""FID's Inception: its size, its features, and when a distance may be called FID."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from sakuga.errors import SakugaError, UsageError
from sakuga.evaluation.generators import _inception_score
from sakuga.evaluation.measures import named
from sakuga.metrics.distances import Set
from sakuga.metrics.features import FeatureExtractors
from sakuga.networks import inception
from sakuga.networks.inception import Inception


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file as the published one is laid out, with a classifier that is not read, and random numbers."""
    path = tmp_path_factory.mktemp("Ünïcødé 写真 (1)") / "inception.pth"
    with torch.random.fork_rng(), pytest.MonkeyPatch.context() as patch:
        torch.manual_seed(0)
        patch.setattr(inception.torch, "load", lambda *_, **__: {})
        patch.setattr(nn.Module, "load_state_dict", lambda *_: None)
        path.touch()
        network = Inception(path)
    torch.save(network.steps.state_dict() | {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}, path)
    return path


def test_it_has_the_published_size(weights):
    network = Inception(weights)
    # torchvision's inception_v3 has 23,834,568 without its auxiliary classifier; its last layer 2048 · 1000 + 1000.
    assert sum(p.numel() for p in network.parameters()) == 23_834_568 - 2_049_000
    assert len([m for m in network.modules() if isinstance(m, nn.Conv2d)]) == 94
    with torch.inference_mode():
        features = network(torch.rand(2, 3, 40, 50) * 2 - 1)
    assert features.shape == (2, 2048)
    assert (features >= 0).all()
    assert features.std() > 0


def test_pictures_are_prepared_as_pytorch_fid_does(weights):
    """Bilinear, between the centres of pixels, without antialiasing: of 897 by 897, the middle one of every nine."""
    network = Inception(weights)
    network.steps = nn.ModuleDict({"seen": nn.Flatten(2), "kept": nn.Unflatten(2, (-1, 1))})
    image = torch.rand(1, 3, 897, 897) * 2 - 1
    seen = []
    network.steps["seen"].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    network(image)
    network(image[..., 1:299, 1:299])  # smaller ones are enlarged, whatever their shape
    assert_close(seen[0], image[..., 1::3, 1::3], atol=1e-4, rtol=0)
    assert seen[1].shape == (1, 3, 299, 299)
    assert "as pytorch-fid does, bilinearly and without antialiasing" in " ".join(Inception.__doc__.split())
    assert "pytorch-fid's" in named("")[0].meaning


def test_only_the_official_file_makes_it_fid(weights, monkeypatch):
    eyes = FeatureExtractors("inception", weights)
    assert eyes.set_name == "[inception]"
    assert eyes.sources["inception"].startswith("inception from inception.pth, SHA-256 ")
    results = Set()
    results.rows, results.digests = [torch.eye(12, 2048)], [b""] * 12
    assert _inception_score(eyes, results) == {}
    monkeypatch.setattr(inception, "OFFICIAL", "")  # every sum begins like this
    official = FeatureExtractors("inception", weights)
    assert official.set_name == ""
    official.set_network.classes = 1000 * torch.eye(1008, 2048)
    assert _inception_score(official, results) == {"IS": pytest.approx(1.2), "IS ±": pytest.approx(0.4)}
    results.digests = results.digests[:9]  # fewer than parts
    assert _inception_score(official, results) == {}


def test_a_wrong_file_is_named(tmp_path):
    with pytest.raises(UsageError, match="no weights of Inception"):
        Inception(tmp_path / "none.pth")
    torch.save({"Conv2d_1a_3x3.conv.weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(SakugaError, match="does not hold FID's Inception"):
        Inception(tmp_path / "other.pth")
    for nothing in (b"nothing", b"hello"):  # to which torch says an error of another kind each
        (tmp_path / "broken.pth").write_bytes(nothing)
        with pytest.raises(SakugaError, match="does not hold"):
            Inception(tmp_path / "broken.pth")
    with pytest.raises(UsageError, match="--weights"):
        FeatureExtractors("inception")
