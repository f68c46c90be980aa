from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from vidrec_tasks.content.embeddings import Embeddings, embed_videos, join
from vidrec_tasks.content.encoding.encoders import Encoders, Frames
from vidrec_tasks.content.encoding.units import to_unit
from vidrec_tasks.content.video_texts import video_text
from vidrec_tasks.contracts.parts import Parts
from vidrec_tasks.errors import MissingPart
from vidrec_tasks.settings import ContentSettings
from vidrec_tasks.store.codecs import decode, encode

SETTINGS = ContentSettings(batch_size=3)
DIM = 6


class Counting:
    """Encodes texts by their letters and images by their mean colour, and counts."""

    dim = DIM

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.seen: list[Any] = []
        self.largest = 0

    def encode_texts(
        self, texts: Sequence[str], blocks: Sequence[int] | None = None
    ) -> npt.NDArray[np.float32]:
        self.seen += texts
        counts = [[text.lower().count(letter) for letter in "aeiort"] for text in texts]
        return to_unit(np.array(counts, dtype=np.float32).reshape(len(texts), DIM))

    def encode_images(
        self, images: Sequence[npt.NDArray[np.uint8]], blocks: Sequence[int] | None = None
    ) -> Frames:
        self.seen += images
        self.largest = max(self.largest, len(images))
        means = [[*image.mean(axis=(0, 1)), 1, 0, 0] for image in images]
        concepts = [[["dog", 0.5], ["cat", 0.25]] for _ in images]
        return Frames(to_unit(np.array(means, dtype=np.float32)), concepts)


class FakeEncoders(Encoders):
    """Encoders that count what they are asked for."""

    def __init__(self, text: str = "text-1", frame: str = "frame-1") -> None:
        super().__init__(SETTINGS)
        self.texts, self.frames = Counting(text), Counting(frame)
        self.texts.encode = self.texts.encode_texts  # type: ignore[attr-defined]
        self.frames.encode = self.frames.encode_images  # type: ignore[attr-defined]

    text_identity = property(lambda self: self.texts.identity)  # type: ignore[assignment]
    frame_identity = property(lambda self: self.frames.identity)  # type: ignore[assignment]
    text_dim = frame_dim = DIM  # type: ignore[assignment]
    text = property(lambda self: self.texts)  # type: ignore[assignment]
    frame = property(lambda self: self.frames)  # type: ignore[assignment]
    is_one_space = True  # type: ignore[assignment]


def catalogue(**titles: str) -> pd.DataFrame:
    """Videos by id and title; '' has no text."""
    return pd.DataFrame(
        {
            "video_id": list(titles),
            "title": list(titles.values()),
            "description": [""] * len(titles),
            "tags": pd.Series([[] for _ in titles], dtype=object),
            "categories": pd.Series([[] for _ in titles], dtype=object),
        }
    )


def frames(**films: str) -> pd.DataFrame:
    """Two keyframes of each video's film, named by its checksum."""
    rows = [
        (video_id, film, num, num * 1.5, f"way/{film}/{num}.jpg", f"{film}-{num}")
        for video_id, film in films.items()
        for num in (0, 1)
    ]
    columns = ["video_id", "checksum", "frame_num", "at_s", "path", "frame_hash"]
    return pd.DataFrame(rows, columns=columns)


def read_image(path: str) -> npt.NDArray[np.uint8]:
    seed = int.from_bytes(path.encode()[-12:], "big")
    return np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)


def paths_of(made: Embeddings) -> list[str]:
    return made.moments["frame"].table["path"].tolist()


VIDEOS = catalogue(v1="a red boat", v2="", v3="tea", v4="")
FRAMES = frames(v1="film1", v2="film2", v9="gone")


def embed(
    videos: pd.DataFrame = VIDEOS,
    keyframes: pd.DataFrame = FRAMES,
    encoders: FakeEncoders | None = None,
    known: Embeddings | None = None,
    read: Callable[[str], npt.NDArray[np.uint8]] = read_image,
) -> tuple[Embeddings, dict[str, int], FakeEncoders]:
    encoders = encoders or FakeEncoders()
    made, counts = embed_videos(videos, keyframes, encoders, SETTINGS, read_image=read, known=known)
    return made, counts, encoders


