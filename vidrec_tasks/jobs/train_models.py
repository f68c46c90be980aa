"""train_models: the evaluation fit chooses and is measured; the serving fit repeats its choice.

Both are made in one job, because the serving fit takes the configuration that the evaluation fit
chose on events before its own cut. A third fit repeats what the night before had chosen, the
champion, on the evaluation fit's events, so that the two choices can be compared. All learn from at
most `VIDREC_RECOMMENDING__MAX_TRAINING_USERS` users (docs/decisions/0023).
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.jobs.shared.reading import (
    FITTED,
    NO_CHAMPION,
    SAME,
    epoch_of,
    evaluation_night,
    read_content,
    read_parent,
)
from vidrec_tasks.jobs.shared.visits import learn_from
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.models.models import Configuration, Models, Part
from vidrec_tasks.recommending.models.seconds import counting, taking
from vidrec_tasks.recommending.models.tower import TowerShape
from vidrec_tasks.recommending.training.fitting import Fitted, fit
from vidrec_tasks.recommending.training.held_out_lists import NO_LISTS
from vidrec_tasks.recommending.training.warmth import Parent, choose_start
from vidrec_tasks.running.job import Context, Made, job


@job()
def train_models(context: Context) -> Made:
    """Fit on events before the held-out days, and on all events before the night."""
    with counting() as seconds:
        made = _train(context)
    taken = {f"seconds.{name}": round(s, 3) for name, s in sorted(seconds.items())}
    return replace(made, counts={**made.counts, **taken})


def _train(context: Context) -> Made:
    content = read_content(context)
    cut = evaluation_night(context)
    past = gather(learn_from(context, cut).visits)
    first = _Fit(context, content, past, cut, read_parent(context, "evaluation"))
    with taking("evaluation"):
        fitted = first.fit()
    evaluation = fitted.models
    champion = _champion(context, first, evaluation)
    learned = learn_from(context, context.night)
    histories = gather(learned.visits)
    last = _Fit(context, content, histories, context.night, read_parent(context, "serving"))
    with taking("serving"):
        serving = last.models(evaluation.configuration)
    counts: dict[str, Any] = {
        "events": histories.n_events,
        "events_evaluation": past.n_events,
        "users": histories.n_users,
        "users_not_drawn": learned.n_users - histories.n_users,
        "tower_epochs": evaluation.configuration.tower_epochs,
        "scorer": evaluation.configuration.scorer,
        "start": "warm" if evaluation.configuration.is_warm else "cold",
        "held_out_users": evaluation.configuration.n_held_out,
    }
    return Made(
        {
            "models.evaluation": evaluation.to_parts(),
            "models.champion": champion,
            "models.serving": serving.to_parts(),
            "popularity": {"table": learned.popularity},
            "held_out_lists": (fitted.lists or NO_LISTS).to_parts(),
        },
        counts,
    )


@dataclass(frozen=True)
class _Fit:
    """Everything a fit takes but what it is told."""

    context: Context
    content: Content
    histories: Histories
    night: date
    parent: Parent | None

    def models(self, configuration: Configuration, shape: TowerShape | None = None) -> Models:
        """Fit what was chosen before, with tonight's sizes or with others."""
        return self.fit(configuration, shape).models

    def fit(
        self, configuration: Configuration | None = None, shape: TowerShape | None = None
    ) -> Fitted:
        """Fit, and choose unless told."""
        settings = self.context.settings.recommending
        if shape is not None:
            sizes = {"dim": shape.dim, "max_sequence": shape.length}
            settings = settings.model_copy(update=sizes)
        return fit(
            self.histories,
            self.content,
            settings,
            cut=epoch_of(self.night),
            half_life_days=self.context.settings.audience.half_life_days,
            configuration=configuration,
            parent=self.parent,
        )


def _champion(context: Context, fit: _Fit, evaluation: Models) -> dict[str, Part]:
    """The parts of the champion's fit: none without one, `SAME` where it would be fitted alike.

    The champion is the configuration that the night before served with. Where it asks for the same
    passes from the same start and for the same sizes, its weights are the evaluation fit's own.
    """
    served = read_parent(context, "serving")
    if served is None or not context.settings.evaluation.fit_champion:
        return {"said": {"champion": NO_CHAMPION}}
    configuration = served.configuration
    start = choose_start(fit.parent, served.shape, cut=epoch_of(fit.night))
    if start == "cold":  # a parent that saw the held-out days, or of other layers, is none
        fit = replace(fit, parent=None)
    can_be_warm = fit.parent is not None or not configuration.is_warm
    is_same = configuration.trains_like(evaluation.configuration) and can_be_warm
    if is_same and served.shape == evaluation.tower.shape:
        return {"said": {"champion": SAME, "configuration": configuration.to_json()}}
    choice = {"champion": FITTED, "configuration": configuration.to_json()}
    with taking("champion"):
        models = fit.models(configuration, served.shape)
    return {"said": choice, **models.to_parts()}
