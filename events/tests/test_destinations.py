"""Webhooks reach the public internet, and nothing of our own network, whatever their address is made to look like."""

from __future__ import annotations

import datetime
import socket
import ssl
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from events.destinations import AddressError, Destination, is_public
from events.sending import Line
from events.tests.receiver import receiving

if TYPE_CHECKING:
    from http.server import ThreadingHTTPServer
    from pathlib import Path

    from pytest_django.fixtures import Settings

PUBLIC = ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34")

PRIVATE = (
    *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),  # noqa: S104  # no server
    *("255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "198.18.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%lo", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1"),
    # IPv4 inside IPv6, in each of its ways.
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::10.0.0.1"),
    *("64:ff9b:1::10.0.0.1", "2002:7f00:1::", "2002:a00:1::1", "2001:0:a00:1::1"),
)


@pytest.mark.parametrize(("addresses", "expected"), [(PUBLIC, True), (PRIVATE, False)], ids=["public", "private"])
def test_only_what_is_public_is_public(addresses: tuple[str, ...], *, expected: bool) -> None:
    assert [address for address in addresses if is_public(address) is not expected] == []


def test_hosts_that_are_machines_of_ours_are_refused_however_they_are_written() -> None:
    hosts = ("localhost", "127.0.0.1", "127.1", "0x7f.1", "2130706433", "017700000001", "0", "[::1]", "[::ffff:7f00:1]")
    for host in hosts:
        with pytest.raises(AddressError):
            Destination.parse(f"https://{host}/").addresses()


REFUSED = (
    "http://client.example/",
    "ftp://client.example/",
    "file:///etc/passwd",
    "//client.example/",
    "client.example",
    "https://",
    "https:///path",
    "https://user@client.example/",
    "https://user:password@client.example/",
    "https://client.example@127.0.0.1/",
    "https://client.example:99999/",
    "https://client.example:port/",
    "",
)


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_that_may_not_be_used_is_refused_with_a_sentence(address: str) -> None:
    with pytest.raises(AddressError, match=r"^.+\.$"):
        Destination.parse(address)


def test_an_address_is_taken_to_its_parts() -> None:
    assert Destination.parse("https://Client.Example:8443/a b?c=d#e") == Destination(
        "https", "client.example", 8443, "/a%20b?c=d"
    )
    assert Destination.parse("https://client.example").host_header == "client.example"
    assert Destination.parse("https://client.example:8443").host_header == "client.example:8443"
    assert Destination.parse("https://[2606:2800::1]/").host_header == "[2606:2800::1]"


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names stand for; a name with several addresses stands for all of them."""
    names: dict[str, list[str]] = {}
    numbers = socket.getaddrinfo

    def look_up(host: str, port: int, *args: Any, **_: Any) -> list[Any]:
        if host not in names:
            return numbers(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in names[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


def test_a_name_that_also_stands_for_a_private_address_is_refused(names: dict[str, list[str]]) -> None:
    names["client.example"] = ["93.184.216.34"]
    destination = Destination.parse("https://client.example/")
    assert destination.addresses() == ["93.184.216.34"]
    names["client.example"] += ["10.0.0.1"]
    answer = Line("https://client.example/").post(b"{}", {})
    assert (answer.status, answer.problem) == (None, "The host is in a private network.")


def test_an_unknown_name_is_a_problem_in_words(names: dict[str, list[str]]) -> None:
    for host in ("nowhere.example", "a" * 70 + ".example"):
        assert Line(f"https://{host}/").post(b"{}", {}).problem == "The name of the host is not known."


def certificate_of(name: str, folder: Path) -> Path:
    """Write a certificate that this name signed for itself, with its key; return the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / f"{name}.pem"
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file


def test_the_connection_goes_to_the_address_that_was_checked_and_asks_for_the_name(
    names: dict[str, list[str]], tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    file = certificate_of("client.example", tmp_path)
    asked: list[str] = []

    def encrypt(server: ThreadingHTTPServer) -> str:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        context.sni_callback = lambda _, name, __: asked.append(name)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        return "https"

    names |= {"client.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]}
    with receiving(encrypt) as receiver:
        address = receiver.address.replace("127.0.0.1", "client.example")
        assert "certificate is not valid" in Line(address).post(b"{}", {}).problem, "nobody vouches for it"
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        with Line(address) as line:
            assert line.post(b"{}", {}).status == 200
        assert asked[-1] == "client.example"
        assert receiver.headers[-1]["host"] in address
        other = address.replace("client.example", "other.example")
        assert "certificate is not valid" in Line(other).post(b"{}", {}).problem, "it is another's"
        assert len(receiver.heard) == 1


def test_a_receiver_without_https_is_a_problem_in_words(settings: Settings) -> None:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    with receiving() as receiver:
        address = receiver.address.replace("http:", "https:")
        assert Line(address).post(b"{}", {}).problem == "It does not speak HTTPS."


def test_plain_http_and_private_networks_are_for_trying_out(settings: Settings) -> None:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    assert Destination.parse("http://127.0.0.1:9000/").addresses() == ["127.0.0.1"]
