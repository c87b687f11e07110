"""A photo's page in admin: who is in it, drawn on the picture and listed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission, User

from faces import corrections
from faces.models import Face, ImageFace
from faces.tests.conftest import listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from events.models import Event, Image


def look(client: Client, image: Image) -> str:
    return client.get(f"/admin/events/image/{image.pk}/change/").content.decode()


def test_the_boxes_are_on_the_picture(admin: Client, run: Event) -> None:
    image = run.images.get(file_name="red-green.png")
    red, green = image.faces.order_by("x")
    assert red.face is not None
    assert green.face is not None
    Face.objects.filter(pk=red.face.pk).update(name="Ada")
    page = look(admin, image)
    assert f"/photos/{image.image_id}/preview/" in page
    # The photo has 400 x 300 pixels; the faces are squares of 70, at 20 and 110 from the left and 100 from the top.
    drawn = re.findall(r'<rect x="([\d.]+)%" y="([\d.]+)%" width="([\d.]+)%" height="([\d.]+)%"/>', page)
    assert [[float(side) for side in sides] for sides in drawn] == [
        pytest.approx([5, 33.33, 17.5, 23.33], abs=0.3),
        pytest.approx([27.5, 33.33, 17.5, 23.33], abs=0.3),
    ]
    for face, label in ((red, "Ada"), (green, str(green.face.grab_id)[:8])):
        # On the picture, and in the list.
        assert page.count(f'href="/admin/faces/face/{face.face_id}/change/"') == 2
        assert page.count(f">{label}<") == 2


def test_a_face_without_a_person_is_shown_as_such(admin: Client, run: Event) -> None:
    image = run.images.get(file_name="red.png")
    ImageFace.objects.filter(image=image).update(face=None)
    assert "not grouped yet" in look(admin, image)


def test_a_doubtful_face_is_marked(admin: Client, run: Event) -> None:
    image = run.images.get(file_name="red-green.png")
    red, green = image.faces.order_by("x")
    assert "doubtful" not in look(admin, image)
    # Somebody made green red.
    assert red.face is not None
    assert green.face is not None
    corrections.merge(run, [red.face, green.face], User.objects.get())
    page = look(admin, image)
    assert page.count("box doubtful") == page.count("% similar, doubtful") == 2


def test_the_number_of_queries_does_not_grow(
    admin: Client, run: Event, django_assert_num_queries: Callable[..., object]
) -> None:
    look(admin, run.images.get(file_name="red.png"))
    for name in ("red.png", "all.png"):
        image = run.images.get(file_name=name)
        with django_assert_num_queries(9):  # type: ignore[attr-defined]
            look(admin, image)


@pytest.mark.parametrize("state", ["pending", "failed"])
def test_a_photo_that_was_not_looked_at_shows_no_picture(admin: Client, event: Event, state: str) -> None:
    (image,) = listed(event, 1, state=state)
    assert "/preview/" not in look(admin, image)


def test_who_may_see_no_people_sees_the_photo_alone(client: Client, run: Event, staff: User) -> None:
    staff.user_permissions.add(Permission.objects.get(codename="view_image"))
    client.force_login(staff)
    image = run.images.get(file_name="red.png")
    page = look(client, image)
    assert f"/photos/{image.image_id}/preview/" in page
    assert "/admin/faces/" not in page


def test_strangers_are_kept_out(client: Client, run: Event, member: User, staff: User) -> None:
    address = f"/admin/events/image/{run.images.all()[0].pk}/change/"
    for user, status in ((None, 302), (member, 302), (staff, 403)):
        if user:
            client.force_login(user)
        assert client.get(address).status_code == status
