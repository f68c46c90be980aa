"""Every artefact has a written shape, and what differs from it is not written."""

import numpy as np
import pandas as pd
import pytest

from vidrec_tasks.contracts.artefacts import ARTEFACTS, check_artefact, typed_when_empty
from vidrec_tasks.contracts.shapes import Array, Table
from vidrec_tasks.errors import ContractError
from vidrec_tasks.night import JOBS, kind_of


def test_every_artefact_that_a_job_makes_is_declared_and_no_other() -> None:
    made = {kind_of(name) for plan in JOBS for name in plan.makes}
    assert made == set(ARTEFACTS)
    assert all(artefact.meaning for artefact in ARTEFACTS.values())


def duplicates(**changes: object) -> pd.DataFrame:
    columns = {"video_id": ["a", "b"], "group_id": ["a", "a"], "is_canonical": [True, False]}
    return pd.DataFrame({**columns, **changes})


def test_what_is_as_declared_passes_and_so_does_an_empty_table() -> None:
    check_artefact("duplicates", {"table": duplicates()})
    check_artefact("duplicates", {"table": duplicates().head(0).astype(object)})


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (duplicates().drop(columns="group_id"), "has no column group_id"),
        (duplicates(more=1), "has a column more that was not declared"),
        (duplicates(is_canonical=[1, 0]), "column is_canonical is int64, declared as bool"),
        ([1, 2], "is not a frame but list"),
    ],
)
def test_a_table_that_differs_is_refused_with_what_was_found(table: object, words: str) -> None:
    with pytest.raises(ContractError, match=f"artefact duplicates, part table: {words}"):
        check_artefact("duplicates", {"table": table})


def frames(**parts: object) -> dict[str, object]:
    table = pd.DataFrame({"video_id": ["a"], "frame_num": [0], "at_s": [0.5], "path": ["p"]})
    return {"table": table, "vectors": np.zeros((1, 4), dtype=np.float32), **parts}


@pytest.mark.parametrize(
    ("vectors", "words"),
    [
        (np.zeros((1, 4)), "is float64, declared as float32"),
        (np.zeros(4, dtype=np.float32), "has 1 axes, declared are rows, dim"),
        (np.zeros((2, 4), dtype=np.float32), "has 2 rows, its table 1"),
        ([0.0], "is not an array but list"),
    ],
)
def test_an_array_that_differs_is_refused(vectors: object, words: str) -> None:
    check_artefact("frames", frames())
    with pytest.raises(ContractError, match=words):
        check_artefact("frames", frames(vectors=vectors))


def test_a_part_that_is_missing_or_unknown_is_refused() -> None:
    with pytest.raises(ContractError, match="part vectors: is missing"):
        check_artefact("frames", {"table": frames()["table"]})
    with pytest.raises(ContractError, match="part other: was not declared"):
        check_artefact("frames", frames(other={}))
    with pytest.raises(ContractError, match="part gates: has no passed"):
        check_artefact("gates", {"gates": {"gates": []}})


def test_parts_that_are_tables_and_arrays_say_what_they_hold() -> None:
    for kind, artefact in ARTEFACTS.items():
        for name, shape in {**artefact.parts, **artefact.may_have}.items():
            if isinstance(shape, Table):
                assert shape.columns, (kind, name)
            if isinstance(shape, Array):
                assert shape.axes, (kind, name)


def test_a_table_without_rows_gets_the_dtypes_that_are_declared() -> None:
    """Beside one with rows it would else make the columns of both of no kind."""
    empty = duplicates().head(0).astype(object)
    typed = typed_when_empty("duplicates", {"table": empty})["table"]
    assert typed.dtypes.astype(str).tolist() == ["str", "str", "bool"]
    assert pd.concat([typed, duplicates()])["is_canonical"].dtype == bool


@pytest.mark.parametrize("kind", ARTEFACTS)
def test_every_declared_dtype_is_one_that_an_empty_column_can_have(kind: str) -> None:
    artefact = ARTEFACTS[kind]
    for name, shape in {**artefact.parts, **artefact.may_have}.items():
        if isinstance(shape, Table):
            empty = pd.DataFrame({column: [] for column in shape.columns})
            typed = typed_when_empty(kind, {name: empty})[name]
            assert typed.dtypes.astype(str).to_dict() == dict(shape.columns)


def test_a_row_that_comes_twice_or_has_no_key_is_refused() -> None:
    twice = pd.concat([duplicates(), duplicates()], ignore_index=True)
    with pytest.raises(ContractError, match=r"part table: .* rows repeat their key \(first: .*v"):
        check_artefact("duplicates", {"table": twice})
    nameless = duplicates()
    nameless.loc[0, "video_id"] = None
    with pytest.raises(ContractError, match=r"part table: 1 of .* rows have no video_id"):
        check_artefact("duplicates", {"table": nameless})


@pytest.mark.parametrize("kind", ARTEFACTS)
def test_keys_are_columns_that_are_declared(kind: str) -> None:
    shapes = {**ARTEFACTS[kind].parts, **ARTEFACTS[kind].may_have}.values()
    tables = [shape for shape in shapes if isinstance(shape, Table)]
    named = {
        name for table in tables for key in table.keys for name in key if name not in table.columns
    }
    assert named == set()
