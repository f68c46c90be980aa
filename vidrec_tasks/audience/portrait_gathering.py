"""Portrait gathering: the facts of each user, from the visits before the night.

Leaves what a fact is to `portrait_facts` and its words to whoever writes. A user costs some tenths
of a millisecond: sets of the videos that the user met, and no table as large as the catalogue.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import chain, pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience import portrait_facts as kinds
from vidrec_tasks.audience.histories import epoch_seconds
from vidrec_tasks.audience.portrait_facts import Fact
from vidrec_tasks.audience.portrait_habits import habits, usual_shares
from vidrec_tasks.columns import (
    CREATOR_ID,
    DURATION_S,
    EVENT_AT,
    IS_WATCHED,
    PUBLISHED_AT,
    TITLE,
    USER_ID,
    VIDEO_ID,
    VIDEO_NUM,
    WATCHED_SHARE,
    WEIGHT,
)
from vidrec_tasks.language.quoting import plain_title, plain_topic
from vidrec_tasks.language.words import FUNCTION_WORDS, TASTE_WORDS

N_TOPICS: Final = 5
N_TITLES: Final = 4
N_CREATORS: Final = 2
N_AWAY: Final = 2
"""Facts kept of a kind, strongest first."""

_CONSIDERED: Final = 15
"""Topics of a user that are compared for what they add."""
_COVERED: Final = 0.2
"""What a liked video counts for a topic when a stronger topic of the user has it already."""
_SAME: Final = 0.6
"""Videos that two topics share, of those that either has, from which one of them says it all."""
_MIN_WATCHED: Final = 5
"""Videos under which a topic of one is worth a word."""
_LEAST: Final = 0.08
"""Topics that add less than this share of the strongest are not said to be a user's."""
_MIN_CREATOR: Final = 3
_MIN_AWAY: Final = 2
_BUSY: Final = 30
"""Visits from which two videos are no dislike."""
_MIN_HALF: Final = 5
_MIN_TURN: Final = 3
"""Videos under which nothing is said of a creator, of a dislike, of a half, of a turn."""
_Z: Final = 1.645
"""Standard errors between two shares from which they are said to differ (one side, 95%)."""
_TURN: Final = 1.5
"""And at least so many times one is the other."""
_WINDOW_S: Final = 56 * 86_400
_HALF_LIFE_DAYS: Final = 30.0

_GRAMMAR: Final = FUNCTION_WORDS | TASTE_WORDS
"""Words of any sentence: a topic of them alone ("videos", "9") would not be seen as a name."""

Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


class Shelf:
    """What a sentence may say of videos; made only of those that are asked for.

    Args:
        videos: the catalogue, sorted by video_id.
        topics: of each video, in the order of ``videos``.
    """

    def __init__(self, videos: pd.DataFrame, topics: Sequence[Sequence[str]]) -> None:
        self.ids = videos[VIDEO_ID].to_numpy(dtype=object)
        self.duration_s = videos[DURATION_S].to_numpy(np.float64)
        self.usual_shares = usual_shares(self.duration_s)
        published = videos[PUBLISHED_AT]
        self.published_s = np.where(published.isna(), 0, epoch_seconds(published))
        self._titles = videos[TITLE].to_numpy(dtype=object)
        self._creators = videos[CREATOR_ID].to_numpy(dtype=object)
        self._topics = topics
        self._named: dict[int, tuple[str, ...]] = {}

    def topics(self, num: int) -> tuple[str, ...]:
        """The topics of a video that a sentence may name."""
        if num not in self._named:
            named = (topic_name(str(topic)) for topic in self._topics[num])
            self._named[num] = tuple(dict.fromkeys(topic for topic in named if topic))
        return self._named[num]

    def title(self, num: int) -> str:
        """The title as a sentence may quote it; '' where it may not."""
        return plain_title(str(self._titles[num] or ""))

    def creator(self, num: int) -> str:
        """The creator's id, '' unknown."""
        return str(self._creators[num] or "")

    def telling(self, topic: str) -> float:
        """How telling a topic is: 0 for one that all videos carry."""
        return max(0.0, math.log((len(self.ids) + 0.5) / max(1, self._carrying[topic])))

    @cached_property
    def _carrying(self) -> Counter[str]:
        """Topic -> videos that carry it, by the name that a sentence would write."""
        raw = Counter(chain.from_iterable(self._topics))
        named: Counter[str] = Counter()
        for topic, n in raw.items():
            named[topic_name(str(topic))] += n
        return named


