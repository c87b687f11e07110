"""System checks of settings of our own; every `manage.py` command runs them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.core.exceptions import ImproperlyConfigured

from events.limits import Rate

if TYPE_CHECKING:
    from collections.abc import Iterator


@register(Tags.files)
def check_storage(**kwargs: Any) -> list[CheckMessage]:
    """What the settings of the S3 storage lack. Asks the service itself nothing."""
    return list(_shortcomings())


def _shortcomings() -> Iterator[Error]:
    if not settings.S3_BUCKET:
        if settings.S3_ENDPOINT_URL or settings.S3_REGION:
            yield Error(
                "S3_ENDPOINT_URL or S3_REGION is set, but S3_BUCKET is empty: photos would go to the local disk.",
                hint="Name the bucket in S3_BUCKET, or unset the others.",
                id="grabpic.E004",
            )
        return
    address = urlsplit(settings.S3_ENDPOINT_URL)
    if settings.S3_ENDPOINT_URL and (address.scheme not in {"http", "https"} or not address.hostname):
        yield Error(
            f"S3_ENDPOINT_URL is no address: {settings.S3_ENDPOINT_URL!r}.",
            hint="Write it with its scheme, e.g. https://s3.example.org:9000.",
            id="grabpic.E005",
        )
    # Without a bucket nobody needs boto3, which takes its time to load.
    from events.s3 import has_credentials

    if not has_credentials():
        yield Error(
            "S3_BUCKET is set, but there are no credentials for it.",
            hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or another of boto3's ways.",
            id="grabpic.E006",
        )


@register(Tags.files)
def check_shorter_ways(**kwargs: Any) -> list[CheckMessage]:
    """What would have photos leave by a way that is not there."""
    return list(_dead_ends())


def _dead_ends() -> Iterator[Error]:
    prefix = settings.ACCEL_REDIRECT
    if prefix and (settings.S3_BUCKET or not re.fullmatch(r"/[\w/-]*/", prefix, re.ASCII)):
        yield Error(
            f"ACCEL_REDIRECT={prefix!r} cannot be used: it is a place such as /protected/, for the local disk.",
            hint="See docs/media.md; with a bucket, use S3_SIGNED_URLS.",
            id="grabpic.E012",
        )
    if settings.S3_SIGNED_URLS and not settings.S3_BUCKET:
        yield Error(
            "S3_SIGNED_URLS is set, but S3_BUCKET is empty.",
            hint="Name the bucket in S3_BUCKET, or unset it.",
            id="grabpic.E013",
        )


@register(Tags.security)
def check_retention(**kwargs: Any) -> list[CheckMessage]:
    """What would delete at once what is to be kept for a while."""
    return [
        Error(f"{name} is {days}, so that nothing is kept.", hint="Choose a number of days.", id="grabpic.E007")
        for name in ("RETENTION_DAYS", "AUDIT_DAYS")
        if (days := getattr(settings, name)) < 1
    ]


@register(Tags.security)
def check_limits(**kwargs: Any) -> list[CheckMessage]:
    """What is no limit."""
    return list(_unreadable_limits())


@register(Tags.security, deploy=True)
def check_proxies(**kwargs: Any) -> list[CheckMessage]:
    """Whether everybody passes for the proxy, so that one who asks too often locks all others out."""
    if not settings.HTTPS or settings.TRUSTED_PROXIES:
        return []
    return [
        Caution(
            "HTTPS is set, so there is a proxy, but TRUSTED_PROXIES is 0: all visitors share the allowance of one.",
            hint="Set TRUSTED_PROXIES to the number of proxies of your own.",
            id="grabpic.W010",
        )
    ]


def _unreadable_limits() -> Iterator[Error]:
    for name, text in settings.LIMITS.items():
        try:
            Rate.parse(text)
        except ImproperlyConfigured as error:
            yield Error(f"LIMIT_{name.upper()}: {error}", id="grabpic.E008")
