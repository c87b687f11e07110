"""What programs that run the site ask it: is it ready, how is it going."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from prometheus_client.exposition import choose_encoder
from rest_framework import permissions, serializers, status, viewsets
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from events.access import manages_every_event
from events.authentication import ScopedKeys
from events.models import ApiKey, Scope
from faces.api.files import WhateverIsAccepted
from grabpic_site import metrics, readiness

if TYPE_CHECKING:
    from rest_framework.request import Request


class FindingSerializer(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    detail = serializers.CharField()


class ChecksSerializer(serializers.Serializer[Any]):
    database = FindingSerializer()
    pgvector = FindingSerializer()
    storage = FindingSerializer()
    queue = FindingSerializer(help_text="Works where a worker was seen lately.")
    engine = FindingSerializer(help_text="Of new events, loaded in the process that answers.")


class ReadySerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["ready"])
    checks = ChecksSerializer()


class NotReadySerializer(serializers.Serializer[Any]):
    detail = serializers.CharField()
    code = serializers.ChoiceField(["not_ready"])
    checks = ChecksSerializer()


_ALL_WELL = {
    "database": {"ok": True, "detail": "It answers."},
    "pgvector": {"ok": True, "detail": "pgvector 0.8.4."},
    "storage": {"ok": True, "detail": "It answers."},
    "queue": {"ok": True, "detail": "Workers: 2. Jobs that wait: 0."},
    "engine": {"ok": True, "detail": "facenet+sface is loaded."},
}
_STORAGE_DOWN = {**_ALL_WELL, "storage": {"ok": False, "detail": "No answer within 5 s."}}


class ReadyViewSet(viewsets.ViewSet):
    """Does all that is needed work?"""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    # It has to answer without the database, in which requests are counted; its answer is remembered instead.
    throttle_classes = ()

    @extend_schema(
        operation_id="ready",
        responses={200: ReadySerializer, 503: NotReadySerializer},
        examples=[
            OpenApiExample("All works", {"status": "ready", "checks": _ALL_WELL}, response_only=True),
            OpenApiExample(
                "The storage is down",
                {"detail": "Not ready: storage.", "code": "not_ready", "checks": _STORAGE_DOWN},
                response_only=True,
                status_codes=["503"],
            ),
        ],
    )
    def retrieve(self, request: Request) -> Response:
        """Say of database, pgvector, storage, queue and engine whether each works; some seconds old at most."""
        findings = readiness.SITE.findings()
        checks = {name: asdict(finding) for name, finding in findings.items()}
        failing = [name for name, finding in findings.items() if not finding.ok]
        if not failing:
            return Response({"status": "ready", "checks": checks})
        answer = {"detail": f"Not ready: {', '.join(failing)}.", "code": "not_ready", "checks": checks}
        return Response(answer, status.HTTP_503_SERVICE_UNAVAILABLE)


class MayReadMetrics(permissions.BasePermission):
    """API keys that may read every event, and staff who manage every event.

    Raises:
        PermissionDenied: `missing_scope`, or `permission_denied` for a key that reaches some events only.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, ApiKey):
            return manages_every_event(request.user)
        if not request.auth.every_event:
            raise PermissionDenied("This API key reaches some events only, and the metrics are about all.")
        return ScopedKeys().has_permission(request, view)


class MetricsViewSet(viewsets.ViewSet):
    """How it is going, for Prometheus."""

    permission_classes = (MayReadMetrics,)
    scopes: ClassVar = {"retrieve": Scope.READ}
    content_negotiation_class = WhateverIsAccepted

    @extend_schema(exclude=True)
    def retrieve(self, request: Request) -> HttpResponse:
        """Answer in Prometheus' text format, or in OpenMetrics where that is asked for."""
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return HttpResponse(encode(metrics.REGISTRY), content_type=content_type)
