"""A trained network becomes a style: one ONNX file with its card, checked against the network it came from."""

import base64
import copy
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx
import torch
from onnx import helper

from sakuga import __version__
from sakuga.export.context import GivenContext, trace_encoder
from sakuga.export.half import halve, narrow
from sakuga.export.int8 import QUANTIZABLE, Fold, int8_variant
from sakuga.export.palette import add_palette
from sakuga.export.tileable import make_tileable, receptive_field
from sakuga.export.trace import check_parity, sizes, trace
from sakuga.networks.context import ContextGenerator
from sakuga.runtime.atomic import atomic
from sakuga.style import CONTEXT, INT8, KEY, Card, Style, read
from sakuga.style.checksum import digest
from sakuga.style.inputs import PICTURE

if TYPE_CHECKING:
    from sakuga.systems.base import System


def export(
    system: "System",
    target: Path,
    *,
    name: str,
    network: str | None = None,
    title: str | None = None,
    licence: str = "not stated",
    data: list[dict[str, str]] | None = None,
    overwrite: bool = False,
    photos: Sequence[Path] = (),
    half: bool = False,
    best_pixels: int = Card.best_pixels,
    underpainting: str = Card.underpainting,
    palette: str = Card.palette,
) -> Style:
    """Write what users run of a system as the style file `target`.

    Args:
        system: its artefact is written; its name, config and sources go into the card.
        target: the `.onnx` file; written whole or not at all.
        name: by which the style will be called.
        network: another one than the system's first of `exportable`.
        title: for people; the name by default.
        licence: of the style itself.
        data: what it was trained on, as dictionaries of `name`, `licence`, `use`; the system's sources by default.
        overwrite: replace an existing file.
        photos: a fast generator's int8 variant is calibrated on these and goes into the file; without any it is left
            out.
        half: keep the weights in 16 bits.
        best_pixels: of a picture on which the style is at its best; see `Card`.
        underpainting: the embedded style in whose light and shade pictures are painted before; see `Card`.
        palette: the film, one of `palette.PALETTES`, whose colours results are given.

    Raises:
        SakugaError: the file exists or cannot be written, or ONNX Runtime disagrees with torch by more than 1e-4,
            or int8 by more than 0.01 on average, or weights of 16 bits by more than 0.002.
        UsageError: the system's config lacks what its artefact is made of.
    """
    artefact = system.artefact(network)
    module = copy.deepcopy(artefact.module).eval().cpu()
    module.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    shown = GivenContext(module, photos) if isinstance(module, ContextGenerator) else module
    artefact = replace(artefact, module=shown)
    defaults = {"context": shown.default} if isinstance(shown, GivenContext) else {}
    model = trace(artefact, sizes(artefact)[0], **defaults)
    measured = artefact.tileable and not artefact.receptive_field
    if measured:
        make_tileable(model, artefact)
    check_parity(model, artefact)
    if half:
        halve(model, artefact)
    card = Card(
        name=name,
        title=title or name,
        system=system.name,
        config=_shareable(asdict(system.config)),
        data=data if data is not None else system.sources(),
        licence=licence,
        multiple=artefact.multiple,
        receptive_field=artefact.receptive_field,
        date=datetime.now(UTC).date().isoformat(),
        version=__version__,
        sha256=weights_sha256(model),
        scale=artefact.scale,
        match_histogram=artefact.match_histogram,
        local_receptive_field=receptive_field(model, artefact) if measured else 0,
        inputs=artefact.inputs,
        size=artefact.size,
        frame=artefact.frame,
        best_pixels=best_pixels,
        underpainting=underpainting,
        palette=palette,
    )
    if palette:
        add_palette(model, palette)
    texts = {KEY: card.to_json()}
    folds: list[Fold] = []
    if photos and isinstance(module, QUANTIZABLE) and artefact.inputs == (PICTURE,):
        int8, folds = int8_variant(module, photos)
        if palette:
            variant = onnx.load_model_from_string(int8)
            add_palette(variant, palette)
            int8 = variant.SerializeToString()
        texts[INT8] = base64.b64encode(int8).decode()
    if isinstance(module, ContextGenerator):
        encoder = trace_encoder(module, folds)
        if half:
            narrow(encoder)
        texts[CONTEXT] = base64.b64encode(encoder.SerializeToString()).decode()
    helper.set_model_props(model, texts)
    with atomic(target, overwrite=overwrite) as temporary:
        temporary.write_bytes(model.SerializeToString())
    return read(target)


def weights_sha256(model: onnx.ModelProto) -> str:
    """SHA-256 over all weights of a model, by name, shape and value: the same weights give the same sum."""
    inputs = {entry.name for entry in model.graph.input}  # which may have defaults; those are no weights
    weights = (tensor for tensor in model.graph.initializer if tensor.name not in inputs)
    return digest((tensor.name, onnx.numpy_helper.to_array(tensor)) for tensor in weights)


def _shareable(config: dict[str, Any]) -> dict[str, Any]:
    """A config for the card: JSON values, and of paths the last part only."""
    plain: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Path) or (isinstance(value, str) and ":" not in value):
            value = Path(value).name
        elif isinstance(value, (list, tuple)):
            value = [v.name if isinstance(v, Path) else v for v in value]
        plain[key] = value
    return plain
