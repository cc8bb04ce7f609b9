"""Losses on what makes a face: its identity and its landmarks."""

import torch.nn.functional as F
from torch import Tensor

from sakuga.losses._reduce import Reduction, check, check_images, each, reduce


def face_id(embedding: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Keep the person: 1 - cos(F(x), F(T(x))), between 0 and 2; F a face recogniser's embedding (N, D).

    Freeze F and let the gradient through. A zero embedding scores 1 and its gradient is finite.
    Source: Zhuang and Yang, Few-shot Knowledge Transfer for Fine-grained Cartoon Face Generation, 2020.
    """
    check("(N, D)", embedding=embedding, target=target)
    return reduce(_angle(embedding, target), reduction)


def landmark_consistency(heatmaps: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Keep the landmarks: mean (R_B(G(x, l)) - l)² over (L, H, W), a heat map for each of L landmarks (N, L, H, W).

    Source: Wu et al. (Landmark Assisted CycleGAN), 2019. The paper writes the norm ‖R_B(G(x, l)) - l‖₂; here its
    mean square, which is smooth where the maps agree.
    """
    check("(N, L, H, W)", heatmaps=heatmaps, target=target)
    return reduce(each((heatmaps - target).square()), reduction)


def characteristic(
    points: Tensor, translated: Tensor, mean: Tensor, translated_mean: Tensor, *, reduction: Reduction = "mean"
) -> Tensor:
    """Exaggerate what sets a person apart from the mean face: 1 - cos(x - x̄, G(x) - ȳ), between 0 and 2.

    Args:
        points: x (N, K), landmarks of photos or their principal components; not images.
        translated: G(x) (N, K), those of the caricatures.
        mean: x̄ (K,), over all photos.
        translated_mean: ȳ (K,), over all caricatures.
        reduction: over the batch.

    Source: Cao, Liao, Yuan (CariGANs, CariGeoGAN), TOG 2018. Not of CariGAN (Li et al., 2018).
    """
    check("(N, K)", points=points, translated=translated)
    check("(K)", mean=mean, translated_mean=translated_mean)
    if len(mean) != points.shape[1]:
        raise ValueError(f"mean has {len(mean)} entries, but points has shape {tuple(points.shape)}; they must agree")
    return reduce(_angle(points - mean, translated - translated_mean), reduction)


def noise_diversity(
    first: Tensor,
    second: Tensor,
    noise_first: Tensor,
    noise_second: Tensor,
    *,
    alpha: float = 1.0,
    reduction: Reduction = "mean",
) -> Tensor:
    """Let caricatures of one face differ as their noises do: |mean |G(x, z₁) - G(x, z₂)| - α mean |z₁ - z₂||.

    Images (N, C, H, W), noises (N, ...); means, so that α does not depend on their sizes.
    Source: Li et al. (CariGAN), 2018. RECONSTRUCTED: the paper asks for a distance of the outputs that is linear in
    that of the noises and has no public code; this form and α = 1 are our reading of it.
    """
    check_images(first=first, second=second)
    check("(N, ...)", noise_first=noise_first, noise_second=noise_second)
    check("(N, ...)", False, first=first, noise_first=noise_first)
    pictures, noises = each((first - second).abs()), each((noise_first - noise_second).abs())
    return reduce((pictures - alpha * noises).abs(), reduction)


def _angle(x: Tensor, y: Tensor) -> Tensor:
    # Lengths below eps count as eps: exact for any real face, and the gradient at zero is 1 / eps, not infinite.
    return 1 - F.cosine_similarity(x, y, dim=1, eps=1e-4)
