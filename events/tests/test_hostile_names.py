"""Names by which somebody would like to get out of a folder, into a header, or at another file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.http import parse_header_parameters

from conftest import RED, new_key, paint_photo
from events import ingest, naming, zipping
from events.models import Image
from events.serving import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client, RequestFactory
    from pytest_django.fixtures import Settings

    from events.models import Event

NAMES = (
    "../../../escaped.jpg",
    "/etc/escaped.jpg",
    "..\\..\\escaped.jpg",
    "C:\\escaped.jpg",
    "&#46;&#46;&#47;escaped.jpg",
    "%2e%2e%2fescaped.jpg",
    "nul\0l.jpg",
    "two\r\nSet-Cookie: a=b.jpg",
    'quote".jpg; filename="b.exe',
    "gpj.\u202eexe.jpg",
    "\ud800.jpg",
    "x" * 10_000 + ".jpg",
    "a." + "x" * 300,
    "CON.jpg",
    "preview.jpg",
    "thumbnail.jpg",
    ".htaccess",
    "~",
    "$(reboot).jpg",
)
OUT_OF_IT = (
    "../{id}/preview.jpg",
    "photos/../photos/{id}/preview.jpg",
    "photos/{id}/../{id}/preview.jpg",
    "photos/{id}//preview.jpg",
    "photos/{id}/preview.jpg/",
    "photos/{id}/preview.jpg%00.png",
    "photos\\{id}\\preview.jpg",
    "/photos/{id}/preview.jpg",
    "photos/{id}/..%2f{id}%2fpreview.jpg",
    "photos/{id}/.",
    "photos/{id}",
    "photos/*/preview.jpg",
    "etc/passwd",
    "photos/{id}/" + "a" * 3000,
)


@pytest.fixture
def named(event: Event) -> list[Image]:
    """A photo of each name, as the drop folder may have them."""
    outcomes = [ingest.add(event, paint_photo(RED, shade=60 + at), name) for at, name in enumerate(NAMES)]
    assert all(isinstance(outcome, ingest.Added) for outcome in outcomes)
    return list(event.images.order_by("pk"))


def every_file(folder: Path) -> Iterator[Path]:
    return (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def form(names: tuple[str, ...]) -> bytes:
    """Return a form with a photo of each name, which no client's library has made harmless."""
    parts = []
    for at, name in enumerate(names):
        head = f'--edge\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        parts.append(head.encode(errors="surrogatepass") + paint_photo(shade=60 + at).read() + b"\r\n")
    return b"".join(parts) + b"--edge--\r\n"


def test_each_uploaded_photo_lies_in_a_folder_of_its_own(client: Client, event: Event, tmp_path: Path) -> None:
    # The others cannot come in a form's header.
    names = tuple(name for name in NAMES if not set(name) & set('\r\n"\ud800') and len(name) < 900)
    headers = {"Authorization": f"Api-Key {new_key()}"}
    content_type = "multipart/form-data; boundary=edge"
    answer = client.post("/api/v1/upload", form(names), content_type=content_type, headers=headers).json()
    assert (answer["uploaded"], answer["errors"]) == (len(names), [])
    folders = {Path("storage/.grabpic/photos", file["image_id"], file["saved_as"]) for file in answer["files"]}
    assert set(every_file(tmp_path)) == folders
    assert all(image.file_name.isprintable() and "/" not in image.file_name for image in event.images.all())


def test_no_photos_name_is_that_of_a_rendition(named: list[Image]) -> None:
    for image in named:
        keys = {image.key_of(rendition) for rendition in Image.Rendition}
        assert len(keys) == len(Image.Rendition), image.file_name


def test_the_api_gives_no_file_by_another_key_than_its_own(client: Client, event: Event) -> None:
    outcome = ingest.add(event, paint_photo(RED), "a.png")
    assert isinstance(outcome, ingest.Added)
    headers = {"Authorization": f"Api-Key {new_key()}"}
    assert client.get(f"/api/v1/storage/{outcome.image.storage_key}", headers=headers).status_code == 200
    default_storage.save(outcome.image.key_of(Image.Rendition.PREVIEW), ContentFile(b"a preview"))
    for key in OUT_OF_IT:
        path = "/api/v1/storage/" + key.format(id=outcome.image.image_id)
        assert client.get(path, headers=headers).status_code == 404, path


def test_no_name_forges_a_header(named: list[Image], rf: RequestFactory) -> None:
    for image in named:
        answer = serve(rf.get("/"), image, Image.Rendition.ORIGINAL, to_visitor=False, as_attachment=True)
        header = answer["Content-Disposition"]
        assert header.isprintable()
        assert header.isascii()
        kind, parameters = parse_header_parameters(header)
        assert kind == "attachment"
        assert parameters.keys() == {"filename"}
        assert "/" not in parameters["filename"]


def test_every_name_in_a_zip_can_be_unpacked_anywhere(named: list[Image]) -> None:
    names = ZipFile(io.BytesIO(b"".join(zipping.stream(named, Image.Rendition.ORIGINAL)))).namelist()
    assert len({name.casefold() for name in names}) == len(NAMES)
    for name in names:
        assert name.isprintable()
        assert not set(name) & set('/\\:*?"<>|')
        assert len(name.encode()) <= 255
        assert name not in {".", "..", ""}
    assert "_CON.jpg" in names


@pytest.mark.parametrize("name", ["CON", "nul.jpg", "Com1.tar.jpg", "lpt9.JPG"])
def test_no_name_in_a_zip_is_that_of_a_device(name: str) -> None:
    assert naming.harmless(name) == f"_{name}"


