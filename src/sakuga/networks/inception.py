"""The Inception network of FID: 2,048 features of a picture."""

import hashlib
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sakuga.errors import SakugaError, UsageError

OFFICIAL = "6726825d"
"""How the SHA-256 of pt_inception-2015-12-05-6726825d.pth begins: FID's own weights, converted for PyTorch."""

Size = int | tuple[int, int]


class Inception(nn.Module):
    """Inception v3 as FID uses it, up to the average over the last 8x8 map: (N, 3, H, W) in [-1, 1] to (N, 2048).

    Pictures are brought to 299x299 as pytorch-fid does, bilinearly and without antialiasing: figures compare with
    those of pytorch-fid, not with TensorFlow's own (Heusel's code) or clean-fid's, which resize otherwise. Unlike
    torchvision's, averages leave out the padding, and the last block takes the maximum instead of an average: so was
    the network trained that the published figures come from.

    Args:
        weights: `pt_inception-2015-12-05-6726825d.pth` (Apache-2.0, 95 MB), a state dict with torchvision's names.

    Attributes:
        official: whether these are that file's weights, so that the distance may be called FID.
        source: in words, where the weights came from.
        classes: weights of its last layer (1008, 2048) for `logits`; None where the file has none.

    Raises:
        UsageError: there is no such file.
        SakugaError: the file holds something else.

    Source: Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, CVPR 2016; Heusel et al., NeurIPS 2017.
    """

    def __init__(self, weights: str | Path):
        super().__init__()
        self.steps = nn.ModuleDict(
            {
                "Conv2d_1a_3x3": _Conv(3, 32, 3, stride=2),
                "Conv2d_2a_3x3": _Conv(32, 32, 3),
                "Conv2d_2b_3x3": _Conv(32, 64, 3, padding=1),
                "pool1": nn.MaxPool2d(3, 2),
                "Conv2d_3b_1x1": _Conv(64, 80, 1),
                "Conv2d_4a_3x3": _Conv(80, 192, 3),
                "pool2": nn.MaxPool2d(3, 2),
                "Mixed_5b": _A(192, 32),
                "Mixed_5c": _A(256, 64),
                "Mixed_5d": _A(288, 64),
                "Mixed_6a": _B(288),
                "Mixed_6b": _C(768, 128),
                "Mixed_6c": _C(768, 160),
                "Mixed_6d": _C(768, 160),
                "Mixed_6e": _C(768, 192),
                "Mixed_7a": _D(768),
                "Mixed_7b": _E(1280, last=False),
                "Mixed_7c": _E(2048, last=True),
            }
        )
        path = Path(weights)
        if not path.is_file():
            raise UsageError(f"{path}: no weights of Inception there; name pt_inception-2015-12-05-6726825d.pth.")
        try:
            state = torch.load(path, weights_only=True, map_location="cpu")
            kept = {name: value for name, value in state.items() if name.partition(".")[0] in self.steps}
            # Early files have no counts of batches, and nothing needs them.
            counts = {k: v for k, v in self.steps.state_dict().items() if k.endswith("num_batches_tracked")}
            self.steps.load_state_dict(counts | kept)
            self.classes: Tensor | None = state.get("fc.weight")
        except SakugaError:
            raise
        except Exception as error:  # torch raises many kinds for a damaged file
            reason = str(error).partition("\n")[0]
            raise SakugaError(
                f"{path} does not hold FID's Inception ({reason}); name pt_inception-2015-12-05-6726825d.pth."
            ) from error
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.official = digest.startswith(OFFICIAL)
        self.source = f"inception from {path.name}, SHA-256 {digest[:16]}"
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> Tensor:
        """Features (N, 2048) of (N, 3, H, W) in [-1, 1]."""
        x = F.interpolate(image, (299, 299), mode="bilinear", align_corners=False)
        for step in self.steps.values():
            x = step(x)
        return x.mean((2, 3))

    def logits(self, features: Tensor) -> Tensor | None:
        """Logits (N, 1008) of features (N, 2048), without bias as the Inception score's official code has them."""
        return None if self.classes is None else features @ self.classes.T


