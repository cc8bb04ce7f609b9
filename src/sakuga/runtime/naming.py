"""Names that tell things apart and are no longer than they must be."""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Name = TypeVar("Name")


def distinct(
    items: Sequence[Item],
    name: Callable[[Item, int], Name],
    longest: int,
    *,
    key: Callable[[Name], Hashable] = str,
    taken: Collection[Hashable] = (),
) -> list[Name]:
    """Name each item by the shortest of its names that nothing else has.

    All that share one move on to longer ones, whatever their order, so that the same items always get the same names.

    Args:
        items: what is named.
        name: of an item, in a length from 0 to `longest`.
        longest: at which two items may still share a name.
        key: what two names share that count as the same.
        taken: keys that no item may have.
    """
    lengths = [0] * len(items)
    while True:
        names = [name(item, length) for item, length in zip(items, lengths, strict=True)]
        keys = [key(one) for one in names]
        count = Counter(keys)
        longer = [
            length < longest and (count[one] > 1 or one in taken) for one, length in zip(keys, lengths, strict=True)
        ]
        if not any(longer):
            return names
        lengths = [length + more for length, more in zip(lengths, longer, strict=True)]
