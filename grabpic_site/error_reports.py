"""What Django's report of a bug shows: the page with DEBUG, and what an administrator may have mailed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

if TYPE_CHECKING:
    from collections.abc import ItemsView
    from types import FrameType

    from django.http import HttpRequest


class DiscreetFilter(SafeExceptionReporterFilter):
    """Shows where it went wrong, and no values: selfies, vectors, names and tokens are in variables and forms."""

    def is_active(self, request: HttpRequest | None) -> bool:
        """Also with DEBUG."""
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        post = request.POST if request else {}
        return dict.fromkeys(post, self.cleansed_substitute)

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> ItemsView[str, Any]:
        return dict.fromkeys(tb_frame.f_locals, self.cleansed_substitute).items()


class DiscreetReporter(ExceptionReporter):
    """Names no file that was sent: it may crash before a view has taken the selfies out of the request."""

    def get_traceback_data(self) -> dict[str, Any]:
        data: dict[str, Any] = super().get_traceback_data()
        if "request_FILES_items" in data:
            data["request_FILES_items"] = [
                (name, self.filter.cleansed_substitute) for name, _ in data["request_FILES_items"]
            ]
        return data
