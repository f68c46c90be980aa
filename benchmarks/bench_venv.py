"""The environment of the peers: ``.venv-bench`` from requirements-bench.txt, made when missing.

What peers need does not fit beside the lock (they want older numpy and pandas), so it lives in
an environment of its own and is never a dependency of the project.
"""

import hashlib
import logging
import subprocess
import sys
from pathlib import Path

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv-bench"
REQUIREMENTS = ROOT / "requirements-bench.txt"


def bench_python() -> Path:
    """The interpreter of the bench environment, set up if it is not there or is out of date."""
    stamp = VENV / ".ready"
    want = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    python = VENV / "bin" / "python"
    if stamp.exists() and stamp.read_text() == want:
        return python
    log.info("setting up %s (some minutes, once)", VENV.name)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True)
    stamp.write_text(want)
    return python


def run_in_bench_venv(module: str, *arguments: str) -> None:
    """Run ``python -m module`` of this checkout in the bench environment.

    Raises:
        subprocess.CalledProcessError: it failed; its own output says why.
    """
    # Threads that spin while they wait made a fit on a busy machine five times slower.
    command = ["env", "OMP_WAIT_POLICY=PASSIVE", str(bench_python()), "-m", module, *arguments]
    subprocess.run(command, cwd=ROOT, check=True)
