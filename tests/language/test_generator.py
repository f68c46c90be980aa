import os
import subprocess
import sys
from pathlib import Path

import pytest

from vidrec_tasks.errors import ModelError
from vidrec_tasks.language.generator import first_sentence, has_sentence, load_generator
from vidrec_tasks.settings import LanguageSettings


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (" A user likes cats. And dogs.", "A user likes cats."),
        ("It lasts 4.5 minutes. Then it ends.", "It lasts 4.5 minutes."),
        ("They watched 20. Then more.", "They watched 20."),
        ("One line\nand another", "One line"),
        ("No end in sight", "No end in sight"),
        ("他喜欢猫。还有狗。", "他喜欢猫。"),
        ("", ""),
    ],
)
def test_the_first_sentence_is_cut_at_its_end(text: str, sentence: str) -> None:
    assert first_sentence(text) == sentence


def test_a_number_at_the_end_may_still_go_on() -> None:
    assert not has_sentence("It lasts 4.")


def test_a_missing_model_is_an_error_that_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="VIDREC_LANGUAGE__MODEL"):
        load_generator(LanguageSettings(model=str(tmp_path / "none")), cache=tmp_path)


def test_naming_a_generator_imports_no_torch(root: Path) -> None:
    code = (
        "import sys, vidrec_tasks.language.generator, vidrec_tasks.audience.portraits, "
        "vidrec_tasks.recommending.explaining.explanations, vidrec_tasks.evaluation.claims; "
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    environment = {"PATH": os.defpath, "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert done.returncode == 0
