"""Who is judged: in turn, within a budget, whole users, and nobody twice."""

from collections.abc import Sequence

from vidrec_tasks.columns import LOG_ODDS, RELEVANCE_KEY, USER_ID, VIDEO_ID
from vidrec_tasks.errors import ModelError
from vidrec_tasks.language.generator import Prompt
from vidrec_tasks.language.judging import N_PATIENCE, Judged, Question, judge_users


class Scripted:
    """Says the length of the question, or nothing of what holds a word, or fails."""

    identity = "scripted"

    def __init__(self, *, silent: str = "", fails: bool = False) -> None:
        self.silent, self.fails = silent, fails
        self.asked: list[Prompt] = []

    def log_odds(self, prompts: Sequence[Prompt]) -> list[float | None]:
        self.asked += prompts
        if self.fails:
            raise ModelError("endpoint: nobody is there")
        return [
            None if self.silent and self.silent in prompt.user else float(len(prompt.user))
            for prompt in prompts
        ]


def questions(user: str, n: int = 3) -> tuple[str, list[Question]]:
    return user, [Question(f"v{num}", Prompt("s", f"{user} {num}")) for num in range(n)]


USERS = [questions("u1"), questions("u2"), questions("u3")]


def judge(
    judge: Scripted, *, users: Sequence[tuple[str, list[Question]]] = USERS, budget: int = 99,
    known: Judged | None = None,
) -> Judged:  # fmt: skip
    table = known.table() if known else Judged().table()
    before = dict(zip(table[RELEVANCE_KEY], table[LOG_ODDS], strict=True))
    return judge_users(users, judge, known=before, budget=budget)


def test_every_pair_is_judged_where_the_budget_allows() -> None:
    table = judge(Scripted()).table()
    assert table[[USER_ID, VIDEO_ID]].to_numpy().tolist() == [
        [user, f"v{num}"] for user in ("u1", "u2", "u3") for num in range(3)
    ]
    assert set(table[LOG_ODDS]) == {4.0}


def test_users_are_judged_whole_and_in_turn_while_the_budget_lasts() -> None:
    scripted = Scripted()
    found = judge(scripted, budget=7)
    assert len(scripted.asked) == found.n_asked == 6
    assert found.users == ["u1", "u2"]
    assert found.n_users_left == 1


def test_a_second_night_asks_nothing() -> None:
    first, scripted = judge(Scripted()), Scripted()
    second = judge(scripted, known=first, budget=0)
    assert scripted.asked == []
    assert (second.n_asked, second.n_known) == (0, 9)
    assert second.table().equals(first.table())


def test_the_budget_counts_new_questions_only() -> None:
    first = judge(Scripted(), users=USERS[:2])
    longer = [questions("u1", 4), *USERS[1:]]
    found = judge(Scripted(), users=longer, known=first, budget=4)
    assert (found.n_asked, found.n_known, found.n_users_left) == (4, 6, 0)


def test_another_model_is_asked_again() -> None:
    other = Scripted()
    other.identity = "other"
    judge(other, known=judge(Scripted()))
    assert len(other.asked) == 9


def test_a_pair_without_an_answer_is_left_out_and_counts() -> None:
    found = judge(Scripted(silent="u2 1"), budget=9)
    assert found.n_asked == 9
    assert len(found.table()) == 8
    assert ["u2", "v1"] not in found.table()[[USER_ID, VIDEO_ID]].to_numpy().tolist()


def test_what_is_no_number_is_no_answer() -> None:
    class Broken(Scripted):
        def log_odds(self, prompts: Sequence[Prompt]) -> list[float | None]:
            return [float("nan"), float("inf"), 1.0]

    assert judge(Broken(), users=USERS[:1]).table()[VIDEO_ID].tolist() == ["v2"]


def test_a_model_that_fails_is_given_up_and_stops_nothing() -> None:
    failing = Scripted(fails=True)
    users = [questions(f"u{num}") for num in range(N_PATIENCE + 5)]
    found = judge(failing, users=users)
    assert len(failing.asked) == 3 * N_PATIENCE
    assert found.table().empty
    assert found.n_users_left == 5


def test_a_user_with_nothing_to_ask_is_considered_and_costs_nothing() -> None:
    found = judge(Scripted(), users=[("u0", []), *USERS], budget=3)
    assert found.users == ["u0", "u1"]
