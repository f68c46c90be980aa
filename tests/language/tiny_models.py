"""A language model of a few thousand weights on disk, for the code that loads real ones."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

WORDS = ["<pad>", "<end>", "facts", "user", "likes", "cats", "jazz", "and", ".", "this", "mix"]


def save_causal(path: Path) -> Path:
    """Save a model of eleven words with its tokenizer; returns the folder."""
    words = Tokenizer(models.WordLevel({w: n for n, w in enumerate(WORDS)}, unk_token="<pad>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=words, pad_token="<pad>", eos_token="<end>", unk_token="<pad>"
    )
    return _save(path, tokenizer, n_tokens=len(WORDS), n_places=128)


def save_byte_causal(path: Path) -> Path:
    """Save a model whose tokens are bytes, as those of real models are made of; returns the folder.

    It has some tokens of several bytes, so that what a grammar forces is not byte by byte.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("c", "a"), ("ca", "t"), ("j", "a"), ("Ġ", "a")]
    tokens = ["<pad>", "<end>", *alphabet, *("".join(pair) for pair in merges)]
    bytes_ = Tokenizer(models.BPE({token: n for n, token in enumerate(tokens)}, merges))
    bytes_.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=bytes_, pad_token="<pad>", eos_token="<end>"
    )
    return _save(path, tokenizer, n_tokens=len(tokens), n_places=1024)


def _save(path: Path, tokenizer: PreTrainedTokenizerFast, *, n_tokens: int, n_places: int) -> Path:
    tokenizer.save_pretrained(path)
    torch.manual_seed(5)
    shape = LlamaConfig(
        vocab_size=n_tokens, hidden_size=32, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=n_places,
        bos_token_id=1, eos_token_id=1, pad_token_id=0, initializer_range=1.0,
    )  # fmt: skip
    LlamaForCausalLM(shape).save_pretrained(path)
    return path
