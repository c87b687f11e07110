"""What a person may ask for: all that is known of them, and that it is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from events.own import of_own_events, staff_user
from faces import audit_log, privacy
from faces.admin.undoing import page_of
from faces.corrections import CorrectionError
from faces.export import export, file_name
from faces.gallery import images_with
from faces.models import Face

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

PERMISSION = "faces.delete_face"
"""Who has it answers what persons ask for: it exports and erases them."""


@require_POST
@never_cache
def export_person(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send all that is known of the person as a ZIP file."""
    person = _person(request, pk)
    response = StreamingHttpResponse(export(person, staff_user(request)), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{file_name(person)}"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def erase_person(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what an erasure deletes, and ask; a POST erases the person."""
    person = _person(request, pk)
    if request.method != "POST":
        audit_log.record(audit_log.Action.LOOKED, person.event, staff_user(request), grab_id=person.grab_id)
        photos = images_with(person).count()
        context = {"title": "Erase this person for good?", "opts": Face._meta, "person": person, "photos": photos}
        return render(request, "admin/faces/face/erase.html", admin.site.each_context(request) | context)
    try:
        erasure = privacy.erase(person.event, [person], staff_user(request))
    except CorrectionError as error:
        messages.error(request, error.sentence)
        return HttpResponseRedirect(page_of(person))
    messages.success(request, f"Erased for good: {erasure}.")
    people = reverse("admin:faces_face_changelist")
    return HttpResponseRedirect(f"{people}?event__id__exact={person.event_id}")


def _person(request: HttpRequest, pk: int) -> Face:
    if not staff_user(request).has_perm(PERMISSION):
        raise PermissionDenied
    people = of_own_events(Face.objects.select_related("event", "cover"), request)
    return get_object_or_404(people, pk=pk)
