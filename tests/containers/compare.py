"""Runs inside the image: the tables of a store's SQLite against those that the reader's role sees.

``python - SQLITE_URL RUN_ID`` with VIDREC_READER_URL set; prints a line a table, and ends with 1
where rows differ.
"""

import os
import sys

import pandas as pd

from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.publishing.tables import RESULTS


def tables_of(url: str, run_id: str) -> dict[str, pd.DataFrame]:
    """The rows of a run, in an order that both databases agree on."""
    reader = Reader(url)
    tables = {name: reader.table(name, run_id) for name in RESULTS}
    reader.close()
    for name, table in tables.items():
        plain = table.drop(columns="run_id", errors="ignore")
        rows = [repr(row) for row in plain.itertuples(index=False)]
        order = sorted(range(len(rows)), key=rows.__getitem__)
        tables[name] = plain.iloc[order].reset_index(drop=True)
    return tables


alone, run_id = sys.argv[1:]
theirs = tables_of(os.environ["VIDREC_READER_URL"], run_id)
differ = 0
for name, table in tables_of(alone, run_id).items():
    try:
        if not len(table):
            raise AssertionError("no row")
        pd.testing.assert_frame_equal(table, theirs[name], check_exact=True, check_dtype=False)
        print(f"{name}: {len(table)} rows equal")
    except AssertionError as error:
        differ += 1
        print(f"{name}: {error}")
sys.exit(1 if differ else 0)
