"""Sends messages to one address over a connection that is kept open."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from threading import Event, Timer
from typing import TYPE_CHECKING, Self

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError

from events.destinations import AddressError, Destination

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = 10.0
"""For everything between the connection and the end of the answer, however slowly that drips. To look up the name takes
as long as the resolver of the machine allows."""

STEP = 5.0
"""Seconds for one step of it: the connection, its encryption, a piece of the answer."""

MOST_READ = 4096
"""Bytes of an answer; who says more is hung up on."""

TROUBLE = (OSError, HTTPException, HTTPError)
"""What the socket, Python's client and urllib3 raise where there is no answer."""

TOO_LATE = (TimeoutError, ConnectTimeoutError, ReadTimeoutError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status code, None without an answer; and what is wrong, empty where it is a success."""

    status: int | None
    problem: str = ""


class Line:
    """A connection to an address: made when it is needed, and again where the other side has hung up."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connection: HTTPConnection | None = None
        self._socket: socket.socket | None = None
        self._late = Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self._hang_up()

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a message, and return what came of it; redirects are not followed."""
        self._late.clear()
        timer = Timer(SECONDS, self._cut)
        # A process that ends need not wait for it.
        timer.daemon = True
        timer.start()
        try:
            return _judged(self._exchange(Destination.parse(self._address), body, headers))
        except AddressError as error:
            return Answer(None, str(error))
        except TROUBLE as error:
            self._hang_up()
            return Answer(None, _in_words(TimeoutError() if self._late.is_set() else error))
        finally:
            timer.cancel()

    def _exchange(self, destination: Destination, body: bytes, headers: Mapping[str, str]) -> int:
        connection = self._connected(destination)
        if self._late.is_set():
            raise TimeoutError
        all_headers = {"Host": destination.host_header, **headers}
        connection.request("POST", destination.target, body, all_headers, preload_content=False)
        response = connection.getresponse()
        read = response.read(MOST_READ + 1, decode_content=False)
        if len(read) > MOST_READ or connection.is_closed:
            self._hang_up()
        return response.status

    def _connected(self, destination: Destination) -> HTTPConnection:
        if self._connection and not self._connection.is_connected:
            self._hang_up()
        if self._connection is None:
            self._connection = _connect(destination)
            self._socket = self._connection.sock
        return self._connection

    def _hang_up(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = self._socket = None

    def _cut(self) -> None:
        """End the exchange, whatever it waits for."""
        self._late.set()
        if self._socket:
            with suppress(OSError):
                # The socket's own: the encrypted one's would pull the rug from under the thread that reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _connect(destination: Destination) -> HTTPConnection:
    """Connect to the first of the addresses that answers; each was checked, and none is looked up again."""
    trouble: Exception = TimeoutError()
    for address in destination.addresses():
        connection = _connection(destination, address)
        try:
            connection.connect()
        except TROUBLE as error:
            connection.close()
            trouble = error
        else:
            return connection
    raise trouble


def _connection(destination: Destination, address: str) -> HTTPConnection:
    if destination.scheme == "http":
        return HTTPConnection(address, destination.port, timeout=STEP)
    # The certificate must be that of the name, not of the address.
    return HTTPSConnection(
        address, destination.port, timeout=STEP, cert_reqs="CERT_REQUIRED", server_hostname=destination.host
    )


def _judged(status: int) -> Answer:
    if 200 <= status < 300:
        return Answer(status)
    if 300 <= status < 400:
        return Answer(status, f"It answered {status}: redirects are not followed. Use the address that it leads to.")
    return Answer(status, f"It answered {status}{_phrase(status)}.")


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""


def _in_words(error: Exception) -> str:
    # Before the one that it is a kind of.
    if isinstance(error, NewConnectionError):
        return "Nobody answers at this address."
    if isinstance(error, TOO_LATE):
        return f"No answer within {SECONDS:.0f} seconds."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"Its certificate is not valid: {error.verify_message}."[:300]
    if isinstance(error, ssl.SSLError):
        return "It does not speak HTTPS."
    return "The connection broke before there was an answer."
