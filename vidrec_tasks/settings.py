"""Settings: the only reader of the environment; one field, one line of meaning.

Every field can be set as ``VIDREC_<GROUP>__<FIELD>`` (``VIDREC_CONTENT__N_KEYFRAMES=12``), the
top-level ones as ``VIDREC_<FIELD>`` (``VIDREC_STORE_URL``). An unknown name is an error.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_serializer,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting

from vidrec_tasks.errors import SettingsError

PREFIX = "VIDREC_"
PLACES: Final = (
    "store_url", "results_url", "reader_url", "airflow_url", "airflow_logs", "threads", "lease_s",
    "task_timeout_s", "encoding_queue", "pod_templates",
)  # fmt: skip
"""Where and how a night runs: these change no artefact and are in no digest or report."""


class Group(BaseModel):
    """A frozen group of settings that refuses names it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class InputSettings(Group):
    """How the input tables are read."""

    max_reject_share: float = Field(
        0.2, ge=0, le=1, description="Share of rejected rows above which a table stops the night."
    )
    kept_rejects: int = Field(
        100_000,
        ge=10,
        description="Rejected rows kept per table, as many of each reason; the others are counted.",
    )
    need_interactions: bool = Field(
        True, description="False: a catalogue alone is enough (content jobs and search, no lists)."
    )
    interactions_are: Literal["whole", "increment"] = Field(
        "whole",
        description="'increment': the files hold only events that are new since the night before; "
        "earlier ones are taken from that night's run.",
    )
    videos_are: Literal["whole", "increment"] = Field(
        "whole",
        description="'increment': the files hold only new and changed videos; the others are taken "
        "from the catalogue as it was last read.",
    )
    watched_unit: Literal["s", "ms"] = Field("s", description="Unit of watched_s in the files.")
    duration_unit: Literal["s", "ms"] = Field("s", description="Unit of duration_s in the files.")
    max_unknown_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of events with an unknown video above which the night stops.",
    )
    unrated_age: int = Field(
        0,
        ge=0,
        le=21,
        description="Age rating, in years, that a video without one is given; 0: for everybody.",
    )
    encoding: str = Field(
        "auto",
        description="Encoding of text files (windows-1252, shift_jis); 'auto': UTF-8, or the one "
        "that a byte order mark names.",
    )
    users_per_shard: int = Field(
        20_000,
        ge=1,
        description="Users per shard to aim for; it decides the number of user shards.",
    )
    videos_per_shard: int = Field(
        2_000,
        ge=1,
        description="Videos per shard to aim for; it decides the number of video shards.",
    )
    kept_snapshots: int = Field(
        60,
        ge=1,
        description="Catalogue snapshots kept; a backfill sees the catalogue of its time this far "
        "back.",
    )