@dataclass(frozen=True)
class UserVisits:
    """The visits of one user, oldest first; arrays of one length.

    Attributes:
        nums: video_num.
        seconds: of the visit's end, since 1970 UTC.
        shares: watched, NaN unknown.
        watched: whether it was.
        weights: what it says of taste.
    """

    nums: Ints
    seconds: Ints
    shares: Doubles
    watched: npt.NDArray[np.bool_]
    weights: Doubles

    def __len__(self) -> int:
        return len(self.nums)

    def between(self, start: int, end: int) -> "UserVisits":
        """Some of the visits."""
        rows = slice(start, end)
        return UserVisits(
            self.nums[rows], self.seconds[rows], self.shares[rows], self.watched[rows],
            self.weights[rows],
        )  # fmt: skip

    @cached_property
    def watched_nums(self) -> set[int]:
        """Videos that were watched."""
        return set(self.nums[self.watched].tolist())

    @cached_property
    def liked(self) -> set[int]:
        """Videos with a visit for them and none against."""
        return self._with(self.weights > 0) - self._with(self.weights < 0)

    @cached_property
    def away(self) -> set[int]:
        """Videos with a visit against them and none for."""
        return self._with(self.weights < 0) - self._with(self.weights > 0)

    @cached_property
    def taste(self) -> dict[int, float]:
        """Liked video -> its weight, half as much a half-life before the user's last visit."""
        aged = self.weights * 0.5 ** ((self.seconds[-1] - self.seconds) / 86_400 / _HALF_LIFE_DAYS)
        total: dict[int, float] = defaultdict(float)
        for num, weight in zip(self.nums.tolist(), aged.tolist(), strict=True):
            total[num] += weight
        return {num: total[num] for num in sorted(self.liked)}

    def _with(self, keep: npt.NDArray[np.bool_]) -> set[int]:
        return set(self.nums[keep].tolist())


def topic_name(topic: str) -> str:
    """The topic as a portrait may write it; '' where it would read as a word of the sentence."""
    name = plain_topic(topic)
    words = re.findall(r"[^\W\d_]+", name.casefold())
    return "" if _GRAMMAR.issuperset(words) else name


def gather_facts(
    visits: pd.DataFrame,
    videos: pd.DataFrame,
    topics: Sequence[Sequence[str]],
    user_ids: Sequence[str],
    *,
    night: date,
) -> list[tuple[Fact, ...]]:
    """The numbered facts of each user; none for a user without a visit.

    Args:
        visits: of these users: user_id, video_num, event_at, watched_share, is_watched, weight.
        videos: the catalogue, sorted by video_id.
        topics: of each video, in the order of ``videos``.
        user_ids: whose facts, in this order.
        night: visits at or after its 00:00 UTC do not exist.
    """
    shelf = Shelf(videos, topics)
    return [
        facts_of(user, shelf) if len(user) else () for user in split_visits(visits, user_ids, night)
    ]


def split_visits(
    visits: pd.DataFrame, user_ids: Sequence[str], night: date
) -> Iterator[UserVisits]:
    """The visits of each user before a night, oldest first."""
    before = visits[visits[EVENT_AT] < pd.Timestamp(night, tz="UTC")]
    known = pd.Index(np.array(user_ids, dtype=object))
    users = known.get_indexer(pd.Index(before[USER_ID].astype(object)))
    seconds = epoch_seconds(before[EVENT_AT])
    order = np.lexsort((before[VIDEO_NUM].to_numpy(), seconds, users))
    bounds = np.searchsorted(users[order], np.arange(len(user_ids) + 1))
    whole = UserVisits(
        before[VIDEO_NUM].to_numpy(np.int64)[order],
        seconds[order],
        before[WATCHED_SHARE].to_numpy(np.float64)[order],
        before[IS_WATCHED].to_numpy(bool)[order],
        before[WEIGHT].to_numpy(np.float64)[order],
    )
    for start, end in pairwise(bounds):
        yield whole.between(int(start), int(end))


