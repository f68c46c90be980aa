"""Showing: one screen on the newest published night: three users, its worth, where to look next.

Leaves what each task did, and how long it took, to `details`.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from vidrec_tasks.columns import EXPLANATION, PORTRAIT, PORTRAIT_SOURCE, SCORE, TITLE, VIDEO_ID
from vidrec_tasks.demo.details import detail_parts
from vidrec_tasks.demo.recovery import measure_recovery, recovery_lines
from vidrec_tasks.demo.truth import has_truth, read_truth
from vidrec_tasks.errors import EmptyNight
from vidrec_tasks.evaluation.worth import say_lift_of_words, say_worth
from vidrec_tasks.publishing.engine import file_of, make_engine, results_url, where
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.settings import Settings, read_settings
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

N_USERS: Final = 3
N_SHOWN: Final = 3
TITLE_LENGTH: Final = 48

Write = Callable[[str], None]


def show(write: Write, *, with_details: bool = False) -> None:
    """Print what the newest published night is, or what it did and what that cost, job by job.

    Args:
        write: takes a line.
        with_details: print rows, seconds and what was skipped instead.

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
    parts: list[tuple[str, Iterable[str]]] = [
        (f"three users of the published run {run_id}", _user_lines(reader, run)),
        ("what it is worth", _worth_lines(store, reader, run)),
        ("where to look next", _place_lines(settings, store, run)),
    ]
    if with_details:
        parts = detail_parts(reader, run, _night_before(store, run))
    for title, lines in parts:
        write("")
        write(f"== {title} ==")
        for line in lines:
            write(line)


def _night_before(store: Store, run: Run) -> Run | None:
    """The newest run of the last night before a run's."""
    runs = Runs(store)
    nights = sorted({other.night for other in runs if other.night < run.night})
    return runs.of_night(nights[-1]) if nights else None


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


def _worth_lines(store: Store, reader: Reader, run: Run) -> Iterator[str]:
    described = reader.run(run.run_id) or {}
    metrics = described.get("metrics") or {}
    yield from filter(None, (say_worth(metrics), say_lift_of_words(metrics)))
    root = store.local(store.path())
    if has_truth(root):
        yield from recovery_lines(measure_recovery(run, reader, read_truth(root)))


def _place_lines(settings: Settings, store: Store, run: Run) -> Iterator[str]:
    engine = make_engine(results_url(settings, store), read_only=True)
    yield f"report     {store.path('reports', f'{run.record.night}.html')}"
    yield f"database   {file_of(engine) or where(engine)}"
    yield f"store      {store.path()}"
    yield "page       make up, then Browse → vidrec"
    yield "more       python -m vidrec_tasks show --details (rows, seconds, what was skipped)"


def _shortened(title: str) -> str:
    return title if len(title) <= TITLE_LENGTH else f"{title[: TITLE_LENGTH - 1]}…"
