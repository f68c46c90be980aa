"""Language page: ten portraits and twenty explanations of a store's latest night, as published.

``python -m benchmarks.language_page --store DIR [--also NAME=DIR] --into docs/LANGUAGE.md``. Rows
are drawn evenly over users, not chosen, so weak ones stand among them; portraits over the users for
whom the model was asked. A store that is named beside the first holds a night of the same world
with the portraits of another model.
"""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from vidrec_tasks.audience.portraits import MODEL
from vidrec_tasks.demo.truth import has_truth, read_truth, sensible_share
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

N_PORTRAITS, N_EXPLANATIONS = 10, 20


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--also", action="append", default=[], help="NAME=DIR of another model")
    said = parser.parse_args(argv)
    also = dict(pair.split("=", 1) for pair in said.also)
    others = {name: _latest(Path(folder)) for name, folder in also.items()}
    said.into.write_text(page(_latest(said.store), others), encoding="utf-8")
    return 0


def _latest(store: Path) -> Run:
    """The last night; of its runs the one that got furthest."""
    return max(Runs(Store(str(store))), key=lambda one: (one.night, len(list(one.refs()))))


def page(run: Run, others: Mapping[str, Run]) -> str:
    """The page in Markdown.

    Args:
        run: with the embedded model.
        others: name of another model -> a night with its portraits.
    """
    return "\n".join(
        [
            "# Portraits and explanations, as produced",
            "",
            f"The rows are from the night {run.night} of a demo world. They are sampled evenly",
            "over users and not selected by hand, portraits over the users for whom the model was",
            "asked (the others have the template). `python -m benchmarks.language_page` makes",
            "this page.",
            "",
            "A portrait is sentences that name the facts they rest on. Each was recomputed from",
            "the visits before the night by a checker that shares no code with whoever wrote it.",
            "",
            "## Portraits of the embedded model",
            "",
            *_portraits(run),
            *(
                line
                for name, other in others.items()
                for line in ("", f"## Portraits of {name}", "", *_portraits(other))
            ),
            "",
            "## Explanations",
            "",
            "An explanation says what the score came from and, in a second sentence, what else is",
            "true. A watched video is named only with what joins it to the listed one; others are",
            "counted from events before the night ([decision 0034]"
            "(decisions/0034-a-reason-is-faithful-and-sensible.md)). Its words are composed from",
            "the evidence whoever writes the portraits.",
            "",
            *_explanations(run),
            *(
                line
                for name, other in others.items()
                if other.find("metrics") is not None
                for line in _beside(run, name, other)
            ),
        ]
    )


def _beside(run: Run, name: str, other: Run) -> list[str]:
    """The explanations of a night with another model; where they are the same, that they are."""
    texts, others = (_all(one, "explained")["explanation"].tolist() for one in (run, other))
    if texts == others:
        return [f"Beside {name} the lists and their explanations are the same, row for row.", ""]
    return [f"## Explanations beside {name}", "", *_explanations(other)]


def _explanations(run: Run) -> list[str]:
    """What was measured of all explanations, and some of them."""
    explained = _even(_all(run, "explained"), N_EXPLANATIONS)
    columns = ["explanation", "reason_code", "rank", "explanation_verified"]
    return [*_measured(run), "", *_table(explained, columns), ""]


def _portraits(run: Run) -> list[str]:
    """What was counted of all portraits, and some of them."""
    whole = _all(run, "portraits")
    counts: list[dict[str, Any]] = [
        run.read_json(ref.name, "counts")
        for ref in run.refs() if ref.name.startswith("portraits.")
    ]  # fmt: skip
    n_said, n_true, n_stating, n_model = (
        sum(count[name] for count in counts)
        for name in ("n_claims", "n_true", "n_stating", "n_by_model")
    )
    asked = whole[[_was_asked(row) for row in whole.to_dict("records")]]
    dropped = sum((Counter(count["n_dropped"]) for count in counts), Counter[str]())
    reasons = ", ".join(f"{n} {reason}" for reason, n in dropped.most_common()) or "none"
    return [
        f"{n_true} of {n_said} claims of {len(whole)} portraits are true, "
        f"{n_said / n_stating:.2f} in each that states something. The model was asked for "
        f"{len(asked)} and wrote {n_model} of them. Dropped sentences: {reasons}.",
        "",
        *_table(_even(asked, N_PORTRAITS), ["portrait", "portrait_source"]),
    ]


def _was_asked(row: Mapping[Any, Any]) -> bool:
    """Whether a model had a part in a portrait, or something of it was dropped."""
    return len(row["dropped"]) > 0 or any(one["source"] == MODEL for one in row["claims"])


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