class ContentSettings(Group):
    """Keyframes, encoders, fusion, near-duplicates and the content index."""

    media_root: str = Field(
        "", description="Folder of the media files; empty: inputs/media of the store."
    )
    n_keyframes: int = Field(
        8,
        ge=1,
        le=64,
        description="Keyframes kept per video file at most: fewer where fewer pictures differ.",
    )
    keyframe_mode: Literal["intra", "scene"] = Field(
        "intra", description="Which frames are candidates: intra frames only, or scene changes."
    )
    decode_timeout_s: float = Field(
        30.0,
        gt=0,
        description="CPU seconds that decoding a video file may take before it is quarantined.",
    )
    max_media_gib: float = Field(
        64.0, gt=0, description="Size in GiB above which a media file is quarantined unread."
    )
    max_pixels: int = Field(
        8192 * 4320, ge=1, description="Pixels per frame above which a video file is quarantined."
    )
    decode_memory_mb: int = Field(
        2048, ge=64, description="Memory in MiB that decoding a video file may use."
    )
    thumbnail_px: int = Field(
        320, ge=32, description="Longer side of a stored keyframe, in pixels."
    )
    text_encoder: str = Field(
        "embedded", description="'embedded' (MiniLM), a local folder or a hub id of a text encoder."
    )
    text_prefix: str = Field(
        "",
        description="What a text encoder wants before every text: 'query: ' for E5 models.",
    )
    frame_encoder: str = Field(
        "embedded",
        description="'embedded' (ConSE on EfficientNet-Lite0), a folder or hub id of CLIP/SigLIP.",
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="'auto': bfloat16 where the processor (AMX) or GPU is fast with it."
    )
    batch_size: int = Field(64, ge=1, description="Texts or frames encoded at once.")
    text_weight: float = Field(0.6, ge=0, le=1, description="Weight of the text vector in fusion.")
    said_weight: float = Field(
        0.2, ge=0, le=1, description="Weight in fusion of what is said (captions or speech)."
    )
    written_weight: float = Field(
        0.1, ge=0, le=1, description="Weight in fusion of what is written on the screen."
    )
    card_weight: float = Field(
        0.2, ge=0, le=1, description="Weight in fusion of the card of a video (`write_cards`)."
    )
    min_duplicate_similarity: float = Field(
        0.9,
        ge=0,
        le=1,
        description="Frame similarity from which two video files are near-duplicates.",
    )
    index_exact_limit: int = Field(
        200_000, ge=1, description="Vectors up to which the index searches exactly."
    )
    min_index_recall: float = Field(
        0.95,
        ge=0,
        le=1,
        description="recall@200 below which an approximate index is replaced by exact search.",
    )


class TextSettings(Group):
    """What is said in the videos and written on their screens."""

    captions: bool = Field(
        True,
        description="Whether captions are read: the column transcript, files beside a media file, "
        "streams of text inside it.",
    )
    max_caption_mb: float = Field(
        8.0, gt=0, description="Size in MiB above which a caption file is refused unread."
    )
    speech_model: str = Field(
        "embedded",
        description="'embedded' (Whisper tiny.en), 'none', or a folder or hub id of a Whisper "
        "model in CTranslate2's format.",
    )
    speech_language: str = Field(
        "",
        description="Code of the language that is spoken; empty: the model finds out, where it "
        "knows more than one.",
    )
    max_speech_s: float = Field(
        600.0, gt=0, description="Seconds of a video that are heard, spread over it."
    )
    max_speech_hours: float = Field(
        4.0,
        ge=0,
        description="Hours of sound heard a night, newest and most watched videos first; the "
        "others wait for later nights.",
    )
    speech_timeout_s: float = Field(
        300.0, gt=0, description="CPU seconds that hearing a video may take."
    )
    speech_memory_mb: int = Field(
        2048, ge=256, description="Memory in MiB that hearing a video may use beside the model."
    )
    screen_model: Literal["embedded", "none"] = Field(
        "embedded", description="Whether text on keyframes is read: 'embedded' (RapidOCR), 'none'."
    )
    blocked_words: str = Field(
        "",
        description="Words, with commas between, that are covered wherever they were heard or "
        "read; taking one away reads and hears all again.",
    )