def test_each_video_has_a_row_in_order_with_what_it_has() -> None:
    made, counts, _ = embed()
    assert made.table["video_id"].tolist() == ["v1", "v2", "v3", "v4"]
    assert made.table["has_text"].tolist() == [True, False, True, False]
    assert made.table["has_frame"].tolist() == [True, True, False, False]
    for part, lengths in (
        (made.vectors["text"], [1, 0, 1, 0]),
        (made.vectors["frame"], [1, 1, 0, 0]),
        (made.fused, [1, 1, 1, 0]),
    ):
        np.testing.assert_allclose(np.linalg.norm(part, axis=1), lengths, atol=1e-5)
    expected = {"videos": 4, "texts_encoded": 2, "films_encoded": 2, "frames_encoded": 4}
    assert counts.items() >= {**expected, "reused": 1}.items()


def test_the_frame_vectors_stand_beside_their_frames() -> None:
    made, _, _ = embed()
    assert made.moments["frame"].table["video_id"].tolist() == ["v1", "v1", "v2", "v2"]
    expected = Counting("x").encode_images([read_image(p) for p in paths_of(made)])
    np.testing.assert_allclose(made.moments["frame"].vectors, expected.vectors, atol=1e-6)
    film = to_unit(made.moments["frame"].vectors[:2].mean(axis=0, keepdims=True))
    np.testing.assert_allclose(made.vectors["frame"][:1], film, atol=1e-6)


def test_frames_and_vectors_stay_together_in_any_order_of_videos() -> None:
    made, _, _ = embed(catalogue(v2="", v10="", v1=""), frames(v1="a", v10="b", v2="c"))
    expected = Counting("x").encode_images([read_image(p) for p in paths_of(made)])
    np.testing.assert_allclose(made.moments["frame"].vectors, expected.vectors, atol=1e-6)
    own = (made.moments["frame"].table["video_id"] == "v10").to_numpy()
    film = to_unit(made.moments["frame"].vectors[own].mean(axis=0, keepdims=True))
    np.testing.assert_allclose(made.vectors["frame"][1:2], film, atol=1e-6)


def test_a_film_keeps_its_concepts() -> None:
    concepts = embed()[0].table["concepts"].tolist()
    assert concepts == [[["dog", 0.5], ["cat", 0.25]]] * 2 + [[], []]


def test_an_unchanged_catalogue_loads_no_model() -> None:
    first, _, _ = embed()

    class Shut(FakeEncoders):
        text = property(lambda self: pytest.fail("a text model was loaded"))
        frame = property(lambda self: pytest.fail("a frame model was loaded"))

    again, counts, _ = embed(encoders=Shut(), known=first, read=lambda path: pytest.fail(path))
    assert counts["reused"] == 4
    assert (counts["texts_encoded"], counts["films_encoded"], counts["frames_encoded"]) == (0, 0, 0)
    for name, part in first.to_parts().items():
        assert encode(again.to_parts()[name]) == encode(part)


def test_nothing_to_embed_loads_no_model() -> None:
    made, _, encoders = embed(catalogue(v1="", v2=""), FRAMES.head(0))
    assert made.fused.shape == (2, DIM)
    assert made.moments["frame"].vectors.shape == (0, DIM)
    assert not encoders.texts.seen


def test_an_empty_shard_has_matrices_of_the_right_width() -> None:
    made, counts, _ = embed(VIDEOS.head(0), FRAMES.head(0))
    assert made.vectors["text"].shape == made.vectors["frame"].shape == made.fused.shape == (0, DIM)
    assert counts["videos"] == 0


def test_a_changed_title_embeds_one_text_and_no_frame() -> None:
    first, _, _ = embed()
    videos = catalogue(v1="a red boat", v2="", v3="coffee", v4="")
    made, counts, encoders = embed(videos, known=first)
    assert encoders.texts.seen == ["coffee"]
    assert not encoders.frames.seen
    assert (counts["texts_encoded"], counts["films_encoded"], counts["reused"]) == (1, 0, 3)
    changed = (made.table["checksum"] != first.table["checksum"]).tolist()
    assert changed == [False, False, True, False]


def test_a_replaced_film_embeds_one_film_and_no_text() -> None:
    first, _, _ = embed()
    made, counts, encoders = embed(keyframes=frames(v1="film1", v2="other"), known=first)
    assert not encoders.texts.seen
    assert (counts["films_encoded"], counts["frames_encoded"], counts["reused"]) == (1, 2, 3)
    np.testing.assert_array_equal(made.vectors["frame"][0], first.vectors["frame"][0])
    assert not np.allclose(made.vectors["frame"][1], first.vectors["frame"][1])


