"""What every engine promises, whatever runs inside."""

import io
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from faces.engine import Box, FaceEngine, RGBArray, get_engine

from .portraits import ARDERN, ARDERN_LATER, BIDEN, OBAMA, OBAMA_LATER, portrait, upright
from .test_fake import paint

REAL = ["facenet+sface", "facenet", "sface", "deepface:SFace/yunet", "deepface:FacenetPackaged/opencv"]
ORIENTATIONS = {
    # EXIF orientation: how the camera held the upright picture
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@dataclass(frozen=True)
class Case:
    """An engine, two persons it can tell apart, and two photos of each."""

    engine: FaceEngine
    first: tuple[RGBArray, RGBArray]
    second: tuple[RGBArray, RGBArray]

    def embed(self, image: RGBArray) -> NDArray[np.float32]:
        """Return the vector of the best face."""
        [row] = self.engine.embed(image, self.engine.detect(image)[:1])
        return np.asarray(row)


@pytest.fixture(scope="module", params=["fake", *(pytest.param(name, marks=pytest.mark.engine) for name in REAL)])
def case(request: pytest.FixtureRequest) -> Case:
    if request.param == "fake":
        return Case(get_engine("fake"), (paint(0), paint(4, quality=80)), (paint(120), paint(124, quality=80)))
    if request.param.startswith("deepface:"):
        request.getfixturevalue("deepface_home")
    ardern, obama = ((ARDERN, ARDERN_LATER), (OBAMA, OBAMA_LATER))
    return Case(
        get_engine(request.param),
        (portrait(*ardern[0]), portrait(*ardern[1])),
        (portrait(*obama[0]), portrait(*obama[1])),
    )


@pytest.fixture(scope="module")
def pair(case: Case) -> RGBArray:
    """Return a picture with both persons, side by side."""
    height = min(case.first[0].shape[0], case.second[0].shape[0])
    return np.hstack([case.first[0][:height], case.second[0][:height]])


def test_engine_is_known_by_the_name_it_was_asked_for(case: Case, request: pytest.FixtureRequest) -> None:
    assert case.engine.name == request.node.callspec.params["case"]
    assert get_engine(case.engine.name) is case.engine


def test_rows_are_unit_float32_of_the_engines_dimension(case: Case, pair: RGBArray) -> None:
    rows = case.engine.embed(pair, case.engine.detect(pair))
    assert rows.dtype == np.float32
    assert rows.shape == (2, case.engine.dimension)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)


def test_rows_keep_the_order_of_the_faces(case: Case, pair: RGBArray) -> None:
    faces = case.engine.detect(pair)
    rows = case.engine.embed(pair, faces)
    assert np.allclose(case.engine.embed(pair, faces[::-1]), rows[::-1], atol=0.02)
    assert rows[0] @ rows[1] < 1 - case.engine.calibration.sure


def test_more_faces_than_a_batch_keep_their_order(case: Case, pair: RGBArray) -> None:
    faces = case.engine.detect(pair)
    many = case.engine.embed(pair, (faces * 17)[:33])
    alone = case.engine.embed(pair, faces)
    assert many.shape == (33, case.engine.dimension)
    assert np.allclose(many, np.vstack([alone] * 17)[:33], atol=0.02)


def test_no_faces_give_no_rows(case: Case, pair: RGBArray) -> None:
    rows = case.engine.embed(pair, [])
    assert rows.shape == (0, case.engine.dimension)
    assert rows.dtype == np.float32


def test_faces_of_many_pictures_follow_each_other(case: Case, pair: RGBArray) -> None:
    pictures = [pair, case.first[0], landscape(), case.second[1]]  # of different sizes, one without a face
    found = [(image, case.engine.detect(image)) for image in pictures]
    rows = case.engine.embed_many(found)
    assert rows.dtype == np.float32
    assert np.allclose(rows, np.vstack([case.engine.embed(image, faces) for image, faces in found]), atol=0.02)


def test_more_faces_than_a_batch_in_many_pictures(case: Case, pair: RGBArray) -> None:
    faces = case.engine.detect(pair)
    rows = case.engine.embed_many([(pair, faces * 7), (pair, faces[:1]), (pair, faces * 3)])
    alone = case.engine.embed(pair, faces)
    assert np.allclose(rows, np.vstack([*[alone] * 7, alone[:1], *[alone] * 3]), atol=0.02)


