"""ZIPs of photos, made while they are sent."""

from __future__ import annotations

import io
import tracemalloc
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any
from zipfile import ZIP_STORED, ZipFile

import pytest
from django.core.files import File
from django.core.files.storage import default_storage

from conftest import RED, paint_photo
from events import ingest, naming, zipping
from events.models import Event, Image

if TYPE_CHECKING:
    from collections.abc import Iterator

ORIGINAL, PREVIEW = Image.Rendition.ORIGINAL, Image.Rendition.PREVIEW
MEGABYTE = 1 << 20


class Endless(io.RawIOBase):
    """A file of so many zeros, which fails at the end or does not; kept nowhere."""

    def __init__(self, size: int, *, fails: bool = False) -> None:
        super().__init__()
        self.left, self.fails = size, fails

    def read(self, size: int = -1) -> bytes:
        if not self.left and self.fails:
            raise OSError("The disk is gone.")
        size = min(size, self.left)
        self.left -= size
        return bytes(size)


def photo_of(event: Event, name: str, shade: int = 100) -> Image:
    outcome = ingest.add(event, paint_photo(RED, shade=shade), name)
    assert isinstance(outcome, ingest.Added)
    return outcome.image


def rows(event: Event, *names: str) -> list[Image]:
    """Return photos that are in no database."""
    created = datetime(2026, 5, 1, tzinfo=UTC)
    return [Image(event=event, file_name=name, created_at=created, width=4, height=3) for name in names]


def unzipped(pieces: Iterator[bytes]) -> ZipFile:
    archive = ZipFile(io.BytesIO(b"".join(pieces)))
    assert archive.testzip() is None
    return archive


def test_has_each_photo_as_it_is_with_its_time(event: Event) -> None:
    image = photo_of(event, "a.png")
    image.taken_at = datetime(2026, 5, 1, 10, 20, 30, tzinfo=UTC)
    archive = unzipped(zipping.stream([image], ORIGINAL))
    (entry,) = archive.infolist()
    assert (entry.filename, entry.compress_type, entry.date_time) == ("a.png", ZIP_STORED, (2026, 5, 1, 10, 20, 30))
    assert archive.read("a.png") == paint_photo(RED, shade=100).read()


@pytest.mark.parametrize(("year", "kept"), [(1970, (1980, 1, 1)), (2200, (2107, 12, 31))])
def test_has_the_nearest_time_that_there_is(event: Event, year: int, kept: tuple[int, ...]) -> None:
    image = photo_of(event, "a.png")
    image.taken_at = datetime(year, 5, 1, tzinfo=UTC)
    assert unzipped(zipping.stream([image], ORIGINAL)).infolist()[0].date_time[:3] == kept


def test_has_what_visitors_get(event: Event) -> None:
    image = photo_of(event, "a.png")
    preview = paint_photo(RED, size=(800, 600), file_format="JPEG")
    default_storage.save(image.key_of(PREVIEW), File(preview))
    assert unzipped(zipping.stream([image], PREVIEW)).read("a.jpg") == preview.getvalue()
    image.event.watermark = "City Run"
    assert unzipped(zipping.stream([image], PREVIEW)).read("a.jpg") != preview.getvalue()


def test_names_are_unique_where_capitals_are_no_difference(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipping, "open_for_visitors", lambda *_: Endless(1))
    names = ["x.jpg", "X.JPG", "x.jpg", "x (2).jpg", "not_included.txt", "über 日本.jpg", "u\u0308ber 日本.jpg"]
    archive = unzipped(zipping.stream(rows(event, *names), ORIGINAL))
    assert archive.namelist() == [
        "x.jpg",
        "X (2).JPG",
        "x (3).jpg",
        "x (2) (2).jpg",
        "not_included (2).txt",
        "über 日本.jpg",
        "über 日本 (2).jpg",
    ]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\a.jpg", "a.jpg"),
        ('a:b"c?.jpg', "a_b_c_.jpg"),
        ("a\r\nb\x00.jpg", "a__b_.jpg"),
        ("gpj.\u202eexe.jpg", "gpj._exe.jpg"),
        ("..", "photo"),
        ("", "photo"),
        (" .jpg", "jpg"),
        ("日" * 200 + ".jpg", "日" * 80 + ".jpg"),
    ],
)
def test_names_are_harmless(name: str, kept: str) -> None:
    assert naming.harmless(name) == kept


def test_names_what_is_missing_or_breaks_off(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, IO[bytes] | Endless] = {
        "whole.jpg": Endless(10),
        "torn.jpg": Endless(3 * zipping.CHUNK, fails=True),
        "last.jpg": Endless(20),
    }

    def give(image: Image, _: str) -> Any:
        if image.file_name not in files:
            raise FileNotFoundError(image.file_name)
        return files[image.file_name]

    monkeypatch.setattr(zipping, "open_for_visitors", give)
    images = rows(event, "whole.jpg", "gone.jpg", "torn.jpg", "last.jpg")
    archive = unzipped(zipping.stream(images, ORIGINAL))
    assert archive.namelist() == ["whole.jpg", "last.jpg", zipping.NOTE]
    assert archive.read(zipping.NOTE).decode().splitlines()[2:] == ["gone.jpg", "torn.jpg"]


def test_needs_the_memory_of_a_piece_alone(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def give(image: Image, _: str) -> Any:
        opened.append(image.file_name)
        return Endless(MEGABYTE)

    monkeypatch.setattr(zipping, "open_for_visitors", give)
    pieces = zipping.stream(rows(event, *(f"{number}.jpg" for number in range(200))), ORIGINAL)
    assert len(next(pieces)) > zipping.CHUNK
    assert opened == ["0.jpg"]
    tracemalloc.start()
    size = sum(len(piece) for piece in pieces)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 199 * MEGABYTE
    assert most < 4 * MEGABYTE


def test_closes_the_file_of_a_download_that_is_broken_off(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    file = Endless(MEGABYTE)
    monkeypatch.setattr(zipping, "open_for_visitors", lambda *_: file)
    pieces = zipping.stream(rows(event, "a.jpg"), ORIGINAL)
    next(pieces)
    pieces.close()
    assert file.closed
