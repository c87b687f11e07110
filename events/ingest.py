"""How a photo gets in: checked, stored once, and listed as pending."""

from __future__ import annotations

import hashlib
import logging
import uuid
from dataclasses import dataclass, replace
from io import BufferedIOBase
from itertools import chain
from typing import IO, TYPE_CHECKING, TypeGuard, cast

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, InterfaceError, OperationalError, transaction

from events import pictures, queue
from events.models import Event, Image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

logger = logging.getLogger(__name__)

STORAGE_UNAVAILABLE = "storage_unavailable"
"""The one code of a refusal that is not about the file."""


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
    stands without its file. A storage that fails is a refusal, too, with the code `storage_unavailable`.

    Raises:
        OSError: the file itself cannot be read.
    """
    try:
        _check_file_size(file)
        info = pictures.read_info(file)
    except pictures.PictureError as error:
        return Refused(file_name, error.code, str(error))
    file.seek(0)
    # Every kind of file that comes here can read into a buffer, though IO does not say so.
    sha256 = hashlib.file_digest(cast(BufferedIOBase, file), "sha256").hexdigest()
    file.seek(0)
    try:
        if known := event.images.filter(sha256=sha256).first():
            return _known(known, file)
        return _store(event, file, _describe(event, file_name, sha256, info))
    except OSError as error:
        logger.error("The storage does not take %s: %s", file_name, error)  # noqa: TRY400  # thousands may follow
        return Refused(file_name, STORAGE_UNAVAILABLE, "The storage takes no photos just now. Send it again later.")


def add_all(event: Event, files: Iterable[tuple[IO[bytes], str]]) -> list[Outcome]:
    """Take files with their names into the event, as `add` does; when the storage fails, the rest is not tried."""
    outcomes: list[Outcome] = []
    for file, file_name in files:
        if outcomes and is_unavailable(outcomes[-1]):
            # Each one could take the seconds after which a dead service is given up.
            outcomes.append(replace(outcomes[-1], file_name=file_name))
        else:
            outcomes.append(add(event, file, file_name))
    return outcomes


def is_unavailable(outcome: Outcome) -> TypeGuard[Refused]:
    """Tell whether the storage failed, so that the same file may get in later."""
    return isinstance(outcome, Refused) and outcome.code == STORAGE_UNAVAILABLE


def nothing_stored(outcomes: Iterable[Outcome]) -> bool:
    """Tell whether the storage failed before it took any of these files: they should be sent again, all of them."""

    return any(map(is_unavailable, outcomes)) and all(isinstance(outcome, Refused) for outcome in outcomes)


def add_path(event: Event, path: Path) -> Outcome:
    """Take a photo file of this machine into the event, as `add` does."""
    try:
        with path.open("rb") as file:
            return add(event, file, path.name)
    except OSError as error:
        return Refused(path.name, "unreadable", f"The file cannot be read: {error.strerror}.")


def add_dropped(event: Event) -> list[Refused]:
    """Take in what is new in the event's drop folder; return what was refused."""
    outcomes = [add_path(event, path) for path in drop_folder_photos(event)]
    return [outcome for outcome in outcomes if isinstance(outcome, Refused)]


def photos_in(folder: Path, *, recursive: bool = True) -> Iterator[Path]:
    """Yield the files of a folder in a stable order, without hidden ones (and without those in hidden folders).

    Links to folders are not followed, since they may lead in circles; pipes and other devices are left out. A folder
    that may not be read is yielded itself, for `add_path` to refuse by name.
    """
    try:
        paths = sorted(folder.iterdir())
    except PermissionError:
        yield folder
        return
    for path in paths:
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if recursive and not path.is_symlink():
                yield from photos_in(path)
        elif path.is_file() or path.is_symlink():
            yield path


def drop_folder_photos(event: Event) -> Iterator[Path]:
    """Yield what lies in the event's drop folder; for the default event, also what lies directly in STORAGE_PATH.

    Links are left alone: who may write here and nowhere else could have another event's photos taken into this one.
    """
    paths: Iterable[Path] = ()
    folder = settings.STORAGE_PATH / event.slug
    if folder.is_dir():
        paths = photos_in(folder)
    if settings.STORAGE_PATH.is_dir() and Event.objects.default() == event:
        paths = chain(paths, photos_in(settings.STORAGE_PATH, recursive=False))
    yield from (path for path in paths if not path.is_symlink())


def _check_file_size(file: IO[bytes]) -> None:
    if file.seek(0, 2) > settings.MAX_UPLOAD_MB * 1_000_000:
        raise pictures.PictureError("file_too_large", f"The file has more than {settings.MAX_UPLOAD_MB} MB.")


def _known(image: Image, file: IO[bytes]) -> Added | Duplicate:
    """Put the file of a photo we have back where it was, should it be gone from the storage."""
    if default_storage.exists(image.storage_key):
        return Duplicate(image)
    default_storage.save(image.storage_key, File(file))
    Image.objects.filter(pk=image.pk).retry()
    return Added(image)


def _describe(event: Event, file_name: str, sha256: str, info: pictures.PictureInfo) -> Image:
    image_id = uuid.uuid4()
    return Image(
        event=event,
        image_id=image_id,
        file_name=printable(file_name)[-255:] or "photo",
        storage_key=Image.make_storage_key(image_id, file_name, pictures.EXTENSIONS[info.format]),
        sha256=sha256,
        width=info.width,
        height=info.height,
        taken_at=info.taken_at,
    )


def printable(file_name: str) -> str:
    """Return the name without what databases, headers and terminals choke on: control characters, half a character."""
    return "".join(character for character in file_name if character.isprintable())


def _store(event: Event, file: IO[bytes], image: Image) -> Outcome:
    default_storage.save(image.storage_key, File(file))
    try:
        with transaction.atomic():
            image.save()
            queue.announce(event.pk)
    except (OperationalError, InterfaceError):
        # The connection may have broken after the commit (as Ctrl-C may come then). A file without its row is found by
        # `storage_audit`; a row without its file would be a lost photo.
        raise
    except IntegrityError:
        _discard(image.storage_key)
        # The same content came in by another way since we looked, or the event is gone.
        known = event.images.filter(sha256=image.sha256).first()
        return Duplicate(known) if known else Refused(image.file_name, "event_gone", "The event was deleted.")
    except Exception:
        _discard(image.storage_key)
        raise
    return Added(image)


def _discard(key: str) -> None:
    try:
        default_storage.delete(key)
    except OSError as error:
        logger.error("%s is left in the storage, for `manage.py storage_audit`: %s", key, error)  # noqa: TRY400