@pytest.mark.parametrize("name", ["console.jpg", "com.jpg", "auxiliary", "null.jpg"])
def test_names_that_only_look_like_one_stay(name: str) -> None:
    assert naming.harmless(name) == name


def test_no_link_leads_out_of_the_drop_folder(event: Event, other_event: Event, settings: Settings) -> None:
    """A photographer who may write into one event's folder could read another's photos otherwise."""
    outcome = ingest.add(other_event, paint_photo(RED), "theirs.png")
    assert isinstance(outcome, ingest.Added)
    theirs = settings.STORAGE_PATH / ".grabpic" / outcome.image.storage_key
    assert theirs.is_file()
    drop = settings.STORAGE_PATH / event.slug
    (drop / "day1").mkdir(parents=True)
    (drop / "day1" / "mine.png").write_bytes(paint_photo(shade=90).read())
    for link in (drop / "link.png", drop / "day1" / "link.png", settings.STORAGE_PATH / "link.png"):
        link.symlink_to(theirs)
    (drop / "folder").symlink_to(theirs.parent, target_is_directory=True)
    assert ingest.add_dropped(event) == []
    assert list(event.images.values_list("file_name", flat=True)) == ["mine.png"]


ODD = {
    b'name="files"; filename="l\xe4ufer.jpg"': "l\ufffdufer.jpg",
    b'name="files"; filename=""': "photo",
    b'name="files"': "photo",
    b'name="files"; filename=".."': "photo",
    b'name="files"; filename="..."': "...",
    b'name="files"; filename="a/"': "photo",
    b'name="files"; filename="nul\0l.jpg"': "null.jpg",
    b"name=\"files\"; filename*=UTF-8''l%C3%A4ufer.jpg": "l\u00e4ufer.jpg",
    b"name=\"files\"; filename*=UTF-8''l%ffufer.jpg": "l\ufffdufer.jpg",
    b'name="files"; filename="' + "\u8dd1".encode() * 5000 + b'.jpg"': "\u8dd1" * 196 + ".jpg",
    b'name="files"; filename="a \\"b\\" c; d=e.jpg"': 'a "b" c; d=e.jpg',
}
"""What the header of a part may say, and the name that its photo gets."""

STRAYS = {
    b'name="photo"; filename="stray.jpg"': "stray.jpg",
    b'name="l\xe4ufer"; filename="stray.jpg"': "stray.jpg",
    b'filename="nowhere.jpg"': "nowhere.jpg",
    b"name=\"files\"; filename*=klingon''a.jpg": "photo",
    b"": "photo",
}
"""Files that come in no field for photos."""


def odd_form(*headers: bytes) -> bytes:
    parts = []
    for at, header in enumerate(headers):
        head = b"--edge\r\nContent-Disposition: form-data; " + header + b"\r\nContent-Type: image/png\r\n\r\n"
        parts.append(head + paint_photo(shade=60 + at).read() + b"\r\n")
    return b"".join(parts) + b"--edge--\r\n"


def test_no_part_of_an_upload_vanishes(client: Client, event: Event) -> None:
    headers = {"Authorization": f"Api-Key {new_key()}"}
    content_type = "multipart/form-data; boundary=edge"
    answer = client.post("/api/v1/upload", odd_form(*ODD, *STRAYS), content_type=content_type, headers=headers).json()
    assert [file["file"] for file in answer["files"]] == list(ODD.values())
    assert answer["uploaded"] == event.images.count() == len(ODD)
    assert sorted(error["file"] for error in answer["errors"]) == sorted(STRAYS.values())
    assert {error["code"] for error in answer["errors"]} == {"unknown_field"}


def test_nor_does_one_of_the_pages_form(staff_client: Client, event: Event) -> None:
    body, content_type = odd_form(*ODD, *STRAYS), "multipart/form-data; boundary=edge"
    page = staff_client.post(f"/events/{event.slug}/upload/", body, content_type=content_type)
    assert event.images.count() == len(ODD)
    assert len(page.context["refused"]) == len(STRAYS)
    assert "stray.jpg" in page.content.decode()


def test_a_browser_that_sends_no_file_sends_none(staff_client: Client, event: Event) -> None:
    body = b'--edge\r\nContent-Disposition: form-data; name="files"; filename=""\r\n\r\n\r\n--edge--\r\n'
    page = staff_client.post(f"/events/{event.slug}/upload/", body, content_type="multipart/form-data; boundary=edge")
    assert (page.context["nothing_sent"], page.context["refused"]) == (True, [])


def test_a_part_without_an_end_of_its_headers_has_the_whole_form_refused(client: Client, event: Event) -> None:
    body = odd_form(b'name="files"; filename="a.jpg"').replace(b"\r\n\r\n", b"\n\n")
    headers = {"Authorization": f"Api-Key {new_key()}"}
    answer = client.post("/api/v1/upload", body, content_type="multipart/form-data; boundary=edge", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")


@pytest.mark.parametrize("encoding", ["utf-16", "base64", "idna"])
def test_forms_are_utf_8_whatever_they_say(client: Client, event: Event, encoding: str) -> None:
    """Python knows all of these, and can read a form by none."""
    kind = f"multipart/form-data; boundary=edge; charset={encoding}"
    headers = {"Authorization": f"Api-Key {new_key()}"}
    body = odd_form(b'name="files"; filename="a.jpg"')
    assert client.generic("POST", "/api/v1/upload", body, kind, headers=headers).json()["uploaded"] == 1
    kind = f"application/x-www-form-urlencoded; charset={encoding}"
    assert client.generic("POST", f"/events/{event.slug}/selfie/", b"consent=x", kind).status_code == 400