class LanguageSettings(Group):
    """The language model that writes portraits and summaries."""

    mode: Literal["auto", "embedded", "model", "endpoint", "batch"] = Field(
        "auto",
        description="Who writes: the embedded model, `model`, the endpoint, or whoever answers "
        "batch files (docs/BATCHES.md); 'auto': the endpoint if its URL is set, else `model`.",
    )
    model: str = Field(
        "embedded", description="'embedded' (SmolLM2-135M-Instruct), a local folder or a hub id."
    )
    endpoint_url: str = Field(
        "",
        description="Base URL of an OpenAI-compatible endpoint; when set it is used instead of a "
        "local model, unless `mode` says otherwise.",
        repr=False,
    )
    endpoint_key: SecretStr = Field(
        SecretStr(""), description="Key for the endpoint; never logged, never part of a hash."
    )
    endpoint_timeout_s: float = Field(30.0, gt=0, description="Seconds one endpoint call may take.")
    batch_size: int = Field(64, ge=1, description="Sentences generated at once.")
    max_new_tokens: int = Field(
        48, ge=8, le=256, description="Maximum number of tokens in a sentence."
    )
    portrait_language: Literal["en", "zh"] = Field("en", description="Language of portraits.")
    max_sentences: int = Field(
        5_000, ge=0, description="Sentences generated per shard and night, most active users first."
    )
    cards: Literal["auto", "rules", "model"] = Field(
        "auto",
        description="Who writes cards of videos: rules alone, or the model as far as it is true; "
        "'auto': rules beside the embedded model, the model beside any other.",
    )
    max_cards: int = Field(
        2_000,
        ge=0,
        description="Cards that the model is asked for per night, newest and most watched videos "
        "in turn.",
    )
    max_batch_requests: int = Field(
        50_000,
        ge=1,
        description="Requests that a job leaves for each shard and night in mode 'batch'; OpenAI "
        "takes 50,000 in one file.",
    )
    relevance_calls: int = Field(
        0,
        ge=0,
        description="Pairs of a user and a video whose relevance the model judges a night, in each "
        "shard of users and once more to learn what it is worth; 0: none. Not in mode 'batch'.",
    )
    relevance_top: int = Field(
        20, ge=2, le=50, description="Best ranked videos of a user that are judged, all or none."
    )
    price_in: float = Field(
        0.0, ge=0, description="Money for a million tokens of prompts, in any currency."
    )
    price_out: float = Field(0.0, ge=0, description="Money for a million tokens of answers.")

    @field_serializer("endpoint_url")
    def _without_login(self, url: str) -> str:
        """A user or password in the address reaches no run, report or hash."""
        scheme, is_url, rest = url.partition("://")
        host, *path = rest.split("/", 1)
        return "/".join([f"{scheme}{is_url}{host.rpartition('@')[2]}", *path])

    @field_validator("relevance_calls")
    @classmethod
    def _is_answered_at_once(cls, calls: int, info: ValidationInfo) -> int:
        if calls and info.data.get("mode") == "batch":
            raise ValueError(
                "relevance orders tonight's lists and cannot wait for batch files; set it to 0 or "
                "VIDREC_LANGUAGE__MODE to another than 'batch'"
            )
        return calls

    @property
    def writer(self) -> Literal["model", "endpoint", "batch"]:
        """Who writes, once 'auto' is decided; the embedded model is a model."""
        if self.mode == "auto":
            return "endpoint" if self.endpoint_url else "model"
        return "model" if self.mode == "embedded" else self.mode

    @property
    def local_model(self) -> str:
        """What a local generator loads: 'embedded', a folder or a hub id."""
        return "embedded" if self.mode == "embedded" else self.model

    @property
    def is_embedded(self) -> bool:
        """Whether the embedded model writes, which may only choose among what rules found."""
        return self.writer == "model" and self.local_model == "embedded"

    @property
    def cards_by_model(self) -> bool:
        """Whether a model writes cards, once 'auto' is decided."""
        return self.cards == "model" or (self.cards == "auto" and not self.is_embedded)

    def cost(self, tokens_in: int, tokens_out: int) -> float:
        """Money for some tokens, in the currency of the prices."""
        return (tokens_in * self.price_in + tokens_out * self.price_out) / 1e6


class AudienceSettings(Group):
    """How interactions become weights, profiles and topics."""

    half_life_days: float = Field(30.0, gt=0, description="Days after which an event counts half.")
    min_interactions: int = Field(
        3, ge=1, description="Interactions below which a user counts as cold."
    )
    like_weight: float = Field(1.0, description="Added to the weight for a like: it was asked for.")
    share_weight: float = Field(1.0, description="Added for a share: stronger than watching alone.")
    dislike_weight: float = Field(-2.0, description="Added for a dislike: outweighs a full watch.")
    skip_weight: float = Field(-0.5, description="Added for a skip: weak evidence against.")
    rating_weight: float = Field(
        0.75,
        description="Added for each standard deviation a rating lies above the user's mean so far.",
    )
    watch_label: Literal["quantile", "seconds", "long_view"] = Field(
        "quantile",
        description="What watching says: the place of the watched share among viewings of like "
        "duration, the place of the seconds among all viewings, or whether 18 s (of a shorter "
        "video, all of it) were watched.",
    )
    n_topics: int = Field(5, ge=1, le=20, description="Strongest topics kept per user.")


