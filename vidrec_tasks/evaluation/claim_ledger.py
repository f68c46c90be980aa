"""Claim ledger: the tables, asked one claim at a time; a claim is true or has a reason why not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from vidrec_tasks.columns import (
    CREATOR_ID,
    N_LIKERS_RECENT,
    N_VIEWERS_RECENT,
    PUBLISHED_AT,
    TITLE,
    TOPICS,
    USER_ID,
    VIDEO_ID,
    WINDOW_DAYS,
)
from vidrec_tasks.evaluation.claim_likeness import Alike, numbered
from vidrec_tasks.evaluation.claim_others import Counts, Others
from vidrec_tasks.evaluation.claim_parsing import Claim
from vidrec_tasks.evaluation.claim_quoting import is_quote_of


@dataclass(frozen=True)
class Subject:
    """Of whom and what a sentence speaks: the user, the video, the history its score came from."""

    user_id: str
    video_id: str
    cited: frozenset[str]


@dataclass(frozen=True)
class Ledger:
    """The facts before the night, one row a video or a user; see `Ledger.of`."""

    catalogue: Mapping[str, Mapping[str, Any]]
    topics: Mapping[str, frozenset[str]]
    interests: Mapping[str, frozenset[str]]
    histories: Mapping[str, frozenset[str]]
    viewers: Mapping[str, tuple[int, int]]
    disliked: frozenset[str]
    typical_viewers: float
    moment: pd.Timestamp
    fresh_days: float
    others: Others | None = None
    alike: Alike | None = None

    @classmethod
    def of(
        cls,
        videos: pd.DataFrame,
        topics: Mapping[str, Sequence[str]],
        profiles: pd.DataFrame,
        watched: pd.DataFrame,
        popularity: pd.DataFrame,
        *,
        night: date,
        fresh_days: float,
        others: Others | None = None,
        alike: Alike | None = None,
    ) -> "Ledger":
        """Index the tables of `claims.check_explanations`; the night's own events are left out."""
        moment = pd.Timestamp(f"{night.isoformat()}T00:00:00", tz="UTC")
        past = watched.loc[watched["last_event_at"].lt(moment), [USER_ID, VIDEO_ID]]
        rows = videos[[VIDEO_ID, TITLE, CREATOR_ID, PUBLISHED_AT]].to_dict("records")
        seen = popularity.loc[popularity[N_VIEWERS_RECENT].ge(1)]
        return cls(
            catalogue={str(row[VIDEO_ID]): {str(k): v for k, v in row.items()} for row in rows},
            topics={video_id: frozenset(names) for video_id, names in topics.items()},
            interests={
                user_id: frozenset(entry[0] for entry in entries if entry[1] > 0)
                for user_id, entries in profiles[[USER_ID, TOPICS]].itertuples(index=False)
            },
            histories={
                str(user_id): frozenset(group) for user_id, group in past.groupby(USER_ID)[VIDEO_ID]
            },
            viewers={
                str(row[VIDEO_ID]): (int(row[N_VIEWERS_RECENT]), int(row[WINDOW_DAYS]))
                for row in seen.to_dict("records")
            },
            disliked=frozenset(
                seen.loc[seen[N_LIKERS_RECENT] < seen[N_VIEWERS_RECENT] / 2, VIDEO_ID]
            ),
            typical_viewers=float(seen[N_VIEWERS_RECENT].quantile(0.5)) if len(seen) else 0.0,
            moment=moment,
            fresh_days=fresh_days,
            others=others,
            alike=alike,
        )

    def refute(self, claim: Claim, subject: Subject) -> str:
        """Why the claim is false; empty when it is true."""
        checks: Mapping[str, Callable[[Claim, Subject], str]] = {
            "watched": self._watched,
            "about": self._about,
            "about_cited": self._about_cited,
            "creator_cited": self._creator_cited,
            "alike": self._alike,
            "next_part": self._next_part,
            "series": self._series,
            "others": self._others,
            "alike_others": self._alike_others,
            "interest": self._interest,
            "watched_about": self._watched_about,
            "creator": self._creator,
            "watched_by": self._watched_by,
            "popular": self._popular,
            "age": self._age,
            "unseen": self._unseen,
        }
        return checks[claim.kind](claim, subject)

    def _history(self, subject: Subject) -> frozenset[str]:
        return self.histories.get(subject.user_id, frozenset())

    def _titled(self, title: str, subject: Subject) -> list[str]:
        """Cited videos with that title."""
        rows = ((v, self.catalogue[v][TITLE]) for v in subject.cited if v in self.catalogue)
        return [video_id for video_id, whole in rows if is_quote_of(title, str(whole))]

    def _watched(self, claim: Claim, subject: Subject) -> str:
        cited = self._titled(claim.text, subject)
        if not cited:
            return "the score came from no video of that title"
        if self._history(subject).isdisjoint(cited):
            return "the user has not watched the cited video"
        return ""

    def _about(self, claim: Claim, subject: Subject) -> str:
        own = self.topics.get(subject.video_id, frozenset())
        return "" if claim.text in own else "the video is not about that topic"

    def _about_cited(self, claim: Claim, subject: Subject) -> str:
        topic, title = claim.text.split("\n")
        cited = set(self._titled(title, subject)) & self._history(subject)
        has = any(topic in self.topics.get(video_id, frozenset()) for video_id in cited)
        return "" if has else "the cited video is not about that topic"

    def _creator_cited(self, claim: Claim, subject: Subject) -> str:
        creator, title = claim.text.split("\n")
        own = str(self.catalogue.get(subject.video_id, {}).get(CREATOR_ID, ""))
        cited = set(self._titled(title, subject)) & self._history(subject)
        is_same = any(self.catalogue[video_id][CREATOR_ID] == own for video_id in cited)
        is_named = is_quote_of(creator, own)
        return "" if own and is_same and is_named else "the cited video is by another creator"

    def _alike(self, claim: Claim, subject: Subject) -> str:
        if self.alike is None:
            return "nothing is known of how alike videos are"
        cited = self._titled(claim.text, subject)
        is_much = any(self.alike.is_much(subject.video_id, video_id) for video_id in cited)
        return "" if is_much else "the videos are no more alike than others are"

    def _next_part(self, claim: Claim, subject: Subject) -> str:
        parts = self._parts(claim.text, subject)
        return "" if any(own == cited + 1 for own, cited in parts) else "not the next part"

    def _series(self, claim: Claim, subject: Subject) -> str:
        parts = self._parts(claim.text, subject)
        return "" if any(own != cited for own, cited in parts) else "no parts of one series"

    def _parts(self, title: str, subject: Subject) -> list[tuple[int, int]]:
        """The numbers of the video and of each cited video of that title, where one series."""
        row = self.catalogue.get(subject.video_id, {})
        mine = numbered(str(row.get(TITLE, "")))
        found = []
        for video_id in self._titled(title, subject):
            other = self.catalogue[video_id]
            its = numbered(str(other[TITLE]))
            if mine and its and mine[0] == its[0] and row.get(CREATOR_ID) == other[CREATOR_ID]:
                found.append((mine[1], its[1]))
        return found

    def _others(self, claim: Claim, subject: Subject) -> str:
        if self.others is None:
            return "nothing is known of other users"
        cited = set(self._titled(claim.text, subject)) & self._history(subject)
        counted = [self.others.between(v, subject.video_id) for v in sorted(cited)]
        return self._counted(claim, subject, counted)

    def _alike_others(self, claim: Claim, subject: Subject) -> str:
        if self.others is None:
            return "nothing is known of other users"
        if claim.shared < 2:
            return "one shared video is no taste"
        counted = self.others.sharing(claim.shared, subject.user_id, subject.video_id)
        return self._counted(claim, subject, [counted])

    def _counted(self, claim: Claim, subject: Subject, counted: Sequence[Counts]) -> str:
        """Why a number of others is false, or must not be said; empty when it is right."""
        assert self.others is not None
        if claim.is_sample != self.others.is_sample:
            return "all users are counted" if claim.is_sample else "a sample of users is counted"
        if claim.of < self.others.min_users:
            return f"fewer than {self.others.min_users} users are spoken of"
        if (claim.of, claim.number) not in {tuple(counts) for counts in counted}:
            return f"(began, liked) is {counted}, not ({claim.of}, {claim.number})"
        whole = self.others.of(subject.video_id)
        usual = 100 * whole.liked / whole.began
        if claim.percent is not None and abs(claim.percent - usual) > 0.5 + 1e-9:
            return f"{usual:.1f}% of all who began it liked it, not {claim.percent}%"
        liked, expected = claim.number * whole.began, claim.of * whole.liked
        if 2 * claim.number >= claim.of:
            return "clearly fewer than usual liked it" if 10 * liked < 9 * expected else ""
        if liked <= expected:
            return "most of those who are counted did not like it, nor more than usual"
        return (
            "" if claim.percent is not None else "most did not like it, and the usual is not said"
        )

    def _interest(self, claim: Claim, subject: Subject) -> str:
        known = self.interests.get(subject.user_id, frozenset())
        return "" if claim.text in known else "the topic is not in the user's profile"

    def _watched_about(self, claim: Claim, subject: Subject) -> str:
        empty: frozenset[str] = frozenset()
        n = sum(claim.text in self.topics.get(v, empty) for v in self._history(subject))
        return "" if n == claim.number else f"{n} watched about the topic, not {claim.number}"

    def _creator(self, claim: Claim, subject: Subject) -> str:
        creator = str(self.catalogue.get(subject.video_id, {}).get(CREATOR_ID, ""))
        return "" if is_quote_of(claim.text, creator) else "the video is by another creator"

    def _watched_by(self, claim: Claim, subject: Subject) -> str:
        creator = self.catalogue.get(subject.video_id, {}).get(CREATOR_ID, "")
        watched = (self.catalogue.get(v, {}).get(CREATOR_ID) for v in self._history(subject))
        n = sum(other == creator for other in watched)
        return "" if n == claim.number else f"{n} watched of the creator, not {claim.number}"

    def _popular(self, claim: Claim, subject: Subject) -> str:
        n, days = self.viewers.get(subject.video_id, (0, 0))
        if (n, days) != (claim.number, claim.days):
            return f"{n} viewers in {days} days, not {claim.number} in {claim.days}"
        if subject.video_id in self.disliked:
            return "most of its viewers did not like it"
        return "" if n >= max(2, self.typical_viewers) else "fewer viewers than a typical video"

    def _age(self, claim: Claim, subject: Subject) -> str:
        published = self.catalogue.get(subject.video_id, {}).get(PUBLISHED_AT)
        if published is None or pd.isna(published) or published >= self.moment:
            return "not published before the night"
        age = self.moment - published
        if age.days != claim.days:
            return f"published {age.days} days ago, not {claim.days}"
        return "" if age <= pd.Timedelta(days=self.fresh_days) else "not new any more"

    def _unseen(self, claim: Claim, subject: Subject) -> str:
        seen = subject.video_id in self._history(subject)
        return "the user has watched the video" if seen else ""
