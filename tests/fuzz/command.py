"""A fuzz as a command: how many, in a scratch folder, and one line of what came of it."""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path


def run(
    fuzz: Callable[..., Counter[str]], option: str, usual: int, said: str, *, about: str | None
) -> int:
    """Fuzz and print what came of it.

    Args:
        fuzz: takes how many and a ``folder``, and counts what came.
        option: the command's option that says how many, ``usual`` by default.
        said: the line; ``{n}`` is how many were asked for, ``{found}`` what came.
        about: the command's help.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument(f"--{option}", dest="n", type=int, default=usual)
    n = parser.parse_args().n
    with tempfile.TemporaryDirectory(prefix="vidrec-fuzz-") as name:
        found = fuzz(n, folder=Path(name))
    told = ", ".join(f"{number:,} {what}" for what, number in found.items())
    sys.stdout.write(said.format(n=f"{n:,}", found=told) + "\n")
    return 0
