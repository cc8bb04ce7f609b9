"""`sakuga train`: lists the systems, which imports nothing heavy, or starts a training."""

from collections.abc import Sequence

from sakuga.runtime.signals import heed_as_interrupts
from sakuga.systems import SYSTEMS, load_system


def train(args: Sequence[str]) -> int:
    """Train a system: `sakuga train SYSTEM --run DIR --photos DIR ... [any field of its config]`."""
    if not args or args[0] in ("-h", "--help"):
        print("usage: sakuga train SYSTEM --run DIR --photos DIR ... [--help]\n\nsystems:")
        width = max(map(len, SYSTEMS)) + 2
        for name, (_, described) in SYSTEMS.items():
            print(f"  {name:<{width}}{described}")
        return 0 if args else 2
    heed_as_interrupts()  # also while data are prepared
    system = load_system(args[0])
    from sakuga.commands.train_run import run

    return run(system, args[1:])
