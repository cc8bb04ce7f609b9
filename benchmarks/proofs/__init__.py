"""Proofs that systems from noise and of several domains learn: a file for each group, limits in it before the runs."""

from importlib import import_module

from proofs.frame import Proof

GROUPS = ("noise", "conditional", "growing", "domains", "warps", "portraits", "landmarked", "avatars", "scenes")
"""Modules of this package, each with a tuple PROOFS."""


def every_proof() -> dict[str, Proof]:
    """Return all proofs by name."""
    return {proof.name: proof for group in GROUPS for proof in import_module(f"proofs.{group}").PROOFS}
