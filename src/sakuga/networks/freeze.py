"""Instance norm with its statistics fixed: the same look, from a network that is local again."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


@torch.no_grad()
def freeze_statistics(network: nn.Module, images: Iterable[Tensor]) -> nn.Module:
    """Replace every instance norm by a batch norm that holds the statistics averaged over `images`.

    Instance norm measures each picture as a whole, so the same face comes out brighter or darker with its background,
    tiles of one picture disagree, and frames of a video flicker. With the mean and the variance within a picture
    averaged over a set of photographs the output at a pixel depends on its surroundings alone.

    Args:
        network: any network with `nn.InstanceNorm2d`; changed in place and put into evaluation mode.
        images: batches (N, 3, H, W) in [-1, 1], typical of what the network will see; sizes may differ.

    Returns:
        The same network.

    Raises:
        ValueError: no image was given, or the network has no instance norm.
    """
    network.eval()
    norms = {name: m for name, m in network.named_modules() if isinstance(m, nn.InstanceNorm2d)}
    if not norms:
        raise ValueError("network has no instance norm to freeze")
    means: dict[str, list[Tensor]] = {name: [] for name in norms}
    variances: dict[str, list[Tensor]] = {name: [] for name in norms}

    def recorder(name: str):  # type: ignore[no-untyped-def]
        def record(_module: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor) -> None:
            var, mean = torch.var_mean(inputs[0].float(), dim=(2, 3), correction=0)
            means[name].extend(mean)
            variances[name].extend(var)

        return record

    hooks = [norm.register_forward_hook(recorder(name)) for name, norm in norms.items()]
    try:
        for image in images:
            network(image)
    finally:
        for hook in hooks:
            hook.remove()
    for name, norm in norms.items():
        if not means[name]:
            raise ValueError("images is empty: statistics need at least one photograph")
        fixed = nn.BatchNorm2d(norm.num_features, eps=norm.eps).eval().to(means[name][0].device)
        fixed.running_mean = torch.stack(means[name]).mean(0)
        fixed.running_var = torch.stack(variances[name]).mean(0)
        if norm.affine:
            fixed.weight.copy_(norm.weight)
            fixed.bias.copy_(norm.bias)
        owner, _, attribute = name.rpartition(".")
        setattr(network.get_submodule(owner), attribute, fixed)
    return network
