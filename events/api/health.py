"""Is the site there?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drf_spectacular.utils import OpenApiExample, extend_schema, inline_serializer
from rest_framework import serializers, viewsets
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

if TYPE_CHECKING:
    from rest_framework.request import Request


class HealthViewSet(viewsets.ViewSet):
    """Is anybody there?"""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()

    @extend_schema(
        operation_id="health",
        responses={200: inline_serializer("Health", {"status": serializers.ChoiceField(["ok"])})},
        examples=[OpenApiExample("It is", {"status": "ok"}, response_only=True)],
    )
    def retrieve(self, request: Request) -> Response:
        """Answer as long as the web process does; asks nobody else."""
        return Response({"status": "ok"})
