"""Jobs: one file a task; each reads, checks, calls a stage, checks, writes, returns a receipt.

A job's file, its task id in Airflow and its log lines have one name. Jobs never import each other.
What each needs and makes stands in `vidrec_tasks.night`.
"""

import os

# A waiting OpenMP thread sleeps instead of spinning: on two cores shared with others, 16 sentences
# took 11 s so and over 200 s spinning. It must stand before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
