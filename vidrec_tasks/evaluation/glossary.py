"""Glossary: what each metric of a night means, its formula and its source; `docs/METRICS.md` is it.

Names are as in the metrics of a run (`measures.measures_of`), with ``*`` for a part that varies: a
scorer, a baseline, a segment of users, a feature. Leaves gates to `gates`, which say the same of
themselves.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal

Better = Literal["higher", "lower", "neither"]


@dataclass(frozen=True)
class Term:
    """One metric.

    Attributes:
        name: a pattern of names.
        formula: how it is computed, in words or symbols.
        unit: of its values, with their range.
        better: which way is better; ``neither``: it describes the night and is no goal.
        source: the paper, or the function that defines it.
    """

    name: str
    formula: str
    unit: str
    better: Better
    source: str


SECTIONS: Final[dict[str, tuple[Term, ...]]] = {
    "What held-out users then watched": (
        Term("ndcg@*", "sum over hits at rank i <= k of 1 / log2(i + 1), over that of the best "
             "list possible; a hit is a video that the user met first in the held-out days, and "
             "liked; mean over users", "0 to 1", "higher",
             "Järvelin and Kekäläinen, 2002, binary gains; `measuring.metrics`"),
        Term("hr@*", "users with a hit in the first k, over users", "0 to 1", "higher",
             "Deshpande and Karypis, 2004"),
        Term("recall@*", "hits in the first k over videos liked; mean over users", "0 to 1",
             "higher", "`measuring.metrics`"),
        Term("precision@*", "hits in the first k over k; mean over users", "0 to 1", "higher",
             "`measuring.metrics`"),
        Term("map@*", "sum over hits at rank i <= k of precision@i, over min(k, videos liked); "
             "mean over users", "0 to 1", "higher", "Buckley and Voorhees, 2000"),
        Term("mrr@*", "1 over the rank of the first hit in the first k, else 0; mean over users",
             "0 to 1", "higher", "Voorhees, 1999"),
        Term("evaluated_users", "users who liked a new video in the held-out days, with or without "
             "a history before them, sampled by a stable hash", "users", "neither",
             "`jobs.evaluate_lists`"),
        Term("holdout_days", "days before the night that the evaluation fit does not see, as many "
             "as it takes for evaluation.holdout_users users with a new video", "days", "neither",
             "`jobs.inputs.holding_out`"),
        Term("cold_recall@20", "recall@20 of the served lists, counting only liked videos that "
             "nobody had liked before the cut-off; mean over users who liked one",
             "0 to 1", "higher", "`evaluation.offline`"),
        Term("scorer_ratio", "NDCG@10 of the serving scorer over the best of the others, with a "
             "paired bootstrap over users", "ratio", "higher", "`evaluation.comparing`"),
        Term("baseline.*.ndcg@10", "ndcg@10 of a simple list, on the same users and days, by the "
             "same rules: the most liked videos of the last days before the cut (popular_*d), "
             "item-kNN by cosine over who liked what (item_knn), the nearest by that of the last "
             "liked video (similar_to_last)", "0 to 1", "neither",
             "Deshpande and Karypis, 2004; `evaluation.baselines`"),
        Term("lift.ndcg@10", "ndcg@10.served over that of the best baseline (lift.best, chosen on "
             "the same users), with a paired bootstrap over users", "ratio", "higher",
             "`evaluation.lift`"),
        Term("champion.ndcg@10", "ndcg@10.served of last night's configuration, fitted on "
             "tonight's evaluation events", "0 to 1", "higher",
             "`evaluation.comparing`, ADR 0019"),
        Term("champion.ratio", "ndcg@10.served of tonight's configuration over champion.ndcg@10, "
             "with a paired bootstrap over users", "ratio", "higher",
             "`evaluation.comparing`, ADR 0019"),
    ),
    "What was watched from last night's lists": (
        Term("replay.n_*", "lists served, users of them who came back, new videos they watched",
             "counts", "neither", "`evaluation.replay`"),
        Term("replay.hit_rate", "users whose first 10 hold a video that they then watched for the "
             "first time, over users who came back", "0 to 1", "higher", "`evaluation.replay`"),
        Term("replay.*@10", "NDCG, recall and MRR at 10 as above, of the published lists", "0 to 1",
             "higher", "`evaluation.replay`"),
    ),
    "What the lists look like": (
        Term("coverage", "different videos in all lists over videos of the night", "0 to 1",
             "higher", "`measuring.lists`"),
        Term("exposure_gini", "Gini coefficient of how often each video is listed", "0 to 1",
             "lower", "`measuring.lists`"),
        Term("user_overlap", "Jaccard similarity of two users' lists, mean over sampled pairs",
             "0 to 1", "lower", "`measuring.lists`"),
        Term("novelty_bits", "mean of -log2 p(v) over all rows, p(v) = (c + 1) / sum(c + 1), c "
             "users who liked v", "bits", "higher", "Zhou et al., 2010"),
        Term("popular_share", "rows taken by the most liked 1% of the videos, at least one",
             "0 to 1", "lower", "`measuring.lists`"),
        Term("intra_list_diversity", "1 - cosine of two videos of a list, mean over pairs, then "
             "lists", "0 to 2", "higher", "Ziegler et al., 2005"),
        Term("miscalibration", "KL(p || q), p the topic mix of the user's history, q that of the "
             "list, smoothed by 0.01; mean over lists", "nats", "lower", "Steck, 2018"),
    ),
    "What the words are worth": (
        Term("claim_precision", "true claims of explanations over all claims, checked by code that "
             "shares none with the writers", "0 to 1", "higher", "`evaluation.claims`, ADR 0008"),
        Term("claims_per_explanation", "claims that an explanation makes, true or not, mean",
             "claims", "higher", "`evaluation.claims`"),
        Term("reasons_per_list", "different reason codes of a list, mean", "codes", "higher",
             "`recommending.explaining.composing`, ADR 0034"),
        Term("counterfactual_share", "of up to 200 rows a shard that name a watched video, of "
             "users with 5 videos or more: those whose score falls more without it than without "
             "one drawn from the same history, mean of 20 draws", "0 to 1", "higher",
             "`recommending.explaining.counterfactual`"),
        Term("explanations_replaced", "explanations that failed the check and were replaced by a "
             "plainer one", "rows", "lower", "`jobs.explain_lists`"),
        Term("model_written_share", "portraits most sentences of which the model wrote, over "
             "users with a topic", "0 to 1", "higher", "`audience.portraits`"),
        Term("portrait_claim_precision", "true claims of published portraits over all their "
             "claims, checked by code that shares none with the writers", "0 to 1", "higher",
             "`evaluation.portrait_claims`, ADR 0037"),
        Term("claims_per_portrait", "claims that a portrait makes, mean over portraits that state "
             "a fact", "claims", "higher", "`evaluation.portrait_claims`"),
        Term("portrait_claims_dropped.*", "sentences and facts of portraits that were not "
             "published, by the kind of reason", "sentences", "lower", "`audience.portraits`"),
        Term("portrait_shapes", "different sentence shapes of portraits, the most of any shard",
             "shapes", "higher", "`audience.portraits`"),
    ),
    "How the fits went": (
        Term("index_recall", "share of the true 200 nearest that an index finds, of sampled "
             "vectors; the worse of the indexes over content and f(v); 1 where search is exact",
             "0 to 1", "higher", "`content.index`"),
        Term("held_out.n_users", "users whose later events the configuration was chosen on",
             "users", "neither", "`recommending.training.held_out`"),
        Term("held_out.ndcg@10.*", "NDCG@10 of what they then liked among the candidates, one "
             "value per scorer; measured on a later period (or on other users) than the scorer "
             "learned from", "0 to 1", "higher", "`recommending.training.choosing`, ADR 0029"),
        Term("held_out.n_measured", "users on whom held_out.ndcg@10.* was measured", "users",
             "neither", "`recommending.training.choosing`"),
        Term("held_out.portrait_gain", "what the topics of portraits add to the blend's NDCG@10",
             "-1 to 1", "higher", "`recommending.training.choosing`"),
        Term("llm_lift", "NDCG@10 of the scorer that serves minus that of the same scorer, learned "
             "again from the same held-out events without the features made of words "
             "(`LANGUAGE` of recommending.lists.features); paired by user. Where relevance has a "
             "weight: with both, less without either, of the users whose lists were judged or have "
             "nothing to judge", "-1 to 1", "higher", "`recommending.training.choosing`, "
             "`recommending.training.relevance_weight`"),
        Term("relevance_lift", "what the language model's relevance adds to NDCG@10 of the ranking "
             "of held-out users, the weight of each half of them chosen on the other half; given "
             "where the model was asked", "-1 to 1", "higher",
             "`recommending.training.relevance_weight`, ADR 0041"),
        Term("relevance_weight", "what a usual distance of log odds from a list's mean adds to a "
             "score; 0 unless the interval of relevance_lift lies above 0; given where the model "
             "was asked", "a score", "neither", "`recommending.training.relevance_weight`"),
        Term("language.*", "what the language model was asked in the night, by all jobs: prompts, "
             "tokens_in, tokens_out, seconds_asking, cost (by `price_in` and `price_out`), "
             "unanswered, and dropped: REASON; in receipts and in no artefact", "count, seconds, "
             "money", "neither", "`jobs.shared.writing`"),
        Term("held_out.candidate_recall", "held-out videos that any source found", "0 to 1",
             "higher", "`recommending.training.choosing`"),
        Term("held_out.tower_cold", "NDCG@10 of what they then liked among all videos, by "
             "f(v)·g(u) of a user tower trained from nothing", "0 to 1", "higher",
             "`recommending.training.fitting`"),
        Term("held_out.tower_warm", "the same, trained on from last night's weights; each is given "
             "only where it was trained", "0 to 1", "higher",
             "`recommending.training.fitting`, ADR 0019"),
        Term("held_out.tower_loss", "mean training loss of the pass that was kept", "nats",
             "lower", "`recommending.training.tower_training`"),
        Term("held_out.tower_gap", "as overfitting_gap", "-1 to 1", "lower",
             "`recommending.training.fitting`"),
        Term("overfitting_gap", "NDCG@10 of the tower on the held-out users' last learned event "
             "less that on their held-out one", "-1 to 1", "lower",
             "`recommending.training.fitting`"),
        Term("held_out.gap.*", "NDCG@10 on events that were learned from, less that on later ones: "
             "of an item-item model or the attention, the last learned event of held-out users "
             "less what they then liked; of a scorer that learns (blend, trees), the events that "
             "it learned from less the later period", "-1 to 1", "lower",
             "`recommending.training.choosing`"),
        Term("seconds.*", "seconds of a model over all fits of the night, or of a whole fit "
             "(evaluation, champion, serving), on the machine that ran it; in the receipt of "
             "train_models and in no artefact, so that a night can be repeated to the byte",
             "seconds", "lower", "`recommending.models.seconds`"),
        Term("tower_epochs", "passes of the user tower, by early stopping", "passes", "neither",
             "`recommending.training.tower_training`"),
        Term("blend.*", "weight of a feature in the blended score, by conditional logit on "
             "held-out videos; a feature of weight 0 is left out", "score a unit of the feature",
             "neither", "McFadden, 1974; `recommending.lists.scorers.blend`"),
    ),
}  # fmt: skip
"""Section -> its metrics, in the order in which they are read."""


def term_of(name: str) -> Term | None:
    """The first term whose pattern fits a metric's name."""
    terms = (term for section in SECTIONS.values() for term in section)
    return next((term for term in terms if fnmatchcase(name, term.name)), None)
