"""Stamps: what tells a file from another that took its name, and from itself once changed."""

import os


class ChangedError(Exception):
    """A file is not the one that was looked at before, or was written to since."""


def stamp_of(status: os.stat_result) -> list[int]:
    """Device, inode, size, and the moments of the last change of content and of status, in ns.

    The moment of the last change of content can be set by whoever owns the file; the other cannot.
    """
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def refuse_changed(number: int, stamp: list[int]) -> None:
    """Check an open file against a stamp; an empty one says nothing.

    Args:
        number: its descriptor.
        stamp: as `stamp_of` gave it.

    Raises:
        ChangedError: it is another one.
    """
    if stamp and stamp_of(os.fstat(number)) != stamp:
        raise ChangedError
