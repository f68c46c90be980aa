"""What every modality holds: inherit `ModalitySuite` and say which one it is (test_modalities)."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from tests.content.tiny_models import SIDE, save_bert, save_clip
from vidrec_tasks.columns import checksum_column, encoder_column, has_column
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.content.modalities.modality import Encoded, Known, Modality, Rows
from vidrec_tasks.settings import ContentSettings

VIDEOS = pd.DataFrame(
    {
        "video_id": ["v1", "v2", "v3", "v4"],
        "title": ["a dog runs", "the red car", "", "a dog sleeps on the grass"],
        "description": ["", "on grass", "", ""],
        "tags": pd.Series([["dog"], ["car", "red"], [], ["dog", "grass"]], dtype=object),
        "categories": pd.Series([["cat"], [], [], ["grass"]], dtype=object),
    }
)
"""v3 has nothing to read; each of the others has something for every modality."""

FILMS = {"v1": "film1", "v2": "film2", "v4": "film4"}
KEYFRAMES = pd.DataFrame(
    [
        (video_id, film, num, 1.5 * num, f"way/{film}/{num}.jpg", f"{film}-{num}")
        for video_id, film in FILMS.items()
        for num in (0, 1)
    ],
    columns=["video_id", "checksum", "frame_num", "at_s", "path", "frame_hash"],
)
PASSAGES = pd.DataFrame(
    [
        (video_id, num, source, 2.0 * num, "en", text)
        for source in ("captions", "screen")
        for video_id, texts in {
            "v1": ["a dog on the grass", "the red cat"],
            "v2": ["the car runs"],
            "v4": ["red grass"],
        }.items()
        for num, text in enumerate(texts, start=2 if source == "screen" else 0)
    ],
    columns=["video_id", "passage_num", "source", "at_s", "language", "text"],
)
HAS_SOMETHING = [True, True, False, True]


def read_image(path: str) -> npt.NDArray[np.uint8]:
    seed = int.from_bytes(path.encode()[-12:], "big")
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def rows_of(videos: pd.DataFrame) -> Rows:
    """Rows of which each is a block of its own."""
    blocks = list(range(len(videos)))
    return Rows(videos, KEYFRAMES, blocks, read_image, batch_size=3, passages=PASSAGES)


def known_of(made: Encoded, modality: Modality, identity: str) -> Known:
    """What a night leaves to the next."""
    name = modality.name
    columns: dict[str, Any] = {
        "video_id": VIDEOS["video_id"],
        checksum_column(name): list(made.checksums),
        encoder_column(name): identity,
        has_column(name): [checksum != "" for checksum in made.checksums],
        **made.columns,
    }
    return Known(pd.DataFrame(columns), made.vectors, made.moments)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """The settings of two sets of tiny models, of the same names and widths."""
    found = []
    for seed in (0, 1):
        folder: Path = tmp_path_factory.mktemp("models")
        text, frame = save_bert(folder / "bert", seed=seed), save_clip(folder / "clip", seed=seed)
        found.append({"text_encoder": str(text), "frame_encoder": str(frame)})
    return found


class ModalitySuite:
    """Every modality passes this."""

    modality: Modality

    @pytest.fixture
    def encoders(self, models: list[dict[str, str]]) -> Encoders:
        return Encoders(ContentSettings(precision="fp32", **models[0]))  # type: ignore[arg-type]

    @pytest.fixture
    def others(self, models: list[dict[str, str]]) -> Encoders:
        return Encoders(ContentSettings(precision="fp32", **models[1]))  # type: ignore[arg-type]

    def encode(self, encoders: Encoders, videos: pd.DataFrame = VIDEOS) -> Encoded:
        return self.modality.encode(rows_of(videos), encoders)

    def test_there_is_a_vector_a_video_as_wide_as_was_said(self, encoders: Encoders) -> None:
        made = self.encode(encoders)
        assert made.vectors.shape == (len(VIDEOS), self.modality.dim(encoders))
        assert made.vectors.dtype == np.float32

    def test_rows_have_length_one_or_are_zero_where_there_is_nothing(
        self, encoders: Encoders
    ) -> None:
        made = self.encode(encoders)
        lengths = np.linalg.norm(made.vectors, axis=1)
        np.testing.assert_allclose(lengths, np.array(HAS_SOMETHING, float), atol=1e-5)
        assert [checksum != "" for checksum in made.checksums] == HAS_SOMETHING
        assert list(made.is_new) == HAS_SOMETHING

    def test_no_videos_have_no_vectors(self, encoders: Encoders) -> None:
        made = self.encode(encoders, VIDEOS.head(0))
        assert made.vectors.shape == (0, self.modality.dim(encoders))
        assert not any(made.counts.values())

    def test_a_vector_depends_on_its_row_alone(self, encoders: Encoders) -> None:
        together = self.encode(encoders, VIDEOS.iloc[::-1].reset_index(drop=True)).vectors[::-1]
        for num in range(len(VIDEOS)):
            alone = self.encode(encoders, VIDEOS.iloc[[num]].reset_index(drop=True))
            np.testing.assert_array_equal(alone.vectors[0], together[num])

    def test_the_same_rows_have_the_same_vectors(self, encoders: Encoders) -> None:
        first, second = self.encode(encoders), self.encode(encoders)
        np.testing.assert_array_equal(first.vectors, second.vectors)
        assert first.checksums == second.checksums

    def test_different_videos_have_different_vectors(self, encoders: Encoders) -> None:
        vectors = self.encode(encoders).vectors
        assert len(np.unique(vectors, axis=0)) == len(VIDEOS)

    def test_another_model_has_another_identity_and_other_vectors(
        self, encoders: Encoders, others: Encoders
    ) -> None:
        assert self.modality.identity(encoders) != self.modality.identity(others)
        filled = np.array(HAS_SOMETHING)
        ours, theirs = (self.encode(e).vectors[filled] for e in (encoders, others))
        assert not np.allclose(ours, theirs, atol=1e-3)

    def test_what_is_known_is_not_encoded_again(self, encoders: Encoders) -> None:
        first = self.encode(encoders)
        known = known_of(first, self.modality, self.modality.identity(encoders))
        shut = Encoders(encoders.settings)
        again = self.modality.encode(rows_of(VIDEOS), shut, known)
        assert not {"text", "frame"} & vars(shut).keys()  # no model was loaded
        assert not any(again.is_new)
        np.testing.assert_array_equal(again.vectors, first.vectors)

    def test_identity_and_width_are_known_before_a_model_is_loaded(
        self, encoders: Encoders
    ) -> None:
        assert self.modality.identity(encoders)
        assert self.modality.space(encoders)
        assert self.modality.dim(encoders) > 0
        assert not {"text", "frame"} & vars(encoders).keys()

    def test_no_input_is_changed(self, encoders: Encoders) -> None:
        videos, keyframes = VIDEOS.copy(deep=True), KEYFRAMES.copy(deep=True)
        self.encode(encoders)
        pd.testing.assert_frame_equal(VIDEOS, videos)
        pd.testing.assert_frame_equal(KEYFRAMES, keyframes)

    def test_queries_lie_in_the_space_of_the_vectors(self, encoders: Encoders) -> None:
        vectors = self.modality.encode_queries(["a dog", ""], encoders)
        assert vectors.shape == (2, self.modality.dim(encoders))
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 0], atol=1e-5)

    def test_moments_are_told_of_when_they_are_declared(self, encoders: Encoders) -> None:
        made = self.encode(encoders)
        assert (made.moments is not None) == (self.modality.moments != "")
        if made.moments is not None:
            assert len(made.moments.table) == len(made.moments.vectors)
            assert {"video_id", "at_s"} <= set(made.moments.table.columns)

    def test_its_weight_is_a_share_or_more(self) -> None:
        assert self.modality.weight(ContentSettings()) >= 0
