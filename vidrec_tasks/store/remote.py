"""Remote: what an object store does otherwise than a disk, and what it may say when it fails.

There is no renaming: one file appears whole when its upload ends, and what is made of several
counts when the one that names them is there. Listings are never remembered, so that a file that is
written is seen at once by its name.
"""

import hashlib
import tempfile
from pathlib import Path
from typing import Any, Final

LOCAL: Final = ("", "file")

S3_OPTIONS: Final[dict[str, Any]] = {
    "use_listings_cache": False,
    "skip_instance_cache": False,
    "config_kwargs": {
        "connect_timeout": 10,
        "read_timeout": 30,
        # answers of 500 and 503 are asked again by botocore, torn connections by s3fs
        "retries": {"max_attempts": 5, "mode": "standard"},
    },
}
"""For s3fs. Endpoint and keys come from the usual AWS_* names, so no setting holds a secret."""


def options_of(url: str) -> dict[str, Any]:
    """What the file system of a URL is made with."""
    return dict(S3_OPTIONS) if url.startswith(("s3://", "s3a://")) else {}


def failures_of(protocol: str) -> tuple[type[Exception], ...]:
    """The errors by which a store of a protocol says that it cannot."""
    if protocol not in ("s3", "s3a"):
        return (OSError,)
    # a connection that is refused or times out is no OSError there
    from botocore.exceptions import BotoCoreError

    return (OSError, BotoCoreError)


def cache_of(url: str) -> Path:
    """A folder of this machine for what can be made again: models and films in use.

    It lies where temporary files lie (TMPDIR), one a store.
    """
    name = hashlib.sha256(url.encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"vidrec-{name}"
