"""A discriminator's memory of earlier fakes."""

from typing import Any

import torch
from torch import Tensor, nn

from sakuga.losses._reduce import check_images


class ImagePool(nn.Module):
    """The last fakes and some older ones: what D is shown, so that it does not forget how G once cheated.

    Until `size` images are held each one is kept and returned. From then on each is returned as it is with probability
    ½; otherwise a random image of the pool is returned, and the new one takes its place.

    A module without weights: its images and its chance are part of `state_dict()`, so a resumed training sees the
    images that the uninterrupted one would have seen.

    Args:
        size: how many images are held; 50 (CycleGAN, CartoonGAN), 0 returns every image as it is (pix2pix).
        seed: of the pool's own chance. Several processes should each have their own.

    Source: Shrivastava et al., CVPR 2017, section 2.3; as in Zhu et al., ICCV 2017, section 4.
    """

    def __init__(self, size: int = 50, *, seed: int = 0):
        super().__init__()
        if size < 0:
            raise ValueError(f"size must be 0 or more, not {size}")
        self.size = size
        self.images: list[Tensor] = []
        self.chance = torch.Generator().manual_seed(seed)

    def forward(self, images: Tensor) -> Tensor:
        """Exchange images (N, C, H, W), one after the other, without their graph; those held of another shape go."""
        check_images(images=images)
        images = images.detach()
        if self.size == 0:
            return images
        if self.images and images.shape[1:] != self.images[0].shape:
            self.images = []
        return torch.stack([self._exchange(image) for image in images])

    def _exchange(self, image: Tensor) -> Tensor:
        if len(self.images) < self.size:
            self.images.append(image.clone())
            return image
        # One draw is both coins: its lower half names an image to take out, its upper half says no.
        place = int(torch.randint(2 * self.size, (), generator=self.chance))
        if place >= self.size:
            return image
        old, self.images[place] = self.images[place], image.clone()
        return old.to(image.device)  # a pool that was loaded lies on the CPU

    def get_extra_state(self) -> dict[str, Any]:
        """Return the images, on the CPU, and the state of the chance."""
        return {"images": [image.cpu() for image in self.images], "chance": self.chance.get_state()}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken; a smaller pool drops images."""
        self.images = list(state["images"])[: self.size]
        self.chance.set_state(state["chance"].cpu())
