"""How the log looks, and what must not get into it.

One record is one line of JSON, or text for people. Nothing in it leads to a person: addresses of pages are written as
their route, for links of visitors and tokens are parts of addresses; and what the database quotes of a row is left out,
for vectors and names are in rows.
"""

from __future__ import annotations

import logging
import re
from copy import copy
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest
from pythonjsonlogger.json import JsonFormatter

from events import request_ids

if TYPE_CHECKING:
    from types import TracebackType

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

OURS = ("access", "events", "faces", "benchmarks", "demo", "grabpic_site")
"""The loggers that LOG_LEVEL=DEBUG is for. Libraries would write down what they send: keys, vectors, statements."""

UNKNOWN_ROUTE = "-"

_QUOTED = re.compile(r"^(DETAIL|CONTEXT|QUERY|LINE \d+): .*(\n +\^.*)?$", re.MULTILINE)
"""What PostgreSQL adds to an error: the row that failed, or a part of the statement with a mark below it."""

LEFT_OUT = r"\1: (left out)"

_CLIENT = re.compile(r"\bip=\S+")


LEVELS: tuple[str, ...] = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

FORMATTERS: dict[str, str] = {"json": "grabpic_site.logs.JsonLines", "text": "grabpic_site.logs.TextLines"}


def configuration(level: str, log_format: str) -> dict[str, Any]:
    """Return the configuration of `logging` for lines of this format (see `FORMATTERS`) to standard error."""
    quiet = level if level != "DEBUG" else "INFO"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": FORMATTERS[log_format]}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["console"], "level": quiet},
        "loggers": {name: {"level": level} for name in OURS} | _others(quiet),
    }


def _others(level: str) -> dict[str, dict[str, Any]]:
    return {
        # Nothing is mailed to anybody.
        "django": {"handlers": [], "level": level},
        # The line of each request says what was refused.
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "django.server": {"handlers": [], "level": "ERROR", "propagate": True},
        "gunicorn.error": {"handlers": [], "level": level, "propagate": True},
        # Else there are several lines for each photo.
        "procrastinate": {"level": "WARNING"},
    }


def route_of(request: HttpRequest) -> str:
    """Return the pattern of the address, such as `events/<slug:slug>/`; `-` where it leads nowhere."""
    match = request.resolver_match
    if match is not None:
        return match.route or "/"
    static = settings.STATIC_URL
    return f"{static.strip('/')}/<path>" if request.path.startswith(static) else UNKNOWN_ROUTE


def discreet(record: logging.LogRecord) -> logging.LogRecord:
    """Return a copy with the route in place of the path, which Django and gunicorn write, and without addresses."""
    record = copy(record)
    # Another formatter may have kept its own, whole one here.
    record.exc_text = None
    if number := request_ids.current():
        record.request_id = number
    from_server = record.name.startswith("gunicorn.")
    request = record.__dict__.pop("request", None)
    if isinstance(record.args, tuple) and (from_server or isinstance(request, HttpRequest)):
        route = route_of(request) if request else UNKNOWN_ROUTE
        record.args = tuple(route if isinstance(arg, str) and arg.startswith("/") else arg for arg in record.args)
    message = _QUOTED.sub(LEFT_OUT, record.getMessage())
    record.msg, record.args = _CLIENT.sub("ip=-", message) if from_server else message, ()
    return record


class JsonLines(JsonFormatter):
    """A JSON object per line: time, level, logger, message, request_id, traceback, and the fields of `extra`."""

    def __init__(self) -> None:
        super().__init__(
            "{levelname}{name}{message}",
            style="{",
            timestamp="time",
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "traceback"},
            json_ensure_ascii=False,
        )

    def format(self, record: logging.LogRecord) -> str:
        return super().format(discreet(record))

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802  # logging's name
        return _QUOTED.sub(LEFT_OUT, str(super().formatException(ei)))


class TextLines(logging.Formatter):
    """Lines for people, with the number of the request at their end."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name}: {message}{number}", style="{")

    def format(self, record: logging.LogRecord) -> str:
        record = discreet(record)
        # What comes from a client may have line breaks in it, and must not look like a line of ours.
        record.msg = record.msg.replace("\r", "\n").replace("\n", "\n    ")
        number = getattr(record, "request_id", "")
        record.number = f" [{number}]" if number else ""
        return super().format(record)

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802  # logging's name
        return _QUOTED.sub(LEFT_OUT, super().formatException(ei))
