"""Names that tell things apart and are no longer than they must be."""

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")


def distinct(items: Sequence[Item], name: Callable[[Item, int], str], longest: int) -> list[str]:
    """Name each item by the shortest of its names that nothing else has; see `lengths`."""
    return [name(item, length) for item, length in zip(items, lengths(items, name, longest), strict=True)]


def lengths(
    items: Sequence[Item], key: Callable[[Item, int], str], longest: int, *, taken: Iterable[str] = ()
) -> bytearray:
    """How long the name of each item is, as short as can be while nothing else has it.

    All that share one move on to longer ones, whatever their order, so that the same items always get the same names.

    Args:
        items: what is named.
        key: what two names share that count as the same, of an item whose name has a length from 0 to `longest`.
        longest: at which two items may still share a name.
        taken: keys that no item may have.
    """
    found, others = bytearray(len(items)), digests(taken)
    while True:
        keys = digests(key(item, length) for item, length in zip(items, found, strict=True))
        _, places, counts = np.unique(keys, return_inverse=True, return_counts=True)
        longer = ((counts[places] > 1) | np.isin(keys, others)) & (np.frombuffer(found, np.uint8) < longest)
        if not longer.any():
            return found
        found = bytearray((np.frombuffer(found, np.uint8) + longer).astype(np.uint8).tobytes())


def digests(texts: Iterable[str]) -> NDArray[np.uint64]:
    """Eight bytes for each text, which no two of a million share but once in thirty million times."""
    whole = (blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts)
    return np.fromiter((int.from_bytes(one, "little") for one in whole), np.uint64)
