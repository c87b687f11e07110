"""How much a request may bring, and where it lies until a view has looked at it."""

from __future__ import annotations

import tempfile
from typing import IO, TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, MemoryFileUploadHandler

from events.access import is_staff
from events.ingest import Refused
from events.models import ApiKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest
    from django.utils.datastructures import MultiValueDict

ROOM_FOR_THE_REST = 1_000_000
"""Bytes of a form beside its selfie, or of one that has none."""

SELFIES = ("selfie", "api-selfie")
"""The addresses whose files are kept in memory only, whoever sends them."""

PHOTOS = "api-upload"
"""The address to which API keys send photos; it looks at the key before it reads them."""

FIELD = "files"
"""The field of a form that brings photos."""


def strays(files: MultiValueDict[str, UploadedFile[Any]]) -> list[Refused]:
    """Return the files that came in other fields than photos do, refused by their names."""
    others: Iterable[UploadedFile[Any]] = (file for name in files if name != FIELD for file in files.getlist(name))
    return [Refused(file.name or "", "unknown_field", f"Send photos as form field `{FIELD}`.") for file in others]


class StrangersBringLittle(FileUploadHandler):
    """Refuses, unread, a form with files that is larger than selfies, unless staff or API keys send photos.

    Without it, anybody could fill the disk: a form is read to its end before a view, or the check of its CSRF
    token, sees it. And of a file that is too large for a photo, no more is kept than tells that it is.
    """

    def handle_raw_input(
        self,
        input_data: IO[bytes],
        META: dict[str, str],  # noqa: N803  # Django's name
        content_length: int,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Raise RequestDataTooBig, or let the other handlers do their work."""
        megabytes = settings.MAX_SELFIE_MB if _is_for_selfies(self.request) else 0
        if content_length > megabytes * 1_000_000 + ROOM_FOR_THE_REST and not _may_bring_more(self.request):
            raise RequestDataTooBig(f"Send at most {megabytes or 1} MB.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Return the bytes for the next handlers, or None once there are more than a photo may have."""
        return raw_data if start <= settings.MAX_UPLOAD_MB * 1_000_000 else None

    def file_complete(self, file_size: int) -> None:
        return None


class SelfiesInMemory(MemoryFileUploadHandler):
    """Keeps selfies in memory, whatever their size: a temporary file would outlive a process that is killed.

    `StrangersBringLittle`, which comes first, sees to it that they are not large.
    """

    def handle_raw_input(
        self,
        input_data: IO[bytes],
        META: dict[str, str],  # noqa: N803  # Django's name
        content_length: int,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Take the files of the addresses that are for selfies, and leave all others to the next handlers."""
        self.activated = _is_for_selfies(self.request)


class InUnnamedFiles(FileUploadHandler):
    """Keeps photos in temporary files without a name: whatever ends the upload, or this process, takes them along."""

    file: UploadedFile[Any]

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        file = tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115  # closed with the request
        self.file = UploadedFile(file, self.file_name, self.content_type, 0, self.charset, self.content_type_extra)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile[Any]:
        self.file.seek(0)
        self.file.size = file_size
        return self.file

    def upload_interrupted(self) -> None:
        if hasattr(self, "file"):
            self.file.close()


def _is_for_selfies(request: HttpRequest | None) -> bool:
    return request is not None and request.resolver_match is not None and request.resolver_match.url_name in SELFIES


def _may_bring_more(request: HttpRequest | None) -> bool:
    if request is None or request.resolver_match is None or _is_for_selfies(request):
        return False
    has_key = request.resolver_match.url_name == PHOTOS and isinstance(getattr(request, "auth", None), ApiKey)
    return has_key or is_staff(request.user)
