"""Where photos are kept: a folder of this machine. `events.s3` keeps them in a bucket instead, with the same contract.

Whatever is opened, saved or deleted: FileNotFoundError says that the file is not there, every other OSError that the
storage cannot do it just now (a full disk, the network, the service, its credentials). Files come into being whole, or
not at all. Nothing is public: files leave through `events.serving` only, after a check of who asks.
"""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol

from django.conf import settings
from django.core.files.storage import FileSystemStorage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.files import File


RENEWABLE = frozenset({"preview.jpg", "thumbnail.jpg"})
"""Names of files that are made again from the original while their photo is pending."""


class StorageError(OSError):
    """The storage service cannot do it just now; the cause tells what it said."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What a listing knows of a file."""

    key: str
    modified: datetime


class PhotoStorage(Protocol):
    """What our storages can do beyond Django's."""

    def walk(self, folder: str) -> Iterator[StoredFile]:
        """Yield every file under a folder, from listings alone; those that come or go meanwhile may be missed."""

    def remove_empty_folders(self, folder: str, before: datetime) -> int:
        """Remove the folders in a folder that are empty and were last touched before; return how many."""

    def delete(self, name: str) -> None:
        """Remove a file, and its folder with the last one; nothing happens where there is none."""

    def ping(self) -> None:
        """Raise OSError where nothing could be stored now."""


class LocalStorage(FileSystemStorage):
    """Files in a folder of this machine; saving overwrites."""

    def __init__(self, location: str | Path) -> None:
        super().__init__(location=location, allow_overwrite=True)

    def delete(self, name: str) -> None:
        super().delete(name)
        _remove_if_empty(Path(self.path(name)).parent)

    def ping(self) -> None:
        location = Path(self.location)
        folder = next(path for path in (location, *location.parents) if path.exists())
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        if shutil.disk_usage(folder).free < settings.MAX_UPLOAD_MB * 1_000_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))

    def walk(self, folder: str) -> Iterator[StoredFile]:
        for path, _, names in os.walk(self.path(folder), onerror=_unless_gone):
            for name in names:
                file = Path(path, name)
                with _unless_gone_meanwhile():
                    modified = datetime.fromtimestamp(file.lstat().st_mtime, UTC)
                    yield StoredFile(file.relative_to(self.location).as_posix(), modified)

    def remove_empty_folders(self, folder: str, before: datetime) -> int:
        removed = 0
        for path, _, _ in os.walk(self.path(folder), topdown=False, onerror=_unless_gone):
            with _unless_gone_meanwhile():
                # Younger ones may belong to a photo that is just being stored.
                if path != self.path(folder) and Path(path).stat().st_mtime < before.timestamp():
                    removed += _remove_if_empty(Path(path))
        return removed

    def _save(self, name: str, content: File[Any]) -> str:
        # Written beside its place and then moved there: nobody ever reads half a file.
        partial = str(PurePosixPath(name).with_name(f"{uuid.uuid4().hex}.partial"))
        try:
            super()._save(partial, content)  # type: ignore[misc]  # not in Django's types
            lasting = PurePosixPath(name).name not in RENEWABLE
            if lasting:
                _flush(Path(self.path(partial)))
            Path(self.path(partial)).replace(self.path(name))
            if lasting:
                # The file's name is in its folder, and that of the folder, which is new, in the one above.
                for folder in Path(self.path(name)).parents[:2]:
                    _flush(folder)
        except BaseException:
            self.delete(partial)
            raise
        return name


def _flush(path: Path) -> None:
    """Bring a file or a folder to the disk, so that a power cut cannot take what was acknowledged."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_if_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT}:
            raise
        return False
    return True


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


@contextmanager
def _unless_gone_meanwhile() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        return
