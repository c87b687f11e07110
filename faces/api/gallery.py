"""A person's photos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from events.api.etags import ETAG, IF_NONE_MATCH, NOT_MODIFIED, Tagged
from events.authentication import managed_events
from events.errors import Refusal
from events.models import ApiKey, Event
from events.schema import EVENT_NOT_OPEN, Problem, errors
from faces import audit_log
from faces.api.asking import GRAB_ID_PARAMETER, UNKNOWN_PERSON, persons_known_as
from faces.api.serializers import GALLERY_EXAMPLE, GallerySerializer
from faces.api.tokens import INVALID_TOKEN, ShownViewSet, actor_of, grant_of
from faces.gallery import images_with

if TYPE_CHECKING:
    from rest_framework.request import Request

    from faces.models import Face, FaceQuerySet


NOT_YOURS = Problem(403, "not_yours", "This token is for another person.")


class GalleryViewSet(Tagged, ShownViewSet):
    """A person's photos."""

    @extend_schema(
        operation_id="list_images_of_person",
        parameters=[GRAB_ID_PARAMETER, IF_NONE_MATCH, ETAG],
        responses={
            200: GallerySerializer,
            **NOT_MODIFIED,
            **errors(UNKNOWN_PERSON, INVALID_TOKEN, NOT_YOURS, EVENT_NOT_OPEN),
        },
        examples=[GALLERY_EXAMPLE],
    )
    def retrieve(self, request: Request, grab_id: str) -> Response:
        """List the photos of a person, in the order they were taken; a token lists all that its selfie matched.

        Those that only may show the person come last. The `grab_id` of a person who became part of another one leads
        to that one.
        """
        known, grant = persons_known_as(grab_id), grant_of(request)
        if grant and (person := known.filter(pk__in=grant.persons().values("pk")).first()):
            sure, maybe = list(grant.images()), list(grant.maybe_images()) if grant.maybe else []
        else:
            person = self._shown(request, known)
            sure, maybe = list(images_with(person)), []
            audit_log.record(audit_log.Action.LOOKED, person.event, actor_of(request), grab_id=person.grab_id)
        data = {"grab_id": person.grab_id, "total": len(sure) + len(maybe), "images": sure + maybe}
        return Response(GallerySerializer(data, context={"maybe": {image.pk for image in maybe}}).data)

    def _shown(self, request: Request, known: FaceQuerySet) -> Face:
        """Return the person, if whoever asks may see their photos without a selfie.

        Raises:
            Refusal: 403 `not_yours` or `event_not_open`, for who has a token.
            APIException: 401 or 403 for strangers, else 404 `not_found`.
        """
        person = known.filter(_shown_to(request)).first()
        if person is not None:
            return person
        self.refuse_strangers(request)
        grant = grant_of(request)
        if grant is None or not known.exists():
            raise NotFound(UNKNOWN_PERSON.detail)
        is_published = Event.objects.published().filter(pk=grant.event_id).exists()
        raise Refusal.of(NOT_YOURS if is_published else EVENT_NOT_OPEN)


def _shown_to(request: Request) -> Q:
    """Return the condition that a person may be looked up by the grab_id alone."""
    managed = Q(event__in=managed_events(request))
    # A key reaches its own events, and no others, also where they are open.
    return managed if isinstance(request.auth, ApiKey) else managed | Q(hidden=False, event__in=Event.objects.open())
