"""LPIPS's heads are the published ones; where `sakuga download` was run."""

from pathlib import Path

import pytest
import torch
import torchmetrics

from sakuga.errors import UsageError
from sakuga.networks.features import LPIPS_LAYERS, FeatureNetwork

PUBLISHED = Path(torchmetrics.__file__).parent / "functional" / "image" / "lpips_models"


@pytest.mark.parametrize(("name", "file"), [("vgg16", "vgg.pth"), ("alexnet", "alex.pth")])
def test_the_heads_are_those_that_torchmetrics_ships(name, file):
    try:
        network = FeatureNetwork(name, LPIPS_LAYERS[name])
    except UsageError:
        pytest.skip(f"sakuga download {name} was not run")
    published = torch.load(PUBLISHED / file, weights_only=True, map_location="cpu")
    assert len(network.heads) == len(published) == 5
    for own, head in zip(network.heads.values(), published.values(), strict=True):
        torch.testing.assert_close(own, head.flatten())
