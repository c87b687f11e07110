"""Whom a request is counted as."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import RequestFactory

from events.addresses import client_address

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings


def address(remote: str, **headers: str) -> str:
    return client_address(RequestFactory().get("/", REMOTE_ADDR=remote, headers=headers))


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Client-IP", "X-Client-IP"])
def test_without_proxies_no_header_counts(header: str) -> None:
    assert address("192.0.2.7", **{header: "198.51.100.1"}) == "192.0.2.7"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        (2, "203.0.113.9, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        (2, "198.51.100.1", "127.0.0.1"),
        (1, "", "127.0.0.1"),
        (1, "203.0.113.9, nonsense", "127.0.0.1"),
        (1, "203.0.113.9,", "127.0.0.1"),
    ],
)
def test_only_what_our_own_proxies_wrote_counts(
    settings: Settings, proxies: int, forwarded: str, expected: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert address("127.0.0.1", **{"X-Forwarded-For": forwarded, "X-Real-IP": "203.0.113.1"}) == expected


def test_a_household_is_one(settings: Settings) -> None:
    first, second = address("2001:db8:1:2:3::4"), address("2001:db8:1:2:ffff::1")
    assert first == second != address("2001:db8:1:3::4")
    assert address("::ffff:192.0.2.7") == "192.0.2.7"


def test_a_socket_of_this_machine_has_none() -> None:
    assert address("") == ""
