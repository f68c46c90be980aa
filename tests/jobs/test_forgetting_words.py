"""Forgetting a user whose id is an ordinary word: all of that user goes, and nothing else."""

from pathlib import Path

import pandas as pd
import pytest

from tests.jobs.small_nights import EVENTS, VIDEOS, run, settings_of, table_of, write
from vidrec_tasks.publishing.tables import RESULTS
from vidrec_tasks.running.by_hand import run_by_hand
from vidrec_tasks.store.store import Store


def tables_of(store: Path) -> dict[str, pd.DataFrame]:
    return {name: table_of(store, name).reset_index(drop=True) for name in RESULTS}


def without(table: pd.DataFrame, user: str) -> pd.DataFrame:
    if "user_id" not in table:
        return table
    return table[table["user_id"] != user].reset_index(drop=True)


@pytest.mark.parametrize("word", ["default", "baking", "nobody", "v3", "model", "42"])
def test_a_word_is_forgotten_as_a_user_and_stays_as_a_word(tmp_path: Path, word: str) -> None:
    events = EVENTS.assign(user_id=EVENTS["user_id"].replace("u1", word))
    torn = f"{word},v1,x,y,z,w\nu2,{word},x,y,z,w\n"
    write(tmp_path, videos=VIDEOS, interactions=events.to_csv(index=False) + torn,
          users=f"user_id,region\n{word},default\nu2,default\n")  # fmt: skip
    run(tmp_path, inputs={"max_reject_share": 1.0})
    before = tables_of(tmp_path)
    assert word in set(before["recommendations"]["user_id"])
    settings = settings_of(tmp_path)
    said = run_by_hand("forget_users", settings=settings, request_id="r1", user_ids=[word])
    assert said["found_again"] == 0
    for name, table in tables_of(tmp_path).items():
        pd.testing.assert_frame_equal(table, without(before[name], word), obj=name)
    log = (tmp_path / "inputs" / "interactions.csv").read_text().splitlines()
    assert [line for line in log if line.startswith(f"{word},")] == []
    assert f"u2,{word},x,y,z,w" in log
    assert len(log) == 1 + len(EVENTS) - 2 + 1
    assert (tmp_path / "inputs" / "users.csv").read_text() == "user_id,region\nu2,default\n"
    assert (tmp_path / "inputs" / "videos.csv").read_text() == VIDEOS.to_csv(index=False)
    store = Store(str(tmp_path))
    (night,) = (path for path in store.path("runs").iterdir())
    assert store.read_json(night / "run.json")["settings"]["content"]["text_encoder"] == "embedded"
    again = run_by_hand("forget_users", settings=settings, request_id="r2", user_ids=[word])
    assert (again["removed"], again["found_again"]) == (0, 0)
