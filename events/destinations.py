"""Where webhooks may be sent: to addresses of the public internet, and to no machine of our own network.

A name is looked up when something is sent, and the connection goes to the very address that was checked: what a name
means may change between two looks.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

PORTS = {"https": 443, "http": 80}

GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All IPv6 that the internet routes; outside it are also the addresses that translate to private IPv4."""


class AddressError(Exception):
    """A webhook cannot be sent there; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A webhook's address in its parts; `target` is the path with the query."""

    scheme: str
    host: str
    port: int
    target: str

    @classmethod
    def parse(cls, address: str) -> Destination:
        """Return the parts of an address.

        Raises:
            AddressError: it is none that may be used.
        """
        try:
            url = parse_url(address)
        except LocationParseError as error:
            raise AddressError("This address cannot be read.") from error
        if url.scheme not in _schemes():
            raise AddressError(f"The address must begin with {' or '.join(f'{name}://' for name in _schemes())}.")
        if url.auth is not None:
            raise AddressError("The address must not hold a user name or a password.")
        if not url.host:
            raise AddressError("The address names no host.")
        return cls(url.scheme, url.host.strip("[]"), url.port or PORTS[url.scheme], url.request_uri)

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def addresses(self) -> list[str]:
        """Look the name up, and return all that it stands for.

        Raises:
            AddressError: it stands for nothing, or also for what is not public.
        """
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise AddressError("The name of the host is not known.") from error
        # In the order of the resolver, which knows what this machine reaches.
        addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
        if not settings.WEBHOOKS_TO_PRIVATE_ADDRESSES and not all(is_public(address) for address in addresses):
            raise AddressError("The host is in a private network.")
        return addresses


def is_public(text: str) -> bool:
    """Tell whether an IP address is one machine somewhere on the internet; IPv4 inside IPv6 counts as what it is."""
    address: IPv4Address | IPv6Address = ip_address(text)
    if isinstance(address, IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour
        if inside is None and address not in GLOBAL_UNICAST:
            return False
        address = inside or address
    return address.is_global and not address.is_multicast


def _schemes() -> tuple[str, ...]:
    return ("https", "http") if settings.WEBHOOKS_TO_PRIVATE_ADDRESSES else ("https",)
