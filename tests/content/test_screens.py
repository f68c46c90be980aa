"""Text that is drawn on pictures is read; pictures without any are not."""

import cv2
import numpy as np

from tests.content.films import Image, scene
from vidrec_tasks.content.texts.screens import (
    MIN_DENSITY,
    READ_IN_VAIN,
    Line,
    ScreenReader,
    density,
    distinct,
    read_frames,
)

SIZE = (320, 180)


def titled(*lines: str, seed: int = 1) -> Image:
    """A picture of a scene with lines of white text."""
    image = scene(seed, size=SIZE) // 2
    for num, line in enumerate(lines):
        place = (20, 60 + 50 * num)
        cv2.putText(image, line, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 255, 255), 2)
    return np.asarray(image, dtype=np.uint8)


class Counting(ScreenReader):
    """Counts what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.n_read = 0

    def read(self, image: Image, frame_num: int = 0) -> list[Line]:
        self.n_read += 1
        return super().read(image, frame_num)


def read(*images: Image, reader: ScreenReader | None = None) -> list[Line]:
    frames = [(num, str(num)) for num in range(len(images))]
    return read_frames(frames, lambda path: images[int(path)], reader or ScreenReader())


def test_lines_are_read_with_frame_box_and_confidence() -> None:
    lines = read(scene(2, size=SIZE), titled("HELLO WORLD", "COFFEE"))
    assert [line.text.replace(" ", "") for line in lines] == ["HELLOWORLD", "COFFEE"]
    for line in lines:
        left, top, right, bottom = line.box
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1
        assert line.frame_num == 1
        assert line.confidence > 0.8
    assert lines[0].box[3] < lines[1].box[1]


def test_a_line_that_stays_is_told_once_where_it_is_seen_first() -> None:
    lines = read(titled("SOURDOUGH"), titled("SOURDOUGH", seed=2), titled("SOURDOUGH", seed=3))
    assert [(line.frame_num, line.text) for line in lines] == [(0, "SOURDOUGH")]


def test_a_line_that_was_read_in_part_is_told_as_it_was_read_best() -> None:
    box = (0.1, 0.1, 0.9, 0.2)
    parts = [Line(0, "clide", 0.9, box), Line(2, "clideo.com", 0.99, box), Line(3, "dog", 1.0, box)]
    assert [(line.frame_num, line.text) for line in distinct(parts)] == [
        (0, "clideo.com"), (3, "dog"),
    ]  # fmt: skip


def test_a_picture_without_text_is_not_even_read() -> None:
    reader = Counting()
    blank = np.full((180, 320, 3), 90, np.uint8)
    assert read(scene(3, size=SIZE), blank, reader=reader) == []
    assert reader.n_read == 0


def test_text_is_dense_and_a_scene_is_not() -> None:
    assert density(titled("HELLO WORLD")) >= MIN_DENSITY > density(scene(4, size=SIZE))


def test_a_film_of_busy_pictures_without_words_is_given_up() -> None:
    rng = np.random.default_rng(5)
    busy = [rng.integers(0, 2, (180, 320, 1), dtype=np.uint8) * np.uint8(255) for _ in range(8)]
    reader = Counting()
    assert read(*(np.repeat(image, 3, axis=2) for image in busy), reader=reader) == []
    assert reader.n_read == READ_IN_VAIN
