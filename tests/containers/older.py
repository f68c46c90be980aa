"""Run in a container: takes the result tables of a database back to those of the first migration.

``python -c PROGRAM CONTRACT``, where CONTRACT is docs/contract/0.1.json as text. What later
migrations added goes; what that version had stays, with its rows.
"""

import json
import sys

import sqlalchemy as sa

from vidrec_tasks.publishing.engine import make_engine
from vidrec_tasks.publishing.migrating import VERSION_TABLE
from vidrec_tasks.publishing.tables import CURRENT, metadata
from vidrec_tasks.settings import read_settings

NO_VIEW = ("pointer", "adhoc_search_results")


def main() -> None:
    promised = json.loads(sys.argv[1])
    gone = []
    with make_engine(read_settings().results_url).begin() as connection:
        for table in metadata.tables.values():
            if table.name in NO_VIEW:
                continue
            view = f"{CURRENT}{table.name}"
            had = promised.get(view, {})
            added = [column.name for column in table.columns if column.name not in had]
            if not added:
                continue
            connection.execute(sa.text(f"DROP VIEW {view}"))
            if not had:
                connection.execute(sa.text(f"DROP TABLE {table.name}"))
                gone.append(table.name)
                continue
            for name in added:
                connection.execute(sa.text(f"ALTER TABLE {table.name} DROP COLUMN {name}"))
                gone.append(f"{table.name}.{name}")
            rows = f"SELECT {', '.join(had)} FROM {table.name}"
            where = "run_id = (SELECT run_id FROM pointer)"
            connection.execute(sa.text(f"CREATE VIEW {view} AS {rows} WHERE {where}"))
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '0001'"))
    print(", ".join(gone))


if __name__ == "__main__":
    main()
