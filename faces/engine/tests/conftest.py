"""A DeepFace home of the test run's own, with the weights that need no download."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from faces import engine as engines


@pytest.fixture(scope="session")
def deepface_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder that DEEPFACE_HOME names; DeepFace runs on ONNX Runtime, and never fetches a file."""
    from faces.engine.deepface_engine import install_packaged_weights

    home = tmp_path_factory.mktemp("deepface")
    install_packaged_weights(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPFACE_HOME", str(home))
        patch.setenv("DEEPFACE_BACKEND_ENGINE", "onnx")
        patch.setattr(engines, "_engines", {})
        from deepface.commons import weight_utils

        patch.setattr(weight_utils, "ensure_source_is_reachable", _refuse)
        yield home


def _refuse(url: str) -> None:
    raise ConnectionError(f"the tests have no network for {url}")
