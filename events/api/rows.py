"""What the endpoints of events, photos and people have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rest_framework import viewsets
from rest_framework.parsers import JSONParser

from events.api.etags import Tagged
from events.api.pages import Pages, Query, asked
from events.authentication import Allowed
from events.models import Scope

if TYPE_CHECKING:
    from rest_framework.request import Request


class RowViewSet(Tagged, viewsets.ViewSet):
    """Rows of the events that whoever asks manages, by their public ids; those of others are not there (404).

    `queries` says which query parameters an action takes (`self.query`); others are refused.
    """

    permission_classes = (Allowed,)
    parser_classes = (JSONParser,)
    pagination_class = Pages
    scopes: ClassVar[dict[str, Scope]] = {}
    queries: ClassVar[dict[str, type[Query]]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # Without an action of ours the method is not allowed, which is said next.
        if self.action in self.scopes:
            self.query = asked(request, self.queries.get(self.action, Query))
