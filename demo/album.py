"""What is in the demo event: every photo, who is in it, and how it was taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from demo.portraits import PORTRAITS

SLUG = "demo"
NAME = "Demo City Marathon"
ORGANISER = "Demo City Runners"
CONTACT = "photos@example.org"
DATE = date(2026, 5, 3)
START = datetime(2026, 5, 3, 7, 30, tzinfo=UTC)
BETWEEN_PHOTOS = timedelta(minutes=7, seconds=13)

EXTENSIONS = {"JPEG": "JPG", "PNG": "PNG", "WEBP": "WEBP", "HEIF": "HEIC"}


@dataclass(frozen=True, slots=True)
class Shot:
    """How one photo is made.

    `layout` names the composition (see `demo/layouts.py`), `portraits` who is in it, from left to right. `size` is
    that of the upright photo, `hour` the scenery's, `zoom` how much of the height a face takes where one person is
    shown alone. `orientation` is the EXIF tag the photo is stored with, its pixels turned accordingly.
    """

    layout: str
    portraits: tuple[str, ...]
    size: tuple[int, int]
    hour: str = "morning"
    light: str = "plain"
    zoom: float = 0.45
    tilt: float = 0
    blur: float = 0
    orientation: int = 1
    file_format: str = "JPEG"
    text: str = ""


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo of the event: its name, its place in the day, how it is made, and the truth about it."""

    number: int
    shot: Shot

    @property
    def file_name(self) -> str:
        return f"CITY-{self.number:04}.{EXTENSIONS[self.shot.file_format]}"

    @property
    def taken_at(self) -> datetime:
        return START + (self.number - 1) * BETWEEN_PHOTOS

    @property
    def people(self) -> frozenset[str]:
        return frozenset(PORTRAITS[name].person for name in self.shot.portraits)


ARDERN, SUNAK, BIDEN, MACRON = "person_b_1", "impostor_2", "biden", "person_a_2"
EVERYBODY = (ARDERN, "obama", SUNAK, MACRON, BIDEN)

SHOTS = (
    Shot("course", (), (2400, 1600), "dawn"),
    Shot("course", (), (3000, 2000), "dawn", text="START"),
    Shot("solo", (ARDERN,), (1600, 2000), zoom=0.4, light="warm", tilt=4),
    Shot("lineup", ("obama2", ARDERN, MACRON), (2400, 1600), "dawn"),
    Shot("solo", ("obama",), (1600, 2000), zoom=0.34),
    Shot("wall", (BIDEN, "obama"), (1800, 1350), text="start line"),
    Shot("solo", (SUNAK,), (1920, 1280), zoom=0.44, tilt=-7),
    Shot("strip", (ARDERN, SUNAK, "obama2"), (2000, 1200), text="km 5"),
    Shot("solo", ("person_a_1",), (1000, 1250), zoom=0.42, light="cool"),
    Shot("lineup", EVERYBODY, (4000, 2600), "morning"),
    Shot("solo", ("obama_partial_face2",), (1400, 1800), zoom=0.36),
    Shot("course", (), (2000, 1333), "morning"),
    Shot("solo", (BIDEN,), (1600, 2400), zoom=0.24, tilt=3, orientation=6),
    Shot("lineup", (ARDERN,), (1600, 2000), "morning", tilt=-5),
    Shot("podium", ("obama", ARDERN, MACRON), (2400, 1600), "noon", text="km 10"),
    Shot("solo", ("32bit",), (1100, 1300), zoom=0.38, file_format="PNG"),
    Shot("solo", (MACRON,), (1600, 2000), zoom=0.46, light="bright"),
    Shot("wall", (ARDERN, "obama3", SUNAK, "person_a_1"), (3000, 1400), text="half way"),
    Shot("solo", ("obama3",), (1920, 1280), zoom=0.26, tilt=8),
    Shot("lineup", (BIDEN, SUNAK), (2100, 1400), "noon", light="bright"),
    Shot("solo", (ARDERN,), (1280, 853), zoom=0.55, blur=1.5, light="dark"),
    Shot("strip", ("obama", MACRON), (1600, 1200), text="km 21", orientation=8),
    Shot("course", (), (1600, 2000), "noon", text="KM 30"),
    Shot("solo", (SUNAK,), (1500, 1875), zoom=0.42, light="warm", tilt=11, orientation=3),
    Shot("wall", (MACRON, SUNAK, BIDEN), (2400, 1600), text="km 30"),
    Shot("lineup", ("obama",), (2000, 2500), "noon"),
    Shot("solo", (BIDEN,), (1600, 1600), zoom=0.4, light="cool", tilt=-10),
    Shot("strip", (BIDEN, ARDERN), (1500, 1100), text="km 32", file_format="WEBP"),
    Shot("solo", ("obama_partial_face",), (1300, 1700), zoom=0.34, light="warm"),
    Shot("lineup", ("obama3", BIDEN, ARDERN, SUNAK), (3000, 2000), "noon", tilt=2),
    Shot("solo", ("person_a_1",), (1200, 900), zoom=0.5, tilt=-4),
    Shot("wall", EVERYBODY, (3000, 2000), text="42.195 km"),
    Shot("solo", ("obama2",), (1500, 1950), zoom=0.36, light="dark", tilt=-12, orientation=6),
    Shot("podium", (SUNAK, BIDEN, "obama3"), (2400, 1600), "dusk", text="FINISH"),
    Shot("course", (), (2400, 1600), "dusk", text="FINISH"),
    Shot("lineup", (MACRON, ARDERN), (2000, 2000), "dusk", light="warm"),
    Shot("solo", (ARDERN,), (960, 640), zoom=0.42, tilt=-6, file_format="HEIF"),
    Shot("strip", ("obama", SUNAK, BIDEN, ARDERN), (1400, 600), text="finishers"),
    Shot("lineup", (SUNAK,), (1400, 1750), "dusk"),
    Shot("solo", ("obama",), (1000, 1000), zoom=0.5, blur=2, light="bright"),
    Shot("lineup", (MACRON, "obama2"), (2400, 1800), "dusk"),
    Shot("course", (), (1800, 1200), "dusk"),
)

ALBUM = tuple(Photo(number, shot) for number, shot in enumerate(SHOTS, 1))

COVER = ALBUM[1]
"""Of the event's page: the start, without people."""

LATE_PHOTO = Photo(len(ALBUM) + 1, Shot("solo", ("obama",), (1800, 1200), "dusk", zoom=0.5, tilt=5))
"""Comes while the site runs, and is removed again; of the person of the first selfie."""

TRUTH = {photo.file_name: photo.people for photo in ALBUM}
"""Who is in each photo, by its file name."""
