"""AnimeGAN at 256x256, batch 4, after its warm-up, after the official TensorFlow code."""

import warnings

import torch
import torch.nn.functional as F
from torch import Tensor

from plain.batches import Plain, pictures, rng
from sakuga.systems.animegan import AnimeGAN
from sakuga.systems.base import Batch
from sakuga.systems.parts.content import ContentFeatures


def system(small: bool) -> AnimeGAN:
    """The published networks; VGG-19 has random weights, which cost as much as others."""
    sizes = {"width": 16, "crop": 32} if small else {}
    system = AnimeGAN(AnimeGAN.Config(batch=4, warmup=0, **sizes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the weights are random
        system.features = ContentFeatures("vgg19", weights="random:0")
    return system


def batch(system: AnimeGAN, step: int) -> Batch:
    """Photos, pictures of the style, and these with smoothed edges."""
    return dict(zip(("photo", "style", "edges"), pictures(system, 3, rng(step)), strict=True))


def loop(system: AnimeGAN) -> Plain:
    """D and G each paint their own fakes."""
    g, d, vgg = system.generator, system.discriminator, system.features
    assert vgg is not None
    adam_g = torch.optim.Adam(g.parameters(), lr=8e-5, betas=(0.5, 0.999))
    adam_d = torch.optim.Adam(d.parameters(), lr=1.6e-4, betas=(0.5, 0.999))
    luma = torch.tensor([0.299, 0.587, 0.114])
    yuv = torch.tensor(
        [[0.299, 0.587, 0.114], [-0.14714119, -0.28886916, 0.43601035], [0.61497538, -0.51496512, -0.10001026]]
    )

    def gray(image: Tensor) -> Tensor:
        return torch.einsum("nchw,c->nhw", image, luma)[:, None].repeat(1, 3, 1, 1)

    def gram(x: Tensor) -> Tensor:
        flat = x.flatten(2)
        return flat @ flat.transpose(1, 2) / x[0].numel()

    def color(fake: Tensor, photo: Tensor) -> Tensor:
        a, b = (torch.einsum("nchw,dc->dnhw", (image + 1) / 2, yuv) for image in (fake, photo))
        return F.l1_loss(a[0], b[0]) + F.huber_loss(a[1], b[1]) + F.huber_loss(a[2], b[2])

    def features(image: Tensor) -> Tensor:
        return vgg(image)["conv4_4"]

    def step(batch: Batch) -> dict[str, float]:
        photo, anime, anime_gray, smooth = batch["photo"], batch["style"], gray(batch["style"]), gray(batch["edges"])
        adam_d.zero_grad()
        with torch.no_grad():
            fake = g(photo)
        # The official graph normalises D's weights once per run of D's loss, not once per picture.
        with torch.nn.utils.parametrize.cached():
            real, fooled, colorless, blurred = (d(image) for image in (anime, fake, anime_gray, smooth))
        d_loss = 300 * (
            (real - 1).square().mean()
            + fooled.square().mean()
            + colorless.square().mean()
            + 0.1 * blurred.square().mean()
        )
        d_loss.backward()
        adam_d.step()

        d.requires_grad_(False)
        adam_g.zero_grad()
        fake = g(photo)
        wanted, strokes, painted = features(photo), features(anime_gray), features(fake)
        terms = {
            "G/adversarial": 300 * (d(fake) - 1).square().mean(),
            "G/content": 1.5 * F.l1_loss(painted, wanted),
            "G/style": 3 * F.l1_loss(gram(painted), gram(strokes)),
            "G/color": 10 * color(fake, photo),
        }
        torch.stack([*terms.values()]).sum().backward()
        adam_g.step()
        d.requires_grad_(True)
        return {"D/gray": d_loss.item()} | {name: value.item() for name, value in terms.items()}

    return step, {"G": adam_g, "D": adam_d}
