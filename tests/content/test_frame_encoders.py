import copy
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from transformers import AutoModel

from tests.content.tiny_models import SIDE, save_clip, save_siglip
from vidrec_tasks.content.encoding.classes import N_CLASSES, class_names, class_texts
from vidrec_tasks.content.encoding.concepts import likeliest, over_film
from vidrec_tasks.content.encoding.conse import ClassSpace, softmax
from vidrec_tasks.content.encoding.efficientnet import (
    QuickNetwork,
    can_fuse,
    plain_network,
    prepare,
)
from vidrec_tasks.content.encoding.encoders import Encoders, FrameEncoder
from vidrec_tasks.content.encoding.frame_encoders import ConseFrameEncoder
from vidrec_tasks.content.encoding.units import to_unit
from vidrec_tasks.settings import ContentSettings

Image = npt.NDArray[np.uint8]


class WordVectors:
    """Random but fixed vectors for texts: quick, and as wide as a test likes."""

    identity = "words"
    dim = 32

    def encode(self, texts: list[str], blocks: list[int] | None = None) -> npt.NDArray[np.float32]:
        made = [
            np.random.default_rng(abs(hash_of(text))).normal(size=self.dim) * bool(text.strip())
            for text in texts
        ]
        return to_unit(np.array(made).reshape(len(texts), self.dim))


def hash_of(text: str) -> int:
    return int.from_bytes(text.encode()[:64], "big") % 2**32


def pictures(n: int = 3) -> list[Image]:
    """Pictures with shapes in them, of different sizes."""
    rng = np.random.default_rng(3)
    made = []
    for num in range(n):
        image = rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)
        image = cv2.resize(image, (200 + 60 * num, 150), interpolation=cv2.INTER_CUBIC)
        cv2.circle(image, (100, 75), 40, (20, 200, 30), -1)
        made.append(np.asarray(image, dtype=np.uint8))
    return made


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    return plain_network()


def quick(network: torch.nn.Module, **ways: object) -> QuickNetwork:
    return QuickNetwork(copy.deepcopy(network), **ways)  # type: ignore[arg-type]


def conse(precision: str = "fp32", cache: Path | None = None) -> ConseFrameEncoder:
    return ConseFrameEncoder(WordVectors(), "conse", precision=precision, cache=cache)


@pytest.mark.parametrize("is_fused", [True, False])
def test_the_quick_network_answers_like_the_plain_one(
    network: torch.nn.Module, is_fused: bool
) -> None:
    if is_fused and not can_fuse(torch.float32, "cpu"):
        pytest.skip("this build of torch has no oneDNN")
    pixels = prepare(pictures())
    with torch.inference_mode():
        expected = network(pixels)
    made = quick(network, dtype=torch.float32, is_fused=is_fused)(pixels)
    torch.testing.assert_close(made, expected, atol=2e-3, rtol=1e-3)


def test_the_quick_network_answers_alike_in_bfloat16(network: torch.nn.Module) -> None:
    pixels = prepare(pictures(2))
    exact = quick(network, dtype=torch.float32)(pixels)
    made = quick(network, dtype=torch.bfloat16)(pixels)
    assert torch.nn.functional.cosine_similarity(made, exact).min() >= 0.998


def test_frame_vectors_are_alike_in_bfloat16() -> None:
    images = pictures(2)
    cosines = (conse().encode(images).vectors * conse("bf16").encode(images).vectors).sum(axis=1)
    assert cosines.min() >= 0.998


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_frame_has_one_vector_to_the_last_bit_in_any_company(precision: str) -> None:
    encoder, images = conse(precision), pictures(11)
    alone = np.concatenate([encoder.encode([image]).vectors for image in images])
    np.testing.assert_array_equal(encoder.encode(images).vectors, alone)
    np.testing.assert_array_equal(encoder.encode(images[3:6]).vectors, alone[3:6])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_film_has_the_same_vectors_whatever_films_stand_beside_it(precision: str) -> None:
    encoder, images = conse(precision), pictures(11)
    films = [0] * 3 + [1] * 8
    together = encoder.encode(images, films).vectors
    np.testing.assert_array_equal(encoder.encode(images[:3], [7] * 3).vectors, together[:3])
    np.testing.assert_array_equal(encoder.encode(images[3:], [0] * 8).vectors, together[3:])


def test_a_picture_is_prepared_as_the_network_learned_it() -> None:
    blue = np.zeros((300, 500, 3), dtype=np.uint8)
    blue[..., 0] = 255  # BGR
    pixels = prepare([blue])
    assert pixels.shape == (1, 3, 224, 224)
    np.testing.assert_allclose(pixels[0, :, 5, 5], [-127 / 128, -127 / 128, 1.0])


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (3, 2), (224, 224), (2_000, 90)])
def test_a_picture_of_any_size_is_encoded(size: tuple[int, int]) -> None:
    made = conse().encode([np.full((*size, 3), 90, dtype=np.uint8)])
    np.testing.assert_allclose(np.linalg.norm(made.vectors, axis=1), 1, atol=1e-5)


def test_frames_have_unit_vectors_and_concepts_with_probabilities() -> None:
    made = conse().encode(pictures())
    assert made.vectors.shape == (3, 32)
    assert made.vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(made.vectors, axis=1), 1, atol=1e-5)
    for concepts in made.concepts:
        shares = [share for _, share in concepts]
        assert shares == sorted(shares, reverse=True)
        assert 0 < sum(shares) <= 1
        assert {name for name, _ in concepts} <= set(class_names())


def test_no_frames_give_no_rows() -> None:
    made = conse().encode([])
    assert made.vectors.shape == (0, 32)
    assert made.concepts == []