def facts_of(user: UserVisits, shelf: Shelf) -> tuple[Fact, ...]:
    """The numbered facts of one user with visits."""
    found = list(_all(user, shelf))
    return tuple(replace(fact, number=num) for num, fact in enumerate(found, start=1))


def _all(user: UserVisits, shelf: Shelf) -> Iterator[Fact]:
    watched = user.watched_nums
    if watched:
        yield Fact(kinds.TOTAL, n=len(watched))
    about: dict[str, set[int]] = defaultdict(set)
    for num in {*user.nums.tolist()}:
        for topic in shelf.topics(num):
            about[topic].add(num)
    interests = _interests(user, about, shelf)
    for topic in interests:
        videos = about[topic]
        n, n_liked = len(videos & watched), len(videos & watched & user.liked)
        yield Fact(kinds.TOPIC, topic, n=n, of=len(watched), n_liked=n_liked)
    turns = list(_turns(user, about, interests, shelf))
    yield from turns
    yield from _titles(user, shelf)
    yield from _creators(user, shelf)
    yield from habits(user.nums, user.seconds, user.shares, user.watched, shelf)
    named = {*interests, *(fact.name for fact in turns)}
    yield from _away(user, about, named, shelf)


def _interests(user: UserVisits, about: dict[str, set[int]], shelf: Shelf) -> list[str]:
    """The topics that explain most of what was liked, most watched first.

    Each liked video counts fully for one of them only: of "cats", "tabby" and "animals" on the same
    five videos one is named, and then what else the user likes.
    """
    least = 1 if len(user.watched_nums) < _MIN_WATCHED else 2
    liked = {
        topic: videos & user.liked & user.watched_nums
        for topic, videos in about.items()
        if len(videos & user.liked & user.watched_nums) >= least
    }
    gains = {topic: _gain(topic, videos, user, shelf, set()) for topic, videos in liked.items()}
    considered = sorted(gains, key=lambda topic: (-round(gains[topic], 9), topic))[:_CONSIDERED]
    covered: set[int] = set()
    chosen: list[str] = []
    best = 0.0
    while considered and len(chosen) < N_TOPICS:
        left = {topic: _gain(topic, liked[topic], user, shelf, covered) for topic in considered}
        topic = min(considered, key=lambda one: (-round(left[one], 9), one))
        best = best or left[topic]
        if left[topic] <= _LEAST * best:
            break
        chosen.append(topic)
        covered |= liked[topic]
        considered = [
            one for one in considered if one != topic and not _alike(liked[one], liked[topic])
        ]
    return sorted(chosen, key=lambda topic: -len(about[topic] & user.watched_nums))


def _gain(topic: str, videos: set[int], user: UserVisits, shelf: Shelf, covered: set[int]) -> float:
    """What a topic says of taste beside the topics before it."""
    taste = sum(user.taste[num] * (_COVERED if num in covered else 1.0) for num in videos)
    # the root: by the whole measure of how telling it is, a tag of one video outweighed a genre
    return taste * math.sqrt(shelf.telling(topic))


def _alike(one: set[int], other: set[int]) -> bool:
    """Whether two topics are two words for the same videos."""
    return len(one & other) >= _SAME * len(one | other)


