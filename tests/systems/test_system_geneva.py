"""GeNeVA-GAN: its networks, one turn in numbers, who learns from whom, and a dialogue as users hold it."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from known import Known
from tiny import Tiny
from torch import nn
from torch.testing import assert_close

from sakuga.cli import main
from sakuga.commands.prepare import main as prepare
from sakuga.data.images import load_image
from sakuga.errors import UsageError
from sakuga.export.onnx import export
from sakuga.networks.geneva import (
    STARTS,
    ConditionalNorm,
    ConditionEncoder,
    DialogueState,
    DifferenceDiscriminator,
    DrawingGenerator,
    ImageEncoder,
    SentenceEncoder,
    TurnHead,
)
from sakuga.style.values import arrays
from sakuga.stylizer.generate import Generator, render
from sakuga.systems.geneva import GeNeVA
from sakuga.systems.parts.handed_on import HandedOn
from sakuga.training.trainer import Trainer


def scenes(folder):
    """Six dialogues of two turns beside the other data."""
    if folder.exists() and not (folder / "scenes").exists():
        options = ["--count", "6", "--turns", "2", "--side", "32", "--colors", "2", "--workers", "1"]
        prepare(["scenes", "-o", str(folder / "scenes"), *options])
    return folder / "scenes"


TINY = Tiny(
    GeNeVA,
    lambda folder: {
        **{"photos": (scenes(folder),), "batch": 4, "width": 2, "hidden": 16, "word": 6, "noise": 4},
        **{"lr_discriminator": 1e-2},
    },
    falls=("D/auxiliary", 0.9),
    batch_statistics="batch norm, spectral norm; the right picture for another instruction",
    least=2,
)


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def count(*networks):
    return sum(p.numel() for network in networks for p in network.parameters())


def test_the_papers_networks(monkeypatch):
    """Of CoDraw's 58 objects; without spectral norms, which take long to begin and have no weights."""
    monkeypatch.setattr("sakuga.networks.geneva.spectral_norm", lambda layer: layer)
    with torch.device("meta"):
        assert count(DrawingGenerator()) == 49_645_504 - (768 * 1024 + 1024)  # the gate that the code never uses
        assert count(DifferenceDiscriminator(), TurnHead(58)) == 40_787_643
        assert count(ImageEncoder()) == 1_213_882 - (512 * 58 + 58)  # the head that the code never uses
        assert count(SentenceEncoder(1)) == 2_502_656 + 300
        assert count(DialogueState().gru) == 6_297_600
        assert count(ConditionEncoder()) == 1_051_648


