"""Films: renders planned videos as real mp4 files: a title card, pans, zooms, cuts and fades."""

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from vidrec_tasks.demo.photographs import Image, photograph
from vidrec_tasks.demo.planned import PlannedVideo
from vidrec_tasks.demo.shots import Frame, Shot, plan_shots
from vidrec_tasks.demo.voices import give_sound
from vidrec_tasks.errors import MediaError

FADE_FRAMES: Final = 4
KEPT_OF_CORRUPT: Final = 0.4
"""Share of a corrupt film's bytes that are left: its index, at the end, is not among them."""

_GRADES: Final[dict[str, tuple[tuple[float, float, float], float, float]]] = {
    "plain": ((1.0, 1.0, 1.0), 1.0, 0.0),
    "warm": ((0.82, 0.98, 1.10), 1.0, 4.0),
    "cool": ((1.12, 1.02, 0.86), 1.0, 0.0),
    "faded": ((0.92, 0.92, 0.92), 0.6, 22.0),
    "vivid": ((1.06, 1.06, 1.06), 1.45, -8.0),
    "mono": ((0.98, 1.00, 1.02), 0.0, 0.0),
}
"""Gain of blue, green and red; saturation; what is added."""


def render(video: PlannedVideo, path: Path, *, seed: int) -> None:
    """Render one film; the same video and seed give the same pictures.

    Raises:
        MediaError: OpenCV cannot write mp4 files here.
    """
    rng = np.random.default_rng([seed, 2, zlib.crc32(video.video_id.encode())])
    n_frames = round(video.duration_s * video.fps)
    n_card = min(round(float(rng.uniform(1.2, 2.2)) * video.fps), n_frames // 3)
    shots = plan_shots(video, n_frames - n_card, rng)
    first = _graded(shots[0])
    card = title_card(video.title, video.topic_names[0], _seen(first, shots[0].begin, video.shape),
                      accent=_accent(video.creator_id))  # fmt: skip
    write_film(path, _pictures(card, n_card, shots, video.shape), video.shape, video.fps)
    give_sound(path, video)
    if video.role == "corrupt":
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * KEPT_OF_CORRUPT)])


def render_again(source: Path, path: Path, video: PlannedVideo) -> None:
    """Render a re-upload: the pictures of ``source``, decoded, scaled, a little darker, encoded.

    Raises:
        MediaError: ``source`` cannot be read, or mp4 cannot be written.
    """
    write_film(path, _decoded(source, video.shape), video.shape, video.fps)
    give_sound(path, video)


def write_film(path: Path, pictures: Iterable[Image], shape: tuple[int, int], fps: float) -> None:
    """Encode pictures ``(height, width, 3)`` BGR.

    Raises:
        MediaError: OpenCV cannot write mp4 files here.
    """
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, shape)
    if not writer.isOpened():
        message = f"demo: {path.name} cannot be written as mp4 ({cv2.__version__} has no encoder)"
        raise MediaError(message)
    try:
        for picture in pictures:
            writer.write(picture)
    finally:
        writer.release()