class _Conv(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: Size, *, stride: int = 1, padding: Size = 0):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


def _average(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def _wide(inputs: int, outputs: int, length: int) -> _Conv:
    return _Conv(inputs, outputs, (1, length), padding=(0, length // 2))


def _tall(inputs: int, outputs: int, length: int) -> _Conv:
    return _Conv(inputs, outputs, (length, 1), padding=(length // 2, 0))


class _A(nn.Module):
    def __init__(self, inputs: int, pooled: int):
        super().__init__()
        self.branch1x1 = _Conv(inputs, 64, 1)
        self.branch5x5_1 = _Conv(inputs, 48, 1)
        self.branch5x5_2 = _Conv(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = _Conv(inputs, 64, 1)
        self.branch3x3dbl_2 = _Conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Conv(96, 96, 3, padding=1)
        self.branch_pool = _Conv(inputs, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        five = self.branch5x5_2(self.branch5x5_1(x))
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, double, self.branch_pool(_average(x))], 1)


class _B(nn.Module):
    def __init__(self, inputs: int):
        super().__init__()
        self.branch3x3 = _Conv(inputs, 384, 3, stride=2)
        self.branch3x3dbl_1 = _Conv(inputs, 64, 1)
        self.branch3x3dbl_2 = _Conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Conv(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, F.max_pool2d(x, 3, 2)], 1)


class _C(nn.Module):
    def __init__(self, inputs: int, inner: int):
        super().__init__()
        self.branch1x1 = _Conv(inputs, 192, 1)
        self.branch7x7_1 = _Conv(inputs, inner, 1)
        self.branch7x7_2 = _wide(inner, inner, 7)
        self.branch7x7_3 = _tall(inner, 192, 7)
        self.branch7x7dbl_1 = _Conv(inputs, inner, 1)
        self.branch7x7dbl_2 = _tall(inner, inner, 7)
        self.branch7x7dbl_3 = _wide(inner, inner, 7)
        self.branch7x7dbl_4 = _tall(inner, inner, 7)
        self.branch7x7dbl_5 = _wide(inner, 192, 7)
        self.branch_pool = _Conv(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(_average(x))], 1)


class _D(nn.Module):
    def __init__(self, inputs: int):
        super().__init__()
        self.branch3x3_1 = _Conv(inputs, 192, 1)
        self.branch3x3_2 = _Conv(192, 320, 3, stride=2)
        self.branch7x7x3_1 = _Conv(inputs, 192, 1)
        self.branch7x7x3_2 = _wide(192, 192, 7)
        self.branch7x7x3_3 = _tall(192, 192, 7)
        self.branch7x7x3_4 = _Conv(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3_2(self.branch3x3_1(x))
        seven = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([three, seven, F.max_pool2d(x, 3, 2)], 1)


class _E(nn.Module):
    def __init__(self, inputs: int, *, last: bool):
        super().__init__()
        self.last = last
        self.branch1x1 = _Conv(inputs, 320, 1)
        self.branch3x3_1 = _Conv(inputs, 384, 1)
        self.branch3x3_2a = _wide(384, 384, 3)
        self.branch3x3_2b = _tall(384, 384, 3)
        self.branch3x3dbl_1 = _Conv(inputs, 448, 1)
        self.branch3x3dbl_2 = _Conv(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = _wide(384, 384, 3)
        self.branch3x3dbl_3b = _tall(384, 384, 3)
        self.branch_pool = _Conv(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pooled = F.max_pool2d(x, 3, 1, 1) if self.last else _average(x)
        return torch.cat(
            [
                self.branch1x1(x),
                self.branch3x3_2a(three),
                self.branch3x3_2b(three),
                self.branch3x3dbl_3a(double),
                self.branch3x3dbl_3b(double),
                self.branch_pool(pooled),
            ],
            1,
        )