def _turns(
    user: UserVisits, about: dict[str, set[int]], interests: Sequence[str], shelf: Shelf
) -> Iterator[Fact]:
    """What is watched more (or for the first time) and less in the later half of the visits."""
    seconds, nums = user.seconds[user.watched], user.nums[user.watched]
    if not len(seconds):
        return
    first = max(int(seconds[0]), int(seconds[-1]) - _WINDOW_S)
    middle = first + (int(seconds[-1]) - first) // 2
    since = datetime.fromtimestamp(middle, UTC).replace(hour=0, minute=0, second=0)
    is_late = seconds >= since.timestamp()
    late = set(nums[is_late].tolist())
    early = set(nums[~is_late].tolist())
    if len(late) < _MIN_HALF or len(early) < _MIN_HALF:
        return
    rising, falling = [], []
    for topic, videos in about.items():
        n, before = len(videos & late), len(videos & early)
        z = _z(n, len(late), before, len(early))
        fact = Fact(
            kinds.NEW if before == 0 else kinds.MORE if z > 0 else kinds.LESS, topic, n=n,
            of=len(late), n_before=before, of_before=len(early), since=f"{since:%Y-%m-%d}",
        )  # fmt: skip
        order = (-abs(round(z * shelf.telling(topic), 9)), topic)
        rises = n * len(early) >= _TURN * before * len(late)
        falls = before * len(late) >= _TURN * n * len(early)
        n_against = len(videos & user.away)
        if z >= _Z and n >= _MIN_TURN and rises and n_against < len(videos & user.liked):
            rising.append((order, fact))
        elif z <= -_Z and before >= _MIN_TURN and topic in interests and falls:
            falling.append((order, fact))
    yield from (fact for _, fact in sorted(rising, key=lambda one: one[0])[:1])
    yield from (fact for _, fact in sorted(falling, key=lambda one: one[0])[:1])


def _z(n: int, of: int, before: int, of_before: int) -> float:
    """The difference of two shares in standard errors of a common share."""
    share = (n + before) / (of + of_before)
    error = math.sqrt(share * (1 - share) * (1 / of + 1 / of_before))
    return (n / of - before / of_before) / error if error else 0.0


def _titles(user: UserVisits, shelf: Shelf) -> Iterator[Fact]:
    """The liked videos of most weight that can be quoted, each title once."""
    watched = Counter(user.nums[user.watched].tolist())
    ordered = sorted(user.taste, key=lambda num: (-round(user.taste[num], 9), shelf.ids[num]))
    named: dict[str, int] = {}
    for num in ordered:
        title = shelf.title(num)
        if title and watched[num]:
            named.setdefault(title, num)
        if len(named) == N_TITLES:
            break
    for title, num in named.items():
        yield Fact(kinds.TITLE, title, of_id=str(shelf.ids[num]), n=watched[num])


def _creators(user: UserVisits, shelf: Shelf) -> Iterator[Fact]:
    """Creators of several watched videos most of which were liked."""
    made: dict[str, set[int]] = defaultdict(set)
    for num in user.watched_nums:
        made[shelf.creator(num)].add(num)
    counted = [
        (creator, len(videos), len(videos & user.liked))
        for creator, videos in made.items()
        if len(videos) >= _MIN_CREATOR and plain_title(creator)
    ]
    liked = [row for row in counted if 2 * row[2] > row[1]]
    for creator, n, n_liked in sorted(liked, key=lambda row: (-row[2], row[0]))[:N_CREATORS]:
        yield Fact(kinds.CREATOR, plain_title(creator), of_id=creator, n=n, n_liked=n_liked)


def _away(
    user: UserVisits, about: dict[str, set[int]], named: Collection[str], shelf: Shelf
) -> Iterator[Fact]:
    """Topics whose videos were mostly turned away; of two on the same videos the more telling."""
    counted = {
        topic: videos & user.away
        for topic, videos in about.items()
        if topic not in named
        and len(videos & user.away) >= (_MIN_AWAY if len(user) < _BUSY else _MIN_TURN)
        and 2 * len(videos & user.away) > len(videos)
    }
    said: set[int] = set()
    n_said = 0
    for topic in sorted(counted, key=lambda t: (-len(counted[t]) * shelf.telling(t), t)):
        videos = counted[topic]
        if 2 * len(videos & said) < len(videos) and n_said < N_AWAY:
            yield Fact(kinds.AWAY, topic, n=len(videos), of=len(about[topic]))
            said |= videos
            n_said += 1
