"""Language page: ten portraits and twenty explanations of a store's latest night, as published.

``python -m benchmarks.language_page --store DIR --into docs/LANGUAGE.md``. Rows are drawn evenly
over users, not chosen, so weak ones stand among them.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from vidrec_tasks.demo.truth import has_truth, read_truth, sensible_share
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

N_PORTRAITS, N_EXPLANATIONS = 10, 20


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--into", type=Path, required=True)
    said = parser.parse_args(argv)
    run = max(Runs(Store(str(said.store))), key=lambda one: one.night)
    said.into.write_text(page(run), encoding="utf-8")
    return 0


def page(run: Run) -> str:
    """The page in Markdown."""
    portraits = _even(_all(run, "portraits"), N_PORTRAITS)
    explained = _even(_all(run, "explained"), N_EXPLANATIONS)
    return "\n".join(
        [
            "# Portraits and explanations, as produced",
            "",
            f"The rows are from the night {run.night} of a demo world. They are sampled evenly",
            "over users and not selected by hand. `python -m benchmarks.language_page` makes",
            "this page.",
            "",
            *_table(portraits, ["portrait", "portrait_source"]),
            "",
            "An explanation says what the score came from and, in a second sentence, what else is",
            "true. A watched video is named only with what joins it to the listed one; others are",
            "counted from events before the night ([decision 0034]"
            "(decisions/0034-a-reason-is-faithful-and-sensible.md)).",
            "",
            *_measured(run),
            "",
            *_table(explained, ["explanation", "reason_code", "rank", "explanation_verified"]),
            "",
        ]
    )


def _measured(run: Run) -> list[str]:
    """What the night measured of its explanations, and what was planted says of them."""
    metrics: dict[str, Any] = run.read_json("metrics", "metrics")
    names = (
        "claim_precision", "claims_per_explanation", "reasons_per_list", "counterfactual_share",
    )  # fmt: skip
    rows = [f"| `{name}` | {metrics[name]:.3g} |" for name in names]
    root = run.store.local(run.store.path())
    if has_truth(root):
        found = sensible_share(_all(run, "explained"), read_truth(root))
        meaning = f"of {found['n_named']:g} rows that name a watched video, on a planted topic"
        rows.append(f"| {meaning} of the listed one | {found['share']:.3g} |")
    return ["| measured | |", "|---|---|", *rows]


def _all(run: Run, kind: str) -> pd.DataFrame:
    names = sorted(ref.name for ref in run.refs() if ref.name.startswith(f"{kind}."))
    return pd.concat([run.read_table(name) for name in names], ignore_index=True)


def _even(table: pd.DataFrame, n: int) -> pd.DataFrame:
    return table.iloc[[place * len(table) // n for place in range(min(n, len(table)))]]


def _table(table: pd.DataFrame, columns: list[str]) -> list[str]:
    rows = ([str(cell).replace("|", "\\|") for cell in row] for row in table[columns].to_numpy())
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    return [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *lines]


if __name__ == "__main__":
    raise SystemExit(main())
