from pathlib import Path

import pandas as pd
import pytest

from vidrec_tasks.store.sought import BLOCK_BYTES, Sought, as_id


@pytest.mark.parametrize(
    ("value", "user_id"), [("u1", "u1"), (" u1 ", "u1"), (7, "7"), (7.0, "7"), (None, "")]
)
def test_an_id_is_read_as_the_contract_reads_it(value: object, user_id: str) -> None:
    assert as_id(value) == user_id


def test_a_row_is_about_a_user_by_its_user_id_only() -> None:
    frame = pd.DataFrame({"user_id": ["u1", "u2", "u11"], "video_id": ["x", "u1", "y"]})
    assert Sought(["u1"]).rows(frame).tolist() == [True, False, False]


def test_a_rejected_row_is_about_a_user_when_its_sample_quotes_them() -> None:
    cut = ("title=" + "x" * 200)[:190] + ",user_id=u1"[:10]
    rejects = pd.DataFrame(
        {"table": ["users", "interactions", "videos", "users", "interactions"],
         "sample": ["user_id=u1, region=CH", "v1,u1,x", "user_id=u1", "user_id=u11", cut]}
    )  # fmt: skip
    assert len(cut) == 200
    assert Sought(["u1"]).rows(rejects).tolist() == [True, True, False, False, True]


def test_only_ids_that_can_mean_nothing_else_are_sought_in_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345 abc someone-real")
    assert Sought(["12345", "abc"]).telling == frozenset()
    assert not Sought(["12345", "abc"]).in_file(path)
    assert Sought(["someone-real"]).in_file(path)
    assert not Sought(["someone"]).in_text("someones")


def test_an_id_across_two_blocks_is_found(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"." * (BLOCK_BYTES - 4) + b"someone" + b".")
    assert Sought(["someone"]).in_file(path)
