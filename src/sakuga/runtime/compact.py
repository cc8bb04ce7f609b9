"""Sequences that take little memory."""

from array import array
from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Texts:
    """Texts, each of which takes its bytes and eight more: a `str` of ten letters takes sixty, and its place eight."""

    def __init__(self) -> None:
        self._bytes, self._ends = bytearray(), array("Q", [0])

    def extend(self, texts: Iterable[str]) -> None:
        """Take texts."""
        for text in texts:
            self._bytes += text.encode("utf-8", "surrogatepass")
            self._ends.append(len(self._bytes))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __iter__(self) -> Iterator[str]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, index: int) -> str:
        index = range(len(self))[index]
        return self._bytes[self._ends[index] : self._ends[index + 1]].decode("utf-8", "surrogatepass")


class Repeated(Generic[T]):
    """Values of which many are equal: each of these is kept once, and its place takes four bytes."""

    def __init__(self, values: Iterable[T] = ()) -> None:
        self._values: list[T] = []
        self._numbers: dict[T, int] = {}
        self._places = array("I")
        self.extend(values)

    def extend(self, values: Iterable[T]) -> None:
        """Take values."""
        for value in values:
            number = self._numbers.setdefault(value, len(self._values))
            if number == len(self._values):
                self._values.append(value)
            self._places.append(number)

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[T]:
        return map(self._values.__getitem__, self._places)

    def __getitem__(self, index: int) -> T:
        return self._values[self._places[index]]
