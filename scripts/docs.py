"""Writes the generated pages of docs/: what the code says already is not written twice.

``python -m scripts.docs`` writes them; the tests compare them with what is committed.
"""

import json
import logging
import os
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from scripts.dependencies import dependencies_page

ROOT = Path(__file__).resolve().parents[1]
MADE = "<!-- Made by `make docs`; change the code instead. -->\n"


def pages() -> dict[str, Callable[[], str]]:
    """Page name -> the function that writes its text."""
    return {
        "SETTINGS.md": settings_page,
        "TABLES.md": tables_page,
        "DAGS.md": dags_page,
        "NIGHT.md": night_page,
        "ARTEFACTS.md": artefacts_page,
        "METRICS.md": metrics_page,
        "DEPENDENCIES.md": lambda: dependencies_page(MADE),
        f"contract/{_version()}.json": contract_page,
    }


def settings_page() -> str:
    """Every setting with its environment name, default, range and meaning."""
    from vidrec_tasks.settings import PREFIX, Group, Settings

    lines = [
        "# Settings",
        MADE,
        "Set in the environment; an unknown `VIDREC_*` name is an error.",
        "",
    ]
    top = [(name, info) for name, info in Settings.model_fields.items() if not _is_group(info)]
    lines += ["## Top level", "", *_settings_table(PREFIX, top)]
    for name, info in Settings.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, Group):
            meaning = (kind.__doc__ or "").splitlines()[0]
            lines += ["", f"## {name}", "", meaning, ""]
            lines += _settings_table(f"{PREFIX}{name}__".upper(), list(kind.model_fields.items()))
    return "\n".join(lines) + "\n"


def _is_group(info: FieldInfo) -> bool:
    from vidrec_tasks.settings import Group

    return isinstance(info.annotation, type) and issubclass(info.annotation, Group)


def _settings_table(prefix: str, fields: list[tuple[str, FieldInfo]]) -> list[str]:
    rows = ["| name | default | range | meaning |", "|---|---|---|---|"]
    for name, info in fields:
        default = "" if "SecretStr" in str(info.annotation) else info.default
        rows.append(
            f"| `{prefix}{name.upper()}` | `{default!r}` | {_range(info)} | {info.description} |"
        )
    return rows


def _range(info: FieldInfo) -> str:
    from typing import get_args

    choices = get_args(info.annotation)
    if choices and all(isinstance(choice, str) for choice in choices):
        return " or ".join(f"`{choice}`" for choice in choices)
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    bounds = [
        f"{sign} {getattr(rule, name)}"
        for rule in info.metadata
        for name, sign in signs.items()
        if getattr(rule, name, None) is not None
    ]
    return ", ".join(bounds)


def tables_page() -> str:
    """Input tables from their contracts, result tables from their schema, and how to read these."""
    from scripts.reading import reading
    from vidrec_tasks.contracts.absence import NULL_WORDS
    from vidrec_tasks.contracts.inputs import INPUTS
    from vidrec_tasks.publishing.tables import metadata
    from vidrec_tasks.store.table_files import READ

    lines = ["# Tables", MADE, "## Input tables", ""]
    lines += [
        f"`inputs/<table>` as {READ} in the store, or a folder `inputs/<table>/` of such files, in "
        "folders of their own or not; a folder `key=value` is a column. A file of another kind "
        "stops the night with an error that names it.",
        "",
        "* **Text** is UTF-8, or what a byte order mark says, or `VIDREC_INPUTS__ENCODING`. The "
        "separator (comma, semicolon, tab, bar) follows from the header; `sep=` lines and all line "
        "endings are understood.",
        "* **A missing value** is an empty cell or one of "
        f"{', '.join(f'`{word}`' for word in sorted(NULL_WORDS))}.",
        "* **Lists** are native, or text: `a|b`, `a, b`, `a;b`, JSON, as Python, numpy and "
        "PostgreSQL write them, or records, of which the name is taken.",
        "* **Times** are UTC unless they say otherwise: ISO 8601 and its variants (Go, BigQuery), "
        "mail dates, `20260801`, seconds, milli-, micro- or nanoseconds since 1970. Values that "
        "could mean two days or would be decades off are rejected, with the reason: `24/12/2026`, "
        "`2026`, a spreadsheet's day number, `0`.",
        "* **Of two rows of one video** the newest counts (`updated_at`, else the last). A row "
        "that withdraws or restricts a video counts as soon as it is known, even after the night, "
        "and also if it cannot be read. **Of two rows of one user**, every restriction counts.",
        "* **The same event again**, equal in every column, is counted and left out.",
        "* **Increments**: `VIDREC_INPUTS__INTERACTIONS_ARE=increment` takes earlier events from "
        "the last night; `VIDREC_INPUTS__VIDEOS_ARE` likewise. Otherwise the files hold all rows.",
    ]
    for table in INPUTS:
        lines += ["", f"### {table.name}", "", table.meaning, "", "| column | kind | meaning |"]
        lines += ["|---|---|---|"]
        for column in table.columns:
            kind = f"{column.kind}, required" if column.required else column.kind
            lines.append(f"| `{column.name}` | {kind} | {column.meaning}{_bounds(column)} |")
    lines += ["", "## Result tables", "", "Readers use the views `current_<table>`, which have the "
              "same columns and follow the pointer. `adhoc_search_results`, which holds what was "
              "asked of `vidrec_search`, and `pointer` have none."]  # fmt: skip
    for result in metadata.sorted_tables:
        key = ", ".join(column.name for column in result.primary_key)
        lines += ["", f"### {result.name}", "", f"{result.comment or ''} Key: {key}.".strip(), ""]
        lines += ["| column | type | meaning |", "|---|---|---|"]
        for field in result.columns:
            lines.append(f"| `{field.name}` | {field.type} | {field.comment or ''} |")
    return "\n".join([*lines, *_codes(), *reading()]) + "\n"


