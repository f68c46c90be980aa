"""The error tree: what can go wrong, in words that name the next step.

::

    VidrecError
    ├── SettingsError      a setting is unknown or out of range
    ├── InputError         an input table is missing, unreadable or has the wrong columns
    │   ├── EmptyNight     nothing happened before the night
    │   └── ContractError  a table broke its contract where it crossed a border
    ├── StoreError         the store cannot be read or written
    │   ├── MissingArtefact  a job was run before the job that makes its input
    │   └── MissingPart      an artefact is there without a part, as when it is older than the part
    ├── RunUnderWay        another run of the same night holds the lease
    ├── MediaError         one film cannot be decoded (ends in quarantine, never stops a night)
    ├── ModelError         an encoder or a language model cannot be loaded
    ├── GateError          the run did not pass its gates and is kept as rejected
    └── PublishError       the result tables cannot be written or switched
"""


class VidrecError(Exception):
    """The root: everything vidrec raises on purpose."""


class SettingsError(VidrecError):
    """A setting is unknown, of the wrong type or out of range."""


class InputError(VidrecError):
    """An input table is missing, unreadable or has the wrong columns."""


class EmptyNight(InputError):
    """No usable interaction or video lies before the night."""


class ContractError(InputError):
    """A table broke its contract where it crossed a border."""


class StoreError(VidrecError):
    """The store cannot be read or written."""


class MissingArtefact(StoreError):
    """A job was run before the job that makes its input."""


class MissingPart(StoreError):
    """An artefact is there without a part, as when it is older than the part."""


class RunUnderWay(VidrecError):
    """Another run of the same night holds the lease."""


class MediaError(VidrecError):
    """One film cannot be decoded; the message is its reason in quarantine."""


class ModelError(VidrecError):
    """An encoder or a language model cannot be loaded."""


class GateError(VidrecError):
    """The run did not pass its gates; readers keep the last published night."""


class PublishError(VidrecError):
    """The result tables cannot be written or switched."""
