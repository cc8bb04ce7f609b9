"""The same stylizer on many machines, by Ray (extra `cluster`)."""

from sakuga.cluster.dataset import stylize

__all__ = ["stylize"]
