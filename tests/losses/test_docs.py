"""docs/losses.md: no public name is missing, no row is lost, and every call on the page runs."""

import ast
import re
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from sakuga import losses

PAGE = (Path(__file__).parents[2] / "docs" / "losses.md").read_text(encoding="utf-8")
ROWS = {
    "The survey of losses for character generation": 20,
    "The notes on the GAN zoo": 35,
    "The review of AnimeGAN": 6,
    "The slides on CycleGAN and CartoonGAN": 7,
    "The article on perceptual losses": 5,
}
OTHERS = "What no text names"
SECTIONS = dict(section.split("\n", 1) for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:])


def rows(heading: str) -> list[list[str]]:
    """Cells of the section's table, without its head."""
    lines = [line for line in SECTIONS[heading].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


CALLS = [call for heading in ROWS for row in rows(heading) for call in code(row[2])]
CALLS += [call for row in rows(OTHERS) for call in code(row[0])]


def namespace() -> dict[str, object]:
    """What the calls are made of: small stand-ins for the names that the page explains, and every public name."""
    torch.manual_seed(0)
    x, x2, x3, y, s, exemplar, augmented, gray, smooth = torch.rand(9, 2, 3, 16, 16) * 2 - 1
    a, a2, a3 = torch.randint(0, 2, (3, 2, 5)).float()
    y.requires_grad_()  # as r1 wants it
    w = torch.randn(2, 8, requires_grad=True)
    kernels = torch.randn(2, 8, 4, 3, 3)

    def network(image: Tensor, *given: Tensor) -> Tensor:
        return (image + sum(g.float().mean() for g in given)).tanh()

    def code_of(width: int):  # type: ignore[no-untyped-def]
        matrix = torch.randn(3, width)
        return lambda image, *given: network(image, *given).mean((2, 3)) @ matrix

    def vgg(image: Tensor) -> dict[str, Tensor]:
        return {"relu1_2": image.relu(), "relu4_3": (1 - image[..., ::2, ::2]).relu()}

    def scores(image: Tensor, *given: Tensor) -> Tensor:
        return network(image, *given).mean(1)

    ours = {name: getattr(losses, name) for name in losses.__all__}
    return ours | {
        "torch": torch, "map": map, "sum": sum,
        "x": x, "x2": x2, "x3": x3, "y": y, "s": s, "exemplar": exemplar, "augmented": augmented,
        "gray": gray, "smooth": smooth, "ink": x[:, :1], "artist": x2[:, :1], "back_and_forth": x3,
        "a": a, "a2": a2, "a3": a3, "v": a2 - a, "alpha": torch.rand(2), "c": torch.tensor([1, 0]),
        "c_x": torch.tensor([0, 2]), "segments": torch.arange(16).expand(2, 16, 16),
        "generator": network, "inverse": network, "fake": network(x), "exaggerate": torch.tanh,
        "critic": nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Conv2d(4, 1, 3)),
        "discriminator": scores, "discriminator_x": scores, "match": scores, "cam": scores, "cam_d": scores,
        "degree": scores, "vgg": vgg, "inner": lambda image: [image, image[..., ::2]],
        "layer_weights": {"relu1_2": 0.5, "relu4_3": 1.0}, "heads": dict.fromkeys(vgg(x), torch.ones(3)),
        "domain": lambda code: code.sum(1), "encode_x": code_of(8), "encode_y": code_of(8), "encode_style": code_of(8),
        "style1": torch.randn(2, 8), "style2": torch.randn(2, 8), "face": code_of(8), "classify": code_of(5),
        "hidden": code_of(8), "attributes_x": code_of(5), "attributes_y": code_of(5), "adapt_x": network,
        "adapt_y": network, "regress": lambda image: image[:, :1].expand(-1, 5, -1, -1),
        "heatmaps": torch.rand(2, 5, 16, 16), "points": torch.randn(2, 8), "mean_x": torch.randn(8),
        "mean_y": torch.randn(8), "flow": torch.randn(2, 2, 16, 16), "kernels": list(kernels),
        "w": w, "draw": lambda w: w.view(2, 2, 2, 2).exp(), "running_mean": torch.zeros(()),
        "last_features": torch.rand(2, 8, 4, 4), "classifier_weight": torch.randn(5, 8), "z1": torch.randn(2, 8),
        "z2": torch.randn(2, 8), "mean": torch.randn(2, 8), "logvar": torch.randn(2, 8),
    }  # fmt: skip


@pytest.mark.parametrize("heading", ROWS)
def test_no_row_is_lost(heading: str):
    assert len(rows(heading)) == ROWS[heading]
    assert SECTIONS[heading].strip().startswith(f"{ROWS[heading]} rows")


def test_rows_are_whole():
    assert {len(row) for heading in ROWS for row in rows(heading)} == {5}
    assert {len(row) for row in rows(OTHERS)} == {3}
    for row in [row for heading in (*ROWS, OTHERS) for row in rows(heading)]:
        assert all(row), row
    assert all(code(row[2]) for heading in ROWS for row in rows(heading))


def test_every_public_name_is_called_on_the_page():
    called = {node.id for call in CALLS for node in ast.walk(ast.parse(call)) if isinstance(node, ast.Name)}
    assert set(losses.__all__) - called == set()


def test_names_in_passing_exist():
    """Code beside the calls: what looks like a function or an option of ours is one."""
    known = namespace()
    cells = [cell for heading in ROWS for i, cell in enumerate(rows(heading)) for cell in (cell[1], cell[3], cell[4])]
    for span in (span for cell in cells for span in code(cell)):
        for name in re.findall(r"(?<![\w.\"])[a-z_]\w*(?=\.|\(|$)", span):
            assert name in known, span


@pytest.mark.parametrize("call", sorted(set(CALLS)))
def test_call_runs(call: str):
    found = eval(call, namespace())
    if call.startswith("clip_weights"):
        assert found is None
        return
    for value in found if isinstance(found, tuple) else (found,):
        assert torch.isfinite(value).all()
    in_tables_of_losses = any(call in code(row[2]) for heading in ROWS for row in rows(heading))
    assert not in_tables_of_losses or found.ndim == 0


@pytest.mark.filterwarnings("ignore:feature losses use")
def test_example_runs():
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    after: dict[str, Tensor] = {}
    exec(example, after)
    assert after["painted"].grad.abs().sum() > 0


def test_relgan_has_the_two_gradient_penalties_of_its_code():
    (row,) = [row for heading in ROWS for row in rows(heading) if row[0] == "RelGAN, adversarial"]
    penalties = [part for cell in row for part in code(cell) if "gradient_penalty(" in part]
    assert [re.findall(r"150 \* gradient_penalty\((\w+)", part) for part in penalties] == [
        ["discriminator"],
        ["degree"],
    ]
