"""Groups of pictures, a folder each, and translators that share all but their ends."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from sakuga.data.images import find_images
from sakuga.errors import UsageError
from sakuga.networks.photo2cartoon import GroupGenerator
from sakuga.systems.parts.labelled import option_name


def find_groups(photos: Sequence[Path], style: Sequence[Path]) -> tuple[tuple[str, ...], str]:
    """Return the names of the folders that both sides have, sorted, and that with the most pictures of the style.

    Raises:
        UsageError: a group is missing on one side, there is none, or a name cannot be an option's value.
    """
    sides = {
        side: {
            place.name for folder in folders for place in folder.iterdir() if place.is_dir() and place.name[0] != "."
        }
        for side, folders in (("--photos", photos), ("--style", style))
    }
    for side, other in (("--photos", "--style"), ("--style", "--photos")):
        if lacking := sides[other] - sides[side]:
            raise UsageError(f"{side} has no folder {min(lacking)}, which {other} has: a group needs both")
    groups = tuple(sorted(sides["--photos"]))
    if not groups:
        raise UsageError(f"{photos[0]} holds no folders: put the pictures of each group into one, {photos[0]}/GROUP")
    if odd := [group for group in groups if option_name(group) != group]:
        raise UsageError(f"the folder {odd[0]} must be called by small letters, digits and _: rename it")
    counts = {group: len(find_images([folder / group for folder in style])) for group in groups}
    return groups, max(groups, key=lambda group: counts[group])


@torch.no_grad()
def copy_branch(network: GroupGenerator, base: str, others: Sequence[str]) -> None:
    """Have the ends of other groups begin as those of the base group."""
    for ends in (network.entry, network.exit):
        for other in others:
            ends[other].load_state_dict(ends[base].state_dict())


class GroupTranslation(nn.Module):
    """A translator that is told the group by a one-hot vector."""

    def __init__(self, network: nn.Module, groups: Sequence[str]):
        super().__init__()
        assert isinstance(network, GroupGenerator)
        self.network, self.groups = network, tuple(groups)

    def forward(self, image: Tensor, group: Tensor) -> Tensor:
        """Translate (N, 3, H, W) as of the groups (N, K)."""
        shares = group[:, :, None, None, None].unbind(1)
        entry = sum(share * self.network.entry[name](image) for share, name in zip(shares, self.groups, strict=True))
        features, _ = self.network.shared(entry)
        pictures = [self.network.exit[name](features) for name in self.groups]
        result: Tensor = torch.stack([share * picture for share, picture in zip(shares, pictures, strict=True)]).sum(0)
        return result
