"""Whose turn it is to be heard, where a night hears less than there is."""

from vidrec_tasks.content.texts.turns import Unheard, take_turns


def films() -> list[Unheard]:
    """a is new, d is watched; the others are neither."""
    return [
        Unheard("a", 100, published=4.0, n_viewers=1),
        Unheard("b", 100, published=3.0, n_viewers=2),
        Unheard("c", 100, published=2.0, n_viewers=3),
        Unheard("d", 100, published=1.0, n_viewers=9),
    ]


def test_the_newest_and_the_most_watched_are_heard_first() -> None:
    assert take_turns(films(), budget_s=200) == ["a", "d"]
    assert take_turns(films(), budget_s=1_000) == ["a", "d", "b", "c"]


def test_the_last_one_may_be_longer_than_what_is_left() -> None:
    assert take_turns(films(), budget_s=101) == ["a", "d"]
    assert take_turns(films(), budget_s=0) == []


def test_a_film_that_takes_many_nights_budget_waits_for_its_night() -> None:
    film = [Unheard("long", 600, published=1.0)]
    heard = [night for night in range(44) if take_turns(film, budget_s=28, night=night)]
    assert heard == [0, 22]  # 600 s are 22 nights of 28


def test_the_order_in_which_films_are_given_does_not_matter() -> None:
    assert take_turns(films()[::-1], budget_s=250) == take_turns(films(), budget_s=250)
