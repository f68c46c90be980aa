"""A model of a few thousand weights, saved to disk, loaded by the code that loads real ones."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import LlamaForCausalLM

from tests.language.tiny_models import save_byte_causal, save_causal
from vidrec_tasks.errors import ModelError
from vidrec_tasks.language.causal import CausalGenerator, load_causal
from vidrec_tasks.language.generator import Generator, LazyGenerator, Prompt, load_generator
from vidrec_tasks.settings import LanguageSettings

PROMPTS = [
    Prompt("facts", "cats", "this user"),
    Prompt("facts", "cats and jazz and cats", "this user"),
    Prompt("facts", "jazz", "this"),
    Prompt("facts", "user likes jazz and cats", "this user likes"),
    Prompt("facts", "mix and mix", "this mix"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_causal(tmp_path_factory.mktemp("models") / "tiny")


def load(folder: Path, **fields: int) -> CausalGenerator:
    settings = LanguageSettings(model=str(folder), max_new_tokens=12, **fields)
    return load_causal(settings, cache=folder.parent)


@pytest.fixture(scope="module", autouse=True)
def _exact() -> Iterator[None]:
    # In float32 a row's neighbours cannot tip the scales between two tokens. For the whole module:
    # what a fixture of the module loads must not be in another format on a machine with bfloat16.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vidrec_tasks.language.causal.quick_dtype", lambda: torch.float32)
        yield


def test_a_batch_says_what_each_prompt_alone_says(folder: Path) -> None:
    alone = [load(folder).complete([prompt])[0] for prompt in PROMPTS]
    assert load(folder).complete(PROMPTS) == alone


def test_the_size_of_batches_changes_nothing(folder: Path) -> None:
    assert load(folder, batch_size=2).complete(PROMPTS) == load(folder).complete(PROMPTS)


def test_greedy_decoding_says_what_transformers_says(folder: Path) -> None:
    generator = load(folder)
    prompt = PROMPTS[1]
    ids = torch.tensor([generator._tokenise(prompt)])
    mask = torch.ones_like(ids)
    whole = generator._model.generate(ids, attention_mask=mask, do_sample=False, max_new_tokens=12)
    theirs = generator._text(whole[0, ids.shape[1] :].tolist())
    ours = generator.complete([prompt])[0].removeprefix(prompt.start)
    assert ours
    assert theirs.replace(" ", "").startswith(ours.replace(" ", ""))


def test_a_sentence_begins_with_its_start(folder: Path) -> None:
    sentences = load(folder).complete(PROMPTS)
    assert all(s.startswith(p.start) for s, p in zip(sentences, PROMPTS, strict=True))


def test_no_prompt_gives_no_sentence(folder: Path) -> None:
    assert load(folder).complete([]) == []


def test_the_identity_names_model_and_precision(folder: Path) -> None:
    name, precision = load(folder).identity.split(":")
    assert (name.split("@")[0], precision) == ("tiny", "float32")


def test_other_weights_under_the_same_name_have_another_identity(folder: Path) -> None:
    other = folder.parent / "other" / "tiny"
    shutil.copytree(folder, other)
    model = LlamaForCausalLM.from_pretrained(other)
    model.model.embed_tokens.weight.data += 1
    model.save_pretrained(other)
    assert load(other).identity != load(folder).identity


@pytest.mark.parametrize("name", ["chat_template.jinja", "tokenizer_config.json"])
def test_another_template_or_tokenizer_is_another_model(folder: Path, name: str) -> None:
    other = folder.parent / f"with {name}" / "tiny"
    shutil.copytree(folder, other)
    path = other / name
    path.write_text(f"{path.read_text() if path.exists() else ''} \n")
    assert load(other).identity != load(folder).identity


@pytest.fixture(scope="module")
def byte_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_byte_causal(tmp_path_factory.mktemp("models") / "bytes")


QUESTIONS = [Prompt("facts", f"user likes {what}?", max_tokens=1)
             for what in ("cats", "cats and jazz and a cat", "jazz", "a", "cats")]  # fmt: skip


def test_log_odds_are_those_of_the_first_token(byte_folder: Path) -> None:
    generator = load(byte_folder)
    ids = torch.tensor([generator._tokenise(QUESTIONS[1])])
    logits = generator._model(ids).logits[0, -1].detach()
    sums = [
        torch.logsumexp(logits[list({generator._tokenizer(word)["input_ids"][0]
                                     for word in words})], dim=0)
        for words in (("yes", "Yes"), ("no", "No"))
    ]  # fmt: skip
    assert generator.log_odds(QUESTIONS)[1] == pytest.approx((sums[0] - sums[1]).item(), abs=1e-4)


def test_a_batch_of_questions_has_the_odds_of_each_alone(byte_folder: Path) -> None:
    alone = [load(byte_folder).log_odds([prompt])[0] for prompt in QUESTIONS]
    together = load(byte_folder).log_odds(QUESTIONS)
    assert together == pytest.approx(alone, abs=1e-4)
    assert load(byte_folder, batch_size=2).log_odds(QUESTIONS) == pytest.approx(alone, abs=1e-4)
    assert together[0] == together[4]
    assert len({round(value or 0, 3) for value in together}) == 4


def test_a_question_too_long_for_the_model_has_no_odds(byte_folder: Path) -> None:
    generator = load(byte_folder)
    long = Prompt("facts", "cats " * 2_000, max_tokens=1)
    first, second = generator.log_odds([QUESTIONS[0], long])
    assert first is not None
    assert second is None
    assert generator.usage.dropped == {"too long": 1}


def test_a_model_that_cannot_tell_yes_from_no_says_so(folder: Path) -> None:
    with pytest.raises(ModelError, match="RELEVANCE_CALLS"):
        load(folder).log_odds(QUESTIONS)


def test_a_lazy_generator_counts_what_was_judged(byte_folder: Path) -> None:
    settings = LanguageSettings(model=str(byte_folder))
    lazy = LazyGenerator(settings, cache=byte_folder.parent)
    assert lazy.log_odds(QUESTIONS) == load(byte_folder).log_odds(QUESTIONS)
    assert lazy.n_asked == len(QUESTIONS)
    assert lazy.usage.tokens_in > 0
    assert lazy.usage.tokens_out == 0


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    cache = tmp_path_factory.mktemp("cache")
    load_generator(LanguageSettings(), cache=cache)
    assert [path.name for path in cache.iterdir() if path.name.startswith(".")] == []
    return load_generator(LanguageSettings(), cache=cache)


def test_the_embedded_model_answers(embedded: Generator) -> None:
    prompt = Prompt("Answer in one sentence.", "What is the capital of France?", "The capital")
    assert embedded.complete([prompt]) == ["The capital of France is Paris."]


def test_a_lazy_generator_knows_its_name_without_loading_and_then_says_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = LanguageSettings(model=str(folder), max_new_tokens=12)
    loaded = load(folder)
    lazy = LazyGenerator(settings, cache=folder.parent)
    with monkeypatch.context() as patch:
        patch.setattr(
            "vidrec_tasks.language.causal.AutoModelForCausalLM.from_pretrained",
            lambda *_, **__: pytest.fail("loaded"),
        )
        assert LazyGenerator(settings, cache=folder.parent).identity == loaded.identity
    assert lazy.complete(PROMPTS) == loaded.complete(PROMPTS)
    assert lazy.n_asked == len(PROMPTS)


def test_the_embedded_model_is_named_without_being_dequantised(
    tmp_path: Path, embedded: Generator
) -> None:
    lazy = LazyGenerator(LanguageSettings(), cache=tmp_path)
    assert lazy.identity == embedded.identity
    assert list(tmp_path.iterdir()) == []
