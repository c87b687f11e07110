"""From where a request came, as far as that cannot be made up."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the client's address; of an IPv6 address its /64, which is what one household or phone has.

    That is who connected to us, or with TRUSTED_PROXIES=n the n-th entry of X-Forwarded-For from the right: what the
    outermost of our own proxies wrote. What is left of it came with the request, and may say anything. Empty where
    there is neither, such as on a socket of this machine.
    """
    proxies = settings.TRUSTED_PROXIES
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    claimed = hops[-proxies] if 0 < proxies <= len(hops) else ""
    return _network(claimed) or _network(request.META.get("REMOTE_ADDR", ""))


def _network(text: str) -> str:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), 64), strict=False))
