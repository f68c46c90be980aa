"""The files that a job's address is made of hold all that Python loads to import it."""

import json
import subprocess
import sys
from pathlib import Path

from vidrec_tasks.night import BY_HAND, NIGHT
from vidrec_tasks.store.source import ROOT, files_of_job

# What others wrote is imported once; then each job in a copy of the process that knows no job yet.
LOADED = """
import json, multiprocessing, sys
import av, cv2, faiss, numpy, pandas, sklearn, sqlalchemy, torch, transformers

def files_loaded(job):
    assert not [name for name in sys.modules if name.startswith("vidrec_tasks")]
    from importlib import import_module
    import_module(f"vidrec_tasks.jobs.{job}")
    import_module("vidrec_tasks.running.runner")
    return [m.__file__ for name, m in sys.modules.items() if name.startswith("vidrec_tasks")]

with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
    jobs = sys.argv[1:]
    print(json.dumps(dict(zip(jobs, pool.map(files_loaded, jobs, chunksize=1)))))
"""


def test_what_a_job_loads_is_what_its_address_is_made_of(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *NIGHT, *BY_HAND],
        cwd=root, check=True, capture_output=True, text=True,
    )  # fmt: skip
    loaded = {job: set(map(Path, files)) for job, files in json.loads(done.stdout).items()}
    for job, files in loaded.items():
        assert ROOT / f"jobs/{job}.py" in files
        assert files <= files_of_job(job), job
