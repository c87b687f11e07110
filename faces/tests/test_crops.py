"""Faces cut out of their photos."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image as Picture

from conftest import BLUE, GREEN, RED
from events.models import Event, Image
from faces import crops
from faces.models import ImageFace
from faces.tests.conftest import listed

if TYPE_CHECKING:
    from django.test import Client
    from numpy.typing import NDArray

WHITE = (250, 250, 250)


def save(image: Image, rendition: str, pixels: NDArray[np.uint8]) -> None:
    file = io.BytesIO()
    Picture.fromarray(pixels).save(file, "JPEG", quality=95)
    default_storage.save(image.key_of(rendition), ContentFile(file.getvalue()))


def plain(width: int, height: int, colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.full((height, width, 3), colour, np.uint8)


def a_face(event: Event, width: int, height: int, x: float, y: float, side: float) -> ImageFace:
    (image,) = listed(event, 1, state="indexed")
    Image.objects.filter(pk=image.pk).update(width=width, height=height)
    image.refresh_from_db()
    return ImageFace.objects.create(image=image, x=x, y=y, width=side, height=side, score=1, quality=1)


def cut(face: ImageFace) -> NDArray[np.int64]:
    return np.asarray(Picture.open(io.BytesIO(crops.crop(face)))).astype(int)


def is_about(pixel: NDArray[np.int64], colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(pixel - colour).max() < 30)


def test_a_crop_is_a_square_with_the_face_in_its_middle(event: Event) -> None:
    face = a_face(event, 3200, 2400, 1000, 800, 400)
    preview = plain(1600, 1200, GREEN)
    preview[400:600, 500:700] = RED
    save(face.image, "preview", preview)
    crop = cut(face)
    assert crop.shape == (crops.SIDE, crops.SIDE, 3)
    # A margin of a quarter of the face on each side: of 160 pixels, 27.
    is_red = np.abs(crop - RED).max(axis=2) < 60
    rows, columns = np.nonzero(is_red.any(axis=1))[0], np.nonzero(is_red.any(axis=0))[0]
    assert [rows[0], rows[-1], columns[0], columns[-1]] == pytest.approx([27, 133, 27, 133], abs=2)


@pytest.mark.parametrize("place", [0, 1500])
def test_a_crop_at_the_border_stays_inside_the_photo(event: Event, place: float) -> None:
    face = a_face(event, 1600, 1600, place, place, 100)
    save(face.image, "preview", plain(1600, 1600, RED))
    assert is_about(cut(face).min(axis=(0, 1)), RED)


def test_a_face_larger_than_a_square_of_the_photo(event: Event) -> None:
    face = a_face(event, 1600, 400, 100, 0, 400)
    save(face.image, "preview", plain(1600, 400, RED))
    assert cut(face).shape == (crops.SIDE, crops.SIDE, 3)


@pytest.mark.parametrize(("side", "source"), [(400, RED), (140, BLUE)])
def test_a_face_that_is_small_in_the_preview_comes_from_the_original(
    event: Event, side: float, source: tuple[int, int, int]
) -> None:
    face = a_face(event, 4000, 3000, 1000, 1000, side)
    save(face.image, "preview", plain(1600, 1200, RED))
    save(face.image, "thumbnail", plain(400, 300, RED))
    save(face.image, "original", plain(4000, 3000, BLUE))
    assert is_about(cut(face).mean(axis=(0, 1)), source)


def test_a_photo_without_more_pixels_than_its_preview_needs_no_original(event: Event) -> None:
    face = a_face(event, 1600, 1200, 1000, 1000, 40)
    save(face.image, "preview", plain(1600, 1200, RED))
    assert is_about(cut(face).mean(axis=(0, 1)), RED)


def test_an_original_that_lies_on_its_side_is_turned_as_its_preview_was(event: Event) -> None:
    upright = plain(3000, 4000, WHITE)
    upright[:2000] = BLUE
    face = a_face(event, 3000, 4000, 2500, 500, 100)
    save(face.image, "preview", upright[::3, ::3])
    save(face.image, "thumbnail", upright[::10, ::10])
    save(face.image, "original", np.ascontiguousarray(np.rot90(upright)))
    assert is_about(cut(face).mean(axis=(0, 1)), BLUE)


@pytest.fixture
def viewer(client: Client, staff: User) -> Client:
    staff.user_permissions.add(Permission.objects.get(codename="view_face"))
    client.force_login(staff)
    return client


def address(run: Event) -> str:
    face = ImageFace.objects.filter(image__event=run).earliest("pk")
    return f"/admin/faces/face/crop/{face.pk}.jpg"


def test_staff_get_crops_that_their_browser_keeps_for_itself(viewer: Client, run: Event) -> None:
    response = viewer.get(address(run))
    assert response.status_code == 200
    assert response["Content-Type"] == "image/jpeg"
    assert response["Cache-Control"] == "private, max-age=3600"
    assert is_about(np.asarray(Picture.open(io.BytesIO(response.content)))[80, 80].astype(int), RED)


def test_strangers_get_none(client: Client, run: Event, member: User, staff: User) -> None:
    assert client.get(address(run)).status_code == 302
    client.force_login(member)
    assert client.get(address(run)).status_code == 302
    client.force_login(staff)
    assert client.get(address(run)).status_code == 403


def test_a_face_that_is_not_there(viewer: Client, run: Event) -> None:
    assert viewer.get("/admin/faces/face/crop/0.jpg").status_code == 404


@pytest.mark.parametrize("content", [None, b"no picture"])
def test_a_drawing_stands_in_for_a_file_that_is_gone_or_damaged(
    viewer: Client, run: Event, content: bytes | None
) -> None:
    for image in run.images.all():
        default_storage.delete(image.key_of("preview"))
        if content:
            default_storage.save(image.key_of("preview"), ContentFile(content))
    response = viewer.get(address(run))
    assert response.status_code == 404
    assert response["Content-Type"] == "image/svg+xml"
    assert response["Cache-Control"] == "no-store"
    assert response.content.startswith(b"<svg")


def test_a_drawing_stands_in_while_the_storage_is_down(
    viewer: Client, run: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise OSError("The bucket does not answer.")

    monkeypatch.setattr("events.storage.LocalStorage._open", fail)
    response = viewer.get(address(run))
    assert (response.status_code, response["Content-Type"]) == (503, "image/svg+xml")
