"""Causal models of transformers: greedy answers in batches, the common beginning computed once.

Leaves the wording of prompts to whoever asks, and the embedded weights to `embedded`.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, DynamicCache
from transformers.utils import logging as transformers_logging

from vidrec_tasks.errors import ModelError
from vidrec_tasks.hardware import device, quick_dtype
from vidrec_tasks.language.choosing import Chooser, FreeChooser
from vidrec_tasks.language.constraining import GrammarChooser, Grammars
from vidrec_tasks.language.embedded import embedded_folder, embedded_name
from vidrec_tasks.language.generator import Prompt, first_sentence, has_sentence
from vidrec_tasks.language.json_answers import checked_json
from vidrec_tasks.language.odds import YesNo, first_tokens
from vidrec_tasks.language.usage import CUT, OFF_GRAMMAR, TOO_LONG, Usage
from vidrec_tasks.settings import LanguageSettings

log = logging.getLogger(__name__)

_MEANINGFUL: Final = (".safetensors", ".bin", ".json", ".jinja", ".txt", ".model")
"""Suffixes of the files that decide what a model answers."""
_PIECE: Final = 65_536
_PLACES: Final = 256

_BATCH_TOKENS = 32_768
"""Tokens of prompts read at once: some 1.5 GB of keys and values in the embedded model."""
_CHEAP_TOKENS = 32
"""On a CPU a step of so few tokens costs what the weights cost to read, however few there are."""


def load_causal(
    settings: LanguageSettings, *, cache: Path, usage: Usage | None = None
) -> "CausalGenerator":
    """Load a causal language model in the precision this machine is quick at.

    Args:
        settings: `model` is 'embedded', a local folder or a hub id.
        cache: a folder for the dequantised embedded weights.
        usage: what it counts its tokens and drops in.

    Raises:
        ModelError: the model cannot be found or read.
    """
    dtype = quick_dtype()
    source = _source(settings, cache)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        model = AutoModelForCausalLM.from_pretrained(source, dtype=dtype)
    except (OSError, ValueError) as error:
        raise ModelError(_cannot_load(settings.local_model, error)) from error
    identity = identity_of(settings)
    log.info("language model %s loaded, batches of %d", identity, settings.batch_size)
    return CausalGenerator(model, tokenizer, identity=identity, settings=settings, usage=usage)


def identity_of(settings: LanguageSettings) -> str:
    """Name, revision and precision of the model that `load_causal` would load, without loading it.

    Raises:
        ModelError: the model cannot be found.
    """
    model = settings.local_model
    name = embedded_name() if model == "embedded" else _name(model)
    return f"{name}:{str(quick_dtype()).removeprefix('torch.')}"


def _source(settings: LanguageSettings, cache: Path) -> str:
    if settings.local_model == "embedded":
        return str(embedded_folder(cache, dtype=quick_dtype()))
    return settings.local_model


class CausalGenerator:
    """Greedy decoding, left padded, in batches of like length; a row leaves at its sentence end.

    A prompt with a schema or a grammar is decoded within it; equal prompts are answered once, and
    counted so in ``usage``.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        identity: str,
        settings: LanguageSettings,
        usage: Usage | None = None,
    ) -> None:
        """Take a loaded model and its tokenizer; the model is put on the GPU when there is one."""
        self._device = device()
        self._model = model.to(self._device).eval()
        self._tokenizer = tokenizer
        self._settings = settings
        self._identity = identity
        self.usage = usage or Usage()
        self._head = self._model.get_output_embeddings()

    @cached_property
    def _grammars(self) -> Grammars:
        return Grammars(self._tokenizer)

    @property
    def identity(self) -> str:
        """Name, revision and precision."""
        return self._identity

    def complete(self, prompts: Sequence[Prompt]) -> list[str]:
        """One answer a prompt, in order; it begins with the prompt's ``start``.

        Raises:
            ValueError: the schema or the grammar of a prompt cannot be read.
        """
        asked = list(dict.fromkeys(prompts))  # users of one taste share one sentence
        tokens = {prompt: self._tokenise(prompt) for prompt in asked}
        answers = {p: self.usage.drop(TOO_LONG) for p in asked if not self._fits(p, tokens[p])}
        left = [prompt for prompt in asked if prompt not in answers]
        # a stable sort: like lengths together, so that little is padded
        left.sort(key=lambda prompt: (_kind(prompt), len(tokens[prompt])))
        for _, group in groupby(left, key=_kind):
            for batch in self._batched(group, tokens):
                chooser = self._chooser(batch)
                written = self._decode(batch, [tokens[prompt] for prompt in batch], chooser)
                for row, (prompt, new) in enumerate(zip(batch, written, strict=True)):
                    answers[prompt] = self._answer(prompt, new, is_valid=chooser.is_valid(row))
                    self.usage.tokens_in += len(tokens[prompt])
                    self.usage.tokens_out += len(new)
        return [answers[prompt] for prompt in prompts]

    @cached_property
    def _yes_no(self) -> YesNo:
        return first_tokens(
            lambda text: self._tokenizer(text, add_special_tokens=False)["input_ids"]
        )

    def log_odds(self, prompts: Sequence[Prompt]) -> list[float | None]:
        """Log odds of yes against no as the first token of each answer; None: too long a prompt.

        Prompts of one user stand side by side, so what they have in common is computed once.
        """
        tokens = {prompt: self._tokenise(prompt) for prompt in prompts}
        asked = [prompt for prompt in tokens if self._fits(prompt, tokens[prompt])]
        found: dict[Prompt, float] = {}
        for batch in self._batched(asked, tokens):
            found |= zip(batch, self._odds([tokens[prompt] for prompt in batch]), strict=True)
            self.usage.tokens_in += sum(len(tokens[prompt]) for prompt in batch)
        for _ in range(len(tokens) - len(found)):
            self.usage.drop(TOO_LONG)
        return [found.get(prompt) for prompt in prompts]

    @torch.inference_mode()
    def _odds(self, rows: list[list[int]]) -> list[float]:
        """In float32: bfloat16 keeps three digits of a logit, and two videos differ in the next."""
        ids, mask, cache = self._open(rows)
        states = self._step(ids, mask, cache).float()  # (n_rows, width)
        sums = [
            torch.logsumexp(states @ self._head.weight[list(words)].float().T, dim=1)
            for words in self._yes_no
        ]
        return [float(value) for value in sums[0] - sums[1]]

    def _answer(self, prompt: Prompt, new: list[int], *, is_valid: bool) -> str:
        text = prompt.start + self._text(new)
        if not prompt.schema and not prompt.grammar:
            return first_sentence(text)
        if not is_valid:
            is_cut = len(new) >= self._limit(prompt)
            return self.usage.drop(CUT if is_cut else OFF_GRAMMAR)
        return text if prompt.grammar else checked_json(text, prompt.schema, self.usage)

    def _limit(self, prompt: Prompt) -> int:
        return prompt.max_tokens or self._settings.max_new_tokens

    def _fits(self, prompt: Prompt, tokens: list[int]) -> bool:
        """Whether prompt and answer lie within what the model was made for."""
        longest = getattr(self._model.config, "max_position_embeddings", None)
        return longest is None or len(tokens) + self._limit(prompt) <= longest

    def _batched(
        self, prompts: Iterable[Prompt], tokens: dict[Prompt, list[int]]
    ) -> Iterator[list[Prompt]]:
        """Batches of like lengths; of long prompts fewer, or memory would not hold them."""
        batch: list[Prompt] = []
        for prompt in prompts:
            is_full = len(batch) == self._settings.batch_size
            if batch and (is_full or (len(batch) + 1) * len(tokens[prompt]) > _BATCH_TOKENS):
                yield batch
                batch = []
            batch.append(prompt)
        if batch:
            yield batch

    def _tokenise(self, prompt: Prompt) -> list[int]:
        if self._tokenizer.chat_template is None:
            text = f"{prompt.system}\n\n{prompt.user}\n\n{prompt.start}"
            return list(self._tokenizer(text)["input_ids"])
        turns = [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": prompt.user},
        ]
        text = self._tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True
        )
        return list(self._tokenizer(text + prompt.start, add_special_tokens=False)["input_ids"])

    def _text(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True))

    @torch.inference_mode()
    def _decode(
        self, prompts: Sequence[Prompt], tokens: list[list[int]], chooser: Chooser
    ) -> list[list[int]]:
        """New tokens of each row; the beginning all rows share goes through the model once.

        Tokens that a grammar forces are not computed, only read: as many at once as all rows have
        waiting, or, where reading is cheap, as any has.
        """
        written = [list(chooser.begin(row)) for row in range(len(tokens))]
        limits = [self._limit(prompt) for prompt in prompts]

        def is_done(row: int) -> bool:
            return len(written[row]) >= limits[row] or chooser.is_done(row, written[row])

        rows = [row for row in range(len(tokens)) if not written[row] or not is_done(row)]
        if not rows:
            return written
        ids, mask, cache = self._open([tokens[row] + written[row] for row in rows])
        waiting: list[list[int]] = [[] for _ in rows]  # written and not yet read
        while True:
            states = self._step(ids, mask, cache)
            free = [place for place, queue in enumerate(waiting) if not queue]
            chosen = chooser.choose(states[free], [rows[place] for place in free])
            for place, new in zip(free, chosen, strict=True):
                written[rows[place]] += new
                waiting[place] = list(new)
            keep = [place for place, row in enumerate(rows) if not is_done(row)]
            if not keep:
                return written
            if len(keep) < len(rows):
                # finished rows leave: the last of 64 sentences would else cost 64 times its price
                kept = torch.tensor(keep, device=self._device)
                cache.batch_select_indices(kept)
                mask = mask[kept]
                rows = [rows[place] for place in keep]
                waiting = [waiting[place] for place in keep]
            n_read = self._n_read(waiting)
            ids, read = self._pad([queue[:n_read] for queue in waiting])
            waiting = [queue[n_read:] for queue in waiting]
            mask = torch.cat([mask, read], dim=1)

    def _open(self, rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor, DynamicCache]:
        """Read the beginning that all rows share; what is left of each, and the mask of all."""
        n_shared = _shared_length(rows)
        cache = self._read_shared(rows[0][:n_shared], n_rows=len(rows))
        ids, mask = self._pad([row[n_shared:] for row in rows])  # (n_rows, longest)
        return ids, torch.cat([mask.new_ones(len(rows), n_shared), mask], dim=1), cache

    def _n_read(self, waiting: Sequence[list[int]]) -> int:
        """Tokens a row reads in the next step."""
        longest = max(len(queue) for queue in waiting)
        is_cheap = self._device != "cpu" or longest * len(waiting) <= _CHEAP_TOKENS
        return longest if is_cheap else min(len(queue) for queue in waiting)

    def _read_shared(self, shared: list[int], *, n_rows: int) -> DynamicCache:
        cache = DynamicCache(config=self._model.config)
        if shared:
            ids = torch.tensor([shared], device=self._device)
            self._model.base_model(input_ids=ids, cache=cache, use_cache=True)
            cache.batch_repeat_interleave(n_rows)
        return cache

    def _pad(self, rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        longest = max(len(row) for row in rows)
        filler = self._tokenizer.pad_token_id or 0
        ids = torch.full((len(rows), longest), filler, dtype=torch.long, device=self._device)
        mask = torch.zeros_like(ids)
        for num, row in enumerate(rows):
            ids[num, longest - len(row) :] = torch.tensor(row, device=self._device)
            mask[num, longest - len(row) :] = 1
        return ids, mask

    def _step(self, ids: torch.Tensor, mask: torch.Tensor, cache: DynamicCache) -> torch.Tensor:
        """``(n_rows, width)`` the last state of each row, before the output layer."""
        places = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        answer = self._model.base_model(
            input_ids=ids, attention_mask=mask, position_ids=places, cache=cache, use_cache=True
        )
        return torch.as_tensor(answer.last_hidden_state[:, -1])

    def _chooser(self, prompts: Sequence[Prompt]) -> Chooser:
        """For prompts of one kind."""
        if prompts[0].schema or prompts[0].grammar:
            return GrammarChooser(self._head, self._grammars, prompts)
        return FreeChooser(self._head, is_whole=self._is_whole)

    def _is_whole(self, written: list[int]) -> bool:
        return written[-1] == self._tokenizer.eos_token_id or has_sentence(self._text(written))


def _kind(prompt: Prompt) -> int:
    """Prompts of one kind are decoded together: constrained, free."""
    return 0 if prompt.schema or prompt.grammar else 1


def _shared_length(tokens: list[list[int]]) -> int:
    """Tokens that all rows begin with, leaving at least one to each."""
    shortest = min(len(row) for row in tokens) - 1
    first = tokens[0]
    for place in range(shortest):
        if any(row[place] != first[place] for row in tokens):
            return place
    return max(shortest, 0)


def _name(source: str) -> str:
    """Name and revision: the hub's commit, or a hash that tells two local folders apart."""
    folder = Path(source)
    if not folder.is_dir():
        return f"{source}@{_commit_of(source)}"
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in _MEANINGFUL):
        name = path.relative_to(folder).as_posix()
        digest.update(f"{name}:{path.stat().st_size}\n".encode())
        _update(digest, path)
    return f"{folder.name}@{digest.hexdigest()[:12]}"


def _update(digest: Any, path: Path) -> None:
    """A file whole; of a very large one `_PLACES` pieces all over, for a merge changes all layers.

    Whole files of 14 GB would take half a minute of every task.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= _PLACES * _PIECE:
            digest.update(file.read())
            return
        for place in range(_PLACES):
            file.seek((size - _PIECE) * place // (_PLACES - 1))
            digest.update(file.read(_PIECE))


def _commit_of(source: str) -> str:
    try:
        config = AutoConfig.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise ModelError(_cannot_load(source, error)) from error
    return getattr(config, "_commit_hash", None) or "unknown"


def _cannot_load(source: str, error: Exception) -> str:
    return (
        f"language model {source!r} cannot be loaded ({error}); "
        "set VIDREC_LANGUAGE__MODEL to 'embedded', a folder or a hub id"
    )
