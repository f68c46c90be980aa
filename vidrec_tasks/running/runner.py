"""Runs jobs: takes the night's lease, reuses what is made, writes artefacts and the receipt."""

import itertools
import logging
import os
import socket
import sys
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from threadpoolctl import threadpool_limits

from vidrec_tasks.contracts.artefacts import check_artefact, typed_when_empty
from vidrec_tasks.errors import InputError, SettingsError, VidrecError
from vidrec_tasks.night import JOBS, NIGHT, OPENS, REPORTS, kind_of
from vidrec_tasks.running.job import Approval, Context, Job, Made, n_tasks, names_of, refs_of
from vidrec_tasks.running.loading import module_of
from vidrec_tasks.running.memory import Watch
from vidrec_tasks.settings import Settings, read_settings
from vidrec_tasks.store.artefacts import Ref, key_of
from vidrec_tasks.store.leases import Lease
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.source import job_digest
from vidrec_tasks.store.store import Store

log = logging.getLogger(__name__)

NOT_HASHED = {"endpoint_key", "price_in", "price_out"}
"""Settings that change no artefact."""


@dataclass(frozen=True)
class Order:
    """Which job to run, for which night and shard, and how.

    Attributes:
        owner: who holds the night's lease; empty: this process, for as long as the job takes.
        refresh: take late events in (validate_inputs only): a new run of the night.
        is_cold: take nothing from earlier runs (validate_inputs only).
        force: make again what the store has already, and warn if the bytes differ.
        may_be_future: a night after today is meant (validate_inputs only).
        approval: a person's answer to a rejected run (publish_lists only).
    """

    task_id: str
    night: date
    shard: str = ""
    owner: str = ""
    refresh: bool = False
    is_cold: bool = False
    force: bool = False
    approval: Approval | None = None
    may_be_future: bool = False


def run_job(order: Order, settings: Settings | None = None) -> dict[str, Any]:
    """Run one job of a night.

    Returns:
        Its receipt: JSON of postcard size.

    Raises:
        SettingsError: there is no such job.
        VidrecError: what the job says; nothing is half-written then.
        RunUnderWay: another run of the same night holds the lease.
    """
    _refuse_unknown(order.task_id)
    settings = settings or read_settings()
    _limit_threads(settings.threads)
    store = Store(settings.store_url)
    lease = lease_of(store, order.night, owner=order.owner, settings=settings)
    with lease.kept():
        try:
            return _carry_out(order, settings, store)
        finally:
            # an Airflow run shares its lease between tasks; its last one gives it back
            if not order.owner or order.task_id == REPORTS:
                lease.release()


def run_night(
    night: date,
    settings: Settings | None = None,
    *,
    until: str = REPORTS,
    refresh: bool = False,
    is_cold: bool = False,
    force: bool = False,
    may_be_future: bool = False,
) -> list[dict[str, Any]]:
    """Run the jobs of a night in order, in this process, up to and with the job ``until``.

    Returns:
        The receipts, in order.

    Raises:
        VidrecError: what the job that failed says; the report is written all the same.
    """
    _refuse_unknown(until)
    settings = settings or read_settings()
    store = Store(settings.store_url)
    owner = f"night:{socket.gethostname()}:{os.getpid()}"
    lease = lease_of(store, night, owner=owner, settings=settings)
    receipts: list[dict[str, Any]] = []
    with lease.kept():
        try:
            for task_id in NIGHT[: NIGHT.index(until) + 1]:
                for shard in shards_for(task_id, store, night):
                    order = Order(
                        task_id, night, shard, owner, refresh, is_cold, force,
                        may_be_future=may_be_future,
                    )  # fmt: skip
                    receipts.append(run_job(order, settings))
        except VidrecError:
            _report_failure(Order(REPORTS, night, "", owner), settings, store)
            raise
        finally:
            lease.release()
    return receipts


def lease_of(store: Store, night: date, *, owner: str, settings: Settings) -> Lease:
    """The lease of a night for an owner; without a name the owner is this process."""
    is_process = not owner or owner.startswith("night:")
    name = owner or f"job:{socket.gethostname()}:{os.getpid()}"
    return Lease(store, night, owner=name, lease_s=settings.lease_s, is_process=is_process)


def load_job(task_id: str) -> Job:
    """The job of a name (of all but validate_inputs, which opens the run that a job is given).

    Raises:
        SettingsError: there is no such job.
    """
    _refuse_unknown(task_id)
    found: Job = getattr(module_of(task_id), task_id)
    return found


def all_shards(task_id: str, night: date, settings: Settings | None = None) -> list[str]:
    """The shards of a job for a night of the configured store."""
    settings = settings or read_settings()
    return shards_for(task_id, Store(settings.store_url), night)


def shards_for(task_id: str, store: Store, night: date) -> list[str]:
    """The shards a job is mapped over: one empty name when it runs once."""
    if task_id == OPENS:
        return [""]
    per = load_job(task_id).plan.per
    record = Runs(store).of_night(night).record
    return [str(shard) for shard in range(n_tasks(record, per))] if per else [""]


def postcard(receipt: dict[str, Any]) -> dict[str, Any]:
    """A receipt small enough for XCom whatever the number of shards."""
    artefacts = receipt["artefacts"]
    return {
        **{name: value for name, value in receipt.items() if name != "artefacts"},
        "artefact": artefacts[0] if artefacts else None,
        "rows": sum(artefact["rows"] for artefact in artefacts),
        "bytes": sum(artefact["bytes"] for artefact in artefacts),
        "user_shards": [str(shard) for shard in range(receipt["counts"].get("user_shards", 0))],
        "video_shards": [str(shard) for shard in range(receipt["counts"].get("video_shards", 0))],
    }


