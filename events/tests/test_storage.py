"""What the rest of the code relies on, of both storages."""

from __future__ import annotations

import io
import os
import socket
import uuid
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from conftest import use_s3
from events import serving
from events.models import Event, Image
from events.s3 import S3Storage
from events.storage import LocalStorage, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django.fixtures import Settings

    Painter = Callable[..., io.BytesIO]

IMAGE_ID = uuid.uuid4()
KEY = Image.make_storage_key(IMAGE_ID, "Zieleinlauf 🏁 фото " + "я" * 100 + ".heic", ".heic")
"""The longest that a key can be."""


class BreaksOff(io.BytesIO):
    """A file whose end cannot be read."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > 0:
            raise OSError("the card was pulled out")
        return super().read(100)


def read(key: str) -> bytes:
    with default_storage.open(key) as file:
        content: bytes = file.read()
    return content


def test_what_is_saved_can_be_read_found_and_measured(storage: Any) -> None:
    assert storage.save(KEY, ContentFile(b"photo")) == KEY
    assert (read(KEY), storage.exists(KEY), storage.size(KEY)) == (b"photo", True, 5)
    assert timezone.now() - storage.get_modified_time(KEY) < timedelta(minutes=1)


def test_an_opened_file_can_be_read_anywhere(storage: Any) -> None:
    storage.save(KEY, ContentFile(bytes(range(256)) * 100_000))  # more than is kept in memory
    with storage.open(KEY) as file:
        assert file.seek(-1, io.SEEK_END) == 25_599_999
        assert file.read() == b"\xff"
        file.seek(1)
        assert file.read(2) == b"\x01\x02"


def test_saving_again_replaces(storage: Any) -> None:
    storage.save(KEY, ContentFile(b"the first, longer"))
    assert storage.save(KEY, ContentFile(b"the second")) == KEY
    assert read(KEY) == b"the second"
    assert [file.key for file in storage.walk("photos")] == [KEY]


def test_a_file_is_saved_from_its_beginning(storage: Any) -> None:
    content = io.BytesIO(b"photo")
    content.read()
    storage.save(KEY, File(content))
    assert read(KEY) == b"photo"


def test_what_is_not_there_says_so_at_once(storage: Any) -> None:
    for ask in (storage.open, storage.size, storage.get_modified_time):
        with pytest.raises(FileNotFoundError):
            ask(KEY)
    assert not storage.exists(KEY)
    assert list(storage.walk("photos")) == []


def test_deleting_is_the_same_twice(storage: Any) -> None:
    storage.save(KEY, ContentFile(b"photo"))
    storage.delete(KEY)
    storage.delete(KEY)
    assert not storage.exists(KEY)


def test_a_walk_finds_every_file(storage: Any) -> None:
    keys = {f"photos/{folder}/{name}" for folder in ("a", "b") for name in ("x.jpg", "фото.jpg")}
    for key in [*keys, "elsewhere/x.jpg", "photos-not/x.jpg"]:
        storage.save(key, ContentFile(b""))
    found = list(storage.walk("photos"))
    assert {file.key for file in found} == keys
    assert len(found) == len(keys)
    assert all(timezone.now() - file.modified < timedelta(minutes=1) for file in found)
    folders, files = storage.listdir("photos/a")
    assert (folders, sorted(files)) == ([], ["x.jpg", "фото.jpg"])


def test_a_write_that_breaks_off_leaves_what_was_there(storage: Any) -> None:
    storage.save(KEY, ContentFile(b"before"))
    with pytest.raises(OSError, match="card"):
        storage.save(KEY, File(BreaksOff(b"x" * 1000)))
    assert read(KEY) == b"before"
    assert [file.key for file in storage.walk("photos")] == [KEY]


def test_a_write_that_breaks_off_leaves_no_folder(settings: Settings) -> None:
    with pytest.raises(OSError, match="card"):
        default_storage.save(KEY, File(BreaksOff(b"x" * 1000)))
    assert not any((settings.STORAGE_PATH / ".grabpic/photos").iterdir())


def test_the_last_file_takes_its_folder_along(settings: Settings) -> None:
    folder = settings.STORAGE_PATH / ".grabpic" / Path(KEY).parent
    default_storage.save(KEY, ContentFile(b"photo"))
    default_storage.save(f"photos/{IMAGE_ID}/preview.jpg", ContentFile(b"preview"))
    default_storage.delete(KEY)
    assert [path.name for path in folder.iterdir()] == ["preview.jpg"]
    default_storage.delete(f"photos/{IMAGE_ID}/preview.jpg")
    assert not folder.exists()


def test_a_forked_process_has_connections_of_its_own(s3: str) -> None:
    s3_storage: Any = default_storage
    inherited = s3_storage.connection
    reading, writing = os.pipe()
    if not (child := os.fork()):
        try:
            os.write(writing, b"the same" if s3_storage.connection is inherited else b"its own")
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    assert os.read(reading, 20) == b"its own"
    assert s3_storage.connection is inherited


@pytest.mark.usefixtures("dead_s3")
@pytest.mark.parametrize(
    "use",
    [
        lambda storage: storage.open(KEY),
        lambda storage: storage.save(KEY, ContentFile(b"photo")),
        lambda storage: storage.exists(KEY),
        lambda storage: storage.size(KEY),
        lambda storage: storage.delete(KEY),
        lambda storage: storage.listdir("photos"),
        lambda storage: list(storage.walk("photos")),
        lambda storage: storage.get_modified_time(KEY),
    ],
)
def test_a_service_that_is_down_is_an_os_error(use: Callable[[Any], object]) -> None:
    with pytest.raises(StorageError, match="Could not connect"):
        use(default_storage)


def test_a_bucket_that_is_not_there_is_no_missing_file(s3: str) -> None:
    default_storage.connection.Bucket(s3).delete()  # type: ignore[attr-defined]
    for use in (default_storage.open, lambda key: default_storage.save(key, ContentFile(b"photo"))):
        with pytest.raises(StorageError, match="NoSuchBucket"):
            use(KEY)


def test_a_service_that_falls_silent_is_given_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(S3Storage, "client_config", S3Storage.client_config.merge(Config(read_timeout=0.1)))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use_s3(f"http://127.0.0.1:{silent.getsockname()[1]}", settings, monkeypatch)
        with pytest.raises(StorageError, match="timeout"):
            default_storage.open(KEY)


def test_nothing_waits_for_a_service_longer_than_a_minute() -> None:
    config = S3Storage.client_config
    assert (config.connect_timeout + config.read_timeout) * config.retries["total_max_attempts"] < 60


def test_a_service_that_fails_is_answered_with_503(event: Event, rf: Any, dead_s3: None) -> None:
    image = Image(event=event, image_id=IMAGE_ID, storage_key=KEY, file_name="a.heic")
    response = serving.serve(rf.get("/"), image, "original", to_visitor=False)
    assert response.status_code == 503


def test_an_original_is_on_the_disk_with_its_name_when_it_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda number: flushed.append(str(Path(f"/proc/self/fd/{number}").readlink())))
    LocalStorage(tmp_path).save("photos/id/a.jpg", ContentFile(b"a"))
    assert flushed[0].endswith(".partial")
    assert flushed[1:] == [str(tmp_path / "photos/id"), str(tmp_path / "photos")]
    LocalStorage(tmp_path).save("photos/id/preview.jpg", ContentFile(b"a"))
    assert len(flushed) == 3, "made again while the photo is pending"
