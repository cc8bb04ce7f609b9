"""Laws that every system obeys, whatever it learns."""

import copy
import math
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import test_system_acgan
import test_system_adain
import test_system_animegan
import test_system_animegan3
import test_system_apdrawing
import test_system_autotoon
import test_system_cam_classifier
import test_system_cariganet
import test_system_carigans
import test_system_cartoongan
import test_system_cgan
import test_system_cocosnet
import test_system_cyclegan
import test_system_distill
import test_system_fast_style
import test_system_fsgan
import test_system_gan
import test_system_geneva
import test_system_group_faces
import test_system_landmark_cyclegan
import test_system_landmarks
import test_system_lsgan
import test_system_pggan
import test_system_pix2pix
import test_system_relgan
import test_system_sgan
import test_system_stargan
import test_system_starganv2
import test_system_stylecarigan
import test_system_stylegan
import test_system_stylegan2
import test_system_super_resolution
import test_system_ugatit
import test_system_wgan
import test_system_wgan_gp
import test_system_whitebox
import test_system_xgan
import torch
from tiny import Tiny, make_data
from torch.testing import assert_close

from sakuga.cli import main
from sakuga.errors import UsageError
from sakuga.export.onnx import export
from sakuga.runs import build
from sakuga.stylizer import Stylizer
from sakuga.stylizer.generate import Generator
from sakuga.systems import SYSTEMS, load_system
from sakuga.training.trainer import Trainer

MODULES = (
    test_system_distill,
    test_system_fast_style,
    test_system_adain,
    test_system_animegan,
    test_system_animegan3,
    test_system_apdrawing,
    test_system_autotoon,
    test_system_cam_classifier,
    test_system_cariganet,
    test_system_carigans,
    test_system_cartoongan,
    test_system_cocosnet,
    test_system_cyclegan,
    test_system_fsgan,
    test_system_landmarks,
    test_system_landmark_cyclegan,
    test_system_gan,
    test_system_cgan,
    test_system_sgan,
    test_system_acgan,
    test_system_lsgan,
    test_system_wgan,
    test_system_wgan_gp,
    test_system_pggan,
    test_system_geneva,
    test_system_group_faces,
    test_system_pix2pix,
    test_system_relgan,
    test_system_stargan,
    test_system_starganv2,
    test_system_stylecarigan,
    test_system_stylegan,
    test_system_stylegan2,
    test_system_super_resolution,
    test_system_ugatit,
    test_system_whitebox,
    test_system_xgan,
)
TINY = [module.TINY for module in MODULES]

pytestmark = pytest.mark.filterwarnings("ignore:feature losses use:UserWarning")
narrow = pytest.mark.usefixtures("narrow_vgg")


def test_no_system_is_left_out():
    assert [tiny.system for tiny in TINY] == [load_system(name) for name in SYSTEMS]
    assert [tiny.system.name for tiny in TINY] == list(SYSTEMS)
    assert len({tiny.system.name for tiny in TINY}) == len(TINY) > 12


def test_the_page_and_the_command_name_them_all(capsys):
    names = list(SYSTEMS)
    page = (Path(__file__).parents[2] / "docs" / "systems.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^## (\w+)$", page, re.MULTILINE)) == sorted(names)
    assert set(re.findall(r"sakuga train (\w+) ", page)) == set(names)
    assert main(["train"]) == 2
    assert re.findall(r"^  (\w+) {2,}", capsys.readouterr().out, re.MULTILINE) == names


