"""The pages that show the OpenAPI document, under the policy of every page; their scripts come from drf-spectacular."""

from __future__ import annotations

from csp.decorators import csp_update
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

# Both draw with pictures that are written in their style sheets and scripts.
DRAWN = {"img-src": ["data:"]}

swagger = csp_update(DRAWN)(SpectacularSwaggerSplitView.as_view(permission_classes=[]))
"""Swagger UI, to try the API out."""

# ReDoc styles itself by style elements (static/redoc.js gives them the nonce), and searches in a worker that it writes
# itself, which is bound by the policy of its page.
redoc = csp_update({**DRAWN, "worker-src": ["blob:"]})(SpectacularRedocView.as_view(permission_classes=[]))
"""ReDoc, to read."""
