"""For staff: another try for what failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponseRedirect
from django.shortcuts import redirect
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from events.views import managed_event, staff_only

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


class RetryForm(forms.Form):
    """Which of the photos that failed: one, all of a reason, or without either all of them."""

    image_id = forms.UUIDField(required=False)
    code = forms.SlugField(required=False)
    next = forms.CharField(required=False)


@staff_only
@require_http_methods(["GET", "HEAD", "POST"])
def retry(request: HttpRequest, slug: str) -> HttpResponse:
    """Make failed photos pending again (a plain form), and go back to the page that has the form, `next`."""
    event = managed_event(request, slug)
    if request.method != "POST":
        # Logging in on the way leads here.
        return redirect("upload", slug)
    form = RetryForm(request.POST)
    if not form.is_valid():
        raise BadRequest(form.errors)
    count = event.images.all().retry(form.cleaned_data["image_id"], form.cleaned_data["code"])
    messages.success(request, f"{count} photo{pluralize(count)} will be looked at again.")
    page = form.cleaned_data["next"]
    return HttpResponseRedirect(page if url_has_allowed_host_and_scheme(page, None) else reverse("upload", args=[slug]))
