"""Settings of a process that trains on a processor; each test has a process of its own, as they cannot be undone."""

import platform
import subprocess
import sys

import pytest


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stderr
    return done.stdout


def test_padding_stays_in_16_bits_and_its_numbers_the_same() -> None:
    run("""
import torch
from sakuga.training import device as cpu
layer = torch.nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect")
image = torch.randn(1, 3, 8, 8).bfloat16()
def gradients():
    x = image.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        padded = torch.nn.functional.pad(x, (2, 2, 2, 2), mode="reflect")
        out = layer(x)
    return padded.dtype, padded.float(), out, *torch.autograd.grad(padded.sum() + out.sum(), [x, layer.weight])
wide, *before = gradients()
cpu.tune(), cpu.tune()
narrow, *after = gradients()
assert wide is torch.float32 and narrow is torch.bfloat16
for a, b in zip(before, after, strict=True):
    torch.testing.assert_close(a, b, atol=0, rtol=0.02)
""")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc's malloc")
def test_memory_once_asked_for_is_kept() -> None:
    faults = run("""
import resource, torch
from sakuga.training import device as cpu
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones(2**24)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
before = faults()
cpu.tune()
faults()
print(before, faults())
""")
    before, after = map(int, faults.split())
    assert after < before / 10
