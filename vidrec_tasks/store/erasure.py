"""Erasure: users leave every file of the store: inputs, artefacts, models, reports.

Addresses stay; checksums in the runs' refs follow the new bytes. Searching is erasing without
writing, so a second search tells whether anything is left. Leaves databases to `publishing`.
"""

import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from vidrec_tasks.columns import USER_ID, USER_NUM
from vidrec_tasks.errors import StoreError
from vidrec_tasks.store.artefacts import COMMIT, Artefacts, Ref, kind_of
from vidrec_tasks.store.batches import remove_batches
from vidrec_tasks.store.codecs import SUFFIXES
from vidrec_tasks.store.decoding import AUTO
from vidrec_tasks.store.erasing_inputs import count_in_file, erase_from_file, user_files
from vidrec_tasks.store.remote import LOCAL
from vidrec_tasks.store.rewriting import artefact_folders, read_parts, remove, rewrite, settle
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.sought import Mask, Sought
from vidrec_tasks.store.store import Store

FRAME: Final = SUFFIXES["frame"]
PAGE: Final = SUFFIXES["bytes"]
MODELS: Final = "models"
REPORT: Final = "report"
LEFT_OUT: Final = ("features", "models", "media", "demo_truth")
"""Folders without rows of users; what a demo planted is no input and is read by no job."""
FEATURES: Final = "features"
"""The parent that only features of videos come from."""
DERIVED: Final = ("video_vectors", "user_vectors")
"""Made by models that were trained on the users, about somebody or something else."""

UNFINISHED: Final = re.compile(r"^\..+\.[0-9a-f]{32}$")
"""Files that a killed writer left beside the one it wrote."""
UNFINISHED_S: Final = 600.0
"""Seconds after which what is half-written is taken for left behind."""


@dataclass
class Erased:
    """What was found and removed.

    Attributes:
        rows: what (``inputs/users``, ``artefacts/profiles``, ``reports``) -> rows or files.
        models_of: runs whose models were trained on the users and were deleted.
        derived_of: runs that keep vectors made by those models.
    """

    rows: Counter[str] = field(default_factory=Counter)
    models_of: list[str] = field(default_factory=list)
    derived_of: list[str] = field(default_factory=list)


def refuse_unwritable(store: Store) -> None:
    """Refuse a store with folders that this process may not change, before anything is erased.

    A file is replaced by one that is written beside it, so the rights of its folder count. Folders
    that an administrator copied into a volume belong to root: nights read them, and only an erasure
    would fail.

    Raises:
        StoreError: how many folders, the first, whose it is, and what to do.
    """
    if not store.is_local:
        return  # rights of a bucket are told by its answers
    folders = sorted(_folders_to_change(store))
    shut = [folder for folder in folders if not os.access(folder, os.W_OK | os.X_OK)]
    if not shut:
        return
    message = (
        f"forget: {len(shut)} of {len(folders)} folders of the store cannot be changed by this "
        f"user (uid {os.getuid()}; first: {shut[0]}, of uid {shut[0].stat().st_uid}); nothing was "
        f"erased; give them to uid {os.getuid()} (chown -R), then forget the users again"
    )
    raise StoreError(message)


def _folders_to_change(store: Store) -> set[Path]:
    """The folders whose files an erasure may replace or remove."""
    found = {Path(str(file.path)).resolve().parent for _, file in user_files(store)}
    for name, below, _ in os.walk(str(store.root)):
        below[:] = [folder for folder in below if folder not in LEFT_OUT]
        found.add(Path(name))
    return found


def erase_from_store(store: Store, sought: Sought, *, encoding: str = AUTO) -> Erased:
    """Remove users from the store; killed anywhere, it can be run again.

    Raises:
        StoreError: a file cannot be read or written; what was erased stays erased.
    """
    erased = Erased()
    _settle_all(store)
    # Models first: which of them knew the users is told by the interactions that are still there.
    trained = _trained_on(store, sought)
    _remove_models(store, trained, erased)
    for name, folder in _artefacts_about(store, sought):
        if name == REPORT:
            remove(folder)
            erased.rows["reports"] += 1
        else:
            erased.rows[f"artefacts/{name}"] += _rewrite(store, folder, sought)
    for path in _report_copies(store, sought):
        path.unlink()
        erased.rows["reports"] += 1
    _correct_refs(store)
    if n_batches := remove_batches(store):
        erased.rows["batches"] += n_batches
    for table, path in user_files(store):
        erased.rows[f"inputs/{table}"] += erase_from_file(path, sought, encoding)
    return erased


def search_store(store: Store, sought: Sought, *, encoding: str = AUTO) -> Counter[str]:
    """What is left of users in the store: rows by user_id, and ids in the bytes of any file.

    The bytes are searched for ids that cannot mean anything else; films, thumbnails, weights and
    the planted truth beside a demo world are left out.
    """
    left: Counter[str] = Counter()
    for name, folder in _artefacts_about(store, sought):
        left[f"artefacts/{name}"] += _count(read_parts(store, folder, FRAME), sought) or 1
    left["reports"] += len(list(_report_copies(store, sought)))
    for table, path in user_files(store):
        left[f"inputs/{table}"] += count_in_file(path, sought, encoding)
    for path in _plain_files(store):
        if sought.in_file(path, encoding) or sought.in_text(str(path.relative_to(store.root))):
            left[f"bytes/{_top(store, path)}"] += 1
    return +left


