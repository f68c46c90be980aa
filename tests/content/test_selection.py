import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.content.films import Image, drifting, scene
from vidrec_tasks.content.decoding.selection import (
    Look,
    choose,
    frame_hash,
    frame_luma,
    look_at,
    scenes,
)

SIZE = (160, 90)


def looks_at(images: list[Image], *, step_s: float = 0.5) -> list[Look]:
    return [look_at(image, number * step_s) for number, image in enumerate(images)]


def flat(grey: int) -> Image:
    return np.full((SIZE[1], SIZE[0], 3), grey, dtype=np.uint8)


@settings(deadline=None, max_examples=25)
@given(n_frames=st.integers(0, 40), n=st.integers(1, 12))
def test_at_most_n_frames_are_chosen_in_order_and_no_picture_twice(n_frames: int, n: int) -> None:
    chosen = choose(looks_at([scene(seed % 5) for seed in range(n_frames)]), n)
    assert len(chosen) == min(n, n_frames, 5)
    assert chosen == sorted(chosen)
    assert len({place % 5 for place in chosen}) == len(chosen)


def test_black_white_and_flat_frames_are_left_out() -> None:
    images = [flat(0), scene(1), flat(255), scene(2), flat(128), scene(3), flat(0), scene(4)]
    assert set(choose(looks_at(images, step_s=3), 8)) <= {1, 3, 5, 7}


def test_a_film_that_is_black_throughout_still_gives_a_frame() -> None:
    assert len(choose(looks_at([flat(0)] * 20), 8)) == 1


def test_a_line_drawing_on_white_paper_is_not_white() -> None:
    drawing = flat(255)
    cv2.circle(drawing, (80, 45), 30, (0, 0, 0), 3)
    assert not look_at(drawing, 0).is_poor


def test_a_fade_to_black_is_left_out() -> None:
    picture = scene(1)
    fade = [(picture * share).astype(np.uint8) for share in (1, 1, 1, 0.5, 0.3, 0.15)]
    assert choose(looks_at([scene(2), *fade, scene(3)], step_s=0.4), 8) in (
        [0, 1, 7],
        [0, 2, 7],
        [0, 3, 7],
    )


@pytest.mark.parametrize("length_s", [12, 30, 120])
def test_the_first_and_the_last_second_are_considered_last(length_s: int) -> None:
    images = drifting(1, 60)
    looks = looks_at(images, step_s=length_s / 59)
    times = [looks[place].at_s for place in choose(looks, 8)]
    assert min(times) >= 1
    assert max(times) <= length_s - 1


def test_the_edges_serve_where_there_is_too_little_else() -> None:
    looks = looks_at([scene(seed) for seed in range(8)], step_s=0.3)
    assert choose(looks, 8) == list(range(8))


def test_one_still_picture_is_one_keyframe() -> None:
    assert len(choose(looks_at([scene(1)] * 101, step_s=1), 8)) == 1


def test_each_slide_is_one_keyframe_however_long_it_is_shown() -> None:
    slides = [scene(seed) for seed in (1, 2, 3) for _ in range(20 * seed)]
    chosen = choose(looks_at(slides, step_s=1), 8)
    assert len(chosen) == 3


def test_another_line_on_a_slide_is_another_picture() -> None:
    first = flat(240)
    cv2.circle(first, (40, 45), 20, (30, 30, 30), 2)
    second = first.copy()
    cv2.putText(second, "AND A LINE", (85, 45), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1)
    looks = looks_at([first] * 10 + [second] * 10, step_s=1)
    chosen = choose(looks, 8)
    assert len(chosen) == 2
    assert chosen[0] < 10 <= chosen[1]


def test_frames_spread_over_time_where_every_picture_is_another() -> None:
    looks = looks_at([scene(seed) for seed in range(101)], step_s=1)
    times = [looks[place].at_s for place in choose(looks, 8)]
    assert len(times) == 8
    assert min(np.diff(times)) >= 5


def test_a_short_flash_of_colours_does_not_take_all_frames() -> None:
    calm, wild = [scene(1)] * 40, [scene(seed) for seed in range(2, 12)]
    looks = looks_at(calm + wild + calm, step_s=0.25)
    chosen = choose(looks, 8)
    assert sum(40 <= place < 50 for place in chosen) <= 3
    assert sum(place < 40 or place >= 50 for place in chosen) == 1


def test_a_scene_that_appears_once_is_seen() -> None:
    images = [scene(1)] * 30 + [scene(2)] * 2 + [scene(1)] * 30
    assert {30, 31} & set(choose(looks_at(images, step_s=1), 8))


def test_the_sharper_of_two_like_frames_is_taken() -> None:
    sharp = [scene(seed) for seed in range(20)]
    images = [
        image if number % 2 else np.asarray(cv2.GaussianBlur(image, (0, 0), 12), dtype=np.uint8)
        for number, image in enumerate(sharp)
    ]
    chosen = choose(looks_at(images, step_s=1), 4)
    assert sum(place % 2 for place in chosen) >= 3


def test_a_scene_begins_where_the_colours_change_at_once() -> None:
    images = [scene(1)] * 5 + [scene(2)] * 3 + [scene(3)] * 4
    assert scenes(looks_at(images)) == [(0, 5), (5, 8), (8, 12)]


def test_by_scene_each_scene_gives_a_frame_first() -> None:
    images = [scene(1)] * 40 + [scene(2)] * 3 + [scene(3)] * 3 + [scene(4)] * 40
    chosen = choose(looks_at(images, step_s=0.2), 4, by_scene=True)
    assert chosen == [19, 41, 44, 65]


def test_the_hash_of_a_rescaled_frame_is_nearly_the_same() -> None:
    picture = scene(5, size=(640, 360))
    small = np.asarray(cv2.resize(picture, (200, 112)), dtype=np.uint8)
    bits = bin(int(frame_hash(picture), 16) ^ int(frame_hash(small), 16)).count("1")
    assert bits <= 3
    assert len(frame_hash(picture)) == 16


def test_the_hash_of_another_frame_is_another() -> None:
    assert bin(int(frame_hash(scene(1)), 16) ^ int(frame_hash(scene(2)), 16)).count("1") > 12


def test_a_crop_to_the_central_square_keeps_the_luma() -> None:
    picture = scene(6, size=(320, 180))
    square = np.ascontiguousarray(picture[:, 70:250])
    assert frame_luma(picture) == frame_luma(square)
    assert len(frame_luma(picture)) == 2 * 12 * 12


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 2), (641, 359)])
def test_any_size_can_be_looked_at(size: tuple[int, int]) -> None:
    picture = np.full((size[1], size[0], 3), 90, dtype=np.uint8)
    assert look_at(picture, 0).histogram.sum() == pytest.approx(1)
    assert len(frame_hash(picture)) == 16
    assert len(frame_luma(picture)) == 288