@pytest.mark.parametrize("side", [64, 96])
def test_shapes(side):
    features = ImageEncoder(2)(torch.rand(2, 3, side, side))
    assert features.shape == (2, 16, side // 8, side // 8)
    generator = DrawingGenerator(side, width=2, hidden=8, noise=3)
    image, mean, logvar = generator(torch.randn(2, 5), torch.randn(2, 8), features)
    assert image.shape == (2, 3, side, side)
    assert mean.shape == logvar.shape == (2, 2)
    assert min(mean.min(), logvar.min()) >= 0  # after a ReLU, as in the code
    discriminator = DifferenceDiscriminator(2)
    seen = []
    discriminator.difference[-1].register_forward_hook(lambda _, given, out: seen.append(out.shape))
    scores, logits = TurnHead(5, width=2, hidden=8)(
        discriminator(torch.rand(4, 3, side, side), image), mean.repeat(1, 4)
    )
    assert (scores.shape, logits.shape) == ((4,), (4, 5))
    assert seen == [(4, 32, side // STARTS, side // STARTS)]


def test_a_sentence_is_read_as_a_packed_one_in_both_directions():
    torch.manual_seed(0)
    encoder, both = SentenceEncoder(9, words=5, hidden=8), nn.GRU(5, 4, batch_first=True, bidirectional=True)
    for one, suffix in ((encoder.onward, ""), (encoder.backward_, "_reverse")):
        for name, weight in one.named_parameters():
            getattr(both, name + suffix).data.copy_(weight.data)
    text = torch.tensor([[3, 4, 5, 0, 0], [8, 7, 6, 2, 1], [4, 0, 0, 0, 0]])
    packed = nn.utils.rnn.pack_padded_sequence(encoder.words(text), [3, 5, 1], True, enforce_sorted=False)
    last = both(packed)[1].permute(1, 0, 2).flatten(1)
    assert_close(encoder(text), encoder.norm(last))


def test_a_conditional_norm_begins_as_a_plain_one_and_follows_its_state():
    norm = ConditionalNorm(2, 3)
    x = torch.randn(4, 2, 5, 5)
    assert_close(norm(x, torch.zeros(4, 3)), nn.BatchNorm2d(2)(x))
    with torch.no_grad():
        norm.affine_of.weight.copy_(torch.tensor([[1.0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 2, 0]]))
    moved = norm(x, torch.tensor([[0.5, 0.25, 9.0]]).expand(4, 3))
    plain = F.batch_norm(x, None, None, training=True)
    assert_close(moved, torch.stack([1.5 * plain[:, 0], plain[:, 1] + 0.5], 1))


def test_the_same_picture_twice_is_no_change():
    discriminator = DifferenceDiscriminator(2).eval()
    image = torch.rand(2, 3, 32, 32)
    assert_close(discriminator(image, image), torch.zeros(2, 32))
    assert discriminator(image, image.flip(3)).abs().max() > 0


@pytest.mark.parametrize("aux_target", ["new", "all"])
def test_one_turn_in_numbers(data, aux_target):
    """Networks that return what is known; the second dialogue has ended, and counts only as the wrong picture."""
    system = TINY.bare(data, aux_target=aux_target, dequantize=0.0).double()
    system.listen = lambda words, said: torch.full((2, 1, 2), 0.5).double().requires_grad_()
    system.encoder = Known(lambda gain, image: image * gain)
    mean, logvar = torch.tensor([[0.5, 1.0]] * 2).double(), torch.tensor([[0.0, 0.2]] * 2).double()
    system.generator = Known(lambda gain, noise, state, features: (features * 0 + 0.25 * gain, mean, logvar))
    system.discriminator = Known(
        lambda gain, images, before: gain * (images - before.repeat(len(images) // 2, 1, 1, 1)).mean((1, 2, 3))[:, None]
    )
    logit = torch.tensor([1.0, -1.0]).double()
    system.head = Known(
        lambda gain, change, state: (change[:, 0] + gain * state[:1].sum(), gain * logit.expand(len(change), 2))
    )
    ones = torch.ones(2, 1, 3, 32, 32).double()
    images = torch.cat([0 * ones, torch.tensor([0.5, -1.5]).double().view(2, 1, 1, 1, 1) * ones], 1)
    batch = {
        "images": images,
        "words": torch.tensor([[[2, 3]], [[0, 0]]]),
        "objects": torch.tensor([[[0.0, 1], [1, 1]], [[0, 0], [0, 0]]]).double(),
        "noise": torch.zeros(2, 1, 4).double(),
    }
    steps = list(system.step(batch, 0))
    assert [player for player, _ in steps] == ["D", "G", "E"]
    found = [{name: term.item() for name, term in terms.items()} for _, terms in steps]
    # Scores: the change's mean and 1; real 1.5, fake 1.25, wrong -0.5.
    no, yes = np.log1p(np.exp(-1)), np.log1p(np.exp(1))  # of a logit that is right, and of one that is wrong
    d = {
        "adversarial": 0 + 0.5 * (2.25 + 0.5),
        "auxiliary": 5 * 2 * no,  # of both objects, in the mean: the first is new, the second is not
        "penalty": 1 / (3 * 32 * 32),
    }
    g = {
        "adversarial": -1.25,
        "auxiliary": 5 * no if aux_target == "new" else 5 * (no + yes) / 2,
        "divergence": -0.5 * ((1 - 0.25 - 1) + (1.2 - 1 - np.exp(0.2))) / 2,
    }
    assert found[0] == pytest.approx(d)
    assert found[1] == pytest.approx(g)
    assert found[2] == pytest.approx({"language": sum(d.values()), "pictures": sum(g.values())})


def test_what_updates_left_is_handed_on_whatever_share_of_it_the_trainer_takes():
    for parts in (1, 3):
        weight = torch.tensor(3.0, requires_grad=True)
        cut = HandedOn(weight * torch.tensor([1.0, 2.0]))
        assert cut.term(torch.tensor(7.0)).item() == 7
        for factor in (5.0, 0.5):
            loss = (factor * cut.leaf.square()).sum() + cut.share
            assert loss.item() == pytest.approx(factor * (9 + 36))
            (loss / parts).backward()
        term = cut.term(torch.tensor(7.0))
        (term / parts).backward()
        assert term.item() == 7
        assert_close(weight.grad, torch.tensor(5.5 * 2 * 3 * 5) / parts)


def test_readers_learn_from_the_discriminators_loss_and_the_eye_from_the_generators(data, tmp_path):
    """While neither player moves, what is handed on is the gradient of the sums of their losses."""
    torch.manual_seed(0)
    system = TINY.build(data, lr=0.0, lr_discriminator=0.0, dequantize=0.0).double()
    for module in system.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.track_running_stats = False
    batch = {k: v.double() if v.is_floating_point() else v for k, v in system.batch(0, 0, 1).items()}
    twin = copy.deepcopy(system)
    Trainer(system, tmp_path).one_step(batch)

    states = twin.listen(batch["words"], batch["words"][:, :, 0] > 0)
    twin.listen = lambda words, said: states
    losses = {"D": [], "G": []}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sakuga.systems.geneva.HandedOn", Uncut)
        for player, terms in twin.step(batch, 0):
            losses.setdefault(player, []).append(sum(terms.values()))
    for player, names in (("D", ("sentence", "condition", "dialogue")), ("G", ("encoder",))):
        weights = [p for name in names for p in twin.get_submodule(name).parameters()]
        wanted = torch.autograd.grad(sum(losses[player]), weights, retain_graph=True)
        found = [p.grad for name in names for p in system.get_submodule(name).parameters()]
        assert max(g.abs().max() for g in wanted) > 1e-6
        assert_close(found, list(wanted), rtol=1e-6, atol=1e-10)


class Uncut:
    """A tensor that is not cut off."""

    share = 0.0

    def __init__(self, value):
        self.leaf = value

    def term(self, loss):
        return loss


def test_the_gradients_of_both_grus_are_clipped(data):
    system = TINY.build(data)
    for weight in system.weights("E"):
        weight.grad = torch.full_like(weight, 10.0)
    system.optimizers()["E"].step()
    for network, clipped in ((system.sentence, True), (system.dialogue, True), (system.encoder, False)):
        norm = nn.utils.get_total_norm([p.grad for p in network.parameters()])
        assert (norm < 50.01) == clipped


def test_a_dialogue_goes_on_from_its_own_picture(data, tmp_path, capsys, monkeypatch):
    torch.manual_seed(0)
    system = TINY.build(data)
    system.eval()
    drawer, (noise, text) = system.artefact().module, system.artefact().inputs
    assert (noise.size, text.shape) == (2 * (4 + 4), (1, 2, system.config.sentence))
    words, drawn = system.batch(0, 0, 1)["words"], torch.randn(4, noise.size)
    with torch.inference_mode():
        whole, none = drawer(drawn, words), drawer(drawn, words * 0)
        first = drawer(drawn, words * torch.tensor([1, 0])[:, None])
        features = system.encoder(first)
        said = words[:, :, 0] > 0
        second, _, _ = system.generator(drawn[:, 8:], system.listen(words, said)[:, 1], features)
    assert_close(none, system.generator.background.expand(4, -1, -1, -1))
    assert_close(whole, second)
    assert not torch.equal(first, none)
    assert not torch.equal(first, whole)

    style = export(system, tmp_path / "told.onnx", name="told")
    said = ["add a red cube at the center", "add a blue sphere left of the red cube"]
    row = Generator(style, {"text": " then ".join(said)}, turns=True)(3)
    turns, between = np.split(row, [32, 34], 1)[::2], row[:, 32:34]
    given = np.random.default_rng(3).standard_normal(noise.shape, np.float32)
    inputs = arrays((noise, text), {"text": " then ".join(said)}, style="told") | {"noise": given}
    for until, turn in zip(([1, 0], [1, 1]), turns, strict=True):
        asked = inputs | {"text": inputs["text"] * np.array(until)[:, None]}
        assert np.array_equal(turn, render(style, asked)[0])
    assert np.all(between == 255)
    assert np.array_equal(Generator(style, {"text": " then ".join(said)})(3), turns[1])
    assert np.array_equal(Generator(style, {"text": said[0]}, turns=True)(3), turns[0])
    with pytest.raises(UsageError, match="up to 2 sentences with 'then' between"):
        Generator(style, {"text": "add a green cat"})
    monkeypatch.chdir(tmp_path)
    assert main(["generate", str(style.path), "--set", f"text={said[0].title()}", "-n", "1", "-o", "a.png"]) == 0
    assert load_image(tmp_path / "a.png").shape == (32, 32, 3)


def test_the_checkpoint_needs_no_table(data, tmp_path):
    system = TINY.build(data)
    assert system.config.words[:2] == ("", "then")
    assert system.config.objects[0] == "blue-cube"
    again = GeNeVA(system.config.__class__(**vars(system.config) | {"photos": ()}))
    again.load_state_dict(system.state_dict())
    assert_close(again.generator.background, system.generator.background)
    assert (again.generator.background > 0.5).all()


def test_a_preview_shows_every_turn(data):
    shown = TINY.build(data).preview()
    assert shown.inputs["text"].shape[:2] == (4, 2)
    assert (shown.inputs["text"][0, 1] == 0).all()
    assert_close(shown.inputs["text"][1, 0], shown.inputs["text"][0, 0])
    assert shown.references.shape == (4, 3, 32, 32)