def _artefacts_about(store: Store, sought: Sought) -> Iterator[tuple[str, Any]]:
    """Yield (kind, folder) of committed artefacts that hold rows about the users."""
    for kind, _, folder in artefact_folders(store):
        if kind_of(kind) == MODELS or not (folder / COMMIT).exists():
            continue
        if kind == REPORT:
            pages = read_parts(store, folder, PAGE).values()
            if any(sought.in_page(page.decode("utf-8", "replace")) for page in pages):
                yield kind, folder
        elif _count(read_parts(store, folder, FRAME), sought):
            yield kind, folder


def _count(parts: dict[str, Any], sought: Sought) -> int:
    return sum(int(mask.sum()) for mask in _masks(parts, sought).values())


def _masks(parts: dict[str, Any], sought: Sought) -> dict[str, Mask]:
    """Part -> which of its rows go."""
    frames = {name: part for name, part in parts.items() if isinstance(part, pd.DataFrame)}
    return {name: sought.rows(frame) for name, frame in frames.items()}


def _rewrite(store: Store, folder: Any, sought: Sought) -> int:
    """Rewrite an artefact without the users; the rows of its arrays go with those of its table."""
    parts = read_parts(store, folder)
    masks = _masks(parts, sought)
    table = parts.get("table")
    kept = dict(parts)
    for name, part in parts.items():
        if name in masks:
            kept[name] = _renumbered(part, part[~masks[name]].reset_index(drop=True))
        elif isinstance(part, np.ndarray) and _is_row_by_row(part, table):
            kept[name] = part[~masks["table"]]
    rewrite(store, folder, kept)
    return sum(int(mask.sum()) for mask in masks.values())


def _is_row_by_row(array: Any, table: Any) -> bool:
    is_about_users = isinstance(table, pd.DataFrame) and USER_ID in table
    return is_about_users and array.ndim > 0 and len(array) == len(table)


def _renumbered(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """``user_num`` stays the row number where it was one."""
    if USER_NUM in before and np.array_equal(before[USER_NUM], np.arange(len(before))):
        renumbered = after.assign(**{USER_NUM: np.arange(len(after))})
        return renumbered.astype({USER_NUM: before[USER_NUM].dtype})
    return after


def _trained_on(store: Store, sought: Sought) -> list[Run]:
    """The runs whose models knew the users, by their own interactions or by a warm start."""
    about = {folder.name for name, folder in _artefacts_about(store, sought)
             if name == "interactions"}  # fmt: skip
    trained: dict[str, Run] = {}
    for run in Runs(store):  # by night, so a parent comes before its child
        own = {ref.key for ref in run.refs() if kind_of(ref.name) == "interactions"}
        parents = {run_id for role, run_id in run.record.parents.items() if role != FEATURES}
        if own & about or parents & set(trained):
            trained[run.run_id] = run
    return list(trained.values())


def _remove_models(store: Store, trained: list[Run], erased: Erased) -> None:
    """Remove models; runs that name them forget them in `_correct_refs`."""
    for run in trained:
        refs = [ref for ref in run.refs() if kind_of(ref.name) == MODELS]
        for ref in refs:
            folder = Artefacts(store).folder(ref.name, ref.key)
            if folder.exists():
                remove(folder)
                erased.rows["models"] += 1
        if refs:
            erased.models_of.append(run.run_id)
        if any(kind_of(ref.name) in DERIVED for ref in run.refs()):
            erased.derived_of.append(run.run_id)


def _settle_all(store: Store) -> None:
    """Finish what a killed erasure began, and remove what a killed job left half-written."""
    for _, _, folder in artefact_folders(store):
        settle(store, folder)
        if not (folder / COMMIT).exists() and _is_left(folder):
            remove(folder)
    for path in list(_plain_files(store)):
        if UNFINISHED.match(path.name) and _is_left(path):
            path.unlink(missing_ok=True)


def _is_left(path: Any) -> bool:
    """Whether nobody has written here for so long that nobody is writing."""
    # an object store knows no time of a folder, so its files are asked
    paths = [path] if path.protocol in LOCAL or path.is_file() else list(path.iterdir())
    newest = max((float(file.stat().st_mtime) for file in paths), default=0.0)
    return time.time() - newest > UNFINISHED_S


def _correct_refs(store: Store) -> None:
    """Let every run, and every pinned input, name artefacts by the checksums they have now."""
    artefacts = Artefacts(store)
    for run in Runs(store):
        for ref in run.refs():
            now = artefacts.find(ref.name, ref.key)
            if now is not None and now != ref:
                run.remember(now)
            elif now is None and kind_of(ref.name) in (MODELS, REPORT):
                run.forget(ref.name)
    for kind, _, folder in artefact_folders(store):
        if kind == "pinned" and (folder / COMMIT).exists():
            _correct_pinned(store, artefacts, folder)


def _correct_pinned(store: Store, artefacts: Artefacts, folder: Any) -> None:
    parts = read_parts(store, folder)
    named = [Ref(**ref) for ref in parts["said"]["refs"]]
    now = [asdict(artefacts.find(ref.name, ref.key) or ref) for ref in named]
    if now != parts["said"]["refs"]:
        rewrite(store, folder, {"said": {**parts["said"], "refs": now}})


def _report_copies(store: Store, sought: Sought) -> list[Any]:
    folder = store.path("reports")
    files = sorted(folder.iterdir(), key=lambda p: p.name) if folder.exists() else []
    return [path for path in files if sought.in_page(path.read_bytes().decode("utf-8", "replace"))]


def _plain_files(store: Store) -> Iterator[Any]:
    """Every file whose bytes may hold an id."""
    folders = [store.root]
    while folders:
        for path in folders.pop().iterdir():
            if path.is_dir() and path.name not in LEFT_OUT:
                folders.append(path)
            elif path.is_file():
                yield path


def _top(store: Store, path: Any) -> str:
    """The first folder of a path in the store, or the file's name."""
    return str(path.relative_to(store.root).parts[0])
