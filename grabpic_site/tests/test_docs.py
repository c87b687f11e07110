"""The API's documentation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from drf_spectacular.validation import validate_schema

from grabpic_site import documentation

if TYPE_CHECKING:
    from django.test import Client

PATHS = {
    "/api/v1/health",
    "/api/v1/health/ready",
    "/api/v1/upload",
    "/api/v1/ingest",
    "/api/v1/events/{slug}/progress",
    "/api/v1/events/{slug}/retry",
    "/api/v1/events/{slug}/known",
    "/api/v1/events",
    "/api/v1/events/{slug}",
    "/api/v1/images",
    "/api/v1/images/{image_id}",
    "/api/v1/faces",
    "/api/v1/faces/{grab_id}",
    "/api/v1/faces/{grab_id}/merge",
    "/api/v1/image-faces",
    "/api/v1/image-faces/{id}",
    "/api/v1/image-faces/{id}/move",
    "/api/v1/image-faces/{id}/remove",
    "/api/v1/auth/selfie",
    "/api/v1/users/{grab_id}/images",
    "/api/v1/storage/{key}",
}


@pytest.mark.django_db
def test_the_schema_is_valid_and_complete(client: Client) -> None:
    schema = client.get("/api/schema?format=json").json()
    validate_schema(schema)  # type: ignore[no-untyped-call]
    assert set(schema["paths"]) >= PATHS
    assert set(schema["components"]["securitySchemes"]) == {"apiKey", "cookieAuth", "galleryToken"}


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_pages_work_without_a_cdn(client: Client, page: str) -> None:
    html = client.get(page).content.decode()
    assert "/static/drf_spectacular_sidecar/" in html
    assert not re.search(r'(src|href)="https?://', html)


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_pages_load_nothing_from_elsewhere_and_run_nothing_inline(client: Client, page: str) -> None:
    answer = client.get(page)
    assert "http" not in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert not re.search(r"<style|<script>| style=", answer.content.decode())


@pytest.mark.django_db
def test_the_document_is_written_once_and_sent_to_who_lacks_it(client: Client) -> None:
    documentation.document.cache_clear()
    first, second = (client.get(f"/api/schema?format=json&lang={language}") for language in ("en", "de"))
    assert first.json() == second.json()
    assert documentation.document.cache_info().misses == 1
    yaml = client.get("/api/schema")
    assert (yaml["Content-Type"], yaml.content[:8]) == ("application/vnd.oai.openapi; charset=utf-8", b"openapi:")
    assert (first["Content-Disposition"], "Accept" in first["Vary"]) == ('inline; filename="Grabpic.json"', True)
    assert first["ETag"] != yaml["ETag"]
    known = client.get("/api/schema", headers={"If-None-Match": yaml["ETag"]})
    assert (known.status_code, known.content) == (304, b"")
