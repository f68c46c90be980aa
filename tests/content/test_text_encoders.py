from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModel, AutoTokenizer

from tests.content.tiny_models import save_bert
from vidrec_tasks.content.encoding import model_files
from vidrec_tasks.content.encoding.batching import STEP, TOKENS, batches_of
from vidrec_tasks.content.encoding.encoders import Encoders, TextEncoder
from vidrec_tasks.content.encoding.model_files import named_files, speech_files, text_files
from vidrec_tasks.errors import ModelError
from vidrec_tasks.settings import ContentSettings

TEXTS = [
    "a dog runs on the grass",
    "puppy playing in a meadow",
    "a red car",
    "quarterly report of the finance department, third part, read by the chief accountant",
    "",
    "   ",
    "x",
]


def embedded(precision: str) -> TextEncoder:
    return Encoders(ContentSettings(precision=precision)).text  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def plain() -> TextEncoder:
    return embedded("fp32")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bert(tmp_path_factory.mktemp("models") / "tiny-bert")


def test_vectors_have_length_one_and_an_empty_text_has_none(plain: TextEncoder) -> None:
    vectors = plain.encode(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), 384) == (len(TEXTS), plain.dim)
    lengths = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(lengths, [1, 1, 1, 1, 0, 0, 1], atol=1e-5)


def test_texts_of_one_meaning_are_nearer_than_others(plain: TextEncoder) -> None:
    dog, puppy, car = plain.encode(TEXTS[:3])
    assert dog @ puppy > dog @ car + 0.2


def test_bfloat16_says_the_same_as_float32(plain: TextEncoder) -> None:
    texts = [text for text in TEXTS if text.strip()]
    cosines = (plain.encode(texts) * embedded("bf16").encode(texts)).sum(axis=1)
    assert cosines.min() >= 0.999


def test_a_text_has_the_same_vector_in_any_company(plain: TextEncoder) -> None:
    together = plain.encode(TEXTS[:4])
    alone = np.concatenate([plain.encode([text]) for text in TEXTS[:4]])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_no_texts_give_no_rows(plain: TextEncoder) -> None:
    assert plain.encode([]).shape == (0, 384)


def test_a_long_text_is_cut_to_what_the_model_was_trained_with(plain: TextEncoder) -> None:
    long = "dog " * 5_000
    np.testing.assert_allclose(plain.encode([long]), plain.encode([long + "cat"]), atol=1e-6)


def test_any_text_encoder_is_loaded_from_a_folder(tiny: Path) -> None:
    encoder = Encoders(ContentSettings(text_encoder=str(tiny), precision="fp32")).text
    texts = ["a dog", "the red car on the grass runs"]
    tokens = AutoTokenizer.from_pretrained(tiny)(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        states = AutoModel.from_pretrained(tiny).eval()(**tokens).last_hidden_state
    short = states[0, :4].mean(0)  # two words between the ends, no padding
    expected = torch.nn.functional.normalize(torch.stack([short, states[1].mean(0)]), dim=1)
    np.testing.assert_allclose(encoder.encode(texts), expected.numpy(), atol=1e-5)
    assert encoder.dim == 16


def test_a_prefix_stands_before_every_text_that_is_not_empty(tiny: Path) -> None:
    def encoders(prefix: str) -> Encoders:
        return Encoders(ContentSettings(text_encoder=str(tiny), text_prefix=prefix))

    plain, prefixed = encoders(""), encoders("a photo ")
    said, empty = prefixed.text.encode(["of dog", ""])
    np.testing.assert_allclose(said, plain.text.encode(["a photo of dog"])[0], atol=1e-5)
    assert not empty.any()
    assert plain.text_identity != prefixed.text_identity  # what the one made is not the other's


def test_a_text_has_the_same_bits_whatever_it_is_encoded_with(plain: TextEncoder) -> None:
    texts = [f"{'a dog runs ' * (num % 5)}film {num}" for num in range(24)]
    together = plain.encode(texts)
    for some in ([3], [23, 0, 7], list(range(5, 20))):
        np.testing.assert_array_equal(plain.encode([texts[num] for num in some]), together[some])


def test_a_folder_that_asks_for_the_first_token_gets_it(tmp_path: Path) -> None:
    folder = save_bert(tmp_path / "first")
    mean = Encoders(ContentSettings(text_encoder=str(folder))).text.encode(["a dog"])
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    first = Encoders(ContentSettings(text_encoder=str(folder))).text.encode(["a dog"])
    assert float((mean * first).sum()) < 0.9999


def test_other_weights_are_another_revision(tiny: Path, tmp_path: Path) -> None:
    other = save_bert(tmp_path / "tiny-bert", seed=1)
    assert named_files(str(tiny)).name == named_files(str(other)).name
    assert named_files(str(tiny)).revision != named_files(str(other)).revision


def test_an_encoder_that_is_nowhere_is_named_in_the_error() -> None:
    with pytest.raises(ModelError, match="nobody/has-this"):
        text_files("nobody/has-this")


@pytest.mark.parametrize("files", [text_files, speech_files])
def test_a_package_that_is_not_installed_is_named_with_the_way_to_install_it(
    files: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_files, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"install requirements-models\.txt with --no-deps"):
        files("embedded")
    with pytest.raises(ModelError, match=r"install requirements-models\.txt with --no-deps"):
        model_files.frame_weights()


def test_a_folder_without_weights_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ModelError, match="cannot be loaded"):
        _ = Encoders(ContentSettings(text_encoder=str(tmp_path))).text


