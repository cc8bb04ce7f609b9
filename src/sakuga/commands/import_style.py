"""`sakuga import`: published weights become a style."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from torch import nn
from tyro.conf import DisallowNone, FlagCreatePairsOff, Positional, UseAppendAction, arg

from sakuga.data.images import load_image, to_tensor
from sakuga.errors import UsageError
from sakuga.export.onnx import export
from sakuga.importers import LAYOUTS, adain
from sakuga.importers.layouts import build, choose
from sakuga.importers.weights import load
from sakuga.networks.adain import Painter
from sakuga.runtime.atomic import check_free
from sakuga.runtime.console import print_path, say
from sakuga.style.card import as_name
from sakuga.systems.base import System

LICENCE = "unknown, ask the author of the weights"
SIDE = 512
"""Shorter side of a style picture, as in pytorch-AdaIN."""


@dataclass
class Source:
    """What the card says of where the weights come from."""

    layout: str
    file: str
    file_sha256: str
    network: str
    picture: tuple[Path, ...]


class Imported(System):
    """A network that somebody else trained, in place of the system that did; it takes no steps."""

    def __init__(self, source: Source, generator: nn.Module):
        super().__init__(source)
        self.generator = generator
        self.name = source.layout  # type: ignore[misc]  # of each object its own


def main(args: Sequence[str]) -> int:
    """Run `sakuga import`; the exit status."""
    return tyro.cli(import_weights, args=list(args), prog="sakuga import", config=(DisallowNone,))


def import_weights(
    what: Annotated[tuple[str, ...], Positional, arg(metavar="[LAYOUT] FILE|DIR", help_behavior_hint="")],
    /,
    *,
    output: Annotated[Path, arg(aliases=["-o"], metavar="NAME.onnx")],
    title: Annotated[str | None, arg(help_behavior_hint="")] = None,
    licence: str = LICENCE,
    network: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")] = None,
    picture: Annotated[UseAppendAction[tuple[Path, ...]], arg(metavar="FILE", help_behavior_hint="")] = (),
    overwrite: Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")] = False,
) -> int:
    """Turn published weights into a style: one .onnx file that `sakuga photo.jpg -s FILE` uses.

    Layouts: cartoongan, fast-neural-style, animegan2, cyclegan, cut, pix2pix, ugatit, adain.

    Args:
        what: the weights, a file (.pth, .pt, .safetensors, .npz) or a folder (of .npy files, or of AdaIN's decoder.pth
            and vgg_normalised.pth). The layout before them can be left out: it is recognised by the names inside.
        output: the style's file; its name is the style's name.
        title: the style's name for people; by default its name.
        licence: of the weights, for the style's card.
        network: which network of a file that holds several, by its name there, such as genB2A; the first generator
            by default.
        picture: for adain, the picture whose style is painted; given several times, the pictures are blended.
        overwrite: replace an existing file.
    """
    layout, path = _split(what)
    if output.suffix != ".onnx":
        raise UsageError(f"--output {output} must end in .onnx.")
    check_free(output, overwrite)
    published = load(path)
    found = choose(published, layout, network)
    if picture and found.layout != "adain":
        raise UsageError(f"--picture belongs to adain, and {path} looks like {found.title}: leave it out.")
    pictures = [to_tensor(load_image(one, short_side=SIDE)) for one in picture]
    built = build(published, found)
    if isinstance(built, Painter):
        if not pictures:
            raise UsageError("AdaIN paints the style of any picture: name one with --picture FILE.")
        built = adain.fix(built, pictures)
    source = Source(found.layout, path.resolve().name, published.sha256, found.network, picture)
    style = export(
        Imported(source, built),
        output,
        name=as_name(output.stem),
        title=title or output.stem,
        licence=licence,
        data=[{"name": source.file, "licence": licence, "use": "published weights"}],
        overwrite=overwrite,
    )
    parameters = sum(parameter.numel() for parameter in built.parameters())
    called = f" {found.network} is" if found.network else ""
    say(f"{path}:{called} {found.title}, {parameters:,} parameters")
    if found.others:
        say(f"it holds {', '.join(found.others)} too: choose with --network")
    if licence == LICENCE:
        say("the card says that the licence is unknown: tell it with --licence")
    print_path(style.path)
    return 0


def _split(what: Sequence[str]) -> tuple[str | None, Path]:
    """Tell layout and path apart."""
    if len(what) == 1 and not (what[0] in LAYOUTS and not Path(what[0]).exists()):
        return None, Path(what[0])
    if len(what) == 2:
        return what[0], Path(what[1])
    raise UsageError("name the file or folder of weights: sakuga import [LAYOUT] FILE|DIR -o NAME.onnx")
