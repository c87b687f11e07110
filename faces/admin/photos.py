"""A photo in Django admin, with the faces that are in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import unquote

from events.admin import ImageAdmin
from events.models import Image
from faces.doubts import Likeness, likenesses
from faces.models import ImageFace

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@dataclass(frozen=True, slots=True)
class Box:
    """A face on the picture; the sides of its box are percentages of the picture's."""

    face: ImageFace
    likeness: Likeness | None
    style: str


def boxes(image: Image) -> list[Box]:
    """Return the faces of a photo, from left to right."""
    found = likenesses(image.event, image.faces.all())
    faces = image.faces.select_related("face").defer("face__embedding").order_by("x", "pk")
    return [Box(face, found.get(face.pk), _style(face, image)) for face in faces]


def _style(face: ImageFace, image: Image) -> str:
    left, top = 100 * face.x / image.width, 100 * face.y / image.height
    width, height = 100 * face.width / image.width, 100 * face.height / image.height
    return f"left:{left:.2f}%;top:{top:.2f}%;width:{width:.2f}%;height:{height:.2f}%"


@admin.register(Image)
class ImageWithFacesAdmin(ImageAdmin):
    """Whoever may view people sees who is in the photo; everybody else the photo alone."""

    change_form_template = "admin/events/image/change_form.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        image = self.get_object(request, unquote(object_id)) if self.has_view_permission(request) else None
        is_open = image is not None and request.user.has_perm("faces.view_face")
        shown = {"boxes": boxes(image) if image and is_open else []}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})
