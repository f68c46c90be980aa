"""Volume: that tonight's inputs are not a fraction of those of the last published night."""

from typing import Final

from vidrec_tasks.evaluation.gates.gate import Gate

_WHOLE: Final = (
    "if the files hold only what is new, set VIDREC_INPUTS__{name}_ARE=increment; if the export "
    "was cut off, export it again and run the night with --refresh; if it is right, approve the "
    "run or raise VIDREC_EVALUATION__MAX_INPUT_DROP"
)
_NO_NIGHT: Final = "no earlier night to compare with"

VOLUME_GATES: Final = (
    Gate(
        "events_kept", "at_least",
        measure=lambda night: night.volume.events,
        bound=lambda settings: 1 - settings.evaluation.max_input_drop,
        formula="events of the night that could be used / those of the last published night",
        meaning="Events that could be used, as a share of those of the last published night.",
        absent=_NO_NIGHT,
        next_step=_WHOLE.format(name="INTERACTIONS"),
    ),
    Gate(
        "users_kept", "at_least",
        measure=lambda night: night.volume.users,
        bound=lambda settings: 1 - settings.evaluation.max_input_drop,
        formula="users with such an event / those of the last published night",
        meaning="Users with such an event, as a share of those of the last published night.",
        absent=_NO_NIGHT,
        next_step=_WHOLE.format(name="INTERACTIONS"),
    ),
    Gate(
        "videos_gone", "at_most",
        measure=lambda night: night.volume.videos_gone,
        bound=lambda settings: settings.evaluation.max_input_drop,
        formula="videos of the last published night's catalogue that tonight's lacks / its videos",
        meaning="Videos that left the catalogue, as a share of those of the last published night.",
        absent=_NO_NIGHT,
        next_step=_WHOLE.format(name="VIDEOS"),
    ),
)  # fmt: skip
