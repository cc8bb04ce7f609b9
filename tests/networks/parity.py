"""What the tests of every architecture measure."""

import onnxruntime
import torch
from torch import nn
from torch.testing import assert_close

from sakuga.export.trace import trace
from sakuga.systems.artefact import Artefact


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def picture(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def assert_exports(network: nn.Module, *sizes: tuple[int, int]) -> None:
    """One ONNX file gives torch's pictures at every size, within 1e-4."""
    network.eval()
    session = onnxruntime.InferenceSession(
        trace(Artefact(network)).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    for size in sizes:
        image = picture(1, 3, *size)
        with torch.inference_mode():
            wanted = network(image)
        (found,) = session.run(None, {"image": image.numpy()})
        assert wanted.std() > 1e-3  # two flat pictures would agree whatever the weights
        assert_close(torch.from_numpy(found), wanted, atol=1e-4, rtol=0)
