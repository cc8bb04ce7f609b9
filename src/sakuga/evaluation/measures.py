"""The measures of a style: what each is called, which way it is better, and what it says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """A row of the table.

    Attributes:
        name: of the figure; `{set}` stands for the network that compares sets.
        meaning: in a few words.
        lower: smaller is better; otherwise it only describes.
    """

    name: str
    meaning: str
    lower: bool = False


MEASURES = (
    Measure("FID{set}", "distance of the results from the style's pictures; FID alone is pytorch-fid's", True),
    Measure("KID{set}", "the same, without bias for small sets: below 0 by chance where they are alike", True),
    Measure("KID{set} ±", "its deviation over random halves of the sets"),
    Measure("IS", "Inception score: surely of a class each, and of many classes"),
    Measure("IS ±", "its deviation over ten parts of the pictures"),
    Measure("Gram[vgg16]", "distance of the textures from the style's", True),
    Measure("content[vgg16]", "change of what is seen in the photo", True),
    Measure("LPIPS[vgg16]", "change of the photo as people would judge it"),
    Measure("LPIPS[alexnet]", "the same, by a smaller network"),
    Measure("colour shift", "ΔE between areas of photo and result"),
    Measure("detail", "energy of high frequencies, times the photo's"),
    Measure("grain", "noise where the photo is quiet, levels of 255", True),
    Measure("checkerboard", "pattern that repeats every 4 pixels, levels", True),
    Measure("flicker[pan] x1000", "warping error while the camera pans", True),
    Measure("flicker[clip] x1000", "warping error of the clip", True),
    Measure("class accuracy", "results that a small classifier takes for the class that was asked for"),
    Measure("attribute accuracy", "edits that a small classifier takes for what was asked for"),
    Measure("others stay", "labels that an edit leaves as they were, by the same classifier"),
    Measure("classifier's own accuracy", "on pictures that it did not learn from"),
    Measure("reconstruction", "distance of a photo from what is edited and edited back, pixels in 0..1", True),
    Measure("LPIPS diversity", "distance of two results of one photo by different noise"),
    Measure("PPL z full", "perceptual path length along arcs of noise", True),
    Measure("PPL z end", "the same, at their beginnings", True),
    Measure("PPL w full", "the same, along straight lines of the latent w", True),
    Measure("PPL w end", "the same, at their beginnings: StyleGAN 2's figure", True),
    Measure("seconds/picture", "on this machine", True),
    Measure("seconds/megapixel", "at 1280x720 on this machine", True),
)


def named(set_name: str) -> tuple[Measure, ...]:
    """Return the measures with the network's name put in."""
    return tuple(Measure(m.name.format(set=set_name), m.meaning, m.lower) for m in MEASURES)
