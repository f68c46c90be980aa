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
    assert not Sought(["someone7"]).in_text("someone77")


@pytest.mark.parametrize("word", ["default", "nobody", "null-safe", "12345", "Jürgen", "v1"])
def test_an_ordinary_word_is_no_user_where_it_only_stands(word: str, tmp_path: Path) -> None:
    sought = Sought([word])
    assert sought.telling == frozenset()
    assert not sought.in_text(f"the {word} list")
    assert not sought.in_page(f"<h2>{word}</h2><p>the {word} of <code>{word}</code></p>")
    assert sought.in_page(f"<h3>User <code>{word}</code></h3>")
    rejects = pd.DataFrame(
        {"table": "interactions",
         "sample": [f"user_id={word}, video_id=v9", f"user_id=u2, video_id={word}",
                    f"u2,{word} x,y", f"a,{word},play,x", f"user_id=u2, event_type={word}"]}
    )  # fmt: skip
    assert sought.rows(rejects).tolist() == [True, False, False, True, False]
    assert sought.in_record('{"user_id": "' + word + '", "torn')
    assert not sought.in_record('{"video_id": "' + word + '", "torn')


def test_an_id_that_a_video_has_too_is_no_user_where_it_only_stands() -> None:
    assert Sought(["clip-0042"]).telling == {"clip-0042"}
    assert Sought(["clip-0042"], words={"clip-0042"}).telling == frozenset()


def test_an_id_across_two_blocks_is_found(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"." * (BLOCK_BYTES - 4) + b"someone7" + b".")
    assert Sought(["someone7"]).in_file(path)