def _bounds(column: Any) -> str:
    """What the values of an input column may be."""
    if column.one_of:
        return f" One of {', '.join(f'`{value}`' for value in column.one_of)}."
    limits = [f"{at} {bound:g}" for at, bound in (("≥", column.minimum), ("≤", column.maximum))
              if bound is not None]  # fmt: skip
    return f" {' and '.join(limits)}." if limits else ""


def _codes() -> list[str]:
    """The codes that stand in result tables."""
    from vidrec_tasks.content.modalities.registry import PARTS
    from vidrec_tasks.recommending.beside import fallbacks
    from vidrec_tasks.recommending.lists.sources.registry import SOURCES
    from vidrec_tasks.recommending.reason_codes import REASON_CODES

    def listed(names: Iterable[str]) -> str:
        return ", ".join(f"`{name}`" for name in names)

    begins = (fallbacks.REGION_SEGMENT, fallbacks.LANGUAGE_SEGMENT, fallbacks.TOPIC_SEGMENT)
    return [
        "", "### Codes", "",
        f"* `reason_code`: {listed(REASON_CODES)}.",
        f"* `source`: {listed(source.name for source in SOURCES)}.",
        f"* `matched`: {listed(PARTS.values())}, with `+` between those that agree.",
        f"* `segment`: `__default__` (absent only on a night with no video for everybody), and "
        f"{listed(begin + '…' for begin in begins)}, such as `region:CH`, `language:de`, "
        "`topic:baking`.",
    ]  # fmt: skip


def contract_page() -> str:
    """What this version promises to readers of the views; that of an earlier one stays."""
    from vidrec_tasks.publishing.contract import promised

    return json.dumps(promised(), indent=1) + "\n"