def test_another_choice_of_frames_embeds_the_film_again() -> None:
    first, _, _ = embed()
    changed = FRAMES.assign(frame_hash=FRAMES["frame_hash"].replace("film1-1", "film1-7"))
    assert embed(keyframes=changed, known=first)[1]["films_encoded"] == 1


def test_a_film_uploaded_again_or_moved_to_another_id_is_not_embedded_again() -> None:
    first, _, _ = embed()
    videos = catalogue(v1="a red boat", v5="tea", v6="tea")
    made, counts, _ = embed(videos, frames(v1="film1", v5="film2", v6="film2"), known=first)
    assert counts["films_encoded"] == 0
    np.testing.assert_array_equal(made.vectors["frame"][1], first.vectors["frame"][1])


def test_re_uploads_of_one_film_are_embedded_once() -> None:
    _, counts, _ = embed(catalogue(v1="tea", v2="tea"), frames(v1="film1", v2="film1"))
    assert counts["films_encoded"] == 1


@pytest.mark.parametrize(
    ("encoders", "texts", "films"),
    [(FakeEncoders(text="text-2"), 2, 0), (FakeEncoders(frame="frame-2"), 0, 2)],
)
def test_another_encoder_embeds_only_what_it_reads(
    encoders: FakeEncoders, texts: int, films: int
) -> None:
    first, _, _ = embed()
    made, counts, _ = embed(encoders=encoders, known=first)
    assert (counts["texts_encoded"], counts["films_encoded"]) == (texts, films)
    assert (made.table["checksum"] != first.table["checksum"]).all()


def test_images_are_read_a_batch_at_a_time() -> None:
    films = {f"v{num}": f"film{num}" for num in range(5)}
    _, counts, encoders = embed(catalogue(**dict.fromkeys(films, "")), frames(**films))
    assert counts["frames_encoded"] == 10
    assert encoders.frames.largest == 4  # whole films, of two frames each, until 3 are reached


def test_the_inputs_are_left_as_they_were() -> None:
    before = VIDEOS.copy(deep=True), FRAMES.copy(deep=True)
    embed()
    pd.testing.assert_frame_equal(VIDEOS, before[0])
    pd.testing.assert_frame_equal(FRAMES, before[1])


def test_embeddings_come_back_from_their_stored_parts() -> None:
    made, _, _ = embed()
    stored = {name: encode(part) for name, part in made.to_parts().items()}
    back = Embeddings.from_parts(Parts("embeddings.0", lambda name: decode(*stored[name])))
    assert embed(known=back)[1]["reused"] == 4
    np.testing.assert_array_equal(back.fused, made.fused)


def test_a_night_older_than_a_modality_is_taken_over_but_for_it() -> None:
    first, _, _ = embed()
    parts = first.to_parts()
    older = {name: part for name, part in parts.items() if not name.startswith("frame")}

    def read(name: str) -> object:
        if name not in older:
            raise MissingPart(name)
        return older[name]

    made, counts, _ = embed(known=Embeddings.from_parts(Parts("embeddings.0", read)))
    assert (counts["texts_encoded"], counts["films_encoded"]) == (0, 2)
    np.testing.assert_array_equal(made.fused, first.fused)


def test_vectors_of_which_no_encoder_is_told_are_not_taken_over() -> None:
    first, _, _ = embed()
    table = first.table.drop(columns="text_encoder")
    untold = Embeddings(table, first.vectors, first.fused, first.moments)
    assert embed(known=untold)[1]["texts_encoded"] == 2


def test_parts_of_a_split_join_to_the_whole() -> None:
    made, _, _ = embed()
    first = np.array([True, False, True, False])
    joined = join([made.only(first), made.only(~first)])
    assert joined.table["video_id"].tolist() == ["v1", "v3", "v2", "v4"]
    assert embed(known=joined)[1]["reused"] == 4


def test_the_text_of_a_video_puts_first_what_must_not_be_cut() -> None:
    video = {
        "title": " Red  boat ",
        "tags": ["sea", "boat"],
        "categories": np.array(["sea", "travel"], dtype=object),
        "description": "On\nthe water.",
    }
    assert video_text(video) == "Red boat. sea, boat, travel. On the water."


@pytest.mark.parametrize(
    "video", [{}, {"title": None, "description": float("nan"), "tags": None}, {"title": " \n"}]
)
def test_a_video_without_words_has_no_text(video: dict[str, Any]) -> None:
    assert video_text(video) == ""
