"""What was decided, said with a button that undoes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from events.own import of_own_events, staff_user
from faces import corrections
from faces.models import Decision, DecisionFace, Face

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

BUTTON = '<button type="submit" class="undo" form="undo" formaction="{}" aria-label="Undo: {}">Undo</button>'
"""For a page that includes `admin/faces/undo_form.html`."""


def say(request: HttpRequest, decision: Decision) -> None:
    """Tell on the next page what was done, with a way back, and a link to the person whom the faces are now."""
    button = format_html(BUTTON, reverse("admin:faces_undo", args=[decision.pk]), decision.summary)
    person = person_of(decision)
    link = format_html(' <a href="{}">See {}</a>', page_of(person), person.label) if person else ""
    messages.success(request, format_html("{}.{} {}", decision.summary.removesuffix("."), link, button))


def attempt(request: HttpRequest, correct: Callable[..., Decision]) -> Decision | None:
    """Let this user make a correction, and tell what was done, or why it cannot be done (None)."""
    try:
        decision = correct(by=staff_user(request))
    except corrections.CorrectionError as error:
        messages.error(request, error.sentence)
        return None
    say(request, decision)
    return decision


def person_of(decision: Decision) -> Face | None:
    """Return the person that the decision made of several faces; None for a decision of another kind."""
    if decision.kind not in Decision.UNITING:
        return None
    together = decision.faces.filter(side=DecisionFace.Side.TOGETHER).values("image_face")
    return Face.objects.filter(image_faces__in=together).first()


def page_of(person: Face) -> str:
    return reverse("admin:faces_face_change", args=[person.pk])


def take_back(request: HttpRequest, decision: Decision) -> None:
    """Undo a decision, and tell what became of it."""
    try:
        undone = corrections.undo(decision, staff_user(request))
    except corrections.CorrectionError as error:
        messages.error(request, f"{decision}: {error.sentence}")
        return
    if undone:
        messages.success(request, f"Undone: {decision}")
    else:
        messages.warning(request, f"This was undone before: {decision}")


@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo a decision, and go back to the page that has the button, `next`."""
    take_back(request, get_object_or_404(of_own_events(Decision.objects.all(), request), pk=pk))
    page = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(page, None)
    return HttpResponseRedirect(page if safe else reverse("admin:faces_face_changelist"))
