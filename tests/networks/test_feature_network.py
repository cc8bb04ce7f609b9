"""FeatureNetwork's input conventions and the files its weights come in."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from sakuga.errors import SakugaError, UsageError
from sakuga.networks.features import FeatureNetwork

pytestmark = pytest.mark.filterwarnings("ignore:feature losses use")
IMAGE = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1


def convolutions(network: FeatureNetwork) -> dict[str, nn.Conv2d]:
    return {name: step for name, step in network.steps.items() if isinstance(step, nn.Conv2d)}


def save_torchvision(path, network, **options):
    """Write weights as torchvision's checkpoint has them, the classifier included, in an order that is not theirs."""
    state = {"classifier.0.weight": torch.zeros(4, 8), "classifier.0.bias": torch.zeros(4)}
    for place, conv in reversed(list(zip((0, 2, 5, 7, 10), convolutions(network).values(), strict=True))):
        state |= {f"features.{place}.weight": conv.weight, f"features.{place}.bias": conv.bias}
    torch.save(state, path, **options)


def save_caffe(path, network):
    """Write weights as the TensorFlow conversions have them: a pickled dictionary, the classifier included."""
    stored = {"fc8": [np.zeros((4, 8)), np.zeros(4)]}
    for name, conv in reversed(convolutions(network).items()):
        stored[name] = [conv.weight.permute(2, 3, 1, 0).numpy(), conv.bias.numpy()]
    np.save(path, np.array(stored, dtype=object), allow_pickle=True)


class TestInputs:
    def test_caffe_is_blue_first_from_0_to_255_less_the_mean(self):
        network = FeatureNetwork("vgg19", ["conv1_1"], weights="random:0", inputs="caffe")
        red, green, blue = ((IMAGE + 1) * 127.5).unbind(1)
        prepared = torch.stack([blue - 103.939, green - 116.779, red - 123.68], 1)
        conv = network.steps["conv1_1"]
        assert_close(network(IMAGE)["conv1_1"], F.conv2d(prepared, conv.weight, padding=1), atol=1e-3, rtol=1e-4)
        assert network.source.endswith("caffe inputs")

    def test_torch_is_red_first_from_0_to_1_in_standard_deviations(self):
        network = FeatureNetwork("vgg19", ["conv1_1"], weights="random:0")
        prepared = [
            ((IMAGE[:, i] + 1) / 2 - m) / s
            for i, (m, s) in enumerate(zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), strict=True))
        ]
        conv = network.steps["conv1_1"]
        assert_close(network(IMAGE)["conv1_1"], F.conv2d(torch.stack(prepared, 1), conv.weight, padding=1))

    def test_anything_else_is_refused(self):
        with pytest.raises(UsageError, match="unknown input convention 'unit'"):
            FeatureNetwork("vgg19", ["conv1_1"], weights="random:0", inputs="unit")


class TestFiles:
    @pytest.fixture
    def made(self):
        return FeatureNetwork("vgg19", ["relu1_2", "conv3_1"], weights="random:3")

    @pytest.mark.parametrize("zipped", [True, False])
    def test_torchvision_checkpoint(self, made, tmp_path, zipped):
        """Both of torch's file formats: the published vgg19 is in the older one."""
        save_torchvision(tmp_path / "vgg19-dcbb9e9d.pth", made, _use_new_zipfile_serialization=zipped)
        network = FeatureNetwork("vgg19", ["relu1_2", "conv3_1"], weights=tmp_path / "vgg19-dcbb9e9d.pth")
        for layer, wanted in made(IMAGE).items():
            assert_close(network(IMAGE)[layer], wanted)
        assert network.source.startswith("vgg19 from vgg19-dcbb9e9d.pth, SHA-256")

    def test_caffe_dictionary(self, made, tmp_path):
        save_caffe(tmp_path / "vgg19.npy", made)
        network = FeatureNetwork("vgg19", ["conv3_1"], weights=tmp_path / "vgg19.npy")
        assert network.inputs == "caffe"
        for name, conv in convolutions(made).items():
            assert_close(network.steps[name].weight, conv.weight)
            assert_close(network.steps[name].bias, conv.bias)

    def test_a_dictionary_that_would_run_code_is_refused(self, tmp_path):
        np.save(tmp_path / "vgg19.npy", np.array({"conv1_1": pytest.raises}, dtype=object), allow_pickle=True)
        with pytest.raises(SakugaError, match="refused to build"):
            FeatureNetwork("vgg19", ["conv1_1"], weights=tmp_path / "vgg19.npy")

    @pytest.mark.parametrize("content", [{"conv1_1": 3}, ["conv1_1"], 7])
    def test_another_dictionary_is_refused(self, tmp_path, content):
        np.save(tmp_path / "vgg19.npy", np.array(content, dtype=object), allow_pickle=True)
        with pytest.raises(SakugaError, match=r"vgg19.npy (cannot be read as weights of vgg19|holds 0 convolutions)"):
            FeatureNetwork("vgg19", ["conv1_1"], weights=tmp_path / "vgg19.npy")
        torch.save(content, tmp_path / "vgg19.pth")
        with pytest.raises(SakugaError, match=r"vgg19.pth (cannot be read as weights of vgg19|holds 0 convolutions)"):
            FeatureNetwork("vgg19", ["conv1_1"], weights=tmp_path / "vgg19.pth")

    def test_vgg19_says_which_file_to_put_where(self, made, tmp_path, monkeypatch):
        monkeypatch.setenv("SAKUGA_CACHE", str(tmp_path))
        with pytest.raises(UsageError) as raised:
            FeatureNetwork("vgg19", ["relu1_2"])
        for word in (str(tmp_path / "vgg19.pth"), "torchvision's vgg19-dcbb9e9d.pth", "random:SEED"):
            assert word in str(raised.value)
        save_torchvision(tmp_path / "vgg19.pth", made)
        assert_close(FeatureNetwork("vgg19", ["relu1_2"])(IMAGE)["relu1_2"], made(IMAGE)["relu1_2"])

    def test_vgg16_says_how_to_download(self, tmp_path, monkeypatch):
        monkeypatch.setenv("SAKUGA_CACHE", str(tmp_path))
        with pytest.raises(UsageError, match=r"vgg16.npz: no weights of vgg16 there; run `sakuga download vgg16`"):
            FeatureNetwork("vgg16", ["relu1_2"])


@pytest.mark.filterwarnings("ignore:feature losses use:UserWarning")
def test_features_before_an_activation_are_not_activated():
    """Activations must not work in place: what was taken before them would change."""
    found = FeatureNetwork("vgg19", ["conv1_2", "conv2_1"], weights="random:0")(torch.rand(1, 3, 16, 16) * 2 - 1)
    assert found["conv1_2"].min() < 0


@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_pooling_rounds_down_as_the_docs_say(name):
    """The cartoon papers' codes round up, and would have 3 x 4 places here."""
    network = FeatureNetwork(name, ["relu1_2", "pool1", "relu4_3"], weights="random:0")
    found = network(torch.rand(1, 3, 20, 28) * 2 - 1)
    assert found["relu4_3"].shape[2:] == (2, 3)
    odd = network(torch.rand(1, 3, 17, 9) * 2 - 1, ["relu1_2", "pool1"])
    assert_close(odd["pool1"], odd["relu1_2"][..., :16, :8].unflatten(3, (4, 2)).unflatten(2, (8, 2)).amax((3, 5)))
    assert "rounds down" in " ".join(str(FeatureNetwork.__doc__).split())
    assert "no multiple of 8" in (Path(__file__).parents[2] / "docs" / "losses.md").read_text(encoding="utf-8")
