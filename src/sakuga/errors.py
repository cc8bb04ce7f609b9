"""Errors a person is meant to read: one sentence that names the file or argument and what to do."""


class SakugaError(Exception):
    """The work could not be done (exit status 1)."""


class UsageError(SakugaError):
    """What was asked for is not possible as asked: an argument is wrong (exit status 2)."""


class TooLargeError(SakugaError):
    """A picture has more pixels than it may have."""


class FormatError(SakugaError):
    """A file is of no kind that can be read."""


class NoFaceError(SakugaError):
    """A style for faces is given a picture without one."""


class IncompleteError(SakugaError):
    """A result was written, but it lacks what could not be read of the input."""


class ExistsError(SakugaError):
    """A result is there already, or is being made by another run."""
