"""Fuzz of media: mangled films through the real decoder; frames or a reason, never a hang or crash.

``python -m tests.fuzz.media --files 1000`` (`make fuzz`).
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from tests.content.films import drifting, write_film
from tests.fuzz import command
from vidrec_tasks.content.decoding.keyframes import extract_keyframes
from vidrec_tasks.settings import ContentSettings

KINDS: Final = (("mp4", "mp4v"), ("avi", "MJPG"), ("mkv", "XVID"), ("webm", "VP80"))
SEED: Final = 7

Mangle = Callable[[bytearray, np.random.Generator], bytearray]


def _cut(data: bytearray, rng: np.random.Generator) -> bytearray:
    return data[: int(rng.integers(0, len(data)))]


def _flip(data: bytearray, rng: np.random.Generator) -> bytearray:
    for place in rng.integers(0, len(data), int(rng.integers(1, 200))):
        data[place] ^= 1 << int(rng.integers(0, 8))
    return data


def _flip_head(data: bytearray, rng: np.random.Generator) -> bytearray:
    for place in rng.integers(0, min(512, len(data)), int(rng.integers(1, 30))):
        data[place] = int(rng.integers(0, 256))
    return data


def _flip_tail(data: bytearray, rng: np.random.Generator) -> bytearray:
    """Where MP4 and AVI keep their index."""
    begin = max(0, len(data) - 1_500)
    for place in rng.integers(begin, len(data), int(rng.integers(1, 40))):
        data[place] = int(rng.integers(0, 256))
    return data


def _hole(data: bytearray, rng: np.random.Generator) -> bytearray:
    first = int(rng.integers(0, len(data)))
    del data[first : first + int(rng.integers(1, len(data)))]
    return data


def _noise(data: bytearray, rng: np.random.Generator) -> bytearray:
    first = int(rng.integers(0, len(data)))
    noise = rng.integers(0, 256, int(rng.integers(1, 4_000)), dtype=np.uint8).tobytes()
    data[first:first] = noise
    return data


def _huge_sizes(data: bytearray, rng: np.random.Generator) -> bytearray:
    """All ones where a length or a frame's size may stand."""
    for place in rng.integers(0, len(data) - 8, int(rng.integers(1, 12))):
        data[place : place + 4] = b"\xff\xff\xff\x7f"
    return data


def _only_noise(data: bytearray, rng: np.random.Generator) -> bytearray:
    head = int(rng.integers(0, 64))
    return data[:head] + rng.integers(0, 256, 3_000, dtype=np.uint8).tobytes()


MANGLES: Final[tuple[Mangle, ...]] = (
    _cut, _flip, _flip_head, _flip_tail, _hole, _noise, _huge_sizes, _only_noise,
)  # fmt: skip


def write_mangled(folder: Path, n: int) -> dict[str, Path]:
    """Write mangled films; every second one is mangled twice."""
    whole = [
        write_film(
            folder / f"whole.{suffix}", drifting(num, 60, size=(160, 96)), codec=codec
        ).read_bytes()
        for num, (suffix, codec) in enumerate(KINDS)
    ]
    films = {}
    for num in range(n):
        rng = np.random.default_rng([SEED, num])
        kind = int(rng.integers(0, len(KINDS)))
        data = bytearray(whole[kind])
        for _ in range(1 + num % 2):
            if len(data) > 16:
                data = MANGLES[int(rng.integers(0, len(MANGLES)))](data, rng)
        path = folder / f"{num:05d}.{KINDS[kind][0]}"
        path.write_bytes(data)
        films[f"{num:05d}"] = path
    return films


def fuzz(n: int, *, folder: Path) -> Counter[str]:
    """Decode mangled films; returns how many gave frames and how many what reason.

    Raises:
        AssertionError: a film ended neither way, or its frames are not pictures at times.
    """
    workspace = folder / "workspace"
    workspace.mkdir()
    films = write_mangled(folder, n)
    settings = ContentSettings(decode_timeout_s=20)
    found = extract_keyframes(films, settings, workspace=workspace, n_processes=2)
    with_frames = set(found.frames["checksum"])
    assert with_frames | set(found.failures) == set(films)
    assert not with_frames & set(found.failures)
    assert all(reason.strip() for reason in found.failures.values())
    assert np.isfinite(found.frames["at_s"]).all()
    assert (found.frames["at_s"] >= 0).all()
    for path in found.frames["path"]:
        assert cv2.imread(str(workspace / path)) is not None, path
    written = {str(path.relative_to(workspace)) for path in workspace.rglob("*.*")}
    assert written == set(found.frames["path"]), "something else was left in the workspace"
    return Counter({"gave frames": len(with_frames), "quarantined": len(found.failures)})


if __name__ == "__main__":
    said = "{n} mangled films: {found}; no hang, no crash"
    raise SystemExit(command.run(fuzz, "files", 1_000, said, about=__doc__))
