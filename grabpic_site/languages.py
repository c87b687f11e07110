"""Which language an answer is in: the visitor's on attendees' pages, English for staff and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import conditional_page
from django.views.i18n import JavaScriptCatalog, set_language

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase
    from django.urls import ResolverMatch

FOR_STAFF = {"upload", "retry", "poster", "schema", "docs", "redoc", "metrics"}
"""Names of addresses for staff and programs; those of admin and of the API are, too."""

BY_QUERY = {"poster", "javascript-catalog"}
"""Names of addresses that say themselves, with `?language=de`, what they are in: the same for whoever asks."""


def is_for_staff(match: ResolverMatch) -> bool:
    """Tell whether an address is for staff or for programs, and so in English only."""
    name = match.url_name or ""
    return match.app_name == "admin" or name in FOR_STAFF or name.startswith("api-")


def fixed_language(request: HttpRequest) -> str | None:
    """Return the language of an address that has the same one for everybody; None where the visitor's counts."""
    match = request.resolver_match
    if match is None:
        return settings.LANGUAGE_CODE if request.path.startswith("/api/") else None
    if match.url_name in BY_QUERY and (asked := request.GET.get("language")) in dict(settings.LANGUAGES):
        return asked
    return settings.LANGUAGE_CODE if is_for_staff(match) or match.url_name in BY_QUERY else None


class LanguageMiddleware(LocaleMiddleware):
    """Django's choice by cookie and by the browser's languages, for the addresses that have more than one."""

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Choose again, now that it is known which address this is."""
        if language := fixed_language(request):
            translation.activate(language)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Say which language this is, and what it depends on."""
        if language := fixed_language(request):
            response.headers.setdefault("Content-Language", language)
            return response
        patch_vary_headers(response, ["Cookie"])
        return super().process_response(request, response)


# As long as WhiteNoise lets the scripts be kept that it goes with.
javascript_catalog = cache_control(public=True, max_age=60)(
    conditional_page(JavaScriptCatalog.as_view(packages=["grabpic_site"]))
)
"""The texts of scripts."""

# No token, and so no cookie, for a visitor who only reads; the worst that another site can do is to turn the language.
choose_language = csrf_exempt(set_language)
"""Keep the language of a form in a cookie, and go back."""