def test_what_the_network_sees_is_what_a_query_for_it_finds() -> None:
    encoder = conse()
    seen = np.eye(N_CLASSES, dtype=np.float32)[[207, 817]]
    frames = encoder._space.carry(seen)
    texts = class_texts()
    queries = encoder.encode_queries([texts[207], texts[817], ""])
    assert (queries[:2] @ frames.T).argmax(axis=1).tolist() == [0, 1]
    assert not queries[2].any()


def test_class_texts_are_embedded_once_and_kept(tmp_path: Path) -> None:
    first = conse(cache=tmp_path).encode_queries(["dog"])
    (kept,) = tmp_path.iterdir()
    written = kept.stat().st_mtime_ns
    second = conse(cache=tmp_path).encode_queries(["dog"])
    assert [path.stat().st_mtime_ns for path in tmp_path.iterdir()] == [written]
    np.testing.assert_array_equal(first, second)


def test_every_class_has_a_name_and_a_text_of_its_own() -> None:
    assert len(class_names()) == len(set(class_texts())) == N_CLASSES
    assert all(
        text.startswith(f"{name}: ")
        for name, text in zip(class_names(), class_texts(), strict=True)
    )


def test_whitening_leaves_no_direction_that_all_classes_share() -> None:
    rng = np.random.default_rng(0)
    shared = np.array([[5.0, 0, 0, 0]])
    rows = to_unit(shared + rng.normal(size=(300, 4)) * [1, 1, 0.2, 1])
    space = ClassSpace.of(rows)
    np.testing.assert_allclose(space.carried.mean(axis=0), 0, atol=1e-5)
    before, after = np.cov((rows - rows.mean(0)).T), np.cov(space.carried.T)
    assert np.linalg.cond(after) < 0.3 * np.linalg.cond(before)


def test_softmax_and_units_survive_extremes() -> None:
    np.testing.assert_allclose(softmax(np.array([[1e4, -1e4]], dtype=np.float32)), [[1, 0]])
    assert not to_unit(np.zeros((1, 3), dtype=np.float32)).any()


def test_a_film_shows_what_its_frames_show_on_average() -> None:
    film = over_film([[["dog", 0.8], ["cat", 0.1]], [["cat", 0.3]]])
    assert film == [["dog", 0.4], ["cat", 0.2]]


def test_concepts_that_are_hardly_there_are_left_out() -> None:
    shares = np.array([[0.005, 0.6, 0.3]], dtype=np.float32)
    assert [name for name, _ in likeliest(shares, ("a", "b", "c"))[0]] == ["b", "c"]


@pytest.fixture(scope="module", params=["clip", "siglip"])
def towers_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    save = {"clip": save_clip, "siglip": save_siglip}[request.param]
    return save(tmp_path_factory.mktemp("models") / f"tiny-{request.param}")


@pytest.fixture(scope="module")
def towers(towers_folder: Path) -> FrameEncoder:
    return Encoders(ContentSettings(frame_encoder=str(towers_folder), precision="fp32")).frame


def test_two_towers_embed_frames_and_queries_in_one_space(
    towers: FrameEncoder, towers_folder: Path
) -> None:
    frames, queries = towers.encode(pictures()).vectors, towers.encode_queries(["a dog", ""])
    width = 12 if towers_folder.name == "tiny-clip" else 16
    assert frames.shape == (3, width)
    assert queries.shape == (2, width)
    assert towers.dim == width
    np.testing.assert_allclose(np.linalg.norm(frames, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(queries, axis=1), [1, 0], atol=1e-5)


def test_two_towers_see_red_where_the_picture_is_red(
    towers: FrameEncoder, towers_folder: Path
) -> None:
    red = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    red[..., 2] = 255  # BGR
    model = AutoModel.from_pretrained(towers_folder).eval()
    values = torch.tensor([1.0, 0, 0]).reshape(1, 3, 1, 1)
    norm = {
        "tiny-clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
        "tiny-siglip": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    }[towers_folder.name]
    mean, deviation = (torch.tensor(part).reshape(1, 3, 1, 1) for part in norm)
    pixels = ((values - mean) / deviation).expand(1, 3, SIDE, SIDE)
    with torch.inference_mode():
        expected = model.get_image_features(pixels).pooler_output.numpy()
    np.testing.assert_allclose(towers.encode([red]).vectors, to_unit(expected), atol=1e-4)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_queries_and_frames_have_one_vector_to_the_last_bit_in_any_company(
    towers_folder: Path, precision: str
) -> None:
    settings = ContentSettings.model_validate(
        {"frame_encoder": str(towers_folder), "precision": precision}
    )
    towers = Encoders(settings).frame
    texts = ["a dog", "the red car on the grass", "cat", "a very long sentence of many words"]
    alone = np.concatenate([towers.encode_queries([text]) for text in texts])
    np.testing.assert_array_equal(towers.encode_queries(texts), alone)
    images = pictures(11)
    alone = np.concatenate([towers.encode([image]).vectors for image in images])
    np.testing.assert_array_equal(towers.encode(images).vectors, alone)


def test_two_towers_name_concepts_by_their_own_text_tower(towers: FrameEncoder) -> None:
    (concepts,) = towers.encode(pictures(1)).concepts
    assert all(name in class_names() and 0 < share <= 1 for name, share in concepts)


def test_two_towers_are_alike_in_bfloat16(towers: FrameEncoder, towers_folder: Path) -> None:
    settings = ContentSettings(frame_encoder=str(towers_folder), precision="bf16")
    exact, made = towers.encode(pictures()), Encoders(settings).frame.encode(pictures())
    assert (exact.vectors * made.vectors).sum(axis=1).min() >= 0.998
