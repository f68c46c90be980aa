"""One-line errors: a benchmark that cannot go on says what is wrong and ends with 1."""

import logging
from collections.abc import Callable
from typing import NoReturn

from vidrec_tasks.errors import VidrecError

log = logging.getLogger(__name__)


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a benchmark as a command; a missing or bad file is a line, not a traceback."""
    try:
        raise SystemExit(main() or 0)
    except VidrecError as error:
        log.error("%s", error)
    except FileNotFoundError as error:
        log.error("%s: no such file; see --help for what is read", error.filename)
    raise SystemExit(1)
