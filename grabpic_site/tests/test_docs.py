"""The API's documentation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from drf_spectacular.validation import validate_schema

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
def test_redoc_may_not_fetch_its_makers_logo(client: Client) -> None:
    assert "img-src 'self' data:;" in client.get("/redoc").content.decode()


@pytest.mark.django_db
def test_every_answer_of_every_operation_has_an_example(client: Client) -> None:
    paths = client.get("/api/schema?format=json").json()["paths"]
    answers = {
        f"{operation['operationId']} {status} {kind}": content
        for operations in paths.values()
        for operation in operations.values()
        for status, response in operation["responses"].items()
        for kind, content in response.get("content", {}).items()
    }
    assert "upload 413 application/json" in answers
    assert "health 500 application/json" in answers
    assert not [name for name, content in answers.items() if name.endswith("json") and not content.get("examples")]