class RecommendingSettings(Group):
    """Candidates, models, ranking and re-ranking."""

    n: int = Field(10, ge=1, le=200, description="Length of a published list.")
    n_candidates: int = Field(
        200, ge=10, description="Candidates kept per user after merging sources."
    )
    n_per_source: int = Field(100, ge=1, description="Candidates that one source may add per user.")
    scorer: Literal["auto", "dot", "attention", "blend", "trees"] = Field(
        "auto",
        description="Which score orders the lists; 'auto': the best on held-out events of at least "
        "500 users; of fewer the blend, unless another is better beyond doubt.",
    )
    chosen_on: Literal["later", "last"] = Field(
        "later",
        description="Held-out events that scorers learn from and are chosen on: those after one "
        "moment for everybody, as a night is measured, or the last event of each user.",
    )
    chosen_on_days: float = Field(
        7.0,
        gt=0,
        description="Days before the cut-off time whose events are held out to choose on; the "
        "window grows until it has 200 users or a third of the log.",
    )
    left_out: tuple[str, ...] = Field(
        (),
        description="Candidate sources and features of the ranker that are not used, as a JSON "
        "list of names ([\"lately\"]); without 'lately' towers learn without time.",
    )
    min_score: float = Field(
        0.0,
        ge=-1,
        le=1,
        description="Cosine similarity below which content candidates are dropped.",
    )
    dim: int = Field(
        64, ge=8, le=512, multiple_of=4, description="Dimensions of f(v) and g(u), in fours."
    )
    max_sequence: int = Field(200, ge=2, le=512, description="Interactions the user tower reads.")
    max_history: int = Field(
        2_000, ge=1, description="Newest interactions of a user that models learn from."
    )
    max_training_users: int = Field(
        100_000,
        ge=1,
        description="Most users that models learn from and that explanations count, sampled by a "
        "stable hash; all users get lists.",
    )
    max_epochs: int = Field(30, ge=1, description="Epochs of training; early stopping ends sooner.")
    patience: int = Field(5, ge=1, description="Epochs without improvement before training stops.")
    full_softmax_limit: int = Field(
        20_000,
        ge=1,
        description="Videos up to which the softmax is full; above that it is sampled.",
    )
    dense_linear_limit: int = Field(
        20_000, ge=1, description="Videos up to which the linear item-item model is dense."
    )
    against: float = Field(
        2.0,
        ge=0,
        description="Weight, in every score, of the chance that a video is turned away (dislikes, "
        "skips, short plays, low ratings); 0: such signals lower nothing but the video itself.",
    )
    reranker: Literal["msd", "mmr", "dpp"] = Field(
        "msd",
        description="How lists are varied: max-sum diversification, maximal marginal relevance, or "
        "a determinantal point process.",
    )
    diversity: float = Field(
        0.4, ge=0, le=1, description="Weight of variety in a list: 0 is pure relevance."
    )
    calibration: float = Field(
        0.05, ge=0, le=1, description="Weight of keeping to the user's own mix of topics; 0: none."
    )
    max_per_creator: int = Field(3, ge=1, description="Videos of one creator in a list.")
    n_exploration: int = Field(1, ge=0, description="Slots that each list reserves for new videos.")
    fresh_days: float = Field(7.0, gt=0, description="Days for which a video counts as fresh.")
    default_max_age_rating: int = Field(
        18,
        ge=0,
        le=21,
        description="Highest age rating, in years, shown to users without a limit of their own.",
    )
    explanation_min_users: int = Field(
        5,
        ge=2,
        description="Users that must have liked the one video and begun the other before an "
        "explanation says how many of them liked it.",
    )
    explanation_language: Literal["en", "zh"] = Field(
        "en", description="Language of the explanation templates."
    )
    seed: int = Field(7, ge=0, description="Seed of training, initial weights and tie breaks.")


