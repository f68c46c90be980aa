"""Answering: the requests in batch files, by the local model or the endpoint of the settings.

For a worker that has the model while those that run nights have not; a rented batch API does the
same with the same files.
"""

import logging
from collections.abc import Iterator

from vidrec_tasks.errors import InputError
from vidrec_tasks.language.batching import answer_line, name_of, read_requests
from vidrec_tasks.language.generator import LazyGenerator
from vidrec_tasks.settings import Settings, read_settings
from vidrec_tasks.store.batches import Batches, answer_files, keep_answers, request_files
from vidrec_tasks.store.store import Store

log = logging.getLogger(__name__)


def answer_batches(settings: Settings | None = None) -> dict[str, int]:
    """Answer what waits, a file at a time; what was answered before is not asked again.

    Args:
        settings: read from the environment when None. A mode of 'batch' means 'auto' here.

    Returns:
        files, requests, answered.

    Raises:
        InputError: a file of requests cannot be read.
        ModelError: the model cannot be used.
    """
    settings = settings or read_settings()
    store = Store(settings.store_url)
    language = settings.language
    mode = "auto" if language.mode == "batch" else language.mode
    writer = LazyGenerator(language.model_copy(update={"mode": mode}), cache=store.cache("models"))
    answered = {name for name in map(name_of, _lines(store)) if name}
    counts = {"files": 0, "requests": 0, "answered": 0}
    for path in request_files(store):
        try:
            requests = dict(read_requests(Batches.lines_of(store, path)))
        except ValueError as error:
            raise InputError(
                f"{path}: {error}; remove the file, the next night asks again"
            ) from error
        left = {name: prompt for name, prompt in requests.items() if name not in answered}
        counts["requests"] += len(left)
        if not left:
            continue
        texts = writer.complete(list(left.values()))
        lines = [answer_line(name, text) for name, text in zip(left, texts, strict=True) if text]
        keep_answers(store, path, lines)
        answered |= left.keys()
        counts["files"] += 1
        counts["answered"] += len(lines)
    log.info(
        "%d of %d requests answered by %s", counts["answered"], counts["requests"], writer.identity
    )
    return counts


def _lines(store: Store) -> Iterator[bytes]:
    for path in answer_files(store):
        yield from Batches.lines_of(store, path)