def test_every_preset_fits_its_system():
    for system in map(load_system, SYSTEMS):
        for values in system.presets.values():
            assert values.keys() <= {field.name for field in fields(system.Config)}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Photos, style pictures and pairs."""
    return make_data(tmp_path_factory.mktemp("data"))


def state(module):
    """Every tensor of a module's state by name, those within the stateful' own states too."""

    def tensors(name, value):
        if isinstance(value, torch.Tensor):
            yield name, value.clone()
        elif isinstance(value, dict):
            for key, part in value.items():
                yield from tensors(f"{name}.{key}", part)
        else:
            for i, part in enumerate(value):
                yield from tensors(f"{name}.{i}", part)

    return dict(found for name, value in module.state_dict().items() for found in tensors(name, value))


def moved(before, system):
    """The networks of which any weight or statistic differs from before."""
    names = set(system.networks) | {"features"}
    after = state(system)
    changed = {name for name in before if not torch.equal(after[name], before[name])}
    return {n for n in names if any(key.startswith(f"{n}.") for key in changed)}


def same(a, b):
    a, b = state(a), state(b)
    return a.keys() == b.keys() and all(torch.equal(value, b[name]) for name, value in a.items())


@pytest.mark.parametrize("tiny", TINY, ids=lambda tiny: tiny.system.name)
class TestEverySystem:
    @narrow
    def test_a_step_moves_the_players_that_are_yielded_and_nothing_else(self, tiny: Tiny, data, tmp_path):
        torch.manual_seed(0)
        system = tiny.build(data)
        trainer = Trainer(system, tmp_path)
        late = system.config.steps - 1
        for t in (0, late):
            trainer.steps = t
            before = state(system)
            terms = trainer.one_step(system.batch(t, 0, 1))
            players = {player for name in terms for player in name.partition("/")[0].split("+")}
            assert players <= set(system.players)
            assert moved(before, system) == {n for player in players for n in system.players[player]}
        assert all(math.isfinite(value) for value in terms.values())

    @narrow
    def test_every_player_has_its_turn(self, tiny: Tiny, data, tmp_path):
        system = tiny.build(data)
        called = set()
        for name, network in system.networks.items():
            network.register_forward_hook(lambda *_, name=name: called.add(name))
        steps = (system.step(system.batch(0, 0, 1), t) for t in (0, system.config.steps - 1))
        updates = [players for step in steps for players, _ in step]
        turns = {one for players in updates for one in (players if isinstance(players, tuple) else (players,))}
        assert turns == set(system.players)
        assert called == set(system.networks)  # as modules, not by other methods, which --compile would not reach

    def test_a_repeated_batch_is_learned(self, tiny: Tiny, data, tmp_path):
        torch.manual_seed(0)
        system = tiny.build(data)
        trainer = Trainer(system, tmp_path)
        trainer.steps = tiny.at
        batch = system.batch(0, 0, 1)
        term, factor = tiny.falls
        first = trainer.one_step(batch)[term]
        system.artefact()  # as for samples: the training goes on as if there had been none
        for _ in range(10):
            trainer.steps = tiny.at
            last = trainer.one_step(batch)[term]
        assert last < factor * first

    @narrow
    def test_the_order_in_memory_changes_no_gradient(self, tiny: Tiny, data, tmp_path):
        """Trainings in 16 bits lie channels last, and kernels of PyTorch are known that err there (2.13)."""
        built = tiny.build(data).double()
        for module in built.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0  # what is dropped is drawn in the order of memory
        batch = {k: v.double() if v.is_floating_point() else v for k, v in built.batch(0, 0, 1).items()}
        for count in (tiny.least, tiny.least + 1):
            found = []
            for order in (torch.contiguous_format, torch.channels_last):
                torch.manual_seed(0)
                system = copy.deepcopy(built).to(memory_format=order)
                trainer = Trainer(system, tmp_path)
                trainer.steps = system.config.steps - 1
                terms = trainer.one_step({k: v[:count] for k, v in batch.items()})
                found.append((terms, {name: p.grad for name, p in system.named_parameters() if p.grad is not None}))
            assert found[0][1]
            assert_close(found[1], found[0], rtol=1e-6, atol=1e-9, check_stride=False)

    @narrow
    def test_resumed_equals_uninterrupted(self, tiny: Tiny, data, tmp_path):
        def run(folder, *stops):
            for until in stops:
                torch.manual_seed(0)
                trainer = Trainer(tiny.build(data), tmp_path / folder)
                trainer.resume()
                trainer.fit(until)
            return trainer

        through, resumed = run("one", 4), run("two", 2, 4)
        assert same(through.system, resumed.system)
        assert all(same(average, resumed.averages[name]) for name, average in through.averages.items())

    @narrow
    def test_parts_of_a_batch_add_up(self, tiny: Tiny, data, tmp_path):
        torch.manual_seed(0)
        whole = Trainer(tiny.build(data), tmp_path / "whole")
        parts = Trainer(copy.deepcopy(whole.system), tmp_path / "parts", accumulate=2)
        late = whole.system.config.steps - 1
        for trainer in (whole, parts):
            trainer.steps = late
            torch.manual_seed(1)
            trainer.terms = trainer.one_step(trainer.system.batch(late, 0, 1))
        agree = all(abs(whole.terms[k] - v) <= 1e-4 * max(1.0, abs(v)) for k, v in parts.terms.items())
        # What takes statistics over the batch must say so, and what says so must do it.
        assert agree == (not tiny.batch_statistics)

    @narrow
    def test_the_checkpoint_alone_rebuilds_it(self, tiny: Tiny, data, tmp_path):
        trainer = Trainer(tiny.build(data), tmp_path / "run")
        trainer.fit(1)
        again = build(tmp_path / "run")
        assert type(again) is tiny.system
        assert all(same(average, again.get_submodule(name)) for name, average in trainer.averages.items())

    @narrow
    def test_a_style_file_keeps_every_size(self, tiny: Tiny, data, tmp_path):
        """Parity with torch at three sizes is checked within the export itself."""
        torch.manual_seed(0)
        system = tiny.build(data)
        style = export(system, tmp_path / "style.onnx", name="style")
        if style.card.photo is None:
            side = system.config.crop
            values = {one.name: one.names[-1] for one in style.card.inputs if one.kind == "text"}
            assert Generator(style, values)(0).shape == (side, side, 3)
            return
        if style.card.size is not None and len(shown := system.preview().inputs) > 1:
            assert shown["image"].shape[2:] == style.card.size, "samples that are not scaled"
        photo = np.random.default_rng(0).integers(0, 256, (93, 127, 3), dtype=np.uint8)
        values = {one.name: one.names[-1] for one in style.card.settings if one.kind == "choice"}  # of faces, the whole
        values |= {one.name: photo for one in style.card.settings if one.kind == "picture" and one.required}
        stylised = Stylizer(style, inputs=values).array(photo)
        assert stylised.shape == (93 * tiny.scale, 127 * tiny.scale, 3)

    @narrow
    def test_a_term_that_is_not_finite_is_named(self, tiny: Tiny, data, tmp_path):
        system = tiny.build(data)
        trainer = Trainer(system, tmp_path)
        with torch.no_grad():
            for weight in system.get_submodule(system.exportable[0]).parameters():
                weight.fill_(math.nan)
        with pytest.raises(FloatingPointError, match=r"(loss of [\w+]+ is not finite: \w+=|gradient of \w+)"):
            trainer.one_step(system.batch(0, 0, 1))

    @narrow
    def test_a_batch_is_a_function_of_seed_step_and_rank(self, tiny: Tiny, data, tmp_path):
        system = tiny.build(data)
        for name, whole in system.batch(3, 0, 1).items():
            assert_close(system.batch(3, 0, 1)[name], whole, rtol=0, atol=0)
            halves = [system.batch(3, rank, 2)[name] for rank in (0, 1)]
            assert_close(torch.stack(halves, 1).flatten(0, 1), whole, rtol=0, atol=0)
        assert any(not torch.equal(v, system.batch(4, 0, 1)[k]) for k, v in system.batch(3, 0, 1).items())

    def test_without_data_it_says_what_is_missing(self, tiny: Tiny, tmp_path):
        with pytest.raises(UsageError, match=r"--\w+|does not exist"):
            tiny.build(tmp_path / "nowhere")
