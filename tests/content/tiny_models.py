"""Tiny encoders that tests build from a configuration and save to disk, with a tokenizer."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    CLIPConfig,
    CLIPModel,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipModel,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

WORDS = ("a", "photo", "of", "dog", "cat", "red", "car", "on", "the", "grass", "runs", "sleeps")
SPECIAL = ("[PAD]", "[UNK]", "[BOS]", "[EOS]")
VOCABULARY = {word: num for num, word in enumerate((*SPECIAL, *WORDS))}
SIDE = 32


def save_bert(folder: Path, *, dim: int = 16, seed: int = 0) -> Path:
    """A text encoder of two layers."""
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=dim,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=2 * dim,
        max_position_embeddings=24,
    )
    BertModel(config).save_pretrained(folder)
    return _save_tokenizer(folder, max_length=24)


def save_clip(folder: Path, *, dim: int = 12, seed: int = 0) -> Path:
    """A CLIP of one layer a tower."""
    torch.manual_seed(seed)
    text = {**_tower(16), "vocab_size": len(VOCABULARY), "max_position_embeddings": 16}
    text |= {"bos_token_id": VOCABULARY["[BOS]"], "eos_token_id": VOCABULARY["[EOS]"]}
    vision = {**_tower(20), "image_size": SIDE, "patch_size": 16}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=dim)
    CLIPModel(config).save_pretrained(folder)
    size = {"height": SIDE, "width": SIDE}
    CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=size).save_pretrained(folder)
    return _save_tokenizer(folder, max_length=16)


def save_siglip(folder: Path, *, dim: int = 16, seed: int = 0) -> Path:
    """A SigLIP of one layer a tower."""
    torch.manual_seed(seed)
    text = {**_tower(dim), "vocab_size": len(VOCABULARY), "max_position_embeddings": 16}
    text |= {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    vision = {**_tower(dim), "image_size": SIDE, "patch_size": 16}
    SiglipModel(SiglipConfig(text_config=text, vision_config=vision)).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return _save_tokenizer(folder, max_length=16)


def _tower(dim: int) -> dict[str, int]:
    return {
        "hidden_size": dim,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 2 * dim,
    }


def _save_tokenizer(folder: Path, *, max_length: int) -> Path:
    tokenizer = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [(name, VOCABULARY[name]) for name in ("[BOS]", "[EOS]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[BOS] $A [EOS]", special_tokens=ends
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=max_length,
        pad_token="[PAD]",
        unk_token="[UNK]",
        bos_token="[BOS]",
        eos_token="[EOS]",
    ).save_pretrained(folder)
    return folder
