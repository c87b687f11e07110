"""How staff log in: not by trying out passwords."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm

from events import limits


class LimitedLoginForm(AdminAuthenticationForm):
    """Looks at no password where too many from the same address were wrong."""

    def clean(self) -> dict[str, Any]:
        """Return the user's name and password.

        Raises:
            TooManyRequests
            ValidationError: they are wrong.
        """
        address = limits.address_of(self.request)  # type: ignore[arg-type]  # admin hands it over
        limits.spend("logins", address)
        cleaned = super().clean()
        limits.give_back("logins", address)
        return cleaned
