"""CoCosNet: its networks, what corresponds, one step in numbers, what users are given."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from known import Known
from tiny import Tiny, make_data
from torch.testing import assert_close

from sakuga.data.derived.shift import shift
from sakuga.networks.cocosnet import (
    CoCosDiscriminator,
    CoCosGenerator,
    Correspondence,
    Match,
    correlate,
    positional_norm,
)
from sakuga.systems.cocosnet import CONTEXT, MATCHED, CoCosNet

TINY = Tiny(
    CoCosNet,
    lambda folder: {
        **{"photos": (folder / "pairs",), "load": 64, "crop": 64, "width": 2, "features_weights": "random:0"},
        **{"lr": 1e-2, "real": 0.5},
    },
    falls=("G/perceptual", 1.0),
    batch_statistics="spectral norm; features are matched of some samples only",
)

pytestmark = pytest.mark.filterwarnings("ignore:feature losses use:UserWarning")


def count(network):
    return sum(p.numel() for p in network.parameters())


def test_the_papers_networks(monkeypatch):
    """Of 151 labels (ADE20k); without the spectral norms, which take long to begin and have no weights."""
    monkeypatch.setattr("sakuga.networks.cocosnet.spectral_norm", lambda layer: layer)
    with torch.device("meta"):
        assert count(Correspondence(151, kernel=3, labels=151)) == 59_315_716
        assert count(CoCosGenerator(154)) == 96_664_260
        assert [count(scale) for scale in CoCosDiscriminator(154).scales] == [3_000_386] * 2
        assert [count(scale) for scale in CoCosDiscriminator(22).scales] == [2_865_218] * 2


def test_shapes():
    match = Correspondence(width=2)(*torch.rand(3, 1, 3, 64, 64))
    assert match.warped.shape == match.back.shape == match.reduced.shape == (1, 3, 16, 16)
    assert_close(match.features.norm(dim=1), torch.ones(1, 16, 16))
    assert_close(match.paired.norm(dim=1), torch.ones(1, 16, 16))
    assert CoCosGenerator(width=2)(torch.rand(1, 6, 64, 96)).shape == (1, 3, 64, 96)
    first, second = CoCosDiscriminator(width=2)(torch.rand(2, 6, 128, 128))
    assert [maps.shape[2] for maps in first] == [64, 32, 16, 15, 14]
    assert [maps.shape[2] for maps in second] == [32, 16, 8, 7, 6]


def test_distinct_features_find_each_other_wherever_they_lie():
    rng = torch.Generator().manual_seed(0)
    features = F.normalize(torch.randn(1, 64, 40, generator=rng).double(), dim=1)
    values, order = torch.rand(1, 3, 40, generator=rng).double(), torch.randperm(40, generator=rng)
    assert_close(correlate(features, features, values), values, atol=1e-3, rtol=0)
    shuffled = correlate(features, features[..., order], values[..., order])
    assert_close(shuffled, values, atol=1e-3, rtol=0)
    assert_close(correlate(features[..., order], features, shuffled), values[..., order], atol=2e-3, rtol=0)


def test_chunks_change_neither_value_nor_gradient():
    rng = torch.Generator().manual_seed(0)
    found = []
    for rows in (None, 7):
        rng.manual_seed(0)
        tensors = [torch.randn(2, n, 20, generator=rng).double().requires_grad_() for n in (5, 5, 3)]
        warped = correlate(*(F.normalize(one, dim=1) for one in tensors[:2]), tensors[2], rows=rows)
        found.append((warped, *torch.autograd.grad(warped.square().sum(), tensors)))
    assert_close(found[1], found[0])


def test_a_pixel_is_normalised_over_its_channels():
    x = torch.tensor([1.0, 2.0, 6.0]).view(1, 3, 1, 1)
    assert_close(positional_norm(x).flatten(), torch.tensor([-2.0, -1.0, 3.0]) / 7**0.5)


def test_one_step_in_numbers(tmp_path):
    """Every network and the features of the losses return constants; the first sample's exemplar is its own photo."""
    system = TINY.bare(tmp_path, self_warp=2.0).double()
    unit = torch.tensor([0.6, 0.8]).view(1, 2, 1, 1).double().expand(2, 2, 4, 4)

    def match(gain, x, exemplar, photo):
        small = F.avg_pool2d(exemplar, 4)
        far = torch.tensor([0.0, 5.0]).view(2, 1, 1, 1).double()  # of the sample whose exemplar is another photo
        return Match(small * gain + far, small * gain - 0.25, small, unit * gain, unit.flip(1))

    def layers(gain, image):
        """Four positions whose features differ; as large as the picture's first value."""
        base = torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]).double().view(1, 4, 2, 2)
        half = base.repeat_interleave(2, 2).repeat_interleave(2, 3)
        return {name: image[:, :1, :1, :1] * (half if name == "relu3_2" else base) for name in MATCHED}

    system.correspondence = Known(match)
    system.generator = Known(lambda gain, x: x[:, :3] * 0 + 0.5 * gain)
    system.discriminator = Known(lambda gain, x: [[x[:, 3:] * k * gain, x[:, 3:4, :2, :2] * k * gain] for k in (1, 3)])
    system.features = Known(layers)
    ones = torch.ones(2, 3, 64, 64).double()
    batch = {
        **{"condition": ones, "photo": 0.25 * ones, "moved": ones, "other": ones},
        **{"turn": torch.tensor([[0.9], [0.1]])},
    }
    steps = dict(system.step(batch, 0))
    assert list(steps) == ["G", "D"]
    # Of every map a quarter of the values is 0.5 or 0.25, the rest 0.
    expected = {
        "matching": 10 * sum(MATCHED.values()) * 0.25 / 4,
        "domain": 10 * 0.2,
        "perceptual": 0.001 * 0.25**2 / 4,
        "regularization": 0.25,
        "self_warp": 2 * 0.75,  # of the first sample alone
        "adversarial": -10 * (0.5 + 1.5) / 2,
        "discriminator": 10 * (0.25 + 0.75) / 2,
    }
    found = {name: term.item() for name, term in steps["G"].items()}
    assert found.pop("context") == pytest.approx(0, abs=1e-3)  # every feature finds its own
    assert found == pytest.approx(expected)
    real, fake = ((1 - 0.25) + (1 - 0.75)) / 2, ((1 + 0.5) + (1 + 1.5)) / 2
    assert steps["D"]["adversarial"].item() == pytest.approx(10 * (real + fake))
    assert set(CONTEXT) < set(MATCHED)


def test_the_exemplar_is_another_photo_or_its_own_moved(tmp_path):
    batch = TINY.build(make_data(tmp_path), batch=4).batch(0, 0, 1)
    assert_close(batch["condition"], -batch["photo"], atol=0.01, rtol=0)
    assert not torch.equal(batch["moved"], batch["photo"])
    picture = np.arange(10 * 10 * 3, dtype=np.uint8).reshape(10, 10, 3)
    assert shift(picture, np.array([0.7, 0, 0, 0])).shape == picture.shape
    flat = np.full((10, 10, 3), 7, np.uint8)
    flat[:, :3] = 200
    assert shift(flat, np.array([0.2, 0, 0, 0]))[0, -1, 0] == shift(flat, np.array([0.7, 0, 0, 0]))[0, 0, 0] == 200