def test_no_pictures_give_no_rows(case: Case) -> None:
    assert case.engine.embed_many([]).shape == (0, case.engine.dimension)


def test_boxes_lie_inside_the_picture(case: Case) -> None:
    whole = case.first[0]
    face = case.engine.detect(whole)[0].box
    cut = whole[int(face.y + face.height * 0.05) :, int(face.x + face.width * 0.1) :]  # a part is beyond the edge
    for image in (whole, cut):
        faces = case.engine.detect(image)
        assert all(is_inside(face.box, image) for face in faces)
        assert faces or (image is cut and case.engine.name.endswith("/opencv"))  # Haar wants a whole face


def test_best_face_comes_first(case: Case, pair: RGBArray) -> None:
    scores = [face.score for face in case.engine.detect(pair)]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_a_landscape_has_no_face(case: Case) -> None:
    assert case.engine.detect(landscape()) == []


def test_one_person_is_near_and_another_is_far(case: Case) -> None:
    first, again = (case.embed(image) for image in case.first)
    second, later = (case.embed(image) for image in case.second)
    assert 1 - first @ again <= case.engine.calibration.sure
    assert 1 - second @ later <= case.engine.calibration.sure
    assert 1 - first @ second > case.engine.calibration.sure
    assert 1 - again @ later > case.engine.calibration.sure


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_every_exif_orientation_gives_the_same_face(case: Case, orientation: int) -> None:
    stored = as_camera_stores(case.first[0], orientation)
    with Image.open(io.BytesIO(stored)) as image:
        sideways = image.size != (case.first[0].shape[1], case.first[0].shape[0])
    assert sideways == (orientation >= 5)
    turned = upright(stored)
    [expected, found] = [case.engine.detect(image)[0] for image in (case.first[0], turned)]
    assert overlap(expected.box, found.box) > 0.8
    assert 1 - case.embed(case.first[0]) @ case.embed(turned) <= case.engine.calibration.sure


@pytest.mark.engine
@pytest.mark.parametrize("name", ["facenet+sface", "deepface:SFace/yunet"])
def test_landmarks_lie_where_the_person_has_them(name: str, deepface_home: object) -> None:
    [face] = get_engine(name).detect(portrait(*BIDEN))
    right_eye, left_eye, *others = face.landmarks
    assert right_eye[0] < left_eye[0]  # as we see a person: their right eye is on our left
    assert right_eye[1] < face.box.y + face.box.height / 2
    for right_corner, left_corner in zip(others[1::2], others[2::2], strict=True):
        assert right_corner[0] < left_corner[0]
        assert right_corner[1] > others[0][1] > right_eye[1]


def landscape() -> RGBArray:
    """Paint hills under a sky, in colours no engine takes for a face."""
    image = Image.new("RGB", (1200, 800), (185, 205, 225))
    draw = ImageDraw.Draw(image)
    draw.ellipse((-300, 420, 800, 1400), fill=(120, 150, 110))
    draw.ellipse((400, 500, 1700, 1500), fill=(140, 165, 120))
    draw.rectangle((0, 720, 1200, 800), fill=(150, 145, 130))
    return np.asarray(image)


def as_camera_stores(image: RGBArray, orientation: int) -> bytes:
    """Return a JPEG whose pixels lie as the orientation says, with the EXIF tag that turns them upright."""
    stored = Image.fromarray(image)
    if (method := ORIENTATIONS[orientation]) is not None:
        stored = stored.transpose(method)
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    stored.save(file, "JPEG", quality=95, exif=exif)
    return file.getvalue()


def is_inside(box: Box, image: RGBArray) -> bool:
    """Say whether the box has an area and lies in the picture."""
    height, width = image.shape[:2]
    return (
        0 <= box.x < box.x + box.width <= width
        and 0 <= box.y < box.y + box.height <= height
        and min(box.width, box.height) >= 1
    )


def overlap(one: Box, other: Box) -> float:
    """Return intersection over union."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (one.width * one.height + other.width * other.height - shared)
