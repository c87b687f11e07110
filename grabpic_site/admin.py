"""The admin of the queue's jobs, under the site's Content-Security-Policy."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString, mark_safe
from procrastinate.contrib.django.admin import ProcrastinateJobAdmin
from procrastinate.contrib.django.models import ProcrastinateJob

admin.site.unregister(ProcrastinateJob)


@admin.register(ProcrastinateJob)
class JobAdmin(ProcrastinateJobAdmin):
    """The queue's own pages without `style` attributes, which browsers would refuse; static/admin.css has the same."""

    @admin.display(description="Args")
    def pretty_args(self, instance: ProcrastinateJob) -> str:
        return _unstyled(super().pretty_args(instance))

    @admin.display(description="Summary")
    def summary(self, instance: ProcrastinateJob) -> str:
        return _unstyled(super().summary(instance))


def _unstyled(html: Any) -> SafeString:
    # Quotes in what is shown are escaped, so this finds attributes only.
    return mark_safe(re.sub(r' style="[^"]*"', "", html))  # noqa: S308
