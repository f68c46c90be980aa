"""The canary: a night on inputs with a planted future makes the same bytes as one without it."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from tests.jobs import small_nights
from vidrec_tasks.demo.size import Size
from vidrec_tasks.demo.world import render_world
from vidrec_tasks.evaluation.glossary import term_of
from vidrec_tasks.evaluation.measures import measures_of
from vidrec_tasks.running.runner import run_night
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

SIZE = Size(videos=24, users=60, nights=8, films=0)
NIGHT = SIZE.two_nights[0]
CANARY = "canaryfuturum"


def settings_of(folder: Path) -> Settings:
    return small_nights.settings_of(
        folder, recommending={"max_epochs": 3, "dim": 16}, insights={"k_anonymity": 5}
    )


def cut_off(folder: Path, night: date) -> int:
    """Remove from the inputs all that happens on the night or later; returns how many events."""
    begin, n_cut = pd.Timestamp(night, tz="UTC"), 0
    for path in sorted((folder / "inputs" / "interactions").glob("*.csv")):
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        moments = pd.to_datetime(table["event_at"], utc=True, format="mixed", errors="coerce")
        is_future = (moments >= begin).fillna(False)
        n_cut += int(is_future.sum())
        table[~is_future].to_csv(path, index=False)
    catalogue = folder / "inputs" / "videos.csv"
    videos = pd.read_csv(catalogue, dtype=str, keep_default_na=False)
    published = pd.to_datetime(videos["published_at"], utc=True, format="mixed", errors="coerce")
    videos[~(published >= begin).fillna(False)].to_csv(catalogue, index=False)
    return n_cut


def plant(folder: Path, night: date) -> None:
    """A film of tomorrow that everybody watches from tomorrow on, and somebody who comes then."""
    catalogue = folder / "inputs" / "videos.csv"
    videos = pd.read_csv(catalogue, dtype=str, keep_default_na=False)
    tomorrow = f"{night.isoformat()}T00:00:00Z"
    film = {**videos.iloc[0].to_dict(), "video_id": f"{CANARY}-film", "title": f"The {CANARY}"}
    film |= {"published_at": tomorrow, "updated_at": "", "expires_at": "", "uri": ""}
    pd.concat([videos, pd.DataFrame([film])]).to_csv(catalogue, index=False)
    files = sorted((folder / "inputs" / "interactions").glob("*.csv"))
    last = pd.read_csv(files[-1], dtype=str, keep_default_na=False)
    users = [*sorted(set(last["user_id"]) - {""})[:20], f"{CANARY}-user"]
    rows = [
        {**dict.fromkeys(last.columns, ""), "user_id": user, "video_id": f"{CANARY}-film",
         "event_at": tomorrow, "event_type": "like"}
        for user in users
    ]  # fmt: skip
    pd.concat([last, pd.DataFrame(rows)]).to_csv(files[-1], index=False)


def checksums(run: Run) -> dict[str, str]:
    """Every artefact by name; an input that was counted but not taken in stands in `rejects`."""
    return {ref.name: ref.checksum for ref in run.refs() if ref.name != "rejects"}


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run, int]:
    """The same night with and without a future, and how many events the first has of it."""
    runs, n_cut = [], 0
    for name in ("with", "without"):
        folder = tmp_path_factory.mktemp(name)
        render_world(folder, SIZE)
        if name == "with":
            plant(folder, NIGHT)
        else:
            n_cut = cut_off(folder, NIGHT)
        settings = settings_of(folder)
        run_night(NIGHT, settings, until="evaluate_lists")
        runs.append(Runs(Store(settings.store_url)).of_night(NIGHT))
    return runs[0], runs[1], n_cut


def test_the_future_changes_no_byte_of_any_artefact(nights: tuple[Run, Run, int]) -> None:
    with_future, without, n_cut = nights
    assert n_cut > 100
    found, expected = checksums(with_future), checksums(without)
    assert {"models.serving", "explained.0", "portraits.0", "metrics", "answers"} <= set(expected)
    assert {name for name in expected if found.get(name) != expected[name]} == set()
    assert set(found) == set(expected)


def test_the_planted_names_stand_in_no_file_of_an_artefact(nights: tuple[Run, Run, int]) -> None:
    run, _, _ = nights
    root = Path(run.store.local(run.store.path("artefacts")))
    named = [p for p in root.rglob("*") if p.is_file() and CANARY.encode() in p.read_bytes()]
    assert named == []
    for ref in run.refs():
        if ref.name.startswith(("explained", "portraits", "similar", "videos", "interactions")):
            assert (
                not run.read_table(ref.name)
                .astype(str)
                .apply(lambda column: column.str.contains(CANARY))
                .to_numpy()
                .any()
            ), ref.name


def test_every_metric_of_a_night_has_its_term_in_the_glossary(
    nights: tuple[Run, Run, int],
) -> None:
    measures = measures_of(nights[0].read_json("metrics", "metrics"))
    assert len(measures) > 40
    assert [m.name for m in measures if term_of(m.name) is None] == []
