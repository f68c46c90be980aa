"""Deletions: who asks to be forgotten is written into the ledger, whatever the night."""

import logging
from collections.abc import Sequence
from typing import Final

import pandas as pd

from vidrec_tasks.columns import USER_ID
from vidrec_tasks.contracts.inputs import DELETIONS
from vidrec_tasks.jobs.inputs.reading import read_table, refuse_bad, refuse_torn
from vidrec_tasks.jobs.inputs.results import StepResult, join_rejects, sum_counts
from vidrec_tasks.settings import InputSettings
from vidrec_tasks.store.ledger import Ledger
from vidrec_tasks.store.table_files import TableFile

log = logging.getLogger(__name__)

_NO_ROWS: Final = pd.DataFrame()


def note_deletions(files: Sequence[TableFile], ledger: Ledger, inputs: InputSettings) -> StepResult:
    """Write whoever asked to be forgotten into the ledger; gives rejects and counts alone.

    No event of theirs is used from now on; what earlier nights keep is erased by `forget_users`. A
    row whose id can be read counts, whatever else is wrong with it. Ids are written as they come,
    so those before an error are noted all the same.

    Raises:
        ContractError: too many rows are wrong.
        InputError: a line is no row, so that somebody might be missed; a file cannot be read.
    """
    if not files:
        return StepResult(_NO_ROWS)
    chunks: list[StepResult] = []
    lost: list[pd.Series] = []
    torn: list[tuple[int, str]] = []
    n_new = 0
    for read in read_table(files, DELETIONS, inputs):
        n_new += ledger.add(read.rows[USER_ID])
        chunks.append(StepResult(_NO_ROWS, read.rejects, read.counts))  # not the rows
        lost.append(read.lost[USER_ID])
        torn += read.torn
    rejects = join_rejects(chunk.rejects for chunk in chunks)
    counts = sum_counts(chunk.counts for chunk in chunks)
    refuse_bad(rejects, counts["read"], files, DELETIONS, inputs)
    refuse_torn(torn, DELETIONS)
    n_new += sum(ledger.add(user_ids) for user_ids in lost)
    if n_new:
        log.info("%d users of the deletions table are new to the ledger", n_new)
    return StepResult(_NO_ROWS, rejects, counts)
