"""Photos in a bucket of Amazon S3, or of a service that speaks its language; the contract is that of `events.storage`.

Every file goes and comes in one request, so a process that dies on the way leaves nothing behind, not even the
invisible parts of a multipart upload. Only this module knows boto3.
"""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager
from functools import cached_property
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends import s3
from storages.utils import clean_name
from urllib3.exceptions import HTTPError

from events.storage import StorageError, StoredFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

IN_MEMORY = 16_000_000
"""Bytes of an open file that are kept in memory; what is larger goes to a temporary file."""

SIGNED_FOR = 60
"""Seconds."""

LARGEST_REQUEST = 5 * 1024**3
"""Bytes that S3 takes in one request."""


class S3Storage(s3.S3Storage):  # type: ignore[misc]  # django-storages has no types
    """Files in a bucket; saving overwrites. Credentials come by boto3's own ways.

    The credentials need to list the bucket, too, else the service hides which files are missing.
    """

    file_overwrite = True
    default_acl = None  # the bucket's own: private, unless somebody opens it
    querystring_auth = False
    transfer_config = TransferConfig(multipart_threshold=LARGEST_REQUEST, use_threads=False)
    # A service that is gone is an error within seconds: three attempts, each with three seconds to connect.
    client_config = Config(
        signature_version="s3v4",  # of signed addresses; botocore's choice is one that newer services refuse
        connect_timeout=3,
        read_timeout=15,
        retries={"mode": "standard", "total_max_attempts": 3},
        # Not every S3-compatible service knows the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._process = os.getpid()

    @property
    def connection(self) -> Any:
        if self._process != os.getpid():
            # A process that was forked must not speak on the connections of the one it came from.
            self.__setstate__(self.__getstate__())
            self._process = os.getpid()
        return super().connection

    def ping(self) -> None:
        with _as_os_error(self.bucket_name):
            self.connection.meta.client.head_bucket(Bucket=self.bucket_name)

    def exists(self, name: str) -> bool:
        with _as_os_error(name):
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        with _as_os_error(name):
            return int(super().size(name))

    def delete(self, name: str) -> None:
        with _as_os_error(name):
            super().delete(name)

    def get_modified_time(self, name: str) -> datetime:
        with _as_os_error(name):
            modified: datetime = super().get_modified_time(name)
        return modified

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        with _as_os_error(path):
            folders, files = super().listdir(path)
        return folders, files

    def walk(self, folder: str) -> Iterator[StoredFile]:
        prefix = self._normalize_name(clean_name(f"{folder}/"))
        pages = self.connection.meta.client.get_paginator("list_objects_v2")
        with _as_os_error(folder):
            for page in pages.paginate(Bucket=self.bucket_name, Prefix=prefix):
                for entry in page.get("Contents", ()):
                    yield StoredFile(entry["Key"], entry["LastModified"])

    @cached_property
    def origin(self) -> str:
        """Where `signed_url` leads: scheme, host and port."""
        address = urlsplit(self.url("photos"))  # not signed
        return f"{address.scheme}://{address.netloc}"

    def signed_url(self, name: str, content_type: str, disposition: str) -> str:
        """Return an address at which the file is for whoever has it, for a minute, with these headers.

        Asks the service nothing, so that a file that is not there is found missing at that address only.

        Raises:
            StorageError: there are no credentials.
        """
        said = {
            "ResponseContentType": content_type,
            "ResponseContentDisposition": disposition,
            # Closing a gallery clears the cache of its own site only.
            "ResponseCacheControl": "private, no-store",
        }
        file = {"Bucket": self.bucket_name, "Key": self._normalize_name(clean_name(name))}
        with _as_os_error(name):
            client = self.connection.meta.client
            return str(client.generate_presigned_url("get_object", {**file, **said}, ExpiresIn=SIGNED_FOR))

    def remove_empty_folders(self, folder: str, before: datetime) -> int:
        """Do nothing: a bucket has no folders."""
        return 0

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        """Fetch the whole file, so that whatever goes wrong does so here and not at some later read."""
        if mode != "rb":
            raise ValueError(f"Files are opened to be read, not with mode {mode!r}.")
        file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # whoever opens it closes it
        with _as_os_error(name):
            key = self._normalize_name(clean_name(name))
            body = self.connection.meta.client.get_object(Bucket=self.bucket_name, Key=key)["Body"]
            shutil.copyfileobj(body, file)
        file.seek(0)
        return File(file, name)

    def _save(self, name: str, content: File[Any]) -> str:
        with _as_os_error(name):
            return str(super()._save(name, content))


def has_credentials() -> bool:
    """Tell whether boto3 finds any; where there are none it asks the machine's own metadata service, for a second."""
    try:
        return boto3.Session().get_credentials() is not None
    except BotoCoreError:
        # Half of a pair, or a profile that is nowhere.
        return False


@contextmanager
def _as_os_error(name: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name) from error
        raise StorageError(errno.EIO, str(error), name) from error
    except (BotoCoreError, Boto3Error, HTTPError) as error:
        raise StorageError(errno.EIO, str(error), name) from error