def _refuse_unknown(task_id: str) -> None:
    if task_id not in NIGHT:
        message = f"job {task_id!r}: unknown; one of {', '.join(NIGHT)}"
        raise SettingsError(message)


def _report_failure(order: Order, settings: Settings, store: Store) -> None:
    """Write the report of a night that failed, if its run was opened at all."""
    if Runs(store).pinned(order.night) is None:
        return
    try:
        run_job(order, settings)
    except VidrecError as error:
        log.warning("%s", error)


def _carry_out(order: Order, settings: Settings, store: Store) -> dict[str, Any]:
    started = datetime.now(UTC)
    begin = time.monotonic()
    watch = Watch.begin()
    if order.task_id == OPENS:
        # It opens the run, so it cannot be given one.
        _refuse_future(order)
        run, made, refs = module_of(OPENS).open_run(
            store, settings, order.night, refresh=order.refresh, is_cold=order.is_cold
        )
        reused = False
    else:
        run = Runs(store).of_night(order.night)
        made, refs, reused = _make(load_job(order.task_id), order, settings, store, run)
    seconds = round(time.monotonic() - begin, 3)
    receipt = {
        "job": order.task_id,
        "night": order.night.isoformat(),
        "run_id": run.run_id,
        "shard": order.shard,
        "started_at": started.isoformat(),
        "seconds": seconds,
        "peak_mib": watch.peak_mib(),
        "reused": reused,
        "counts": dict(made.counts),
        "artefacts": [ref.to_json() for ref in refs],
    }
    run.write_receipt(order.task_id, order.shard, receipt)
    _say(receipt)
    if made.error is not None:
        raise made.error
    return receipt


def _refuse_future(order: Order) -> None:
    """A night of a year mistyped would be published and stay before readers for as long."""
    today = datetime.now(UTC).date()
    if order.night > today and not order.may_be_future:
        message = (
            f"night {order.night}: is after today ({today}, UTC); correct it, or ask for it with "
            "--future (in Airflow: Future)"
        )
        raise InputError(message)


def _make(
    job: Job, order: Order, settings: Settings, store: Store, run: Run
) -> tuple[Made, list[Ref], bool]:
    names = names_of(job.plan.makes, run, order.shard)
    needs = names_of(job.plan.needs, run, order.shard)
    may_read = None if job.plan.reads_what_is_there else frozenset(needs)
    context = Context(settings, store, run, order.shard, order.approval, may_read)
    key = _key(job, context, order)
    found = [run.artefacts.find(name, key) for name in names]
    there = [ref for ref in found if ref is not None]
    if job.is_pure and names and len(there) == len(names) and not order.force:
        for ref in there:
            run.remember(ref)
        return Made(counts=_counts_before(store, run, there, order)), there, True
    made = job.run(context)
    _check_names(job, names, made)
    parts = dict(made.artefacts)
    for name in names if job.plan in JOBS else ():
        parts[name] = typed_when_empty(kind_of(name), parts[name])
        check_artefact(kind_of(name), parts[name])
    refs = [run.artefacts.write(name, key, parts[name]) for name in names]
    for ref in refs:
        run.remember(ref)
    return made, refs, False


def _key(job: Job, context: Context, order: Order) -> str:
    """What the job's artefacts are made of, as their address."""
    groups = {
        group: getattr(context.settings, group).model_dump(mode="json", exclude=NOT_HASHED)
        for group in job.plan.settings
    }
    needs = {name: ref.checksum for name, ref in refs_of(job, context.run, order.shard).items()}
    parents = {}
    for role in job.plan.parents:
        parent = context.parent(role)
        parents[role] = parent.run_id if parent else ""
    return key_of(
        {
            "job": job.plan.name,
            "shard": order.shard,
            "night": order.night.isoformat(),
            "code": job_digest(job.plan.name),
            "settings": groups,
            "needs": needs,
            "parents": parents,
            "state": job.state(context),
        }
    )


def _counts_before(store: Store, run: Run, refs: list[Ref], order: Order) -> dict[str, Any]:
    """The counts of who made the artefacts: this run, or another one of the night."""
    made = [ref.to_json() for ref in refs]
    others = (other for other in Runs(store) if other.night == order.night)
    for maker in itertools.chain([run], others):
        for receipt in maker.receipts():
            is_mine = (receipt["job"], receipt["shard"]) == (order.task_id, order.shard)
            if is_mine and receipt["artefacts"] == made:
                return dict(receipt["counts"])
    return {}


def _check_names(job: Job, names: list[str], made: Made) -> None:
    if set(names) != set(made.artefacts):
        message = f"{job.plan.name}: made {sorted(made.artefacts)}, promised {sorted(names)}"
        raise VidrecError(message)


def _say(receipt: dict[str, Any]) -> None:
    counts = ", ".join(f"{name} {value}" for name, value in receipt["counts"].items())
    log.info(
        "%s%s: %s in %.1f s%s",
        receipt["job"],
        f"[{receipt['shard']}]" if receipt["shard"] else "",
        counts or "done",
        receipt["seconds"],
        " (all reused)" if receipt["reused"] else "",
    )


def _limit_threads(threads: int) -> None:
    """Give native code its threads: cores divided by the slots of the compute pool.

    Libraries that are loaded later read the environment; those that are loaded already (numpy's
    OpenBLAS) have read it and must be told. Results depend on it in their last digit.
    """
    if not threads:
        return
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    threadpool_limits(limits=threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
