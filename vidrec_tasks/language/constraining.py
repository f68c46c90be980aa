"""Constraining: decoding within a JSON schema or a grammar, so an answer has the form asked for.

The masks of allowed tokens are llguidance's. Whether the answer is true is judged elsewhere.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import llguidance.hf
import llguidance.numpy
import numpy as np
import torch
from llguidance import LLMatcher, LLTokenizer

from vidrec_tasks.language.generator import Prompt

_AS_MODELS_WRITE_IT: Final[Any] = {
    "whitespace_flexible": False,  # free spaces are where a small model goes in circles
    "item_separator": ", ",
    "key_separator": ": ",
}
_GATHERED: Final = 4
"""A step that allows fewer than this part of the vocabulary multiplies the allowed rows alone."""


def compiled(prompt: Prompt) -> str:
    """The grammar of a prompt as llguidance reads it; empty where the prompt has none.

    Raises:
        ValueError: schema or grammar cannot be read, or there are both.
    """
    if prompt.schema and (prompt.grammar or prompt.start):
        raise ValueError("a prompt with a schema has neither a grammar nor a start")
    return _compiled(prompt.schema, prompt.grammar) if prompt.schema or prompt.grammar else ""


@lru_cache(maxsize=1024)
def _compiled(schema: str, grammar: str) -> str:
    if schema:
        text = LLMatcher.grammar_from_json_schema(schema, overrides=_AS_MODELS_WRITE_IT)
    else:
        text = LLMatcher.grammar_from_lark(grammar)
    if message := LLMatcher.validate_grammar(text):
        raise ValueError(f"{'schema' if schema else 'grammar'}: {message}")
    return text


def matches(text: str, grammar: str) -> bool:
    """Whether a whole text matches a grammar in llguidance's dialect of Lark.

    Raises:
        ValueError: the grammar cannot be read.
    """
    units = _units_of_bytes()
    matcher = LLMatcher(units, _compiled("", grammar))
    tokens = units.tokenize_str(text)
    return matcher.try_consume_tokens(tokens) == len(tokens) and bool(matcher.is_accepting())


@lru_cache(maxsize=1)
def _units_of_bytes() -> LLTokenizer:
    return LLTokenizer("byte")


class Grammars:
    """The grammars of one tokenizer, each made ready once.

    Args:
        tokenizer: a fast tokenizer of transformers.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._units = llguidance.hf.from_tokenizer(tokenizer)
        self._ready = lru_cache(maxsize=256)(lambda text: LLMatcher(self._units, text))

    @property
    def n_vocab(self) -> int:
        """Tokens a mask has room for."""
        return int(self._units.vocab_size)

    @property
    def ends(self) -> frozenset[int]:
        """Tokens that end an answer."""
        return frozenset(self._units.eos_tokens)

    def matcher(self, prompt: Prompt) -> LLMatcher:
        """A matcher at the beginning of the prompt's answer."""
        return self._ready(compiled(prompt)).deep_copy()


class GrammarChooser:
    """The most probable token that the grammar of each row allows, and those that it forces after.

    Args:
        head: the model's output layer.
        grammars: of the model's tokenizer.
        prompts: ``(n_rows,)`` each with a schema or a grammar.
    """

    def __init__(
        self, head: torch.nn.Linear, grammars: Grammars, prompts: Sequence[Prompt]
    ) -> None:
        self._head = head
        self._matchers = [grammars.matcher(prompt) for prompt in prompts]
        self._ends = grammars.ends
        self._ended = [False] * len(prompts)
        self._n_words = (grammars.n_vocab + 31) // 32  # of 32 tokens each
        self._n_vocab = min(grammars.n_vocab, head.weight.shape[0])

    def begin(self, row: int) -> list[int]:
        """The tokens that every answer of this row begins with."""
        return self._forced(row)

    def choose(self, states: torch.Tensor, rows: Sequence[int]) -> list[list[int]]:
        """One chosen token for each row, then those that are forced; an end token is left out."""
        masks = np.zeros((len(rows), self._n_words), dtype=np.int32)
        for place, row in enumerate(rows):
            llguidance.numpy.fill_next_token_bitmask(self._matchers[row], masks, place)
        tokens = np.flatnonzero(_bits(np.bitwise_or.reduce(masks, axis=0))[: self._n_vocab])
        if not tokens.size:  # llguidance gave up; `is_done` says so of every row
            return [[] for _ in rows]
        logits = self._logits(states, tokens)  # (n_rows, n_tokens)
        allowed = (masks[:, tokens // 32] >> (tokens % 32).astype(np.int32)) & 1
        barred = torch.from_numpy(allowed == 0).to(logits.device)
        columns = logits.masked_fill(barred, -torch.inf).argmax(dim=-1).tolist()
        return [self._take(row, int(tokens[at])) for row, at in zip(rows, columns, strict=True)]

    def is_done(self, row: int, written: list[int]) -> bool:
        """Whether nothing may follow."""
        return self._ended[row] or bool(self._matchers[row].is_stopped())

    def is_valid(self, row: int) -> bool:
        """Whether what was written is an answer, not the beginning of one."""
        return not self._matchers[row].is_error() and bool(self._matchers[row].is_accepting())

    def _logits(self, states: torch.Tensor, tokens: np.ndarray[Any, Any]) -> torch.Tensor:
        if len(tokens) * _GATHERED > self._n_vocab:
            return torch.as_tensor(self._head(states)).float()[:, torch.from_numpy(tokens)]
        chosen = torch.from_numpy(tokens).to(states.device)
        bias = None if self._head.bias is None else self._head.bias[chosen]
        return torch.nn.functional.linear(states, self._head.weight[chosen], bias).float()

    def _take(self, row: int, token: int) -> list[int]:
        if token in self._ends:
            self._ended[row] = True
            return []
        self._matchers[row].consume_token(token)
        return [token, *self._forced(row)]

    def _forced(self, row: int) -> list[int]:
        forced = self._matchers[row].compute_ff_tokens()
        n_taken = self._matchers[row].try_consume_tokens(forced)
        return [token for token in forced[:n_taken] if token not in self._ends]


def _bits(words: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.unpackbits(words.view(np.uint8), bitorder="little")
