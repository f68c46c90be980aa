import io
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stores import record_of
from vidrec_tasks.errors import MissingArtefact, StoreError
from vidrec_tasks.store import artefacts as artefacts_module
from vidrec_tasks.store import codecs
from vidrec_tasks.store.artefacts import Artefacts, key_of
from vidrec_tasks.store.codecs import decode, encode
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.store import Store


@pytest.fixture
def artefacts(tmp_path: Path) -> Artefacts:
    return Artefacts(Store(str(tmp_path)))


def world() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "video_id": ["v1", "v2"],
            "tags": [["a", "b"], []],
            "behaviour": [{"n": 1}, {"m": 2.5}],
            "at": pd.to_datetime(["2026-01-01", None], utc=True).astype("datetime64[us, UTC]"),
        }
    )


def test_a_frame_with_lists_dicts_and_times_comes_back_as_it_was() -> None:
    suffix, data = encode(world())
    pd.testing.assert_frame_equal(decode(suffix, data), world())


def test_an_array_comes_back_as_it_was() -> None:
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    suffix, data = encode(matrix)
    np.testing.assert_array_equal(decode(suffix, data), matrix)


def test_a_large_array_is_mapped_and_the_file_stays_as_it_is(
    artefacts: Artefacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = np.arange(60, dtype=np.float32).reshape(20, 3)
    ref = artefacts.write("content", key_of({"of": "it"}), {"fused": matrix})
    assert not isinstance(artefacts.read(ref, "fused"), np.memmap)
    monkeypatch.setattr(artefacts_module, "MAPPED_BYTES", 100)
    read = artefacts.read(ref, "fused")
    assert isinstance(read, np.memmap)
    np.testing.assert_array_equal(read, matrix)
    read[:] = 0  # the reader's own pages
    np.testing.assert_array_equal(artefacts.read(ref, "fused"), matrix)


def test_an_object_array_is_never_pickled() -> None:
    with pytest.raises(StoreError, match="nothing is pickled"):
        encode(np.array([{}], dtype=object))


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3), np.arange(6).reshape(2, 3).T,
        np.arange(4)[::2], np.zeros((0, 8), np.float32), np.array([True, False]),
        np.array(["a", "bc"]), np.arange(2).astype("datetime64[us]"), np.float64(2.5),
    ],
)  # fmt: skip
def test_an_array_is_kept_as_numpy_would_keep_it(array: np.ndarray) -> None:
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(array), allow_pickle=False)
    assert encode(np.asarray(array)) == ("npy", file.getvalue())


def test_a_mapped_array_is_written_as_it_stands_in_memory(
    artefacts: Artefacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codecs, "_PIECE", 16)
    shared = artefacts.store.scratch((9, 3), "float32")
    shared[:] = np.arange(27).reshape(9, 3)
    np.save(tmp_path / "a.npy", shared)
    private = np.load(tmp_path / "a.npy", mmap_mode="c")
    private[4] = -1
    ref = artefacts.write("content", key_of({"of": "it"}), {"a": shared, "b": private})
    np.testing.assert_array_equal(artefacts.read(ref, "a"), np.arange(27).reshape(9, 3))
    np.testing.assert_array_equal(artefacts.read(ref, "b"), private)
    assert (private[4] == -1).all()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ).filter(lambda value: isinstance(value, (dict, list)))
)
@settings(max_examples=50, deadline=None)
def test_any_json_comes_back_as_it_was(value: object) -> None:
    assert decode(*encode(value)) == value  # type: ignore[arg-type]


def test_the_same_value_gives_the_same_bytes() -> None:
    assert encode(world()) == encode(world().copy())


def test_an_artefact_is_found_at_its_address_only(artefacts: Artefacts) -> None:
    key = key_of({"a": 1})
    written = artefacts.write("profiles.3", key, {"table": world()})
    assert artefacts.find("profiles.3", key) == written
    assert artefacts.find("profiles.3", key_of({"a": 2})) is None
    assert written.rows == 2


def test_an_artefact_that_was_not_committed_is_not_there(artefacts: Artefacts) -> None:
    key = key_of({})
    artefacts.write("x", key, {"table": world()})
    (artefacts.store.path("artefacts", "x", key) / "_artefact.json").unlink()
    assert artefacts.find("x", key) is None


def test_an_artefact_never_changes(artefacts: Artefacts, caplog: pytest.LogCaptureFixture) -> None:
    key = key_of({})
    first = artefacts.write("x", key, {"table": world()})
    with caplog.at_level(logging.WARNING):
        second = artefacts.write("x", key, {"table": world().iloc[:1]})
    assert second == first
    assert "made again with different bytes" in caplog.text


def test_a_part_that_is_not_there_is_named(artefacts: Artefacts) -> None:
    ref = artefacts.write("x", key_of({}), {"table": world()})
    with pytest.raises(StoreError, match="no part 'matrix'"):
        artefacts.read(ref, "matrix")


def test_a_name_that_no_job_made_is_an_error_with_the_next_step(tmp_path: Path) -> None:
    run = Runs(Store(str(tmp_path))).open(record_of())
    with pytest.raises(MissingArtefact, match="run the job that makes it first"):
        run.read_table("profiles.0")


def test_the_rows_of_one_are_read_without_the_others(artefacts: Artefacts) -> None:
    ref = artefacts.write("videos", "k", {"table": world()})
    mine = artefacts.read_rows(ref, "table", column="video_id", values=["v2", "v9"])
    assert mine.to_dict("records") == world().iloc[1:].to_dict("records")
    narrow = artefacts.read_rows(
        ref, "table", column="video_id", values=["v1"], columns=["video_id", "tags"]
    )
    assert narrow.to_dict("records") == [{"video_id": "v1", "tags": ["a", "b"]}]
