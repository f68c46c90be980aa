"""Parts: what is read is of the kind that is declared, or the error names artefact and part."""

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from vidrec_tasks.contracts.artefacts import shape_of
from vidrec_tasks.contracts.parts import Parts
from vidrec_tasks.errors import ContractError

TABLE = pd.DataFrame({"user_id": ["u"]})


def parts(name: str, value: object) -> Parts:
    return Parts(name, {part: value for part in ("table", "vectors", "counts", "index")}.get)


def test_every_kind_is_given_as_it_was_kept() -> None:
    vectors = np.ones((1, 2), np.float32)
    assert parts("portraits.3", TABLE).table() is TABLE
    assert parts("portraits.3", vectors).array("vectors") is vectors
    assert parts("portraits.3", {"n": 1}).json("counts") == {"n": 1}
    assert parts("content_index", b"x").binary("index") == b"x"


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (lambda found: found.array("table"), "part table: is declared as a table, but read as an"),
        (lambda found: found.table("vectors"), "part vectors: is declared as an array, but read"),
        (lambda found: found.binary("counts"), "part counts: is declared as JSON, but read as b"),
        (lambda found: found.integers("vectors"), "is declared as float32, but read as int64"),
        (lambda found: found.table("more"), "part more: was not declared"),
        (lambda found: found.json("counts"), "is declared as JSON, but holds DataFrame"),
    ],
)
def test_another_kind_is_refused_with_the_artefact_and_the_part(
    read: Callable[[Parts], object], words: str
) -> None:
    with pytest.raises(ContractError, match=f"artefact portraits.3, .*{re.escape(words)}"):
        read(parts("portraits.3", TABLE))


def test_a_shape_is_found_by_the_name_of_an_artefact_with_its_shard() -> None:
    assert shape_of("profiles.12", "visits") == shape_of("profiles.#", "visits") is not None
    assert shape_of("models.champion", "tower") is not None
    assert shape_of("models", "tower") is None
