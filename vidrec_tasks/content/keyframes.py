"""Keyframes: the few frames that stand for a film, decoded where a hostile file cannot hurt.

Films are decoded by plain subprocesses (a Celery worker may not use multiprocessing): one process
decodes many films, and one that hangs or dies costs the film it was at.
"""

import json
import logging
import os
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from vidrec_tasks.columns import AT_S, CHECKSUM, FRAME_NUM, PATH, SHARPNESS
from vidrec_tasks.errors import MediaError
from vidrec_tasks.settings import ContentSettings

log = logging.getLogger(__name__)

FRAME_HASH: Final = "frame_hash"
START_TIMEOUT_S: Final = 60.0
LOG_EVERY: Final = 50


@dataclass(frozen=True)
class Extraction:
    """Keyframes of films.

    Attributes:
        frames: checksum, frame_num (from 0, in order of time), at_s, path (relative to the
            workspace), sharpness, frame_hash (64 bits, hex).
        failures: checksum -> why the film gave no frame.
    """

    frames: pd.DataFrame
    failures: dict[str, str]


def extract_keyframes(
    films: Mapping[str, Path], settings: ContentSettings, *, workspace: Path
) -> Extraction:
    """Decode films and write their thumbnails to ``workspace/<checksum>/<frame_num>.jpg``.

    Args:
        films: checksum -> file.
        settings: how many keyframes, and the limits of seconds, pixels and memory a film.
        workspace: an empty folder.

    Raises:
        MediaError: the decoding process cannot be started at all.
    """
    waiting = deque(_request(key, path, settings, workspace) for key, path in films.items())
    frames: list[dict[str, Any]] = []
    failures: dict[str, str] = {}
    while waiting:
        with _Decoder(settings) as decoder:
            while waiting:
                answer = decoder.ask(waiting.popleft())
                failures |= {answer["key"]: answer["failure"]} if "failure" in answer else {}
                frames += [{CHECKSUM: answer["key"], **row} for row in answer.get("frames", ())]
                done = len(films) - len(waiting)
                if done % LOG_EVERY == 0:
                    log.info("%d of %d films decoded, %d failed", done, len(films), len(failures))
                if not decoder.is_alive:
                    break
    return Extraction(_frame_table(frames), failures)


def _request(
    key: str, path: Path, settings: ContentSettings, workspace: Path
) -> dict[str, str | float]:
    return {
        "key": key,
        "path": str(path),
        "folder": str(workspace / key),
        "n_keyframes": settings.n_keyframes,
        "mode": settings.keyframe_mode,
        "max_pixels": settings.max_pixels,
        "thumbnail_px": settings.thumbnail_px,
        "timeout_s": settings.decode_timeout_s,
    }


def _frame_table(frames: list[dict[str, Any]]) -> pd.DataFrame:
    kinds: dict[str, Any] = {
        CHECKSUM: str,
        FRAME_NUM: "int64",
        AT_S: "float64",
        PATH: str,
        SHARPNESS: "float64",
        FRAME_HASH: str,
    }
    table = pd.DataFrame(frames, columns=list(kinds)).astype(kinds)
    return table.sort_values([CHECKSUM, FRAME_NUM], ignore_index=True)


class _Decoder:
    """One decoding process, asked one film at a time."""

    def __init__(self, settings: ContentSettings) -> None:
        self.timeout_s = settings.decode_timeout_s
        self.is_alive = True
        command = [sys.executable, "-m", "vidrec_tasks.content.decoder"]
        command.append(str(settings.decode_memory_mb))
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).resolve().parents[2],
        )
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stdout, selectors.EVENT_READ)
        self._unread = b""

    def __enter__(self) -> "_Decoder":
        if self._line(START_TIMEOUT_S) != b"ready":
            self._stop()
            message = "the decoding process does not start; is OpenCV installed with its libraries?"
            raise MediaError(message)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Decode one film; when it hangs or kills the process, say so in its place."""
        failure = {"key": request["key"]}
        try:
            self._stdin.write(json.dumps(request).encode() + b"\n")
            self._stdin.flush()
            line = self._line(self.timeout_s)
        except TimeoutError:
            self._stop()
            return {**failure, "failure": f"decoding took more than {self.timeout_s:g} s"}
        except OSError:
            line = b""
        if not line:
            code = self._stop()
            return {**failure, "failure": f"decoding killed its process (exit {code})"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _line(self, timeout_s: float) -> bytes:
        """The next line of the process; empty when it died.

        Raises:
            TimeoutError: no line came in time.
        """
        while b"\n" not in self._unread:
            if not self._selector.select(timeout_s):
                raise TimeoutError
            data = os.read(self._stdout.fileno(), 1 << 16)
            if not data:
                return b""
            self._unread += data
        line, self._unread = self._unread.split(b"\n", 1)
        return line

    def _stop(self) -> int:
        self.is_alive = False
        self._selector.close()
        self._process.kill()
        code = self._process.wait()
        for pipe in (self._stdin, self._stdout):
            try:
                pipe.close()
            except OSError:
                log.debug("the decoding process left its pipe in disorder")
        return code

    @property
    def _stdin(self) -> Any:
        return self._process.stdin

    @property
    def _stdout(self) -> Any:
        return self._process.stdout
