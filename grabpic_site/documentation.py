"""The OpenAPI document, and the pages that show it, whose scripts come from drf-spectacular."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from csp.decorators import csp_update
from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.encoding import force_bytes
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase
    from rest_framework.request import Request


RENDERERS = {renderer.format: renderer for renderer in (OpenApiYamlRenderer, OpenApiJsonRenderer)}


@cache
def document(kind: str) -> bytes:
    """Return the document as `yaml` or `json`, written once by each process: anybody may ask, and it takes a while."""
    content = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    renderer = RENDERERS[kind]()
    return force_bytes(renderer.render(content, renderer.media_type, {}))


class SchemaView(SpectacularAPIView):
    """The OpenAPI document, as YAML or JSON (`Accept`, or `format`); 304 for who has it already."""

    permission_classes = ()

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase | None:
        renderer: Any = request.accepted_renderer
        body = document(renderer.format)
        headers = {
            "ETag": f'"{sha256(body).hexdigest()[:32]}"',
            "Cache-Control": "no-cache",
            "Content-Disposition": f'inline; filename="Grabpic.{renderer.format}"',
        }
        charset = f"; charset={renderer.charset}" if renderer.charset else ""
        response = HttpResponse(body, f"{renderer.media_type}{charset}", headers=headers)
        return get_conditional_response(request, headers["ETag"], response=response)


# Both draw with pictures that are written in their style sheets and scripts.
DRAWN = {"img-src": ["data:"]}

swagger = csp_update(DRAWN)(SpectacularSwaggerSplitView.as_view(permission_classes=[]))
"""Swagger UI, to try the API out."""

# ReDoc styles itself by style elements (static/redoc.js gives them the nonce), and searches in a worker that it writes
# itself, which is bound by the policy of its page.
redoc = csp_update({**DRAWN, "worker-src": ["blob:"]})(SpectacularRedocView.as_view(permission_classes=[]))
"""ReDoc, to read."""
