"""Do the storage and the rows agree? Files without rows, rows without files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from django.core.files.storage import default_storage
from django.utils import timezone

from events.models import Image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from events.storage import PhotoStorage, StoredFile

FOLDER = "photos"
"""Everything of ours is under it."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A file that a photo should have and has not."""

    key: str
    rendition: Image.Rendition
    event: str
    file_name: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What an audit saw: how many files, and what does not fit."""

    files: int
    images: int
    missing: list[Missing]
    orphans: list[StoredFile]


def audit() -> Findings:
    """Compare the storage with the rows, by listing both; every key is kept in memory meanwhile.

    An orphan may belong to an upload that has not written its row yet, or to a photo that is just being deleted.

    Raises:
        OSError: the storage fails.
    """
    started = timezone.now()
    # Files first: a file stands before its row, so whatever row is found later, the file of an older one was there.
    stored = {file.key: file for file in _storage().walk(FOLDER)}
    files, images, missing = len(stored), 0, []
    for image in _images():
        images += 1
        for rendition in Image.Rendition:
            found = stored.pop(image.key_of(rendition), None)
            if found is None and _is_due(image, rendition, started):
                missing.append(Missing(image.key_of(rendition), rendition, image.event.slug, image.file_name))
    return Findings(files, images, missing, list(stored.values()))


def clean_up(orphans: Iterable[StoredFile], before: datetime) -> int:
    """Remove the files without rows that were last written before, then empty folders; return how many files.

    Raises:
        OSError: the storage fails; what is left is found again.
    """
    old = [file.key for file in orphans if file.modified < before]
    for key in old:
        _storage().delete(key)
    _storage().remove_empty_folders(FOLDER, before)
    return len(old)


def _images() -> Iterator[Image]:
    fields = ("image_id", "storage_key", "state", "file_name", "created_at", "processed_at", "event__slug")
    return Image.objects.order_by().select_related("event").only(*fields).iterator()


def _is_due(image: Image, rendition: str, started: datetime) -> bool:
    """Tell whether the file must have been there when the audit started."""
    if rendition == Image.Rendition.ORIGINAL:
        return image.created_at < started
    looked_at = image.state in {Image.State.INDEXED, Image.State.NO_FACE}
    return looked_at and (image.processed_at is None or image.processed_at < started)


def _storage() -> PhotoStorage:
    # Both of ours can do more than Django's type says.
    return cast("PhotoStorage", default_storage)
