"""sakuga's styles as a node of ComfyUI: put this folder into custom_nodes and `pip install sakuga` beside it."""

from dataclasses import fields
from typing import Any, Literal, get_args, get_origin

import numpy as np
import torch

import sakuga
from sakuga.picture import Frame, Picture
from sakuga.style import DEFAULT, load
from sakuga.style.inputs import asked, assignments
from sakuga.stylizer import Look


class SakugaStylize:
    """Pictures, one or the frames of a video, in a style: IMAGE (B, H, W, 3) in [0, 1] to as many.

    The options of the look are widgets; `settings` holds lines of NAME=VALUE as `sakuga info STYLE` lists them, and
    `reference` is the second picture of a style that asks for one. ComfyUI shows the sentences of sakuga's errors.
    """

    CATEGORY = "image/sakuga"
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "stylize"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - ComfyUI's name
        """What the node is given, and by which widgets."""
        names = [style.name for style in sakuga.styles() if style.card.photo]
        return {
            "required": {"image": ("IMAGE",), "style": (names, {"default": DEFAULT}), **_widgets()},
            "optional": {"reference": ("IMAGE",), "settings": ("STRING", {"multiline": True, "default": ""})},
        }

    def stylize(
        self,
        image: torch.Tensor,
        style: str,
        reference: torch.Tensor | None = None,
        settings: str = "",
        **look: Any,
    ) -> tuple[torch.Tensor]:
        """Stylise one picture at the best quality, as the command does, or several as the frames of a video."""
        given: dict[str, object] = dict(assignments(line.strip() for line in settings.splitlines() if line.strip()))
        chosen = load(style)
        if reference is not None:
            second = next((one.name for one in asked(chosen.card.inputs) if one.kind == "picture"), None)
            if second is None:
                raise sakuga.UsageError(f"style {style} takes no reference picture: disconnect it")
            given[second] = _pixels(reference[0])
        stylizer = sakuga.Stylizer(chosen, Look(**look), inputs=given)
        made = stylizer.picture(Picture([Frame(_pixels(one)) for one in image]))
        return (torch.stack([torch.from_numpy(frame.rgb) for frame in made.frames]).float() / 255,)


def _widgets() -> dict[str, Any]:
    """A widget for each option of a look: of numbers, switches and choices, and a line of text for a brush."""
    widgets: dict[str, Any] = {}
    for one in fields(Look):
        if isinstance(one.default, bool):
            widgets[one.name] = ("BOOLEAN", {"default": one.default})
        elif isinstance(one.default, float):
            low, high = one.metadata["minimum"], one.metadata["maximum"]
            widgets[one.name] = ("FLOAT", {"default": one.default, "min": low, "max": high, "step": 0.05})
        elif get_origin(one.type) is Literal:
            widgets[one.name] = (list(get_args(one.type)), {"default": one.default})
        elif "check" in one.metadata:
            widgets[one.name] = ("STRING", {"default": one.default})
    return widgets


def _pixels(image: torch.Tensor) -> np.ndarray:
    """(H, W, 3 or 4) in [0, 1] as RGB in uint8."""
    return (image[..., :3].clamp(0, 1) * 255).round().byte().cpu().numpy()


NODE_CLASS_MAPPINGS = {"SakugaStylize": SakugaStylize}
NODE_DISPLAY_NAME_MAPPINGS = {"SakugaStylize": "Stylise with sakuga"}
