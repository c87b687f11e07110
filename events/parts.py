"""Reads the parts of a form so that none with a file gets lost.

Django's parser drops, without a word, a file whose name is not valid UTF-8, is empty, or consists of dots, and refuses
the whole form for a name of a thousand characters.
"""

from __future__ import annotations

from itertools import chain
from typing import IO, TYPE_CHECKING, Any

from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import ChunkIter, InterBoundaryIter, LazyStream, MultiPartParser, MultiPartParserError
from django.utils.http import parse_header_parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMELESS = "photo"
"""What a file is called whose name says nothing."""

FIELDLESS = "no field"
"""The field of what names none."""

FILES = (FIELDLESS, "files")
"""What is a file, also where a client gives it no file name: photos."""

MOST_HEAD = 65_536
"""Bytes of a part's headers; more of them, and the form is refused."""

MOST_NAME = 200
"""Characters of a file name; of a longer one the end is kept. Django takes 1,024 bytes of headers."""


class NoFileIsLost(FileUploadHandler):
    """Has the other handlers get the form with headers that Django's parser understands."""

    def handle_raw_input(
        self,
        input_data: IO[bytes],
        META: dict[str, str],  # noqa: N803  # Django's name
        content_length: int,
        boundary: Any,  # bytes, though the stubs say str
        encoding: str | None = None,
    ) -> Any:
        """Return what the form holds: its fields and its files.

        Raises:
            MultiPartParserError: the form makes no sense.
        """
        handlers = self.request.upload_handlers if self.request else []
        others = [handler for handler in handlers if handler is not self]
        mended: Any = _Mended(input_data, boundary)
        return _Parser(META, mended, others, encoding).parse()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        raise NotImplementedError("The others take the files.")

    def file_complete(self, file_size: int) -> None:
        raise NotImplementedError("The others take the files.")


class _Parser(MultiPartParser):
    def sanitize_file_name(self, file_name: str) -> str:
        return super().sanitize_file_name(file_name) or NAMELESS


class _Mended:
    """The form as a stream."""

    def __init__(self, form: IO[bytes], boundary: bytes) -> None:
        self._pieces = _mended(form, b"--" + boundary)

    def read(self, size: int) -> bytes:
        """Return some bytes, of whatever number; none at the end."""
        return next(self._pieces, b"")


def _mended(form: Any, separator: bytes) -> Iterator[bytes]:
    for number, part in enumerate(InterBoundaryIter(LazyStream(ChunkIter(form)), separator)):
        if number:
            yield b"\r\n" + separator
        start = part.read(MOST_HEAD)
        # What comes before the first part, and after the last, is none.
        if number and not start.startswith(b"--"):
            start = _with_new_head(start)
        yield from filter(None, chain([start], part))


def _with_new_head(start: bytes) -> bytes:
    head, end, body = start.partition(b"\r\n\r\n")
    if not end:
        raise MultiPartParserError("A part of the form has no end of its headers, or too many of them.")
    lines = [line.partition(":") for line in head.decode(errors="replace").split("\r\n")]
    headers = {name.strip().lower(): value.strip() for name, _, value in lines}
    disposition = _disposition(headers.get("content-disposition", ""), is_empty=not body)
    encoding = headers.get("content-transfer-encoding", "binary")[:20]
    return f"\r\nContent-Disposition: {disposition}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body


def _disposition(given: str, *, is_empty: bool) -> str:
    """Return how a part is called: its field and, of a file, its name; without a name where a browser sends no file."""
    try:
        _, names = parse_header_parameters(given)
    except ValueError:
        names = {}
    field, file_name = names.get("name", "").strip() or FIELDLESS, names.get("filename", "")
    is_file = file_name or (not is_empty and ("filename" in names or field in FILES))
    named = f"; filename={_quoted((file_name or NAMELESS)[-MOST_NAME:])}" if is_file else ""
    return f"form-data; name={_quoted(field)}{named}"


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
