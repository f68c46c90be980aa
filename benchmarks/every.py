"""Every benchmark in turn, each in a process of its own, and the page that is computed from them.

``python -m benchmarks.every --out DIR [--data DIR] [--only NAME,…]`` keeps ``DIR/<name>.json`` of
each and what ran it in ``DIR/<name>.run.json``, then writes docs/BENCHMARKS.md (`every_page`). One
that fails or lacks its data is said to have; the others go on. ``--page`` writes the page alone.
``--quick`` runs each on little, to see that it runs: its figures say nothing, so their page is
written beside them (``DIR/BENCHMARKS.md``).
"""

import argparse
import json
import logging
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from benchmarks.every_page import PAGE, write_page
from benchmarks.one_line_errors import run

log = logging.getLogger("benchmarks.every")

ROOT: Final = Path(__file__).resolve().parents[1]
LIBRARIES: Final = ("torch", "transformers", "faiss-cpu", "opencv-python", "pandas", "numpy",
                    "apache-airflow", "SQLAlchemy")  # fmt: skip


@dataclass(frozen=True)
class Bench:
    """One benchmark.

    Attributes:
        name: of its JSON.
        module: what is run.
        arguments: its arguments; ``{data}`` stands for the folder of real data.
        needs: a folder of the real data that it cannot do without; '' for none.
        quick: further arguments that make it small.
    """

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    needs: str = ""
    quick: tuple[str, ...] = ()


BENCHES: Final = (
    Bench("content", "content", ("--data", "{data}"), "videos",
          quick=("--films", "2", "--rounds", "1")),
    Bench("retrieval", "retrieval",
          ("--clips", "{data}/videos/clips", "--captions", "{data}/videos/clips.csv"), "videos"),
    Bench("language", "language", ("--data", "{data}"), "ml-latest-small", ("--users", "4")),
    Bench("relevance", "language_relevance",
          ("--data", "{data}", "--top", "10", "--seconds", "300"), "ml-latest-small",
          ("--pairs", "20")),
    Bench("cards", "language_cards", ("--data", "{data}"), "tmdb-5000"),
    Bench("attribution", "attribution", ("--data", "{data}"), "movietweetings-100k",
          ("--users", "20", "--rounds", "1")),
    Bench("senses", "senses", ("--data", "{data}"), "videos", ("--queries", "50")),
    Bench("search", "search", ("--data", "{data}"), "videos", ("--queries", "50")),
    *(
        Bench(f"quality-{protocol}", "quality",
              ("--preset", "movielens", "--from", "{data}/ml-latest-small",
               "--protocol", protocol), "ml-latest-small", ("--peers", "none"))
        for protocol in ("loo", "cold", "against")
    ),
    # of 671 users of MovieLens 21 are in a last window: too few to tell systems apart
    Bench("quality-time", "quality",
          ("--preset", "movielens", "--from", "{data}/movietweetings-100k", "--protocol", "time",
           "--peers", "quick"),
          "movietweetings-100k", ("--peers", "none")),
    Bench("publishing", "publishing", quick=("--rows", "20000", "--runs-meanwhile", "1")),
    Bench("page", "page", quick=("--users", "2000")),
    Bench("scale", "scale", quick=("--users", "300", "--videos", "300", "--no-airflow")),
    Bench("training", "training", ("--data", "{data}"), "movietweetings-100k",
          quick=("--videos", "20000", "--users", "200")),
    Bench("out_of_core", "out_of_core",
          quick=("--events", "200000", "--users", "2000", "--videos", "500")),
    Bench("soak", "soak", quick=("--nights", "3")),
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run them; returns how many failed."""
    parser = argparse.ArgumentParser(prog="benchmarks.every", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="where the JSON files are kept")
    parser.add_argument("--data", type=Path, help="folder of real data; what needs it waits for it")
    parser.add_argument("--only", help="comma-separated names")
    parser.add_argument("--page", action="store_true", help="run nothing, write the page")
    parser.add_argument("--quick", action="store_true", help="on little: see that they run")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    asked.out.mkdir(parents=True, exist_ok=True)
    names = [bench.name for bench in BENCHES]
    page = asked.out / "BENCHMARKS.md" if asked.quick else PAGE
    if asked.page:
        write_page(asked.out, names, page)
        return 0
    named = asked.only.split(",") if asked.only else names
    unknown = sorted(set(named) - set(names))
    if unknown:
        parser.error(f"{len(unknown)} unknown (first: {unknown[0]}); one of {', '.join(names)}")
    ended = [
        run_one(b, asked.out, asked.data, is_quick=asked.quick) for b in BENCHES if b.name in named
    ]
    write_page(asked.out, names, page)
    return sum(said.get("exit_code", 0) != 0 for said in ended)


def run_one(
    bench: Bench, out: Path, data: Path | None, *, is_quick: bool = False
) -> dict[str, Any]:
    """Run one; what it said of itself stands in ``<name>.run.json`` beside its figures.

    An earlier figure is kept only where nothing was run.
    """
    said: dict[str, Any] = {"machine": machine(), "is_quick": is_quick}
    if bench.needs and (data is None or not (data / bench.needs).exists()):
        said["not_run"] = f"needs {bench.needs} in --data"
        log.info("%s: not run, %s", bench.name, said["not_run"])
        if not (out / f"{bench.name}.json").exists():
            (out / f"{bench.name}.run.json").write_text(json.dumps(said, indent=1))
        return said
    figures = out / f"{bench.name}.json"
    figures.unlink(missing_ok=True)
    words = [*bench.arguments, *(bench.quick if is_quick else ())]
    filled = [text.replace("{data}", str(data)) for text in words]
    command = [sys.executable, "-m", f"benchmarks.{bench.module}", *filled, "--json", str(figures)]
    log.info("%s", bench.name)
    begin = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, check=False)
    said |= {"exit_code": done.returncode, "seconds": round(time.monotonic() - begin, 1)}
    (out / f"{bench.name}.run.json").write_text(json.dumps(said, indent=1))
    log.info("%s: exit %d in %.0f s", bench.name, done.returncode, said["seconds"])
    return said


def machine() -> dict[str, Any]:
    """What ran it, and when: processor, memory, load, versions; no names of hosts or folders."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "day": date.today().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in LIBRARIES},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


if __name__ == "__main__":
    run(main)
