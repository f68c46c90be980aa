"""Source: the hash of the library's own code, since code is part of what makes an artefact."""

import hashlib
from functools import cache
from pathlib import Path

import vidrec_tasks


@cache
def source_digest() -> str:
    """12 hex digits of the hash of every Python file of the library."""
    root = Path(vidrec_tasks.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
