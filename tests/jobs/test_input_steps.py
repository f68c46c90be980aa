"""The steps of validate_inputs: each gives rows, rejects and counts, and keeps nothing itself."""

from pathlib import Path

import pandas as pd

from tests.stores import UNKNOWN
from vidrec_tasks.contracts.inputs import INTERACTIONS, USERS
from vidrec_tasks.contracts.rejects import Rejects
from vidrec_tasks.jobs.inputs.admitting import admit_users
from vidrec_tasks.jobs.inputs.bucketing import bucket, shards
from vidrec_tasks.jobs.inputs.events import Known, admit_events, admit_log
from vidrec_tasks.jobs.inputs.reading import Read, read_table, read_whole
from vidrec_tasks.jobs.inputs.results import join_rejects, sum_counts
from vidrec_tasks.settings import InputSettings, read_settings
from vidrec_tasks.store.spill import Spill
from vidrec_tasks.store.store import Store
from vidrec_tasks.store.table_files import TableFile, input_files

LOG = """user_id,video_id,event_at,event_type,event_id
a,v0,2026-08-02,play,e1
b,v0,2026-08-03,play,e1
b,gone,2026-08-03,play,
b,v0,2026-08-03,stare,
out,v0,2026-08-03,play,
a,v0,2026-09-03,play,
"""


def inputs_of() -> InputSettings:
    return read_settings({}, inputs={"max_reject_share": 1.0}).inputs


def files_of(folder: Path, name: str, text: str) -> list[TableFile]:
    (folder / "inputs").mkdir(exist_ok=True)
    (folder / "inputs" / f"{name}.csv").write_text(text)
    return input_files(Store(str(folder)), name)


def known_of() -> Known:
    videos = pd.DataFrame(
        {"video_id": ["v0"], "published_at": pd.to_datetime(["2026-07-01"], utc=True),
         "duration_s": [60.0]}
    )  # fmt: skip
    return Known(
        videos,
        frozenset({"out"}),
        lambda user_ids: pd.Series(False, index=user_ids.index),
        pd.Timestamp("2026-09-01", tz="UTC"),
    )


def read_log(folder: Path) -> Read:
    (read,) = read_table(files_of(folder, "interactions", LOG), INTERACTIONS, inputs_of())
    return read


def test_reading_gives_what_fits_the_contract_and_rejects_the_rest(tmp_path: Path) -> None:
    read = read_log(tmp_path)
    assert read.rows["row_num"].tolist() == [0, 1, 2, 4, 5]
    assert read.rejects["reason"].tolist() == [UNKNOWN]
    assert read.counts == {"read": 6, "rejected": 1}


def test_admitting_twice_gives_the_same_and_leaves_what_was_read(tmp_path: Path) -> None:
    read, known = read_log(tmp_path), known_of()
    rows = read.rows.copy()
    first, again = admit_events(read, known), admit_events(read, known)
    pd.testing.assert_frame_equal(first.rows, again.rows)
    pd.testing.assert_frame_equal(first.rejects, again.rejects)
    assert first.counts == again.counts
    pd.testing.assert_frame_equal(read.rows, rows)
    assert read.counts == {"read": 6, "rejected": 1}


def test_every_event_is_in_a_shard_or_rejected_or_counted(tmp_path: Path) -> None:
    files = files_of(tmp_path, "interactions", LOG)
    with Spill("user_id") as spill:
        log = admit_log(files, known_of(), inputs_of())
        bucketed = bucket(
            log, spill, rejects=Rejects("interactions", 10), user_ids=pd.Series(["a", "b"]),
            users_per_shard=1,
        )  # fmt: skip
        parts = list(shards(bucketed))
    counts = sum_counts([bucketed.counts, *(part.counts for part in parts)])
    rows = pd.concat([part.rows for part in parts])
    rejects = join_rejects([bucketed.rejects.rows, *(part.rejects for part in parts)])
    assert rows["row_num"].tolist() == [0]
    assert sorted(rejects["row_num"]) == [1, 2, 3]
    assert (counts["opted_out"], counts["after_night"], counts["rejected"]) == (1, 1, 3)
    assert counts["read"] == 6


def test_a_table_that_is_not_there_has_no_rows_and_counts_nothing() -> None:
    users = admit_users(read_whole([], USERS, inputs_of()))
    assert users.rows.columns.tolist() == [*(c.name for c in USERS.columns), "row_num"]
    assert users.rows.empty
    assert users.counts == {}
