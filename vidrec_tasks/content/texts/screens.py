"""Screens: what is written in the keyframes of a film, read where a cheap look sees lines.

Letters are many upright edges in a low band. Of 728 frames of 91 clips 38% have a band as dense as
`MIN_DENSITY`, the 31 with words that stand in them among these; a look takes 0.3 ms, reading 22 ms.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from vidrec_tasks.content.texts.passages import flat
from vidrec_tasks.errors import ModelError

Image = npt.NDArray[np.uint8]

PACKAGE: Final = "rapidocr"
EDGE: Final = 25.0
BAND: Final = (31, 7)
"""Width and height of the band whose edges are counted, in pixels of a keyframe."""
MIN_DENSITY: Final = 0.6

MIN_CONFIDENCE: Final = 0.8
MIN_LETTERS: Final = 3
MIN_SIGNS: Final = 2
"""Letters of a line; signs of a script that writes a word with one or two."""

MIN_ALIKE: Final = 0.7
"""Share of letters from which two lines of a film are one that was read twice."""

READ_IN_VAIN: Final = 2
"""Frames of a film without a word after which the others are not read, the likeliest first: three
find words in the same 6 of 91 clips, and in the same 24 of 58 films of the demo, for a third more
reading."""


@dataclass(frozen=True)
class Line:
    """A line on the screen.

    Attributes:
        frame_num: of the keyframe on which it is seen first.
        text: flat.
        confidence: 0 to 1.
        box: left, top, right, bottom as shares of the frame.
    """

    frame_num: int
    text: str
    confidence: float
    box: tuple[float, float, float, float]


def density(image: Image) -> float:
    """The most upright edges that a low band of a picture has, as a share of its pixels."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    edges = (np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3)) / 4 > EDGE).astype(np.float32)
    return float(cv2.boxFilter(edges, -1, BAND).max())


class ScreenReader:
    """RapidOCR with the models of its wheel: text in Latin letters and in Chinese.

    Args:
        n_threads: of the processor.
    """

    def __init__(self, *, n_threads: int = 1) -> None:
        self._n_threads = n_threads

    @cached_property
    def _engine(self) -> Any:
        from rapidocr import RapidOCR

        return RapidOCR(
            params={
                "Global.log_level": "error",
                "Global.use_cls": False,
                "EngineConfig.onnxruntime.intra_op_num_threads": self._n_threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                "Det.limit_side_len": 320,
                "Det.limit_type": "max",
            }
        )

    def read(self, image: Image, frame_num: int = 0) -> list[Line]:
        """The lines of a BGR picture, from top to bottom."""
        found = self._engine(image)
        height, width = image.shape[:2]
        lines = []
        for text, score, box in zip(
            found.txts or (), found.scores or (), _boxes(found), strict=True
        ):
            line = flat(str(text))
            if float(score) >= MIN_CONFIDENCE and _has_words(line):
                left, top = box.min(axis=0) / (width, height)
                right, bottom = box.max(axis=0) / (width, height)
                corners = (round(float(edge), 3) for edge in (left, top, right, bottom))
                lines.append(Line(frame_num, line, round(float(score), 3), tuple(corners)))  # type: ignore[arg-type]
        return sorted(lines, key=lambda line: (line.box[1], line.box[0]))


def read_frames(
    frames: Sequence[tuple[int, str]], read_image: Callable[[str], Image], reader: ScreenReader
) -> list[Line]:
    """The lines of a film's keyframes, each where it is seen first.

    Args:
        frames: frame_num and path of each keyframe.
        read_image: the BGR picture at a path.
        reader: reads them.
    """
    images = {num: read_image(path) for num, path in frames}
    dense = {num: density(image) for num, image in images.items()}
    likely = sorted((num for num in dense if dense[num] >= MIN_DENSITY), key=lambda n: -dense[n])
    lines: dict[int, list[Line]] = {}
    for n_read, num in enumerate(likely):
        if n_read >= READ_IN_VAIN and not any(lines.values()):
            break
        lines[num] = reader.read(images[num], num)
    return distinct([line for num in sorted(lines) for line in lines[num]])


def distinct(lines: Sequence[Line]) -> list[Line]:
    """Each line once, where it is seen first, as it was read best."""
    first: list[Line] = []
    for line in lines:
        num = next((num for num, other in enumerate(first) if _are_one(line, other)), None)
        if num is None:
            first.append(line)
        elif _worth(line) > _worth(first[num]):
            first[num] = replace(line, frame_num=first[num].frame_num, box=first[num].box)
    return first


def screen_identity() -> str:
    """Of the models: the same identity reads the same.

    Raises:
        ModelError: they are not installed.
    """
    try:
        return f"{PACKAGE}-{version(PACKAGE)}"
    except PackageNotFoundError as error:
        message = (
            f"text on screens: the package {PACKAGE} is not installed; install "
            "requirements-models.txt with --no-deps, or set VIDREC_TEXTS__SCREEN_MODEL=none"
        )
        raise ModelError(message) from error


def _bare(line: Line) -> str:
    return "".join(char for char in line.text.casefold() if char.isalnum())


def _are_one(line: Line, other: Line) -> bool:
    """Whether two lines are one that was read twice, one of them perhaps in part."""
    one, two = sorted((_bare(line), _bare(other)), key=len)
    return one in two or SequenceMatcher(None, one, two).ratio() >= MIN_ALIKE


def _worth(line: Line) -> float:
    return line.confidence * len(_bare(line))


def _boxes(found: Any) -> Any:
    return found.boxes if found.boxes is not None else ()


def _has_words(line: str) -> bool:
    letters = [char for char in line if char.isalpha()]
    signs = [char for char in letters if ord(char) >= 0x2E80]
    return len(letters) >= MIN_LETTERS or len(signs) >= MIN_SIGNS
