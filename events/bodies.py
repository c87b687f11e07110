"""What a request of the API brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.errors import Refusal

if TYPE_CHECKING:
    from rest_framework.request import Request


def body_of(request: Request) -> Any:
    """Return the body as its parser reads it.

    Raises:
        Refusal: 400 `malformed`.
    """
    try:
        return request.data
    except (RecursionError, UnicodeError) as error:
        # JSON nested a hundred thousand deep, names in an encoding that makes no sense.
        raise Refusal("malformed", "The body of the request cannot be read.") from error
