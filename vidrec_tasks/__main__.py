"""The command line: ``python -m vidrec_tasks JOB --night 2026-09-01``; an error is one line."""

import argparse
import logging
import sys
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidrec_tasks.errors import VidrecError
from vidrec_tasks.language.quoting import inert
from vidrec_tasks.night import NIGHT

if TYPE_CHECKING:
    from vidrec_tasks.publishing.publisher import Publisher
    from vidrec_tasks.running.job import Approval

log = logging.getLogger("vidrec_tasks")

Command = Callable[[argparse.Namespace], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0, or 1 when vidrec said what is wrong.
    """
    _write_logs()
    arguments = make_parser().parse_args(argv)
    try:
        arguments.command(arguments)
    except VidrecError as error:
        log.error("%s", error)
        return 1
    return 0


def make_parser() -> argparse.ArgumentParser:
    """The commands and what each of them takes."""
    parser = argparse.ArgumentParser("python -m vidrec_tasks", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_night(commands)
    for task_id in NIGHT:
        _add_job(commands, task_id)
    _add_by_hand(commands)
    _add(commands, "migrate", _migrate, "migrate the result tables to this version's schema")
    _add_import(commands)
    _add(commands, "metrics", _metrics, "print what a monitor watches, in Prometheus' text format")
    _add(
        commands,
        "receive_inputs",
        _receive,
        "put the files of a tar archive, from standard input, into the inputs of the store",
    )
    _add(
        commands,
        "answer_batches",
        _answer_batches,
        "answer the batch files in the store, by the language model of the settings",
    )
    _add_demo(commands)
    return parser


def _add(commands: Any, name: str, command: Command, meaning: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=meaning, description=meaning)
    parser.set_defaults(command=command)
    return parser


def _add_night_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--night", type=_night, required=True, help="YYYY-MM-DD")
    parser.add_argument("--refresh", action="store_true", help="read the inputs again")
    parser.add_argument("--cold", action="store_true", help="take nothing from earlier runs")
    parser.add_argument(
        "--force", action="store_true", help="make artefacts again that exist already"
    )
    parser.add_argument("--future", action="store_true", help="allow a night after today")


def _add_night(commands: Any) -> None:
    parser = _add(commands, "night", _run_night, "run a whole night, without Airflow")
    _add_night_arguments(parser)
    parser.add_argument("--until", choices=NIGHT, default=NIGHT[-1], help="the last job to run")


def _add_job(commands: Any, task_id: str) -> None:
    parser = _add(commands, task_id, _run_job, f"run the job {task_id} of a night")
    _add_night_arguments(parser)
    parser.add_argument("--shard", default=None, help="one shard; all of them by default")
    if task_id == "publish_lists":
        parser.add_argument(
            "--approved-by", metavar="NAME", help="publish a rejected run; NAME is who approved it"
        )
    parser.set_defaults(task_id=task_id)


def _add_by_hand(commands: Any) -> None:
    search = _add(commands, "search", _search, "answer queries from the published night's features")
    search.add_argument("queries", nargs="+")
    search.add_argument("--n", type=int, default=10, help="videos per query")
    rollback = _add(commands, "rollback", _roll_back, "point the readers at an earlier run")
    rollback.add_argument(
        "--run-id", default=None, help="by default the one published before the current one"
    )
    forget = _add(commands, "forget", _forget, "erase users everywhere, leave a receipt")
    forget.add_argument("user_ids", nargs="+")
    _add_tables(commands)


def _add_tables(commands: Any) -> None:
    export = _add(commands, "export", _export, "write the current lists to a file")
    export.add_argument("--to", type=Path, required=True, help="the file")
    forms = ("jsonl", "csv", "parquet", "spreadsheet")
    export.add_argument(
        "--form",
        choices=forms,
        default=forms[0],
        help="spreadsheet: a CSV for people, in which no id can be a formula; default: %(default)s",
    )
    export.add_argument(
        "--users", type=Path, help="a file with one user id per line; default: all users"
    )
    roles = _add(commands, "roles", _roles, "create writer, reader and page roles in PostgreSQL")
    roles.add_argument("--prefix", default="vidrec", help="prefix of the roles' names")


def _add_import(commands: Any) -> None:
    from vidrec_tasks.importing.command import add_arguments

    parser = _add(
        commands, "import_data", _import, "turn files of another format into the input tables"
    )
    add_arguments(parser)


def _add_demo(commands: Any) -> None:
    from vidrec_tasks.demo.command import add_arguments

    add_arguments(_add(commands, "demo", _demo, "render a small world with a known truth"))
    nights = _add(
        commands, "demo_nights", _demo_nights, "print the last two nights of a demo world"
    )
    nights.add_argument("--into", type=Path, required=True)
    watch = _add(commands, "watch", _watch, "print the progress of a night until a process ends")
    watch.add_argument("--night", type=_night, required=True)
    watch.add_argument("--pid", type=int, required=True)
    shown = _add(commands, "show", _show, "print what the last night published, and its worth")
    shown.add_argument(
        "--details", action="store_true", help="rows, seconds a task, and what was skipped instead"
    )


def _run_night(arguments: argparse.Namespace) -> None:
    from vidrec_tasks.running.runner import run_night

    run_night(
        arguments.night,
        until=arguments.until,
        refresh=arguments.refresh,
        is_cold=arguments.cold,
        force=arguments.force,
        may_be_future=arguments.future,
    )


def _run_job(arguments: argparse.Namespace) -> None:
    from vidrec_tasks.running.runner import Order, all_shards, run_job

    task_id, night = arguments.task_id, arguments.night
    for shard in [arguments.shard] if arguments.shard else all_shards(task_id, night):
        run_job(
            Order(
                task_id,
                night,
                shard,
                refresh=arguments.refresh,
                is_cold=arguments.cold,
                force=arguments.force,
                approval=_approval(arguments),
                may_be_future=arguments.future,
            )
        )


def _approval(arguments: argparse.Namespace) -> "Approval | None":
    """Who answers for a rejected run of the night, if somebody does."""
    from vidrec_tasks.running.overriding import approve

    name = getattr(arguments, "approved_by", None)
    return approve(arguments.night, name) if name else None


def _search(arguments: argparse.Namespace) -> None:
    answer = _by_hand("answer_request", queries=arguments.queries, n_results=arguments.n)
    for row in answer["rows"]:
        at = "" if row["at_s"] is None else f" at {row['at_s']:.1f} s"
        _write(
            f"{row['query']}: {row['rank']}. {row['video_id']} {row['title']} "
            f"(matched {row['matched']}{at}, {row['score']:.4f})"
        )


def _roll_back(arguments: argparse.Namespace) -> None:
    _write(str(_by_hand("roll_back", run_id=arguments.run_id)))


def _forget(arguments: argparse.Namespace) -> None:
    _write(str(_by_hand("forget_users", user_ids=arguments.user_ids)))


def _migrate(arguments: argparse.Namespace) -> None:
    before, now = _publisher().prepare()
    _write(f"result tables: version {now} (before: {before or 'none'})")


def _publisher() -> "Publisher":
    from vidrec_tasks.publishing.engine import make_engine
    from vidrec_tasks.publishing.publisher import Publisher

    return Publisher(make_engine(_results()))


def _export(arguments: argparse.Namespace) -> None:
    from vidrec_tasks.publishing.exports import export_lists, read_ids

    users = None if arguments.users is None else read_ids(arguments.users)
    _write(str(export_lists(_results(), arguments.to, form=arguments.form, user_ids=users)))


def _roles(arguments: argparse.Namespace) -> None:
    from vidrec_tasks.publishing.roles import create_roles

    publisher = _publisher()
    publisher.prepare()
    _write(str(create_roles(publisher.engine, prefix=arguments.prefix)))


def _results() -> str:
    """The URL of the result tables."""
    from vidrec_tasks.publishing.engine import results_url
    from vidrec_tasks.settings import read_settings
    from vidrec_tasks.store.store import Store

    settings = read_settings()
    return results_url(settings, Store(settings.store_url))


def _by_hand(task_id: str, **arguments: Any) -> dict[str, Any]:
    from vidrec_tasks.running.by_hand import run_by_hand

    moment = datetime.now(UTC).isoformat()
    return run_by_hand(task_id, request_id=f"cli__{moment}_{uuid.uuid4().hex[:8]}", **arguments)


def _import(arguments: argparse.Namespace) -> None:
    from vidrec_tasks.importing.command import options_of
    from vidrec_tasks.importing.presets import import_data
    from vidrec_tasks.settings import read_settings
    from vidrec_tasks.store.store import Store

    store = Store(read_settings().store_url)
    options = options_of(arguments)
    imported = import_data(
        arguments.preset, arguments.source, store.local(store.path("inputs")), **options
    )
    _write(f"{arguments.preset}: {imported}")


def _metrics(arguments: argparse.Namespace) -> None:
    from datetime import UTC, datetime

    from vidrec_tasks.publishing.engine import reader_url
    from vidrec_tasks.publishing.monitoring import as_text, metrics
    from vidrec_tasks.publishing.reader import Reader
    from vidrec_tasks.settings import read_settings
    from vidrec_tasks.store.store import Store

    settings = read_settings()
    store = Store(settings.store_url, is_read_only=True)
    reader = Reader(reader_url(settings, store))
    try:
        _write(as_text(metrics(reader, store, datetime.now(UTC))).rstrip("\n"))
    finally:
        reader.close()


def _answer_batches(arguments: argparse.Namespace) -> None:
    from vidrec_tasks.running.answering import answer_batches

    _write(str(answer_batches()))


def _receive(arguments: argparse.Namespace) -> None:
    from vidrec_tasks.settings import read_settings
    from vidrec_tasks.store.receiving import receive_inputs
    from vidrec_tasks.store.store import Store

    store = Store(read_settings().store_url)
    received = receive_inputs(store, sys.stdin.buffer)
    _write(f"inputs: {received.n_files} files of {received.n_bytes:,} bytes are in {store.url}")


def _demo(arguments: argparse.Namespace) -> None:
    from vidrec_tasks.demo.command import run

    run(arguments)


def _demo_nights(arguments: argparse.Namespace) -> None:
    from vidrec_tasks.demo.command import nights

    for night in nights(arguments.into):
        _write(night.isoformat())


def _watch(arguments: argparse.Namespace) -> None:
    from vidrec_tasks.demo.watching import watch

    watch(arguments.night, arguments.pid, write=_write)


def _show(arguments: argparse.Namespace) -> None:
    from vidrec_tasks.demo.showing import show

    show(write=_write, with_details=arguments.details)


def _night(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        message = f"{text!r} is not a day like 2026-09-01"
        raise argparse.ArgumentTypeError(message) from error


def _write(line: str) -> None:
    sys.stdout.write(f"{inert(line)}\n")
    sys.stdout.flush()


class _InertLines(logging.Formatter):
    """Lines of the log without what acts: an error repeats a piece of a file, a title say."""

    def format(self, record: logging.LogRecord) -> str:
        return inert(super().format(record))


def _write_logs() -> None:
    lines = logging.StreamHandler()
    lines.setFormatter(_InertLines("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[lines])
    logging.getLogger("alembic").setLevel(logging.WARNING)
    for noisy in ("httpx", "faiss", "transformers", "torch", "PIL"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
