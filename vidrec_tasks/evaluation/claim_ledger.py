"""Claim ledger: the tables, asked one claim at a time; a claim is true or has a reason why not."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
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
from vidrec_tasks.evaluation.claim_parsing import Claim


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
        )

    def refute(self, claim: Claim, subject: Subject) -> str:
        """Why the claim is false; empty when it is true."""
        checks: Mapping[str, Callable[[Claim, Subject], str]] = {
            "watched": self._watched,
            "about": self._about,
            "about_cited": self._about_cited,
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
        return [video_id for video_id, whole in rows if _is_quote_of(title, str(whole))]

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

    def _interest(self, claim: Claim, subject: Subject) -> str:
        known = self.interests.get(subject.user_id, frozenset())
        return "" if claim.text in known else "the topic is not in the user's profile"

    def _watched_about(self, claim: Claim, subject: Subject) -> str:
        empty: frozenset[str] = frozenset()
        n = sum(claim.text in self.topics.get(v, empty) for v in self._history(subject))
        return "" if n == claim.number else f"{n} watched about the topic, not {claim.number}"

    def _creator(self, claim: Claim, subject: Subject) -> str:
        creator = str(self.catalogue.get(subject.video_id, {}).get(CREATOR_ID, ""))
        return "" if _is_quote_of(claim.text, creator) else "the video is by another creator"

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


def _is_quote_of(quoted: str, whole: str) -> bool:
    """Whether the letters and digits quoted are those of the whole, or its beginning when cut."""
    shown, meant = _letters(quoted), _letters(whole)
    if not shown:
        return False
    return meant.startswith(shown) if quoted.endswith("…") else meant == shown


@lru_cache(maxsize=1 << 16)
def _letters(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum())