def _version() -> str:
    """Major and minor of the project's version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return ".".join(project["version"].split(".")[:2])


def metrics_page() -> str:
    """Every metric of a night and every gate."""
    from vidrec_tasks.evaluation.gates import GATES
    from vidrec_tasks.evaluation.glossary import SECTIONS
    from vidrec_tasks.settings import Settings

    lines = [
        "# Metrics",
        MADE,
        "What `evaluate_lists` measures every night, as it stands in `runs.metrics`, the report "
        "and the page. Ranking is over the whole catalogue, nothing is sampled; a value of users "
        "comes with a 95% bootstrap interval over them (Efron, 1979) and `n_users`. `*` stands for "
        "a scorer (`dot`, `attention`, `blend`, `trees`), `served` (after re-ranking), a feature "
        "or a cut-off; `scorer` names the one that serves. `segments` holds `n_users`, `ndcg@10`, "
        "`hr@10` and `recall@20` of the served lists by length of history; `no history` are the "
        "users that were unknown before the cut-off. A metric without data is left out.",
    ]
    for section, terms in SECTIONS.items():
        lines += ["", f"## {section}", "", "| metric | formula | unit | better | source |"]
        lines += ["|---|---|---|---|---|"]
        lines += [
            f"| `{t.name}` | {t.formula.replace('|', '/')} | {t.unit} | {t.better} | {t.source} |"
            for t in terms
        ]
    lines += ["", "## Gates", ""]
    lines += [
        "What must hold of a night before it is published, with the bounds by default "
        "([SETTINGS.md](SETTINGS.md)). Counted by code that shares none with whoever makes the "
        "lists (ADR 0008). A gate with nothing to measure says so and passes.",
        "",
    ]
    lines += ["| gate | must be | meaning | value |", "|---|---|---|---|"]
    for gate in GATES:
        bound = f"{gate.direction.replace('_', ' ')} {gate.bound(Settings()):g}"
        lines.append(f"| `{gate.name}` | {bound} | {gate.meaning} | {gate.formula} |")
    return "\n".join(lines) + "\n"


def night_page() -> str:
    """Every job of a night: its stage, what it is mapped over, what it needs and makes."""
    from vidrec_tasks.night import GROUPS, jobs_in

    shards = {"": "", "video_shard": "shards of videos", "user_shard": "shards of users"}
    lines = [
        "# The night",
        MADE,
        "Declared in [vidrec_tasks/night.py](../vidrec_tasks/night.py). From it follow the order,",
        "the arrows of the DAG, what a job may read, the stages of the page and the report, the",
        "funnel.",
        "`kind.#` is the job's own shard, `kind.*` all shards.",
    ]
    for group, meaning in GROUPS.items():
        lines += ["", f"## {group}", "", meaning, ""]
        lines += ["| job | mapped over | needs | makes | settings | takes from earlier runs |"]
        lines += ["|---|---|---|---|---|---|"]
        for plan in jobs_in(group):
            needs = "what is there" if plan.reads_what_is_there else _listed(plan.needs)
            cells = (
                f"[{plan.name}](../vidrec_tasks/jobs/{plan.name}.py)", shards[plan.per], needs,
                _listed(plan.makes), _listed(plan.settings), _listed(plan.parents),
            )  # fmt: skip
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def artefacts_page() -> str:
    """Every artefact: what it is, who makes and who reads it, its parts and their shapes."""
    from vidrec_tasks.contracts.artefacts import ARTEFACTS
    from vidrec_tasks.night import JOBS, kind_of, maker_of

    lines = [
        "# Artefacts",
        MADE,
        "What the jobs of a night hand to each other, declared in",
        "[contracts/artefacts.py](../vidrec_tasks/contracts/artefacts.py) and checked before it is",
        "written. A part is a file of the artefact's folder in the store.",
    ]
    for kind, artefact in ARTEFACTS.items():
        maker = maker_of(kind)
        is_split = any(kind_of(name) == kind != name for name in maker.makes)
        readers = [plan.name for plan in JOBS if kind in map(kind_of, plan.needs)]
        lines += ["", f"## {kind}", "", artefact.meaning]
        lines += [f"One for each of the {_SHARDS[maker.per or 'user_shard']}." if is_split else ""]
        lines += [f"Made by `{maker.name}`; read by {_listed(tuple(readers)) or 'nobody'}.", ""]
        lines += ["| part | shape |", "|---|---|"]
        for name, shape in {**artefact.parts, **artefact.may_have}.items():
            may = " (may be missing)" if name in artefact.may_have else ""
            lines.append(f"| `{name}`{may} | {_shape(shape)} |")
    return "\n".join(line for line in lines) + "\n"


_SHARDS = {"video_shard": "shards of videos", "user_shard": "shards of users"}


def _shape(shape: Any) -> str:
    from vidrec_tasks.contracts.shapes import Array, Binary, Json, Table

    if isinstance(shape, Table):
        columns = [f"`{name}` {kind}" for name, kind in shape.columns.items()]
        keys = [f"; each row once by {_listed(key)}" for key in shape.keys]
        return "table: " + ", ".join(columns) + "".join(keys)
    if isinstance(shape, Array):
        return f"{shape.dtype} array ({', '.join(shape.axes)})"
    if isinstance(shape, Json):
        return "JSON" + (f" with {_listed(shape.keys)}" if shape.keys else "")
    return shape.what if isinstance(shape, Binary) else ""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def dags_page() -> str:
    """Every DAG: what it is for, its form, its tasks."""
    lines = ["# DAGs", MADE]
    for dag in _dags():
        lines += [f"## {dag.dag_id}", "", (dag.doc_md or "").strip(), ""]
        lines += [f"*Tags*: {', '.join(sorted(dag.tags))}", ""]
        params = list(dag.params.items())
        if params:
            lines += ["| form field | title | meaning |", "|---|---|---|"]
        for name, _ in params:
            field = dag.params.get_param(name)
            schema = field.schema
            meaning = schema.get("description_md") or field.description or ""
            lines.append(f"| `{name}` | {schema.get('title', '')} | {meaning} |")
        tasks = ", ".join(f"`{task.task_id}`" for task in dag.topological_sort())
        lines += ["", f"Tasks: {tasks}", ""]
    return "\n".join(lines).rstrip() + "\n"


def _dags() -> Iterator[Any]:
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("AIRFLOW_HOME", home)
        os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        logging.disable(logging.INFO)
        sys.path.insert(0, str(ROOT / "dags"))
        from airflow.dag_processing.dagbag import DagBag

        bag = DagBag(dag_folder=str(ROOT / "dags"))
        logging.disable(logging.NOTSET)
        if bag.import_errors:
            raise SystemExit(str(bag.import_errors))
        yield from (bag.dags[name] for name in sorted(bag.dags))


def main() -> int:
    """Write every page."""
    for name, page in pages().items():
        (ROOT / "docs" / name).write_text(page(), encoding="utf-8")
        sys.stdout.write(f"docs/{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
