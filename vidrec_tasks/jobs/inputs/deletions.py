"""Deletions: who asks to be forgotten is written into the ledger, whatever the night."""

import logging
from collections.abc import Mapping, Sequence

import pandas as pd

from vidrec_tasks.columns import USER_ID
from vidrec_tasks.contracts.inputs import DELETIONS
from vidrec_tasks.contracts.rejects import Rejects
from vidrec_tasks.jobs.inputs.reading import read_table, refuse_bad, refuse_torn
from vidrec_tasks.jobs.inputs.results import Account, sum_counts
from vidrec_tasks.settings import InputSettings
from vidrec_tasks.store.ledger import Ledger
from vidrec_tasks.store.table_files import TableFile

log = logging.getLogger(__name__)


def note_deletions(files: Sequence[TableFile], ledger: Ledger, inputs: InputSettings) -> Account:
    """Write whoever asked to be forgotten into the ledger; gives rejects and counts alone.

    No event of theirs is used from now on; what earlier nights keep is erased by `forget_users`. A
    row whose id can be read counts, whatever else is wrong with it. Ids are written as they come,
    so those before an error are noted all the same.

    Raises:
        ContractError: too many rows are wrong.
        InputError: a line is no row, so that somebody might be missed; a file cannot be read.
    """
    rejects = Rejects(DELETIONS.name, inputs.kept_rejects)
    if not files:
        return Account(rejects)
    counts: list[Mapping[str, int]] = []
    lost: list[pd.Series] = []
    torn: list[tuple[int, str]] = []
    n_new = 0
    for read in read_table(files, DELETIONS, inputs):
        n_new += ledger.add(read.rows[USER_ID])
        rejects = rejects.plus(read.rejects)
        counts.append(read.counts)
        lost.append(read.lost[USER_ID])
        torn += read.torn
    total = sum_counts(counts)
    refuse_bad(rejects, total["read"], files, DELETIONS, inputs)
    refuse_torn(torn, DELETIONS)
    n_new += sum(ledger.add(user_ids) for user_ids in lost)
    if n_new:
        log.info("%d users of the deletions table are new to the ledger", n_new)
    return Account(rejects, total)
