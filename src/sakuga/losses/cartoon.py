"""What the cartoon systems alone need: AnimeGAN's, CartoonGAN's and White-box's terms and representations.

White-box compares surface, structure and texture. Its texture representation is `random_color_shift`: the cartoons'
and the outputs' grey pictures of one call go to a discriminator of their own, as those of `surface` do. The content
loss of all three systems is `content`, on VGG-19's conv4_4 before the ReLU.
"""

import torch
from torch import Tensor

from sakuga.losses._layers import Features, Weights, matched, total
from sakuga.losses._reduce import Reduction, check_images, each, reduce
from sakuga.losses.adversarial import Adversarial, Scores, bce, heads, lsgan
from sakuga.losses.features import content, gram
from sakuga.losses.guided import guided_filter


def gray_style(
    features: Features,
    target: Features,
    *,
    centered: bool = False,
    weights: Weights | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Take anime's strokes but not its colours: Σ_l w_l mean |G(φ_l(fake)) - G(φ_l(gray anime))|, G as in `gram`.

    Args:
        features: of the fakes, which are in colour (AnimeGANv3: of their `grayscale`).
        target: of anime made grey, `grayscale(anime, channels=3)`, (N or 1, C, H, W), or their Gram matrices.
        centered: Gram matrices of features without their mean, AnimeGANv3's "decentralised" style.
        weights: w_l by layer, 1 by default; AnimeGANv3's for conv2_2, conv3_3, conv4_4: 0.1, 5, 25 (Hayao) and 0.1, 2,
            28 (Shinkai), each divided by the layer's channels.
        reduction: over the batch.

    Source: Chen, Liu, Chen (AnimeGAN), ISICA 2019; conv4_4 of VGG-19, weight 3.
    """
    terms = {}
    for layer, x, y in matched(features, target, anywhere=True, grams=True):
        error = gram(x, centered=centered) - (y if y.ndim == 3 else gram(y, centered=centered))
        terms[layer] = each(error.abs())
    return total(terms, weights, reduction)


def structure(features: Features, target: Features, *, reduction: Reduction = "mean") -> Tensor:
    """Paint in flat areas: Σ_l mean |φ_l(G(p)) - φ_l(S(G(p)))|, S the output's own `superpixel_colors`, held constant.

    Args:
        features: of the output.
        target: of the output recoloured by its own segments; no gradient flows into them.
        reduction: over the batch.

    Source: Wang, Yu (White-box Cartoonization), CVPR 2020, section 3.2. The paper weighs structure and content with
    2000, the official code with 200, and both are meant for a mean that the code divides once more by the size of the
    features: h·w·c = 32·32·512 = 524,288 at 256×256. With the mean of this function, and of `content`, the same
    balance is 200 / 524,288 ≈ 3.8e-4.
    """
    return content(features, {name: maps.detach() for name, maps in target.items()}, reduction=reduction)


@torch.no_grad()
def superpixel_colors(image: Tensor, segments: Tensor) -> Tensor:
    """Give every pixel the mean colour of its segment, (N, C, H, W); no gradient flows through it.

    Args:
        image: (N, C, H, W).
        segments: labels (N, H, W), integers from 0 to H·W, as scikit-image's `slic` and `felzenszwalb` give them;
            a label names another segment in each sample.

    Raises:
        TypeError: labels that are no integers.
        ValueError: labels of another size than the image or out of range.

    Source: Wang, Yu, CVPR 2020, section 3.2, the colouring of the official code's default (mean colour).
    """
    check_images(image=image)
    n, channels, height, width = image.shape
    if segments.is_floating_point() or segments.is_complex() or segments.dtype == torch.bool:
        raise TypeError(f"segments must be an integer tensor, not {segments.dtype}")
    if segments.shape != (n, height, width):
        raise ValueError(f"segments must have shape {(n, height, width)}, not {tuple(segments.shape)}")
    labels = segments.long().flatten(1)[:, None]
    # Left to themselves, labels out of range would stop a GPU for good. (Meta tensors have no values to look at.)
    if not labels.is_meta and not bool(((labels >= 0) & (labels <= height * width)).all()):
        raise ValueError(f"segments must hold labels from 0 to H·W = {height * width}")
    index = labels.expand(-1, channels, -1)
    # Thousands of pixels are summed: half precision would not count them right.
    colors = image.flatten(2).to(torch.promote_types(image.dtype, torch.float32))
    sums = colors.new_zeros(n, channels, height * width + 1).scatter_add(2, index, colors)
    counts = colors.new_zeros(n, 1, height * width + 1).scatter_add(2, labels, torch.ones_like(colors[:, :1]))
    return (sums.gather(2, index) / counts.gather(2, labels)).view(image.shape).to(image.dtype)


def surface(image: Tensor, *, radius: int = 5, eps: float = 0.2) -> Tensor:
    """White-box's surface representation: smooth areas, edges kept; `guided_filter` of an image by itself.

    Source: Wang, Yu, CVPR 2020, section 3.1; radius and ε from the official code, for images in [-1, 1].
    """
    return guided_filter(image, image, radius=radius, eps=eps)


class EdgePromoting:
    """D must call cartoons without clear edges fake, so G has to draw edges; scores (N, ...) or lists of such.

    Args of both halves: `objective`, the paper's `bce` or the official code's `lsgan`.

    Source: Chen, Lai, Liu (CartoonGAN), CVPR 2018, equation 3. D's loss is the plain sum of its three terms.
    """

    def d(
        self,
        cartoon: Scores,
        fake: Scores,
        edges: Scores,
        *,
        objective: Adversarial = bce,
        reduction: Reduction = "mean",
    ) -> Tensor:
        """What D minimises: real(cartoon) + fake(fake) + fake(edges), edges being cartoons with smoothed edges."""
        heads(cartoon=cartoon, fake=fake, edges=edges)
        terms = [objective.real(cartoon, reduction="none")]
        terms += [objective.fake(scores, reduction="none") for scores in (fake, edges)]
        return reduce(torch.stack(terms).sum(0), reduction)

    def g(self, fake: Scores, *, objective: Adversarial = bce, reduction: Reduction = "mean") -> Tensor:
        """What G minimises, given the scores of its images; the paper's log(1 - D) is `bce_saturating`."""
        return objective.g(fake, reduction=reduction)


edge_promoting = EdgePromoting()
"""See `EdgePromoting`."""


class GrayAdversarial:
    """D must call anime without colour fake, so fakes get colour, and anime with smoothed edges, so they get edges.

    Scores are (N, ...) or lists of such. Source: Chen, Liu, Chen (AnimeGAN), ISICA 2019. Weights of anime, fake, gray
    and smooth: 1, 1, 1, 0.1; in the official code of AnimeGANv2 Hayao 1.2, 1.2, 1.2, 0.8; Paprika 1, 1, 1, 0.005;
    Shinkai 1.7, 1.7, 1.7, 1. AnimeGAN multiplies both halves by 300.
    """

    def d(
        self,
        anime: Scores,
        fake: Scores,
        gray: Scores,
        smooth: Scores,
        *,
        weights: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 0.1),
        objective: Adversarial = lsgan,
        reduction: Reduction = "mean",
    ) -> Tensor:
        """What D minimises: w_1 real(anime) + w_2 fake(fake) + w_3 fake(gray) + w_4 fake(smooth).

        gray are scores of grey anime, smooth of grey anime with smoothed edges.
        """
        heads(anime=anime, fake=fake, gray=gray, smooth=smooth)
        terms = [objective.real(anime, reduction="none")]
        terms += [objective.fake(scores, reduction="none") for scores in (fake, gray, smooth)]
        weighted = [weight * term for weight, term in zip(weights, terms, strict=True)]
        return reduce(torch.stack(weighted).sum(0), reduction)

    def g(self, fake: Scores, *, objective: Adversarial = lsgan, reduction: Reduction = "mean") -> Tensor:
        """What G minimises, given the scores of its images."""
        return objective.g(fake, reduction=reduction)


gray_adversarial = GrayAdversarial()
"""See `GrayAdversarial`."""
