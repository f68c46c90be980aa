"""A language model of a few thousand weights on disk, for the code that loads real ones."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

WORDS = ["<pad>", "<end>", "facts", "user", "likes", "cats", "jazz", "and", ".", "this", "mix"]


def save_causal(path: Path) -> Path:
    """Save a model of eleven words with its tokenizer; returns the folder."""
    words = Tokenizer(models.WordLevel({w: n for n, w in enumerate(WORDS)}, unk_token="<pad>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=words, pad_token="<pad>", eos_token="<end>", unk_token="<pad>"
    )
    tokenizer.save_pretrained(path)
    torch.manual_seed(5)
    shape = LlamaConfig(
        vocab_size=len(WORDS), hidden_size=32, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=128,
        bos_token_id=1, eos_token_id=1, pad_token_id=0, initializer_range=1.0,
    )  # fmt: skip
    LlamaForCausalLM(shape).save_pretrained(path)
    return path
