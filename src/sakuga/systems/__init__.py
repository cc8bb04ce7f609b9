"""One file per paper. SYSTEMS says where each system's class lies and, in one line, what it is; nothing is imported.

A new system adds its file and its line here; training, export and tests then find it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from sakuga.errors import UsageError

if TYPE_CHECKING:
    from sakuga.systems.base import System

SYSTEMS = {
    "distill": ("sakuga.systems.distill:Distill", "A fast generator learns to paint what a slow teacher paints."),
    "fast_style": ("sakuga.systems.fast_style:FastStyle", "One painting becomes a style (Johnson et al., 2016)."),
    "adain": ("sakuga.systems.adain:AdaIN", "Any painting's style, by one decoder (Huang, Belongie, 2017)."),
    "animegan": ("sakuga.systems.animegan:AnimeGAN", "AnimeGAN and AnimeGANv2, light generators (Chen et al., 2019)."),
    "animegan3": ("sakuga.systems.animegan3:AnimeGANv3", "The double-tail GAN (Liu, Chen, Gao, 2024)."),
    "apdrawing": ("sakuga.systems.apdrawing:APDrawingGAN", "Portraits drawn with a pen (Yi et al., 2019)."),
    "autotoon": ("sakuga.systems.autotoon:AutoToon", "Caricatures by warps of an artist (Gong et al., 2020)."),
    "cam_classifier": (
        "sakuga.systems.cam_classifier:CAMClassifier",
        "A classifier that looks where its class is (Wang et al., 2021).",
    ),
    "cariganet": ("sakuga.systems.cariganet:CariGAN", "Caricatures from weak pairs and a pose (Li et al., 2018)."),
    "carigans": ("sakuga.systems.carigans:CariGANs", "Caricatures by landmarks and painting (Cao et al., 2018)."),
    "cartoongan": ("sakuga.systems.cartoongan:CartoonGAN", "Photos to cartoons with clear edges (Chen et al., 2018)."),
    "cocosnet": (
        "sakuga.systems.cocosnet:CoCosNet",
        "Conditions become photos in the look of an exemplar (Zhang et al., 2020).",
    ),
    "cyclegan": ("sakuga.systems.cyclegan:CycleGAN", "Two translations that undo each other (Zhu et al., 2017)."),
    "fsgan": ("sakuga.systems.fsgan:FSGAN", "One face moves as another does (Nirkin et al., 2019)."),
    "landmarks": ("sakuga.systems.landmarks:LandmarkDetector", "Finds the eyes, nose and mouth of faces of any kind."),
    "landmark_cyclegan": (
        "sakuga.systems.landmark_cyclegan:LandmarkCycleGAN",
        "CycleGAN for faces, whose landmarks stay (Wu et al., 2019).",
    ),
    "gan": ("sakuga.systems.gan:GAN", "Pictures from noise, as at the beginning (Goodfellow et al., 2014)."),
    "cgan": ("sakuga.systems.cgan:CGAN", "Pictures of a class, which both networks are told (Mirza, Osindero, 2014)."),
    "sgan": ("sakuga.systems.sgan:SGAN", "A classifier from few labels, and pictures (Salimans et al., 2016)."),
    "acgan": (
        "sakuga.systems.acgan:ACGAN",
        "Pictures of a class, by a discriminator that names it (Odena et al., 2017).",
    ),
    "lsgan": ("sakuga.systems.lsgan:LSGAN", "Pictures from noise by least squares (Mao et al., 2017)."),
    "wgan": ("sakuga.systems.wgan:WGAN", "Pictures from noise by a critic of clipped weights (Arjovsky et al., 2017)."),
    "wgan_gp": (
        "sakuga.systems.wgan_gp:WGANGP",
        "Pictures from noise, or of a class, by a critic with a gradient penalty (Gulrajani et al., 2017).",
    ),
    "pggan": ("sakuga.systems.pggan:PGGAN", "Pictures from noise that grow layer by layer (Karras et al., 2018)."),
    "geneva": (
        "sakuga.systems.geneva:GeNeVA",
        "Scenes that are drawn turn by turn, as they are told (El-Nouby et al., 2019).",
    ),
    "group_faces": (
        "sakuga.systems.group_faces:GroupFaces",
        "Cartoon faces of several groups, most with few examples (Zhuang, Yang, 2021).",
    ),
    "pix2pix": ("sakuga.systems.pix2pix:Pix2Pix", "Translation learned from pairs (Isola et al., 2017)."),
    "relgan": ("sakuga.systems.relgan:RelGAN", "Changes of attributes, by degrees (Wu et al., 2019)."),
    "stargan": ("sakuga.systems.stargan:StarGAN", "Attributes or domains, one generator (Choi et al., 2018)."),
    "starganv2": ("sakuga.systems.starganv2:StarGANv2", "Domains in many styles (Choi et al., 2020)."),
    "stylecarigan": (
        "sakuga.systems.stylecarigan:StyleCariGAN",
        "Caricatures from two StyleGANs (Jang et al., 2021).",
    ),
    "stylegan": ("sakuga.systems.stylegan:StyleGAN", "Pictures from noise by styles, growing (Karras et al., 2019)."),
    "stylegan2": ("sakuga.systems.stylegan2:StyleGAN2", "Pictures from noise by styles (Karras et al., 2020)."),
    "super_resolution": (
        "sakuga.systems.super_resolution:SuperResolution",
        "Enlarging by a perceptual loss (Johnson et al., 2016).",
    ),
    "ugatit": ("sakuga.systems.ugatit:UGATIT", "Translation with attention (Kim et al., 2020)."),
    "whitebox": (
        "sakuga.systems.whitebox:WhiteBox",
        "Surface, structure and texture, a term for each (Wang, Yu, 2020).",
    ),
    "xgan": ("sakuga.systems.xgan:XGAN", "Faces and cartoons through one embedding (Royer et al., 2017)."),
}
"""Of each system's name, its class as "module:Class", and a line of help."""


def load_system(name: str) -> "type[System]":
    """Import a system's class.

    Raises:
        UsageError: there is no system of this name.
    """
    if name not in SYSTEMS:
        raise UsageError(f"unknown system {name!r}; choose {', '.join(SYSTEMS)}")
    module, _, cls = SYSTEMS[name][0].partition(":")
    system: type[System] = getattr(import_module(module), cls)
    return system