class SearchingSettings(Group):
    """Answers to queries."""

    n_results: int = Field(10, ge=1, le=200, description="Results per query.")
    max_queries: int = Field(
        200, ge=0, description="Queries answered per night, most frequent first."
    )
    fusion: Literal["evidence", "reciprocal"] = Field(
        "evidence", description="How text and frames are fused: by log odds, or by ranks."
    )
    rrf_k: int = Field(60, ge=1, description="k of reciprocal rank fusion (Cormack et al., 2009).")


class InsightSettings(Group):
    """What creators may learn about their audience."""

    k_anonymity: int = Field(
        20, ge=2, description="Users that must be behind a cell before it is written."
    )
    window_days: int = Field(
        28,
        ge=2,
        description="Days before the night that are counted; a trend compares the two halves.",
    )


class EvaluationSettings(Group):
    """The held-out window and the gates."""

    holdout_days: int = Field(
        3,
        ge=1,
        description="Days before the night that are held out from the evaluation fit, at least.",
    )
    holdout_users: int = Field(
        100,
        ge=0,
        description="Users with a new video in the held-out days; with fewer the window grows, up "
        "to a third of the log. 0: it never grows.",
    )
    n_users: int = Field(
        2_000, ge=1, description="Most users evaluated per night, sampled by a stable hash."
    )
    n_bootstrap: int = Field(500, ge=50, description="Bootstrap draws behind each interval.")
    fit_champion: bool = Field(
        True, description="Whether last night's configuration is fitted again, for comparison."
    )
    max_ndcg_drop: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Relative drop of NDCG against the champion that the gate allows.",
    )
    min_lift: float = Field(
        1.0,
        ge=0,
        description="Ratio of the served lists' NDCG@10 to the best simple list's that the upper "
        "end of its 95% interval must reach; 0 never refuses a night.",
    )
    min_claim_precision: float = Field(
        1.0, ge=0, le=1, description="Share of true claims in explanations that the gate requires."
    )
    min_gate_users: int = Field(
        20,
        ge=1,
        description="Users below which a gate that compares shares or means is not applied.",
    )
    max_input_drop: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of last night's events, users or videos that may be missing tonight.",
    )
    min_list_share: float = Field(
        0.9, ge=0, le=1, description="Share of active users who must have a list."
    )
    min_list_coverage: float = Field(
        0.01, ge=0, le=1, description="Share of the recommendable videos that must be in some list."
    )
    max_top_share: float = Field(
        0.9, ge=0, le=1, description="Share of list rows that the top 1% of videos may take."
    )
    max_user_overlap: float = Field(
        0.9, ge=0, le=1, description="Share of a list that two users may have in common on average."
    )
    max_churn: float = Field(
        0.98, ge=0, le=1, description="Share of last night's rows that may be gone tonight."
    )


class PublishingSettings(Group):
    """The result tables."""

    retained_runs: int = Field(
        7, ge=1, description="Published runs kept, in the tables and in the store."
    )
    valid_hours: float = Field(
        36.0, gt=0, description="Hours after the night for which a row is valid."
    )
    connections: int = Field(
        1,
        ge=1,
        le=16,
        description="Connections that load a table side by side on PostgreSQL, where the server "
        "has processors to spare; SQLite takes one.",
    )
    allow_override: bool = Field(
        False, description="Whether a person may publish a run that its gates rejected."
    )


