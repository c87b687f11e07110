"""How much a request may bring before anybody has looked at who sends it."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler, MemoryFileUploadHandler

from events.access import is_staff

if TYPE_CHECKING:
    from django.http import HttpRequest

ROOM_FOR_THE_REST = 1_000_000
"""Bytes of a form beside its selfie."""

SELFIES = ("selfie", "api-selfie")
"""The addresses whose files are kept in memory only, whoever sends them."""

CHECKS_FIRST = "api-upload"
"""The address that knows who is asking before it reads the files: API clients have no session to be known by."""


class StrangersBringLittle(FileUploadHandler):
    """Refuses, unread, a form with files that is larger than selfies, unless staff send photos.

    Without it, anybody could fill the disk: a form is read to its end before a view, or the check of its CSRF
    token, sees it.
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
        limit = settings.MAX_SELFIE_MB * 1_000_000 + ROOM_FOR_THE_REST
        if content_length > limit and not _may_bring_more(self.request):
            raise RequestDataTooBig(f"Send at most {settings.MAX_SELFIE_MB} MB.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

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


def _is_for_selfies(request: HttpRequest | None) -> bool:
    return request is not None and request.resolver_match is not None and request.resolver_match.url_name in SELFIES


def _may_bring_more(request: HttpRequest | None) -> bool:
    if request is None or request.resolver_match is None or _is_for_selfies(request):
        return False
    return request.resolver_match.url_name == CHECKS_FIRST or is_staff(request.user)
