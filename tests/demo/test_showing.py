"""The page of text that ends the demo, over a tiny published night with a known answer."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from tests.stores import record_of
from vidrec_tasks.contracts.inputs import VIDEOS
from vidrec_tasks.contracts.parsing import parse
from vidrec_tasks.demo.showing import show
from vidrec_tasks.demo.truth import read_truth
from vidrec_tasks.errors import EmptyNight
from vidrec_tasks.publishing.engine import make_engine, results_url
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.settings import read_settings
from vidrec_tasks.store.artefacts import Artefacts
from vidrec_tasks.store.inputs import read_chunks
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store
from vidrec_tasks.store.table_files import input_files

NIGHTS = ("2026-08-31", "2026-09-01")
METRICS = {
    "ndcg@10.served": {"value": 0.25, "low": 0.2, "high": 0.3, "n_users": 12},
    "holdout_days": 3,
    "llm_lift": {"value": 0.0012, "low": -0.0004, "high": 0.003, "n_users": 12},
    "lift": {"best": "popular_3d", "ndcg@10": {"value": 1.2, "low": 1.1, "high": 1.3}},
}


@pytest.fixture
def store(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store over the tiny world's truth."""
    monkeypatch.setenv("VIDREC_STORE_URL", str(tmp_path))
    for name in ("inputs", "demo_truth"):
        (tmp_path / name).symlink_to(tiny / name)
    return tmp_path


def catalogue(store: Store) -> pd.DataFrame:
    chunk = next(iter(read_chunks(input_files(store, "videos"), table="videos")))
    return parse(chunk.rows, VIDEOS).rows.drop_duplicates("video_id").sort_values("video_id")


def open_run(store: Store, night: str, *, decoded: int, reused: bool) -> Run:
    run = Runs(store).open(record_of(f"{night}-0000abcd"))
    receipts = {
        "extract_keyframes": {"videos": 8, "decoded": decoded},
        "train_models": {"epochs": 7},
    }
    for job, counts in receipts.items():
        said = {"job": job, "shard": "0", "started_at": f"{night}T02:00:00+00:00", "seconds": 1.5,
                "reused": reused, "counts": counts}  # fmt: skip
        run.write_receipt(job, "0", said)
    return run


def publish(store: Store, run: Run) -> str:
    """One warm user with a perfect list of one video; returns the user."""
    truth = read_truth(store.local(store.path()))
    user_id = next(name for name, user in truth["users"].items() if user["role"] == "plain")
    topics = set(truth["users"][user_id]["topics"])
    videos = catalogue(store)
    plain = [v for v in videos["video_id"] if truth["videos"][v]["role"] == "plain"]
    on_topic = [v for v in plain if topics & set(truth["videos"][v]["topics"])]
    seen = [v for v in truth["videos"] if v != on_topic[0]]
    moment = pd.Timestamp(run.record.night, tz="UTC")
    events = pd.DataFrame({"user_id": user_id, "video_id": seen, "event_type": "play"})
    groups = pd.DataFrame({"video_id": plain[:2], "group_id": "g", "is_canonical": [True, False]})
    for name, table in (("videos", videos), ("interactions.0", events), ("duplicates", groups)):
        run.remember(Artefacts(store).write(name, f"{run.record.night}-{name}", {"table": table}))
    rows = pd.DataFrame(
        [
            {
                "user_id": user_id, "rank": 1, "video_id": on_topic[0], "score": 0.5,
                "score_components": {"tower": 0.5}, "source": "tower", "reason_code": "topic",
                "explanation": "Because you watch cats.", "evidence": {},
                "explanation_verified": True, "valid_until": moment,
            }
        ]
    )  # fmt: skip
    profiles = pd.DataFrame(
        [
            {
                "user_id": user_id, "portrait": "Watches cats and coffee.",
                "portrait_source": "model", "topics": [], "behaviour": {}, "as_of": moment,
                "evidence": {},
            }
        ]
    )  # fmt: skip
    publisher = Publisher(make_engine(results_url(read_settings(), store)))
    publisher.prepare()
    now = datetime(2026, 9, 1, 2, tzinfo=UTC)
    publisher.open_run(
        run.run_id,
        night=run.night,
        started_at=now,
        manifest={},
        metrics=METRICS,
        gates={"passed": True},
    )
    publisher.load(run.run_id, {"recommendations": [rows], "user_profiles": [profiles]})
    assert publisher.publish(run.run_id, now)
    return user_id


def said_by_show(*, with_details: bool = False) -> str:
    lines: list[str] = []
    show(lines.append, with_details=with_details)
    return "\n".join(" ".join(line.split()) for line in lines)


@pytest.fixture
def user_id(store: Path) -> str:
    """Two nights, of which the second is published; one user with a list."""
    place = Store(str(store))
    open_run(place, NIGHTS[0], decoded=6, reused=False)
    return publish(place, open_run(place, NIGHTS[1], decoded=0, reused=True))


def test_it_prints_users_with_reasons_the_worth_and_where_to_look(
    store: Path, user_id: str
) -> None:
    text = said_by_show()
    assert f"{user_id} Watches cats and coffee. [model]" in text
    assert "Because you watch cats." in text
    assert "NDCG@10 0.250, 1.20 times [1.10, 1.30] the best simple list" in text
    assert "spoken words: 0 of" in text
    assert "written titles: read whole in 0 of 0 videos" in text
    assert "Portraits in ranking: +0.0012 [-0.0004, +0.0030] NDCG@10" in text
    assert "planted topics: 100% of what was possible in 1 users' lists" in text
    assert "0 of 1 pairs found, 1 false" in text
    assert str(store / "results.sqlite") in text
    assert f"reports/{NIGHTS[1]}.html" in text
    assert "extract_keyframes" not in text
    assert len(text.splitlines()) < 45


def test_details_are_rows_seconds_and_what_was_skipped(user_id: str) -> None:
    text = said_by_show(with_details=True)
    assert "\nrecommendations 1\n" in text
    assert "extract_keyframes 1.5 1.5" in text
    assert "extract_keyframes decoded 6 → 0, videos 8 → 8" in text
    assert "2 of 2 tasks found their artefacts" in text


def test_before_the_first_night_it_says_what_to_do(store: Path) -> None:
    with pytest.raises(EmptyNight, match="run one first"):
        show(lambda line: None)
