import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidrec_tasks.content import fusion
from vidrec_tasks.content.fusion import Floats
from vidrec_tasks.content.fusion import fuse as fuse_by_name

A = np.array([[1, 0, 0]], dtype=np.float32)
B = np.array([[0, 1, 0]], dtype=np.float32)
NONE = np.zeros((1, 3), dtype=np.float32)


def fuse(
    text: Floats, frame: Floats, *, text_weight: float, spaces: dict[str, str] | None = None
) -> Floats:
    """Of the two that every night has."""
    weights = {"text": text_weight, "frame": 1 - text_weight}
    return fuse_by_name({"text": text, "frame": frame}, weights, spaces=spaces)


def rows(seed: int, n: int, dim: int) -> npt.NDArray[np.float32]:
    made = np.random.default_rng(seed).normal(size=(n, dim))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("spaces", [None, {"text": "a", "frame": "b"}])
def test_videos_are_fused_alike_however_many_at_once(
    spaces: dict[str, str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, frame = rows(1, 50, 6), rows(2, 50, 6)
    text[::3], frame[::4] = 0, 0
    whole = fuse(text, frame, text_weight=0.6, spaces=spaces)
    for size in (1, 7, 49, 50):
        monkeypatch.setattr(fusion, "_BLOCK", size)
        np.testing.assert_array_equal(fuse(text, frame, text_weight=0.6, spaces=spaces), whole)
    assert len(fuse(text[:0], frame[:0], text_weight=0.6, spaces=spaces)) == 0


def test_in_one_space_the_parts_are_summed_by_weight() -> None:
    fused = fuse(A, B, text_weight=0.6)
    np.testing.assert_allclose(fused, [[0.6, 0.4, 0] / np.sqrt(0.52)], atol=1e-6)


def test_a_missing_part_leaves_the_other_at_full_length() -> None:
    np.testing.assert_allclose(fuse(A, NONE, text_weight=0.1), A)
    np.testing.assert_allclose(fuse(NONE, B, text_weight=0.9), B)


def test_without_any_part_there_is_a_zero_row() -> None:
    assert not fuse(NONE, NONE, text_weight=0.5).any()


def test_parts_that_cancel_each_other_give_a_zero_row_and_no_noise() -> None:
    assert not fuse(A, -A, text_weight=0.5).any()


def test_text_alone_finds_frames_alone_in_one_space() -> None:
    text = fuse(A, NONE, text_weight=0.5)
    frames = fuse(NONE, A, text_weight=0.5)
    assert float((text * frames).sum()) == pytest.approx(1)


def test_in_two_spaces_a_cosine_is_the_weighted_mean_of_the_parts() -> None:
    text, frame = rows(1, 5, 4), rows(2, 5, 7)
    fused = fuse(text, frame, text_weight=0.3)
    assert fused.shape == (5, 11)
    expected = 0.3 * text @ text.T + 0.7 * frame @ frame.T
    np.testing.assert_allclose(fused @ fused.T, expected, atol=1e-6)


def test_two_spaces_of_one_width_are_not_summed() -> None:
    assert fuse(A, B, text_weight=0.5, spaces={"text": "t", "frame": "f"}).shape == (1, 6)


def test_what_weighs_nothing_counts_where_nothing_else_is_there() -> None:
    np.testing.assert_array_equal(fuse(A, NONE, text_weight=0), A)
    np.testing.assert_allclose(fuse(A, B, text_weight=0), B, atol=1e-6)


def test_a_third_modality_that_a_video_lacks_changes_no_digit() -> None:
    text, frame = rows(1, 5, 4), rows(2, 5, 4)
    two = fuse(text, frame, text_weight=0.6)
    vectors = {"text": text, "frame": frame, "speech": np.zeros_like(text)}
    three = fuse_by_name(vectors, {"text": 0.6, "frame": 1 - 0.6, "speech": 0.3})
    np.testing.assert_array_equal(three, two)


def test_three_modalities_of_one_space_are_summed_by_their_shares() -> None:
    third = np.array([[0, 0, 1]], dtype=np.float32)
    vectors, weights = {"a": A, "b": B, "c": third}, {"a": 0.6, "b": 0.4, "c": 1.0}
    expected = np.array([[0.3, 0.2, 0.5]]) / np.sqrt(0.38)
    np.testing.assert_allclose(fuse_by_name(vectors, weights), expected, atol=1e-6)


def test_a_space_of_two_modalities_weighs_beside_another_what_both_weigh() -> None:
    vectors = {"text": rows(1, 5, 4), "frame": rows(2, 5, 7), "speech": rows(3, 5, 4)}
    weights = {"text": 0.3, "frame": 0.5, "speech": 0.2}
    fused = fuse_by_name(vectors, weights)
    summed = 0.3 * vectors["text"] + 0.2 * vectors["speech"]
    summed /= np.linalg.norm(summed, axis=1, keepdims=True)
    expected = 0.5 * summed @ summed.T + 0.5 * vectors["frame"] @ vectors["frame"].T
    assert fused.shape == (5, 11)
    np.testing.assert_allclose(fused @ fused.T, expected, atol=1e-6)


@given(
    seed=st.integers(0, 99),
    weight=st.floats(0, 1),
    missing=st.lists(st.sampled_from(["text", "frame", "both", "none"]), min_size=1, max_size=8),
    frame_dim=st.sampled_from([4, 6]),
)
def test_every_row_has_length_one_or_none(
    seed: int, weight: float, missing: list[str], frame_dim: int
) -> None:
    text, frame = rows(seed, len(missing), 4), rows(seed + 1, len(missing), frame_dim)
    for num, what in enumerate(missing):
        text[num] *= what not in ("text", "both")
        frame[num] *= what not in ("frame", "both")
    before = text.copy(), frame.copy()
    lengths = np.linalg.norm(fuse(text, frame, text_weight=weight), axis=1)
    expected = [0.0 if what == "both" else 1.0 for what in missing]
    np.testing.assert_allclose(lengths, expected, atol=1e-4)
    np.testing.assert_array_equal(text, before[0])
    np.testing.assert_array_equal(frame, before[1])
