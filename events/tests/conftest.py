"""Fixtures of this app's tests."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.storage import default_storage


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest) -> Any:
    """The storage of the photos, each kind in turn."""
    if request.param == "s3":
        request.getfixturevalue("s3")
    return default_storage
