"""A person's page: who it is, every face with its doubts, the photos, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from faces import corrections
from faces.admin.undoing import attempt, page_of
from faces.doubts import Likeness, likenesses
from faces.gallery import images_with
from faces.models import Decision, Face, ImageFace
from faces.tasks import request_grouping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.http import HttpRequest, HttpResponse

PER_PAGE = 200
SIMILAR = 12
"""So many similar persons are offered without a search."""

LATEST = 20
"""So many decisions are listed."""

MOVED = "A chosen face is not this person's any more. Look again, and choose anew."


@dataclass(frozen=True, slots=True)
class Tile:
    """A face on the page; `likeness` is None for one that cannot be compared with others of its person."""

    face: ImageFace
    likeness: Likeness | None


def context(request: HttpRequest, person: Face) -> dict[str, Any]:
    """Return what the template shows of the person; `p` in the query chooses the page of faces and photos."""
    number = request.GET.get("p", "1")
    photos = images_with(person)
    likeness = likenesses(person.event, person.image_faces.all())
    others = person.image_faces.exclude(pk__in=likeness).values_list("pk", flat=True)
    faces = Paginator([*likeness, *others], PER_PAGE).get_page(number)
    return {
        "person": person,
        "aliases": [alias.grab_id for alias in person.aliases.order_by("pk")],
        "faces": faces,
        "tiles": _tiles(faces.object_list, likeness),
        "photos": Paginator(photos, PER_PAGE).get_page(number),
        "candidates": Face.objects.most_like(person).select_related("centroid").defer("centroid__mean")[:SIMILAR],
        "decisions": decisions_about(person),
    }


def decisions_about(person: Face) -> list[Decision]:
    """Return the latest decisions about the person."""
    found = Decision.objects.about(person).select_related("made_by", "undone_by").defer("before")
    return list(found.order_by("-pk")[:LATEST])


def _tiles(keys: Iterable[int], likeness: dict[int, Likeness]) -> list[Tile]:
    faces = ImageFace.objects.select_related("image").in_bulk(keys)
    return [Tile(faces[pk], likeness.get(pk)) for pk in keys if pk in faces]


def correct(request: HttpRequest, person: Face) -> HttpResponse:
    """Make the correction that `action` names, and return to the page; without one, the name is changed."""
    action = _ACTIONS.get(request.POST.get("action", "rename"))
    if action is None:
        messages.error(request, "There is no such action. Choose one of the buttons.")
        return HttpResponseRedirect(request.get_full_path())
    return action(request, person) or HttpResponseRedirect(request.get_full_path())


class ChosenFaces(forms.Form):
    """Which of the person's faces are meant."""

    def __init__(self, request: HttpRequest, person: Face) -> None:
        super().__init__(request.POST)
        self.fields["face"] = forms.ModelMultipleChoiceField(
            person.image_faces.all(),
            error_messages={
                "required": "Choose at least one face first.",
                **dict.fromkeys(("invalid_choice", "invalid_pk_value"), MOVED),
            },
        )


class ChosenPerson(forms.Form):
    """Which other person of the event is meant."""

    def __init__(self, request: HttpRequest, person: Face) -> None:
        super().__init__(request.POST)
        self.fields["to"] = forms.ModelChoiceField(
            Face.objects.filter(event=person.event_id).exclude(pk=person.pk),
            error_messages={
                "required": "Choose another person first.",
                "invalid_choice": "The chosen person is not there any more. Choose another one.",
            },
        )


def _chosen(request: HttpRequest, form: forms.Form) -> Any:
    """Return what the form's one field holds; tell what is wrong with it, and return None, otherwise."""
    (field,) = form.fields
    if form.is_valid():
        return form.cleaned_data[field]
    messages.error(request, str(form.errors[field][0]))
    return None


def _rename(request: HttpRequest, person: Face) -> None:
    attempt(request, partial(corrections.rename, person, request.POST.get("name", person.name)))


def _hide(request: HttpRequest, person: Face) -> None:
    attempt(request, partial(corrections.hide, [person]))


def _show(request: HttpRequest, person: Face) -> None:
    attempt(request, partial(corrections.show, [person]))


def _split(request: HttpRequest, person: Face) -> None:
    if faces := _chosen(request, ChosenFaces(request, person)):
        attempt(request, partial(corrections.split, list(faces)))


def _remove(request: HttpRequest, person: Face) -> None:
    faces = _chosen(request, ChosenFaces(request, person))
    if faces and attempt(request, partial(corrections.remove, list(faces))):
        request_grouping(person.event)


def _choose_cover(request: HttpRequest, person: Face) -> None:
    faces = _chosen(request, ChosenFaces(request, person))
    if faces and len(faces) == 1:
        attempt(request, partial(corrections.choose_cover, faces[0]))
    elif faces:
        messages.error(request, "Choose one face only: it becomes the cover.")


def _move(request: HttpRequest, person: Face) -> HttpResponse | None:
    faces = _chosen(request, ChosenFaces(request, person))
    to = _chosen(request, ChosenPerson(request, person)) if faces else None
    if to and attempt(request, partial(corrections.move, list(faces), to)):
        is_left = Face.objects.filter(pk=person.pk).exists()
        return None if is_left else HttpResponseRedirect(page_of(to))
    return None


def _merge(request: HttpRequest, person: Face) -> HttpResponse | None:
    to = _chosen(request, ChosenPerson(request, person))
    chosen = urlencode({"person": [person.pk, to.pk]}, doseq=True) if to else ""
    return HttpResponseRedirect(f"{reverse('admin:faces_merge')}?{chosen}") if to else None


_ACTIONS: dict[str, Callable[[HttpRequest, Face], HttpResponse | None]] = {
    "rename": _rename,
    "hide": _hide,
    "show": _show,
    "split": _split,
    "remove": _remove,
    "cover": _choose_cover,
    "move": _move,
    "merge": _merge,
}
