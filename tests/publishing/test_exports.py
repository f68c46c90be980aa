import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.publishing.worlds import described, moment, publish, recommendations, run_id
from vidrec_tasks.errors import PublishError
from vidrec_tasks.publishing.exports import FORMULA, NO_LIST, export_lists
from vidrec_tasks.publishing.publisher import Publisher

ITEMS = ["v1", "v2", "v3"]


def test_json_lines_are_as_personalize_writes_them(
    url: str, publisher: Publisher, tmp_path: Path
) -> None:
    publish(publisher, 1)
    path = tmp_path / "out" / "lists.jsonl"
    said = export_lists(url, path, user_ids=["u2", "stranger"])
    assert said == {"run_id": run_id(1), "users": 2, "errors": 1, "path": str(path)}
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"input": {"userId": "u2"},
         "output": {"recommendedItems": ITEMS, "scores": [1.0, 1.0, 1.0]}, "error": None},
        {"input": {"userId": "stranger"}, "output": None, "error": NO_LIST},
    ]  # fmt: skip


def test_every_list_is_exported_where_nobody_is_named(
    url: str, publisher: Publisher, tmp_path: Path
) -> None:
    publish(publisher, 1)
    publish(publisher, 2)
    path = tmp_path / "lists.parquet"
    assert export_lists(url, path, form="parquet")["users"] == 3
    table = pq.read_table(path).to_pylist()
    assert [row["userId"] for row in table] == ["u1", "u2", "u3"]
    assert table[0] == {"userId": "u1", "recommendedItems": ITEMS, "scores": [2.0, 2.0, 2.0],
                        "error": None}  # fmt: skip


def test_a_csv_holds_the_same_rows(url: str, publisher: Publisher, tmp_path: Path) -> None:
    publish(publisher, 1)
    path = tmp_path / "lists.csv"
    export_lists(url, path, form="csv", user_ids=["u1", "stranger, with a comma"])
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert json.loads(rows[0]["recommendedItems"]) == ITEMS
    assert json.loads(rows[0]["scores"]) == [1.0, 1.0, 1.0]
    assert (rows[1]["userId"], rows[1]["error"]) == ("stranger, with a comma", NO_LIST)


FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    '"=1"',
    "\uff1d1",
    "u;=1",
    "u\t-1",
)


def acting(cells: list[str]) -> list[str]:
    """The cells that a spreadsheet runs."""
    return [cell for cell in cells if cell.lstrip(' \t\r"')[:1] in tuple("=+-@\uff1d")]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_for_a_spreadsheet_is_a_formula(
    url: str, publisher: Publisher, tmp_path: Path, separator: str
) -> None:
    publish(publisher, 1, user_ids=FORMULAS)
    found = {}
    for form in ("csv", "spreadsheet"):
        export_lists(url, tmp_path / form, form=form)
        with (tmp_path / form).open(newline="") as file:
            rows = list(csv.reader(file, delimiter=separator))
        found[form] = acting([cell for row in rows for cell in row])
    assert len(found["csv"]) > len(FORMULAS) / 2
    assert found["spreadsheet"] == []


def test_line_ends_without_end_do_not_hold_an_export_up() -> None:
    text = "a" + "\n" * 300_000 + "=b"  # a look at each of them from each of them would take days
    assert FORMULA.sub(r"\1'", text).endswith("\n'=b")


def test_ids_of_a_csv_are_exact_and_lists_for_a_spreadsheet_are_lists(
    url: str, publisher: Publisher, tmp_path: Path
) -> None:
    ids = ["-dQw4", "v;=2", "=3"]
    lists = recommendations(1, FORMULAS).assign(video_id=ids * len(FORMULAS))
    publisher.prepare()
    publisher.open_run(run_id(1), **described(1))
    publisher.load(run_id(1), {"recommendations": iter([lists])})
    publisher.publish(run_id(1), moment(1))
    read = {}
    for form in ("csv", "spreadsheet"):
        export_lists(url, tmp_path / form, form=form)
        with (tmp_path / form).open(newline="") as file:
            read[form] = list(csv.DictReader(file))
    assert {row["userId"] for row in read["csv"]} == set(FORMULAS)
    assert {row["recommendedItems"] for row in read["csv"]} == {json.dumps(ids)}
    assert {row["recommendedItems"] for row in read["spreadsheet"]} == {
        json.dumps(["-dQw4", "v;'=2", "=3"])
    }
    assert "'=1+1" in {row["userId"] for row in read["spreadsheet"]}


def test_nothing_published_is_an_error_and_leaves_no_file(
    url: str, publisher: Publisher, tmp_path: Path
) -> None:
    with pytest.raises(PublishError, match="no run is published yet"):
        export_lists(url, tmp_path / "lists.jsonl")
    assert not list(tmp_path.glob("*lists*"))


def test_no_database_and_no_such_form_are_said(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'none.sqlite'}"
    with pytest.raises(PublishError, match="there are no result tables yet"):
        export_lists(url, tmp_path / "x")
    with pytest.raises(PublishError, match="one of jsonl, csv, spreadsheet, parquet"):
        export_lists(url, tmp_path / "x", form="xml")
