"""Judging: which users' videos a model is asked about, within a budget, and what it said.

An answer that is known from an earlier night costs nothing. A user is judged whole or not at all:
half a list of answers would move its videos against the others for no reason.
"""

import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import pandas as pd

from vidrec_tasks.columns import LOG_ODDS, RELEVANCE_KEY, USER_ID, VIDEO_ID
from vidrec_tasks.errors import ModelError
from vidrec_tasks.language.generator import Judge, Prompt
from vidrec_tasks.language.relevance import key_of

log = logging.getLogger(__name__)

COLUMNS: Final = (USER_ID, VIDEO_ID, RELEVANCE_KEY, LOG_ODDS)
N_DIGITS: Final = 3
"""Digits kept behind the point: the next ones differ by who stands beside whom in a batch."""
N_PATIENCE: Final = 3
"""Users in a row without any answer, after whom nobody is asked about any more."""


class Question(NamedTuple):
    """One video of a user, and what is asked about both."""

    video_id: str
    prompt: Prompt


@dataclass
class Judged:
    """What was found.

    Attributes:
        rows: user_id, video_id, key, log odds of yes.
        users: who was considered: judged, or with no question to ask.
        n_asked: questions that the model was asked now, answered or not.
        n_known: answers of earlier nights.
        n_users_left: users whose questions did not fit into the budget.
    """

    rows: list[tuple[str, str, str, float]] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    n_asked: int = 0
    n_known: int = 0
    n_users_left: int = 0

    def table(self) -> pd.DataFrame:
        """The rows as a frame with `COLUMNS`, by user and video."""
        table = pd.DataFrame(self.rows, columns=list(COLUMNS)).astype(
            {USER_ID: "str", VIDEO_ID: "str", RELEVANCE_KEY: "str", LOG_ODDS: "float64"}
        )
        return table.sort_values([USER_ID, VIDEO_ID], ignore_index=True)

    def counts(self) -> dict[str, int]:
        """For a receipt."""
        return {
            "judged": len(self.rows),
            "judged_before": self.n_known,
            "judged_now": self.n_asked,
            "users_judged": len({row[0] for row in self.rows}),
            "users_left": self.n_users_left,
        }


def judge_users(
    asked: Iterable[tuple[str, Sequence[Question]]],
    judge: Judge,
    *,
    known: Mapping[str, float],
    budget: int,
) -> Judged:
    """Judge users in turn while the budget lasts.

    Args:
        asked: users with their questions, those first who are judged first; read as far as needed.
        judge: gives log odds, None where there was no answer; one that fails altogether ends the
            judging and no more.
        known: answers of earlier nights by `relevance.key_of`.
        budget: questions that may be asked anew; one without an answer counts too.
    """
    found, n_silent = Judged(), 0
    for user_id, questions in asked:
        keys = [key_of(question.prompt, judge.identity) for question in questions]
        new = [num for num, key in enumerate(keys) if key not in known]
        if n_silent >= N_PATIENCE or len(new) > budget - found.n_asked:
            found.n_users_left += 1
            continue
        prompts = [questions[num].prompt for num in new]
        answers = dict(zip(new, _answers(judge, prompts), strict=True))
        found.n_asked += len(new)
        found.n_known += len(keys) - len(new)
        is_silent = bool(new) and all(answer is None for answer in answers.values())
        n_silent = n_silent + 1 if is_silent else 0 if new else n_silent
        found.users.append(user_id)
        for num, (question, key) in enumerate(zip(questions, keys, strict=True)):
            value = answers[num] if num in answers else known[key]
            if value is not None and math.isfinite(value):
                found.rows.append((user_id, question.video_id, key, round(value, N_DIGITS)))
    log.info(
        "%d pairs of %d users judged, %d of them now; %d users are left",
        len(found.rows), len(found.users), found.n_asked, found.n_users_left,
    )  # fmt: skip
    return found


def _answers(judge: Judge, prompts: list[Prompt]) -> Iterator[float | None]:
    if not prompts:
        return iter(())
    try:
        return iter(judge.log_odds(prompts))
    except ModelError as error:  # lists stand without it
        log.warning("relevance: %s", error)
        return iter([None] * len(prompts))
