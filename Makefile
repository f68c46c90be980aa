.PHONY: help setup demo test test-fast bench check e2e faults compose-test fuzz docs licences lock screenshots up down clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

setup: ## create .venv and install everything (quick when it exists)
	@scripts/setup.sh

demo: setup ## render a small world, run two nights in Airflow, show the lists
	@scripts/demo.sh

# a file stays in one process, so that its world is made once; which tests take longest is printed
ALL_CORES = --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --durations 15 --durations-min 5

test: setup check ## all checks and all tests, on at most 4 processes
	.venv/bin/python -m pytest $(ALL_CORES)

FAST = tests/contracts tests/measuring tests/recommending tests/searching tests/store \
	tests/evaluation/test_gates.py tests/evaluation/test_glossary.py tests/test_settings.py \
	tests/test_runbook.py tests/test_security_page.py
# these train models, 3 to 5 s each, or hold a million videos
LONG = $(addprefix --ignore=tests/recommending/test_,attention.py counterfactual.py memory.py models.py warmth.py)

test-fast: setup ## the quick tests alone, under a minute: contracts, metrics, lists, the store; no property tests
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest -m 'not cluster and not airflow and not hypothesis' $(FAST) $(LONG)

bench: setup ## run every benchmark (over two hours), then write docs/BENCHMARKS.md; DATA=DIR for real data, ONLY=names, QUICK=1 for small inputs
	.venv/bin/python -m benchmarks.every --out var/benchmarks$(if $(QUICK),-quick) $(if $(DATA),--data $(DATA)) $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick)

check: setup ## ruff, mypy, import-linter
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

e2e: setup ## a night on two Celery workers, with the services of docker-compose.yaml but without Docker
	@scripts/setup_cluster.sh
	.venv-cluster/bin/python -m pytest -m cluster --durations=0 tests/cluster

faults: setup ## cause faults in a running cluster during its nights and print the outcome
	@scripts/setup_cluster.sh
	@.venv-cluster/bin/python -m tests.cluster.faults

compose-test: ## docker-compose.yaml in real containers: build, nights, a killed worker, upgrade, backup, s3 (see docs/CONTAINERS.md)
	@python3 -m tests.containers.check

fuzz: setup ## run 100,000 generated rows, 1,000 mangled videos, 10,000 caption files and 40,000 answers through the real code
	.venv/bin/python -m tests.fuzz.rows --rows 100000
	.venv/bin/python -m tests.fuzz.media --files 1000
	.venv/bin/python -m tests.fuzz.captions --files 10000
	.venv/bin/python -m tests.fuzz.answers --answers 10000
	.venv/bin/python -m tests.fuzz.cards --answers 10000
	.venv/bin/python -m tests.fuzz.batches --answers 10000
	.venv/bin/python -m tests.fuzz.endpoint --answers 10000

docs: setup ## write the generated pages of docs/
	.venv/bin/python -m scripts.docs
	.venv/bin/python -m scripts.access >/dev/null

licences: setup ## list the licences of packages and weights
	@.venv/bin/python -m scripts.licences

lock: ## write requirements*.txt from their .in files (UPGRADE=1 or =NAME)
	@scripts/lock.sh

screenshots: setup ## take screenshots of the pages into docs/images, from the demo's store
	@scripts/screenshots.sh

up: setup ## start Airflow with its UI on localhost
	@scripts/up.sh

down: ## stop Airflow
	@scripts/down.sh

clean: ## remove var/: the default store, Airflow's home, the results of benchmarks
	rm -rf var