class Settings(BaseSettings):
    """All settings; the environment is read once, here."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    store_url: str = Field("var/store", description="Folder or fsspec URL of the store.")
    results_url: str = Field(
        "", description="SQLAlchemy URL of the result tables; empty: SQLite inside the store."
    )
    reader_url: str = Field(
        "",
        description="URL of the same tables with a read-only role, for the page inside Airflow; "
        "empty: results_url, in read-only transactions.",
    )
    airflow_url: SecretStr = Field(
        SecretStr(""),
        description="SQLAlchemy URL of Airflow's own database, which an erasure searches too.",
    )
    airflow_logs: str = Field(
        "", description="Folder of Airflow's logs, which an erasure searches too."
    )
    threads: int = Field(0, ge=0, description="Threads of native code; 0: one per core.")
    encoding_queue: str = Field(
        "default",
        description="Celery queue of the jobs that run encoders or the language model (read_texts, "
        "embed_videos, write_cards, write_portraits, learn_relevance, judge_lists, answer_queries, "
        "summarise_audiences): 'gpu' for GPU workers.",
    )
    pod_templates: str = Field(
        "",
        description="Folder of pod templates on Kubernetes, by job or stage (train_models.yaml, "
        "content.yaml); a task without one gets the executor's own.",
    )
    lease_s: float = Field(
        120.0, gt=0, description="Seconds after which a run's lock expires unless it is renewed."
    )
    task_timeout_s: float = Field(
        21_600.0,
        gt=0,
        description="Seconds after which Airflow ends a task, and tries it again at most twice. "
        "train_models of very many users may need more.",
    )
    inputs: InputSettings = InputSettings()
    content: ContentSettings = ContentSettings()
    texts: TextSettings = TextSettings()
    language: LanguageSettings = LanguageSettings()
    audience: AudienceSettings = AudienceSettings()
    recommending: RecommendingSettings = RecommendingSettings()
    searching: SearchingSettings = SearchingSettings()
    insights: InsightSettings = InsightSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    publishing: PublishingSettings = PublishingSettings()

    def digest(self) -> str:
        """Hash (hex) of what can change an artefact: no place, key, thread or lease is in it."""
        meaning = self.model_dump(
            mode="json",
            exclude={
                **dict.fromkeys(PLACES, True),
                "language": {"endpoint_key", "endpoint_timeout_s", "price_in", "price_out"},
                "publishing": {"allow_override"},
            },
        )
        text = json.dumps(meaning, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def read_settings(environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read settings from the environment, with keyword overrides first.

    Args:
        environment: checked for unknown ``VIDREC_*`` names; ``os.environ`` when None.
        overrides: field values that win over the environment, nested groups as dicts.

    Raises:
        SettingsError: a name is unknown or a value out of range; the message names it.
    """
    _refuse_unknown(os.environ if environment is None else environment)
    try:
        return Settings(**overrides)
    except UnreadableSetting as error:
        message = (
            f'settings: {error}; a list is written as JSON, such as ["lately"]; see '
            "docs/SETTINGS.md"
        )
        raise SettingsError(message) from error
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + "__".join(str(part) for part in first["loc"]).upper()
        message = (
            f"settings: {error.error_count()} wrong (first: {name}={first['input']!r}: "
            f"{first['msg']}); see docs/SETTINGS.md for ranges"
        )
        raise SettingsError(message) from error


def known_names() -> list[str]:
    """Every environment name that sets something."""
    names = []
    for field, info in Settings.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, Group):
            names += [f"{PREFIX}{field}__{inner}".upper() for inner in kind.model_fields]
        else:
            names.append(f"{PREFIX}{field}".upper())
    return names


_OF_A_SERVICE = re.compile(r"_(SERVICE_HOST|(SERVICE_)?PORT(_[A-Z0-9_]+)?)$")
"""How names end by which Kubernetes tells every pod of the services beside it, such as those of a
release that is called vidrec. No setting ends so (`tests/test_settings.py`)."""


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = set(known_names())
    named = (name for name in environment if name.upper().startswith(PREFIX))
    unknown = sorted(
        name for name in named if name.upper() not in known and not _OF_A_SERVICE.search(name)
    )
    if unknown:
        near = get_close_matches(unknown[0].upper(), known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        message = (
            f"settings: {len(unknown)} unknown name(s) in the environment "
            f"(first: {unknown[0]}){hint} See docs/SETTINGS.md"
        )
        raise SettingsError(message)