def title_card(title: str, topic: str, ground: Image, *, accent: tuple[int, int, int]) -> Image:
    """A title over a dark, soft picture, with a bar in the creator's colour.

    Args:
        title: what is written; the topic in place of what OpenCV has no letters for.
        topic: written small below.
        ground: ``(height, width, 3)``.
        accent: blue, green and red of the bar.
    """
    height, width = ground.shape[:2]
    soft = cv2.GaussianBlur(ground, (0, 0), width / 40)
    card: Image = np.asarray(soft * 0.42, dtype=np.uint8)
    cv2.rectangle(card, (0, height - height // 24), (width, height), accent, -1)
    text = title if title.isascii() else topic.capitalize()
    scale = 0.62 * width / 320 if width > height else 0.5 * width / 200
    lines = _wrapped(text, width - 32, scale)
    top = height // 2 - (len(lines) - 1) * int(14 * scale / 0.5)
    for place, line in enumerate(lines):
        _write_centred(card, line, top + place * int(26 * scale / 0.5), scale, (245, 245, 245))
    _write_centred(card, topic, height - height // 8, 0.7 * scale, accent)
    return card


def _pictures(
    card: Image, n_card: int, shots: list[Shot], shape: tuple[int, int]
) -> Iterator[Image]:
    yield from (card for _ in range(n_card))
    last = card
    for shot in shots:
        photo = _graded(shot)
        still = _seen(photo, shot.begin, shape) if shot.begin == shot.end else None
        before = last
        for number in range(shot.n_frames):
            at = _eased(number / max(shot.n_frames - 1, 1))
            last = still if still is not None else _seen(photo, _between(shot, at), shape)
            if shot.fades_in and number < FADE_FRAMES:
                share = (number + 1) / (FADE_FRAMES + 1)
                yield np.asarray(cv2.addWeighted(last, share, before, 1 - share, 0), np.uint8)
            else:
                yield last


def _seen(photo: Image, frame: Frame, shape: tuple[int, int]) -> Image:
    """The part of a photograph that a frame shows, as a picture of a shape; never past its edge."""
    width, height = shape
    photo_height, photo_width = photo.shape[:2]
    seen_width = frame.width * min(photo_width, photo_height * width / height)
    seen_height = seen_width * height / width
    left = np.clip(frame.x * photo_width - seen_width / 2, 0, photo_width - seen_width)
    top = np.clip(frame.y * photo_height - seen_height / 2, 0, photo_height - seen_height)
    scale = width / seen_width
    matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]], dtype=np.float64)
    seen = cv2.warpAffine(photo, matrix, shape, flags=cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    return np.asarray(seen, dtype=np.uint8)


def _graded(shot: Shot) -> Image:
    gain, saturation, lift = _GRADES[shot.grade]
    photo: Any = photograph(shot.photograph)
    if shot.is_mirrored:
        photo = cv2.flip(photo, 1)
    luma = np.array([0.114, 0.587, 0.299])
    mix = saturation * np.eye(3) + (1 - saturation) * np.tile(luma, (3, 1))
    matrix = np.hstack([np.diag(gain) @ mix, np.full((3, 1), lift)])  # (3, 4)
    return np.asarray(cv2.transform(photo, matrix), dtype=np.uint8)


def _between(shot: Shot, at: float) -> Frame:
    begin, end = shot.begin, shot.end
    return Frame(
        begin.x + at * (end.x - begin.x),
        begin.y + at * (end.y - begin.y),
        begin.width + at * (end.width - begin.width),
    )


def _eased(at: float) -> float:
    """From 0 to 1, slow at both ends."""
    return at * at * (3 - 2 * at)


def _decoded(source: Path, shape: tuple[int, int]) -> Iterator[Image]:
    capture = cv2.VideoCapture(str(source))
    try:
        is_whole, picture = capture.read()
        if not is_whole:
            message = f"demo: {source.name} cannot be read back"
            raise MediaError(message)
        while is_whole:
            small = cv2.resize(picture, shape, interpolation=cv2.INTER_AREA)
            yield np.asarray(small * 0.96, dtype=np.uint8)
            is_whole, picture = capture.read()
    finally:
        capture.release()


def _accent(creator_id: str) -> tuple[int, int, int]:
    """The creator's colour, blue, green and red."""
    hue = zlib.crc32(creator_id.encode()) % 180
    pixel = cv2.cvtColor(np.array([[[hue, 170, 235]]], dtype=np.uint8), cv2.COLOR_HSV2BGR)
    blue, green, red = (int(value) for value in pixel[0, 0])
    return blue, green, red


def _wrapped(text: str, width: int, scale: float) -> list[str]:
    """Lines of whole words that fit; a word that does not has a line of its own."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _text_width(longer, scale) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _text_width(text: str, scale: float) -> int:
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    return int(width)


def _write_centred(
    card: Image, text: str, y: int, scale: float, colour: tuple[int, int, int]
) -> None:
    x = (card.shape[1] - _text_width(text, scale)) // 2
    cv2.putText(card, text, (max(x, 4), y), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1,
                cv2.LINE_AA)  # fmt: skip