@given(
    texts=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 5)), max_size=60),
    batch_size=st.integers(1, 70),
    longest=st.integers(300, 310),
)
def test_batches_hold_every_text_once_and_are_of_one_block(
    texts: list[tuple[int, int]], batch_size: int, longest: int
) -> None:
    lengths, blocks = [length for length, _ in texts], [block for _, block in texts]
    batches = list(batches_of(lengths, blocks, batch_size, longest=longest))
    assert sorted(num for batch in batches for num in batch.nums) == list(range(len(lengths)))
    for batch in batches:
        assert len({blocks[num] for num in batch.nums}) == 1
        assert len(batch.nums) <= max(1, min(batch_size, TOKENS // batch.width))
        longest_of_it = max(lengths[num] for num in batch.nums)
        assert longest_of_it <= batch.width <= min(longest, max(STEP, longest_of_it + STEP - 1))


@given(
    texts=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 5)), max_size=60),
    shards=st.lists(st.integers(0, 2), min_size=6, max_size=6),
)
def test_a_block_has_the_same_batches_whatever_blocks_stand_beside_it(
    texts: list[tuple[int, int]], shards: list[int]
) -> None:
    def made(nums: list[int]) -> set[tuple[tuple[int, ...], int]]:
        some = [texts[num] for num in nums]
        found = batches_of([n for n, _ in some], [block for _, block in some], 64, longest=300)
        return {(tuple(nums[place] for place in part.nums), part.width) for part in found}

    whole = made(list(range(len(texts))))
    split = [[n for n, (_, block) in enumerate(texts) if shards[block] == s] for s in range(3)]
    assert set.union(*map(made, split)) == whole


def test_a_block_has_the_same_vectors_whatever_blocks_stand_beside_it(plain: TextEncoder) -> None:
    texts = [f"{'a dog runs ' * (num % 5)}film {num}" for num in range(24)]
    blocks = [num % 3 for num in range(24)]
    together = plain.encode(texts, blocks)
    for block in range(3):
        mine = [num for num in range(24) if blocks[num] == block]
        alone = plain.encode([texts[num] for num in mine], [block] * len(mine))
        np.testing.assert_array_equal(alone, together[mine])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_text_has_one_vector_to_the_last_bit_whatever_it_is_encoded_with(precision: str) -> None:
    encoder = embedded(precision)
    texts = [" ".join(["a cat on the sofa"] * n) for n in (1, 7, 2, 9, 1, 3, 40, 2)]
    texts = [f"{text} {num}" for num, text in enumerate(texts)]
    together = encoder.encode(texts)
    for num, text in enumerate(texts):
        np.testing.assert_array_equal(encoder.encode([text])[0], together[num])
    np.testing.assert_array_equal(encoder.encode(texts[2:5]), together[2:5])
