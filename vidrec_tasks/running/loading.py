"""Loading: imports jobs by their names; nothing else in the library imports by name.

An artefact's address follows the imports of its job (`vidrec_tasks.store.source`), so they must be
written out everywhere but here.
"""

import importlib
from types import ModuleType


def module_of(task_id: str) -> ModuleType:
    """The module of a job."""
    return importlib.import_module(f"vidrec_tasks.jobs.{task_id}")
