from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.classic import ClassicIdentities
from faces.engine.classic import classic_model

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def _at(degrees: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], np.float32)


def test_only_the_first_face_of_an_identity_counts() -> None:
    identities = ClassicIdentities(2)
    # A cosine distance of 0.4 is 53 degrees: 50 joins 0, but 100 does not, although it is 50 from 50.
    assert [identities.add(_at(degrees)) for degrees in (0, 50, 100)] == [0, 0, 1]


def test_the_nearest_identity_wins() -> None:
    identities = ClassicIdentities(2)
    identities.add(_at(0))
    identities.add(_at(60))
    assert identities.find(_at(40)) == 1
    assert identities.find(_at(200)) is None


def test_nobody_is_known_at_first() -> None:
    assert ClassicIdentities(2).find(_at(0)) is None


def test_there_is_room_for_many() -> None:
    identities = ClassicIdentities(1000)
    assert [identities.add(vector) for vector in np.eye(1000, dtype=np.float32)] == list(range(1000))


def test_the_classic_model_is_deepfaces_own_where_its_weights_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    assert classic_model() == "FacenetPackaged"
    weights = tmp_path / ".deepface" / "weights"
    weights.mkdir(parents=True)
    (weights / "facenet_weights.h5").touch()
    assert classic_model() == "Facenet"
