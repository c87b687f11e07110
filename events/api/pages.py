"""Lists that come in pages, and what they may be asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination

from events.api.asking import checked
from events.errors import Refusal
from events.schema import Problem

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from rest_framework.pagination import Cursor
    from rest_framework.request import Request
    from rest_framework.response import Response
    from rest_framework.views import APIView

MOST = 200

KEY = re.compile(r"[0-9]{1,18}")

INVALID_CURSOR = Problem(400, "invalid_cursor", "This cursor is none of ours: use the addresses in `next`, `previous`.")


class Query(serializers.Serializer[Any]):
    """The query parameters of an operation: those that are its fields, and no others."""


class PageQuery(Query):
    """The query parameters of a list."""

    cursor = serializers.CharField(
        required=False, max_length=100, help_text="From the `next` or `previous` of another page."
    )
    limit = serializers.IntegerField(default=50, min_value=1, max_value=MOST, help_text="How many at most.")


def event_query(help_text: str) -> serializers.CharField:
    """Return the query parameter that names an event."""
    return serializers.CharField(required=False, max_length=60, help_text=help_text)


def asked(request: Request, shape: type[Query]) -> dict[str, Any]:
    """Return the query parameters.

    Raises:
        Refusal: 400 `bad_request`, naming one that is unknown, repeated, or makes no sense.
    """
    known = shape().fields
    for name, said in request.query_params.lists():
        if name not in known:
            raise Refusal("bad_request", f"`{name[:60]}`: There is no such parameter here.")
        if len(said) > 1:
            raise Refusal("bad_request", f"`{name}`: Say it once only.")
    values: dict[str, Any] = checked(shape(data=request.query_params.dict()))
    return values


class Pages(CursorPagination):
    """Pages in the order in which the rows came: what comes while somebody turns the pages is on the last one."""

    ordering = "pk"

    def __init__(self, size: int = MOST) -> None:
        self.page_size = size

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            cursor = super().decode_cursor(request)
        except NotFound as error:
            raise _invalid() from error
        # The rows' own keys, which have no offset among equals.
        if cursor and (cursor.offset or not KEY.fullmatch(str(cursor.position))):
            raise _invalid()
        return cursor

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        # `PageQuery` has them.
        return []

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        address = {"type": "string", "format": "uri", "nullable": True}
        ahead = {**address, "example": "https://photos.example/api/v1/images?cursor=cD05MDIxNw%3D%3D"}
        properties = {"next": ahead, "previous": {**address, "example": None}, "results": schema}
        return {"type": "object", "required": list(properties), "properties": properties}


def page(
    rows: QuerySet[Any], shape: type[serializers.BaseSerializer[Any]], view: APIView, limit: int, **context: Any
) -> Response:
    """Answer the page of these rows that the request of the view asks for.

    Raises:
        Refusal: 400 `invalid_cursor`.
    """
    pages = Pages(limit)
    found: list[Model] = pages.paginate_queryset(rows, view.request, view) or []
    return pages.get_paginated_response(shape(found, many=True, context=context).data)


def _invalid() -> Refusal:
    return Refusal.of(INVALID_CURSOR)
