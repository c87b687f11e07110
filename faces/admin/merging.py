"""Which persons are one: the question before a merge, and the search for the other person."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from django import forms
from django.contrib import admin, messages
from django.db.models import Count
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_safe

from events.own import of_own_events, staff_user
from faces import audit_log, corrections
from faces.admin.person_page import SIMILAR
from faces.admin.undoing import attempt, page_of, person_of
from faces.models import Face

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

FOUND = 24
"""So many persons a search lists."""

GONE = "A chosen person is not there any more. Look again, and choose anew."


class PersonsForm(forms.Form):
    """The persons that are said to be one, and the page to go back to."""

    person = forms.ModelMultipleChoiceField(
        Face.objects.none(),
        error_messages={
            "required": "Choose at least two people first.",
            **dict.fromkeys(("invalid_choice", "invalid_pk_value"), GONE),
        },
    )
    next = forms.CharField(required=False)

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request.POST if request.method == "POST" else request.GET)
        self.fields["person"].queryset = of_own_events(Face.objects.all(), request)  # type: ignore[attr-defined]

    def clean_person(self) -> list[Face]:
        """Return the persons in the order in which a merge prefers them: the first one stays."""
        chosen = self.cleaned_data["person"].annotate(face_count=Count("image_faces")).with_counts()
        persons = list(chosen.select_related("event").defer("embedding").order_by("-face_count", "pk"))
        if len(persons) < 2:
            raise forms.ValidationError("Choose at least two people first.")
        if len({person.event_id for person in persons}) > 1:
            raise forms.ValidationError("People of different events cannot be merged. Choose people of one event.")
        return persons


@require_http_methods(["GET", "HEAD", "POST"])
def merge_page(request: HttpRequest) -> HttpResponse:
    """Show the persons (`person`, repeated) side by side and ask; a POST merges them, and goes to `next`."""
    form = PersonsForm(request)
    changelist = reverse("admin:faces_face_changelist")
    if not form.is_valid():
        messages.error(request, str(form.errors["person"][0]))
        return HttpResponseRedirect(changelist)
    persons, page = form.cleaned_data["person"], form.cleaned_data["next"]
    back = page if url_has_allowed_host_and_scheme(page, None) else ""
    if request.method != "POST":
        for person in persons:
            audit_log.record(audit_log.Action.LOOKED, person.event, staff_user(request), grab_id=person.grab_id)
        context = {**admin.site.each_context(request), "title": "Are these one person?", "opts": Face._meta}
        persons_context = {"keeper": persons[0], "others": persons[1:], "next": back, "changelist": changelist}
        return render(request, "admin/faces/face/merge.html", context | persons_context)
    decision = attempt(request, partial(corrections.merge, persons[0].event, persons))
    merged = person_of(decision) if decision else None
    return HttpResponseRedirect(back or (page_of(merged) if merged else changelist))


@require_safe
def candidates(request: HttpRequest, pk: int) -> HttpResponse:
    """List persons of the event as choices: those that `q` finds, largest first; without `q` the most similar ones."""
    person = get_object_or_404(of_own_events(Face.objects.select_related("event"), request), pk=pk)
    by = staff_user(request)
    audit_log.record(audit_log.Action.LOOKED, person.event, by, grab_id=person.grab_id, detail="Similar people")
    term = request.GET.get("q", "").replace("\0", "").strip()
    if term:
        others = Face.objects.filter(event=person.event_id).exclude(pk=pk).search(term)
        found = others.order_by("-centroid__size", "pk")[:FOUND]
    else:
        found = Face.objects.most_like(person)[:SIMILAR]
    found = found.select_related("centroid").defer("embedding", "centroid__mean")
    return render(request, "admin/faces/face/candidates.html", {"candidates": found})
