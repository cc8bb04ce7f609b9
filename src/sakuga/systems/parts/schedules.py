"""Learning rates over the steps of a training, as factors; functions of the step, so resuming needs no state."""


def linear_decay(t: int, steps: int, *, constant: float = 0.5) -> float:
    """1 for the first `constant` part of the steps, then along a straight line towards 0, which is never reached."""
    start = constant * steps
    return 1.0 if t < start else (steps - t) / (steps - start)
