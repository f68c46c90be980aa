import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.content.tiny_models import save_bert, save_clip
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.errors import ModelError
from vidrec_tasks.settings import ContentSettings


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_clip(tmp_path_factory.mktemp("models") / "tiny-clip"))


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_bert(tmp_path_factory.mktemp("models") / "tiny-bert"))


def encoders(**settings: str) -> Encoders:
    return Encoders(ContentSettings(**settings))  # type: ignore[arg-type]


def test_identities_and_widths_need_no_model(root: Path) -> None:
    code = (
        "import sys; from vidrec_tasks.content.encoding.encoders import Encoders;"
        "from vidrec_tasks.settings import ContentSettings;"
        "assert 'torch' not in sys.modules;"
        "e = Encoders(ContentSettings(precision='fp32'));"
        "print(e.text_identity, e.frame_identity, e.text_dim, e.frame_dim);"
        "assert 'text' not in vars(e) and 'frame' not in vars(e)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True
    ).stdout.split()
    assert said[0].startswith("all-MiniLM-L6-v2@")
    assert said[1].startswith("conse-1:efficientnet-lite0@")
    assert said[2:] == ["384", "384"]


def test_identities_tell_precisions_apart() -> None:
    exact, quick = encoders(precision="fp32"), encoders(precision="bf16")
    assert exact.text_identity != quick.text_identity
    assert exact.frame_identity != quick.frame_identity


def test_another_text_encoder_makes_other_frame_vectors_of_the_embedded_one(bert: str) -> None:
    assert encoders().frame_identity != encoders(text_encoder=bert).frame_identity


def test_the_frames_of_two_towers_do_not_depend_on_the_text_encoder(bert: str, clip: str) -> None:
    first = encoders(frame_encoder=clip)
    second = encoders(frame_encoder=clip, text_encoder=bert)
    assert first.frame_identity == second.frame_identity


def test_a_loaded_encoder_says_the_same_identity_and_width(bert: str, clip: str) -> None:
    for chosen in (
        encoders(text_encoder=bert),
        encoders(text_encoder=clip, frame_encoder=clip),
        encoders(text_encoder=bert, frame_encoder=clip),
    ):
        assert chosen.text.identity == chosen.text_identity
        assert chosen.frame.identity == chosen.frame_identity
        assert (chosen.text.dim, chosen.frame.dim) == (chosen.text_dim, chosen.frame_dim)


def test_only_one_model_or_conse_makes_one_space(bert: str, clip: str) -> None:
    assert encoders().is_one_space
    assert encoders(text_encoder=bert).is_one_space
    assert encoders(text_encoder=clip, frame_encoder=clip).is_one_space
    assert not encoders(text_encoder=bert, frame_encoder=clip).is_one_space


def test_one_name_for_both_loads_one_model(clip: str) -> None:
    both = encoders(text_encoder=clip, frame_encoder=clip)
    texts = ["a dog", ""]
    np.testing.assert_array_equal(both.text.encode(texts), both.frame.encode_queries(texts))
    assert len(both._loaded) == 1


def test_a_text_encoder_cannot_look_at_frames(bert: str) -> None:
    with pytest.raises(ModelError, match="CLIP or SigLIP"):
        _ = encoders(frame_encoder=bert).frame_identity
