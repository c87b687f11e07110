"""How a photo gets in: checked, stored once, and listed as pending."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from io import BufferedIOBase
from typing import IO, TYPE_CHECKING, cast

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from events import pictures
from events.models import Event, Image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Added:
    """The photo is in: stored, and pending."""

    image: Image


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The event already has a photo of exactly this content."""

    image: Image


@dataclass(frozen=True, slots=True)
class Refused:
    """The file was not taken: `code` is stable, `reason` is a sentence for people."""

    file_name: str
    code: str
    reason: str


Outcome = Added | Duplicate | Refused


def add(event: Event, file: IO[bytes], file_name: str) -> Outcome:
    """Take one photo file into the event, unless it is there already or is no photo.

    The file is stored before its row is written, and removed again when the row cannot be: a row never
    stands without its file.
    """
    try:
        _check_file_size(file)
        info = pictures.read_info(file)
    except pictures.PictureError as error:
        return Refused(file_name, error.code, str(error))
    file.seek(0)
    # Every kind of file that comes here can read into a buffer, though IO does not say so.
    sha256 = hashlib.file_digest(cast(BufferedIOBase, file), "sha256").hexdigest()
    if known := event.images.filter(sha256=sha256).first():
        return Duplicate(known)
    return _store(event, file, _describe(event, file_name, sha256, info))


def photos_in(folder: Path, *, recursive: bool = True) -> Iterator[Path]:
    """Yield the files of a folder in a stable order, without hidden ones (and without those in hidden folders)."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if recursive:
                yield from photos_in(path)
        else:
            yield path


def drop_folder_photos(event: Event) -> Iterator[Path]:
    """Yield what lies in the event's drop folder; for the default event, also what lies directly in STORAGE_PATH."""
    folder = settings.STORAGE_PATH / event.slug
    if folder.is_dir():
        yield from photos_in(folder)
    if settings.STORAGE_PATH.is_dir() and Event.objects.default() == event:
        yield from photos_in(settings.STORAGE_PATH, recursive=False)


def _check_file_size(file: IO[bytes]) -> None:
    if file.seek(0, 2) > settings.MAX_UPLOAD_MB * 1_000_000:
        raise pictures.PictureError("file_too_large", f"The file has more than {settings.MAX_UPLOAD_MB} MB.")


def _describe(event: Event, file_name: str, sha256: str, info: pictures.PictureInfo) -> Image:
    image_id = uuid.uuid4()
    return Image(
        event=event,
        image_id=image_id,
        file_name=file_name[-255:],
        storage_key=Image.make_storage_key(image_id, file_name, pictures.EXTENSIONS[info.format]),
        sha256=sha256,
        width=info.width,
        height=info.height,
        taken_at=info.taken_at,
    )


def _store(event: Event, file: IO[bytes], image: Image) -> Added | Duplicate:
    file.seek(0)
    try:
        default_storage.save(image.storage_key, File(file))
        with transaction.atomic():
            image.save()
    except IntegrityError:
        # The same content came in by another way since we looked.
        default_storage.delete(image.storage_key)
        return Duplicate(event.images.get(sha256=image.sha256))
    except BaseException:
        default_storage.delete(image.storage_key)
        raise
    return Added(image)
