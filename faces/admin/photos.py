"""A photo in Django admin, with the faces that are in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin

from events.admin import ImageAdmin
from events.models import Image
from events.own import staff_user
from faces import audit_log
from faces.admin.places import Place, place_of
from faces.doubts import Likeness, likenesses
from faces.models import ImageFace

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@dataclass(frozen=True, slots=True)
class Box:
    """A face on the picture."""

    face: ImageFace
    likeness: Likeness | None
    place: Place


def boxes(image: Image) -> list[Box]:
    """Return the faces of a photo, from left to right."""
    found = likenesses(image.event, image.faces.all())
    faces = image.faces.select_related("face").defer("face__embedding").order_by("x", "pk")
    return [Box(face, found.get(face.pk), place_of(face)) for face in faces]


@admin.register(Image)
class ImageWithFacesAdmin(ImageAdmin):
    """Whoever may view people sees who is in the photo; everybody else the photo alone."""

    change_form_template = "admin/events/image/change_form.html"

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Image | None = None,
    ) -> HttpResponse:
        context["boxes"] = []
        if obj and request.user.has_perm("faces.view_face"):
            audit_log.record(audit_log.Action.LOOKED, obj.event, staff_user(request), detail=f"Faces of photo {obj.pk}")
            context["boxes"] = boxes(obj)
        return super().render_change_form(request, context, add, change, form_url, obj)
