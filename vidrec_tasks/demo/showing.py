"""Showing: prints what the last two nights came to: tables, lists, seconds, what was skipped."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from vidrec_tasks.columns import EXPLANATION, PORTRAIT, PORTRAIT_SOURCE, SCORE, TITLE, VIDEO_ID
from vidrec_tasks.demo.recovery import measure_recovery, recovery_lines
from vidrec_tasks.demo.truth import has_truth, read_truth
from vidrec_tasks.errors import EmptyNight
from vidrec_tasks.night import NIGHT
from vidrec_tasks.publishing.engine import file_of, make_engine, results_url, where
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.settings import Settings, read_settings
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

N_USERS: Final = 3
N_SHOWN: Final = 5
TITLE_LENGTH: Final = 48
SKIPPING: Final = ("extract_keyframes", "embed_videos", "write_portraits", "train_models")
"""The jobs whose work is proportional to change."""

Write = Callable[[str], None]


def show(write: Write) -> None:
    """Print what the newest published night is, and what it cost beside the night before.

    Args:
        write: takes a line.

    Raises:
        EmptyNight: nothing was published yet.
    """
    settings = read_settings()
    store = Store(settings.store_url)
    reader = Reader(results_url(settings, store))
    run_id = reader.current_run_id()
    if run_id is None:
        message = f"show: no night is published in {store.url} yet; run one first"
        raise EmptyNight(message)
    run = Runs(store).get(run_id)
    earlier = _night_before(store, run)
    for title, lines in (
        (f"rows of the published run {run_id}", _table_lines(reader)),
        ("three users", _user_lines(reader, run)),
        ("seconds a task", _second_lines(run, earlier)),
        (f"what night {run.record.night} skipped", _skipped_lines(run, earlier)),
        ("planted truth recovered", _recovered_lines(store, reader, run)),
        ("where it lies", _place_lines(settings, store, run)),
    ):
        write("")
        write(f"== {title} ==")
        for line in lines:
            write(line)


def _night_before(store: Store, run: Run) -> Run | None:
    """The newest run of the last night before a run's."""
    runs = Runs(store)
    nights = sorted({other.night for other in runs if other.night < run.night})
    return runs.of_night(nights[-1]) if nights else None


def _table_lines(reader: Reader) -> Iterator[str]:
    for name, n_rows in reader.row_counts().items():
        yield f"{name:<26} {n_rows:>8,}"


def _user_lines(reader: Reader, run: Run) -> Iterator[str]:
    videos = run.read_table("videos")
    titles = dict(zip(videos[VIDEO_ID], videos[TITLE], strict=True))
    for user_id in _sample(reader):
        profile = reader.profile(user_id) or {}
        source = profile.get(PORTRAIT_SOURCE, "none")
        yield f"{user_id}  {profile.get(PORTRAIT, 'no portrait')}  [{source}]"
        for row in reader.recommendations(user_id, N_SHOWN):
            title = _shortened(titles.get(row[VIDEO_ID], ""))
            yield f"   {row['rank']}. {row[VIDEO_ID]} {title}  ({row[SCORE]:.3f})"
            yield f"      {row[EXPLANATION]}"


def _sample(reader: Reader) -> list[str]:
    """Users from all over the ids, those whose portrait the model wrote first."""
    profiles = reader.table("user_profiles")
    have_list = set(reader.sample_users(len(profiles)))
    by_model = profiles[profiles[PORTRAIT_SOURCE] == "model"]["user_id"].tolist()
    users = [user for user in by_model if user in have_list] or sorted(have_list)
    step = max(1, len(users) // N_USERS)
    return users[::step][:N_USERS]


def _second_lines(run: Run, earlier: Run | None) -> Iterator[str]:
    nights = [night for night in (earlier, run) if night is not None]
    seconds = [_seconds(night) for night in nights]
    yield f"{'':<22}" + "".join(f"{night.record.night:>12}" for night in nights)
    for job in NIGHT:
        if any(job in of_run for of_run in seconds):
            yield f"{job:<22}" + "".join(f"{of_run.get(job, 0.0):>12.1f}" for of_run in seconds)
    yield f"{'all':<22}" + "".join(f"{sum(of_run.values()):>12.1f}" for of_run in seconds)


def _seconds(run: Run) -> dict[str, float]:
    """Seconds a job, summed over its shards."""
    total: dict[str, float] = defaultdict(float)
    for receipt in run.receipts():
        total[receipt["job"]] += receipt["seconds"]
    return dict(total)


def _skipped_lines(run: Run, earlier: Run | None) -> Iterator[str]:
    for job in SKIPPING:
        counts = _counts(run, job)
        before = _counts(earlier, job) if earlier is not None else {}
        changes = [f"{name} {_was(before, name)}{_number(value)}" for name, value in counts.items()]
        if changes:
            yield f"{job:<22} {', '.join(changes)}"
    receipts = run.receipts()
    n_reused = sum(bool(receipt["reused"]) for receipt in receipts)
    yield f"{n_reused} of {len(receipts)} tasks found their artefacts in the store"


def _counts(run: Run, job: str) -> dict[str, float]:
    """Counts of a job, summed over its shards."""
    total: dict[str, float] = defaultdict(float)
    for receipt in run.receipts():
        for name, value in receipt["counts"].items() if receipt["job"] == job else ():
            if isinstance(value, int | float) and not isinstance(value, bool):
                total[name] += value
    return dict(total)


def _was(before: Mapping[str, float], name: str) -> str:
    return f"{_number(before[name])} → " if name in before else ""


def _recovered_lines(store: Store, reader: Reader, run: Run) -> Iterator[str]:
    root = store.local(store.path())
    if not has_truth(root):
        yield "the store holds no demo world: nothing was planted"
        return
    yield from recovery_lines(measure_recovery(run, reader, read_truth(root)))


def _place_lines(settings: Settings, store: Store, run: Run) -> Iterator[str]:
    engine = make_engine(results_url(settings, store), read_only=True)
    yield f"report     {store.path('reports', f'{run.record.night}.html')}"
    yield f"database   {file_of(engine) or where(engine)}"
    yield f"store      {store.path()}"


def _shortened(title: str) -> str:
    return title if len(title) <= TITLE_LENGTH else f"{title[: TITLE_LENGTH - 1]}…"


def _number(value: Any) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.3g}"
