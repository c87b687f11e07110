"""Pictures shrunk a few rows at a time."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from events import shrinking


@pytest.mark.parametrize("ratio", [1.05, 1.6, 2, 2.5, 6])
def test_strips_leave_no_seams(ratio: float) -> None:
    rows = np.linspace(0, 255, 1600, dtype=np.uint8)
    height = round(1600 / ratio)
    picture = Image.fromarray(np.repeat(rows, 160 * 3).reshape(1600, 160, 3))
    small = shrinking.in_strips(
        picture.size, (round(160 / ratio), height), lambda top, end: picture.crop((0, top, 160, end))
    )
    assert np.abs(small - np.linspace(0, 255, height)[:, None, None]).max() < 4
    assert np.all(np.diff(small[:, 0, 0].astype(int)) >= 0)
