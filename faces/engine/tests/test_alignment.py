"""Crops: turned, sized and placed as the recognisers want them."""

import numpy as np
import pytest

from faces.engine import Box, Detection, RGBArray
from faces.engine.alignment import ARCFACE_TEMPLATE, Matrix, crop, similarity, to_box, to_template


def moved(points: Matrix, degrees: float, size: float, shift: tuple[float, float]) -> Matrix:
    turn = np.radians(degrees)
    matrix = size * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray(points @ matrix.T + shift)


def applied(matrix: Matrix, points: Matrix) -> Matrix:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


@pytest.mark.parametrize("degrees", [0, 17, -90, 180])
@pytest.mark.parametrize("size", [0.2, 1, 30])
def test_landmarks_moved_by_a_similarity_come_back_to_the_template(degrees: float, size: float) -> None:
    landmarks = moved(ARCFACE_TEMPLATE, degrees, size, (300, -40))
    matrix = to_template([(x, y) for x, y in landmarks])
    assert np.allclose(applied(matrix, landmarks), ARCFACE_TEMPLATE)


def test_a_smaller_scale_shows_more_around_the_same_centre() -> None:
    matrix = to_template([(x, y) for x, y in ARCFACE_TEMPLATE], 0.5)
    assert np.allclose(applied(matrix, np.array([[56, 56], [0, 112]])), [[56, 56], [28, 84]])


def test_a_mirrored_face_is_not_mirrored_back() -> None:
    matrix = similarity(ARCFACE_TEMPLATE * [-1, 1], ARCFACE_TEMPLATE)
    assert np.linalg.det(matrix[:, :2]) > 0


def test_similarity_is_the_least_squares_one() -> None:
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))

    def error(matrix: Matrix) -> float:
        return float(((applied(matrix, source) - target) ** 2).sum())

    best = similarity(source, target)
    for nudge in rng.normal(scale=1e-3, size=(50, 4)):
        a, b, x, y = nudge
        assert error(best + np.array([[a, -b, x], [b, a, y]])) > error(best)


def test_box_fills_the_crop_but_for_its_margin() -> None:
    matrix = to_box(Detection(Box(100, 200, 50, 80), (), 1.0), 0.2, 160)
    corners = applied(matrix, np.array([[95.0, 192.0], [155.0, 288.0], [125.0, 240.0]]))
    assert np.allclose(corners, [[0, 0], [160, 160], [80, 80]])


def test_box_is_turned_until_the_eyes_are_level() -> None:
    eyes = np.array([[110.0, 225.0], [140.0, 245.0]])
    matrix = to_box(Detection(Box(100, 200, 50, 80), ((110, 225), (140, 245)), 1.0), 0.2, 160)
    right_eye, left_eye = applied(matrix, eyes)
    assert right_eye[1] == pytest.approx(left_eye[1])
    assert right_eye[0] < left_eye[0]
    assert np.allclose(applied(matrix, np.array([[125.0, 240.0]])), 80)


def checked(side: int, squares: int) -> RGBArray:
    rows, columns = np.indices((side, side)) * squares // side
    return np.repeat((((rows + columns) % 2) * 255).astype(np.uint8)[:, :, None], 3, axis=2)


def test_a_large_picture_is_averaged_not_sampled() -> None:
    fine = checked(2240, 1120)  # squares of two pixels: nothing but grey at a twentieth of the size
    matrix = np.array([[0.05, 0, 0], [0, 0.05, 0]])
    cut = crop(fine, matrix, 112)
    assert np.abs(cut[2:-2, 2:-2].astype(int) - 128).max() < 12


@pytest.mark.parametrize("growth", [2.3, 5, 10])
def test_shrinking_first_does_not_move_the_crop(growth: float) -> None:
    columns, rows = np.arange(1600)[None, :], np.arange(1599)[:, None]
    waves = 127 + 50 * np.sin(columns / 40) + 50 * np.sin(rows / 55)
    picture = np.repeat(waves.astype(np.uint8)[:, :, None], 3, axis=2)
    cut = crop(picture, np.array([[1 / growth, 0, -3.3], [0, 1 / growth, -7.7]]), 112)[2:-2, 2:-2, 0]
    x, y = (np.arange(2, 110) + 3.3) * growth, (np.arange(2, 110) + 7.7) * growth
    expected = 127 + 50 * np.sin(x / 40)[None, :] + 50 * np.sin(y / 55)[:, None]
    off = cut - expected
    assert np.abs(off).mean() < 3
    off -= off.mean()  # a shade, not a shift
    for axis in (0, 1):
        slope = np.gradient(expected, axis=axis)
        assert abs((off * slope).sum() / (slope**2).sum()) < 0.05  # of a pixel of the crop


def test_what_is_outside_of_the_picture_is_black() -> None:
    white = np.full((100, 100, 3), 255, np.uint8)
    cut = crop(white, np.array([[1.0, 0, 50], [0, 1.0, 50]]), 112)
    assert cut[:49, :49].max() == 0
    assert cut[51:, 51:].min() == 255
    assert crop(white, np.array([[0.1, 0, 500], [0, 0.1, 500]]), 112).max() == 0
