"""What every answer says to the browser beside what Django itself does: what a page may use, load and keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.utils.deprecation import MiddlewareMixin

from events.serving import storage_origin

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

OUR_OWN = ("camera", "clipboard-write", "screen-wake-lock")
"""What our pages use: selfies, links to copy and to share, and a screen that stays on while one waits for photos."""

NOBODYS = (
    "accelerometer",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "publickey-credentials-get",
    "serial",
    "usb",
    "xr-spatial-tracking",
)

PERMISSIONS = ", ".join([*(f"{name}=(self)" for name in OUR_OWN), *(f"{name}=()" for name in NOBODYS)])


class HeadersMiddleware(MiddlewareMixin):
    """Says what pages may use of the device, and who may keep an answer where its view has not said so."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        # Nearly all that is sent depends on who asks, and the API's answers are about people.
        kept = "private, no-store" if request.path.startswith("/api/") else "private"
        response.headers.setdefault("Cache-Control", kept)
        return response


class PolicyMiddleware(CSPMiddleware):
    """The Content-Security-Policy of the settings; pictures may come from the storage where it serves them itself."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if settings.S3_SIGNED_URLS:
            images = [*(parts.update or {}).get("img-src", ()), storage_origin()]
            parts.update = {**(parts.update or {}), "img-src": images}
        return parts
