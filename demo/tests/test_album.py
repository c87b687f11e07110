from __future__ import annotations

from collections import Counter

import pytest

from demo.album import ALBUM, LATE_PHOTO, SHOTS, TRUTH, Photo
from demo.layouts import LAYOUTS
from demo.portraits import PORTRAITS, SELFIES


def test_there_are_enough_photos_of_every_kind() -> None:
    assert len(ALBUM) >= 36
    assert sum(not people for people in TRUTH.values()) >= 4
    assert {len(people) for people in TRUTH.values()} == {0, 1, 2, 3, 4, 5}


def test_everybody_is_in_enough_photos() -> None:
    seen = Counter(person for people in TRUTH.values() for person in people)

    assert seen.keys() == {portrait.person for portrait in PORTRAITS.values()}
    assert min(seen.values()) >= 5


def test_what_is_held_back_is_in_no_photo() -> None:
    assert not {name for shot in SHOTS for name in shot.portraits} & set(SELFIES)


def test_every_other_portrait_is_used() -> None:
    assert {name for shot in SHOTS for name in shot.portraits} == PORTRAITS.keys() - set(SELFIES)


@pytest.mark.parametrize("photo", ALBUM, ids=lambda photo: photo.file_name)
def test_a_photo_shows_nobody_twice_and_can_be_made(photo: Photo) -> None:
    assert len(photo.people) == len(photo.shot.portraits)
    assert photo.shot.layout in LAYOUTS
    assert 0.6e6 <= photo.shot.size[0] * photo.shot.size[1] <= 12e6


def test_photos_vary() -> None:
    assert {shot.orientation for shot in SHOTS} == {1, 3, 6, 8}
    assert {shot.file_format for shot in SHOTS} == {"JPEG", "PNG", "WEBP", "HEIF"}
    assert {shot.light for shot in SHOTS} == {"plain", "warm", "cool", "dark", "bright"}
    assert min(shot.tilt for shot in SHOTS) == -12
    assert any(shot.blur for shot in SHOTS)


def test_file_names_and_times_are_all_different() -> None:
    assert len(TRUTH) == len(ALBUM)
    assert len({photo.taken_at for photo in ALBUM}) == len(ALBUM)


def test_the_late_photo_shows_the_person_of_the_first_selfie_and_has_a_name_of_its_own() -> None:
    assert LATE_PHOTO.people == {PORTRAITS[SELFIES[0]].person}
    assert LATE_PHOTO.file_name not in TRUTH
