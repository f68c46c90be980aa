"""Decoding: a text file of any encoding and line end as UTF-8 with line feeds, a block at a time.

Bytes that the encoding does not know are kept apart by marks, so that a row that holds one can be
rejected; a file that is full of them is of another encoding, and refused with its name.
"""

import codecs
import re
from typing import Any, Final

from vidrec_tasks.errors import InputError

AUTO: Final = "auto"
HEAD_BYTES: Final = 1 << 16
"""What is looked at to tell encoding, line ends and separator."""
BLOCK_BYTES: Final = 32 << 20
"""Bytes of a text file that are read at once, some 500,000 interactions."""

_MARK: Final = 0x10FF00
"""A byte that is no text is marked by the private character at this number plus the byte; one that
a file itself holds becomes a replacement character (U+FFFD)."""
MARKS: Final = f"[{chr(_MARK + 0x80)}-{chr(_MARK + 0xFF)}]"
_ESCAPE: Final = 0xDC00
"""What `surrogateescape` adds to such a byte: no encoding has these halves of pairs alone."""
_HIGH: Final = re.compile("[\udc80-\udcff\U0010ff80-\U0010ffff]")

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MAC_END: Final = re.compile(r"[^\r\n]*\r(?![\r\n])")
"""A first line that ends in a carriage return alone; a value within quotes may hold a line feed."""

_FEW: Final = 0.001
"""Share of damaged lines that a file may have and still be of its encoding."""


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(_ESCAPE + byte) if byte >= 0x80 else "\ufffd" for byte in bad), error.end


def _marked(high: re.Match[str]) -> str:
    """The mark of an escaped byte; a character that looks like one is replaced."""
    number = ord(high[0])
    return chr(number - _ESCAPE + _MARK) if number < _MARK else "\ufffd"


codecs.register_error("vidrec-mark", _mark)


def encoding_of(head: bytes) -> tuple[str, int]:
    """The encoding that the beginning of a file tells, and the length of its byte order mark."""
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name, len(bom)
    if len(head) > 3 and head[:4].count(0) in (1, 2) and head[1] == 0 and head[3] == 0:
        return "utf-16-le", 0
    if len(head) > 3 and head[0] == 0 and head[2] == 0 and head[1] and head[3]:
        return "utf-16-be", 0
    return "utf-8", 0


class Decoded:
    """A text file as UTF-8, for a reader that takes bytes.

    Args:
        file: opened for bytes, at its beginning.
        name: for messages.
        encoding: as Python names it; ``auto``: as the file tells, else UTF-8.

    Attributes:
        n_damaged: lines with bytes that the encoding does not know, so far.

    Raises:
        InputError: the encoding is unknown.
    """

    closed = False

    def __init__(self, file: Any, name: str, *, encoding: str = AUTO) -> None:
        self._file, self._name = file, name
        raw = file.read(HEAD_BYTES)
        told, n_bom = encoding_of(raw)
        self.encoding = told if n_bom or encoding == AUTO else encoding
        try:
            self._decoder = codecs.getincrementaldecoder(self.encoding)("vidrec-mark")
        except LookupError as error:
            message = f"{name}: encoding {encoding!r} is unknown; see VIDREC_INPUTS__ENCODING"
            raise InputError(message) from error
        text = self._decoder.decode(raw[n_bom:])
        self._is_mac = bool(_MAC_END.match(text))
        self.n_damaged = self._n_foreign = self._n_lines = 0
        self._first = ""
        self._is_over = False
        self._waiting = b""
        self._keep(text)

    @property
    def head(self) -> str:
        """The beginning of the text."""
        return self._waiting[:HEAD_BYTES].decode("utf-8", "ignore")

    def skip(self, n_chars: int) -> None:
        """Leave out the first characters of the head."""
        self._waiting = self._waiting[len(self.head[:n_chars].encode()) :]

    def read(self, n: int = -1) -> bytes:
        """At most ``n`` bytes, all that are left by default; empty at the end."""
        while not self._is_over and (n < 0 or len(self._waiting) < n):
            raw = self._file.read(BLOCK_BYTES)
            self._is_over = not raw
            self._keep(self._decoder.decode(raw, final=self._is_over))
            if self._is_over and self._waiting and not self._waiting.endswith(b"\n"):
                self._waiting += b"\n"  # a header alone is a table without rows
        end = len(self._waiting) if n < 0 else n
        taken, self._waiting = self._waiting[:end], self._waiting[end:]
        return taken

    def close(self) -> None:
        """Nothing: the file is closed by who opened it."""

    def check(self) -> None:
        """Refuse a file that is of another encoding, once it was read.

        Raises:
            InputError: names encoding, how many lines, the first and the next step.
        """
        is_other = self.n_damaged > self._n_foreign and self.n_damaged > _FEW * self._n_lines
        if is_other:
            message = (
                f"{self._name} is not {self.encoding.upper()}: {self.n_damaged:,} of "
                f"{self._n_lines:,} lines hold bytes of another encoding (first: {self._first}); "
                "export it as UTF-8, or name its encoding in VIDREC_INPUTS__ENCODING (such as "
                "windows-1252)"
            )
            raise InputError(message)

    def _keep(self, text: str) -> None:
        if self._is_mac:
            text = text.replace("\r", "\n")
        self._n_lines += text.count("\n")
        if not text.isascii():
            text = _HIGH.sub(_marked, text)
            self._count(text)
        self._waiting += text.encode("utf-8", "replace")

    def _count(self, text: str) -> None:
        for line in text.split("\n"):
            if line.isascii():
                continue
            if is_marked(line):
                self.n_damaged += 1
                self._first = self._first or unmarked(line)[:80].strip()
            else:
                self._n_foreign += 1


def too_long(name: str, n_before: int, *, found: str = "") -> InputError:
    """The error of a row that is longer than a block.

    Args:
        name: of the file.
        n_before: rows of the file that were read before it.
        found: how long it is, and where; '' where its end was not reached.
    """
    limit = f"{BLOCK_BYTES / (1 << 20):.3g} MiB"
    step = "cut that text" if found else "cut its text, close its quotes or end it by a line feed"
    return InputError(
        f"{name}: a row after the first {n_before:,} is longer than {limit}{found}; {step}"
    )


def is_marked(text: str) -> bool:
    """Whether a text holds a byte that was none."""
    return not text.isascii() and any(_MARK + 0x80 <= ord(ch) <= _MARK + 0xFF for ch in text)


def unmarked(text: str) -> str:
    r"""The text with marked bytes written out, as ``\xfc``."""
    return "".join(
        f"\\x{ord(ch) - _MARK:02x}" if _MARK + 0x80 <= ord(ch) <= _MARK + 0xFF else ch
        for ch in text
    )
