"""Losses as functions: images (N, C, H, W) in [-1, 1], tensors positional, options keyword-only, one reduction."""

from sakuga.losses.adversarial import (
    Adversarial,
    bce,
    bce_saturating,
    hinge,
    least_squares,
    lsgan,
    lsgan_pearson,
    relativistic,
    wgan,
)
from sakuga.losses.attention import cam_discriminator, cam_generator, cam_loss
from sakuga.losses.cartoon import edge_promoting, gray_adversarial, gray_style, structure, superpixel_colors, surface
from sakuga.losses.classification import (
    attribute_matching,
    auxiliary_classifier,
    domain_classification,
    group_classification,
)
from sakuga.losses.colour import color_reconstruction, grayscale, lab_color, random_color_shift, rgb_to_lab, rgb_to_yuv
from sakuga.losses.contextual import contextual
from sakuga.losses.domains import (
    diversity_sensitive,
    domain_adversarial,
    gradient_reversal,
    semantic_consistency,
    style_reconstruction,
)
from sakuga.losses.faces import characteristic, face_id, landmark_consistency, noise_diversity
from sakuga.losses.features import content, feature_matching, gram, gram_style, lpips, mean_std_style
from sakuga.losses.geometry import (
    correspondence_regularization,
    distance_transform,
    domain_alignment,
    exact_distance_transform,
    kl_standard_normal,
    warp_smoothness,
)
from sakuga.losses.guided import guided_filter
from sakuga.losses.memory import ImagePool
from sakuga.losses.penalties import clip_weights, drift, gradient_penalty, orthogonal, path_length, r1
from sakuga.losses.pixel import checkerboard, gradient_l1, huber, l1, l2, line_l1, total_variation
from sakuga.losses.relative import interpolation, matching, wrong_triplets
from sakuga.losses.semi_supervised import semi_supervised, semi_supervised_odena

__all__ = [
    "Adversarial",
    "ImagePool",
    "attribute_matching",
    "auxiliary_classifier",
    "bce",
    "bce_saturating",
    "cam_discriminator",
    "cam_generator",
    "cam_loss",
    "characteristic",
    "checkerboard",
    "clip_weights",
    "color_reconstruction",
    "content",
    "contextual",
    "correspondence_regularization",
    "distance_transform",
    "diversity_sensitive",
    "domain_adversarial",
    "domain_alignment",
    "domain_classification",
    "drift",
    "edge_promoting",
    "exact_distance_transform",
    "face_id",
    "feature_matching",
    "gradient_l1",
    "gradient_penalty",
    "gradient_reversal",
    "gram",
    "gram_style",
    "gray_adversarial",
    "gray_style",
    "grayscale",
    "group_classification",
    "guided_filter",
    "hinge",
    "huber",
    "interpolation",
    "kl_standard_normal",
    "l1",
    "l2",
    "lab_color",
    "landmark_consistency",
    "least_squares",
    "line_l1",
    "lpips",
    "lsgan",
    "lsgan_pearson",
    "matching",
    "mean_std_style",
    "noise_diversity",
    "orthogonal",
    "path_length",
    "r1",
    "random_color_shift",
    "relativistic",
    "rgb_to_lab",
    "rgb_to_yuv",
    "semantic_consistency",
    "semi_supervised",
    "semi_supervised_odena",
    "structure",
    "style_reconstruction",
    "superpixel_colors",
    "surface",
    "total_variation",
    "warp_smoothness",
    "wgan",
    "wrong_triplets",
]
