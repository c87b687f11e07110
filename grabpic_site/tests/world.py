"""Events of every access with people in their photos, for the table of who may do what; and what betrays each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

from django.core.files.storage import default_storage
from django.utils import timezone

from conftest import BLUE, GREEN, RED, paint_photo
from events import ingest
from events.models import Event, Image
from faces import corrections, crops, pipeline
from faces.models import Consent, Face, ImageFace, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.contrib.auth.models import User

    from grabpic_site.tests.asking import Answer

YELLOW = (220, 220, 0)
COLOURS = {"ada": RED, "may": BLUE, "bob": GREEN, "hid": YELLOW, "eve": RED}
"""Ada is who asks; May only may be she; Bob is a stranger to her; Hid was hidden by staff; Eve is in another event."""

MODES = {mode.value: mode for mode in Event.Access}
ELSEWHERE = "elsewhere"
CODE = "ABCD-2345"


@dataclass(frozen=True, slots=True)
class Person:
    """One person in one photo: what stands in addresses, and what betrays them in an answer."""

    pk: int
    grab_id: UUID
    witness: int
    image: int
    image_id: UUID
    file: str
    preview: str
    thumbnail: str
    sha256: str
    words: tuple[bytes, ...]
    files: tuple[bytes, ...]

    @classmethod
    def called(cls, word: str) -> Person:
        """Return the person whose name, and whose photo's, is this word."""
        face = ImageFace.objects.select_related("face", "image").get(face__name=word)
        person, image = face.face, face.image
        assert person is not None
        file, preview, thumbnail = (image.key_of(rendition) for rendition in Image.Rendition)
        words = tuple(str(each).encode() for each in (word, person.grab_id, image.image_id, image.sha256))
        files = (*map(content_of, (file, preview, thumbnail)), crops.crop(face))
        keys = (file, preview, thumbnail, image.sha256)
        return cls(person.pk, person.grab_id, face.pk, image.pk, image.image_id, *keys, words=words, files=files)


def content_of(key: str) -> bytes:
    with default_storage.open(key) as file:
        content: bytes = file.read()
    return content


@dataclass(frozen=True, slots=True)
class Place:
    """An event: its people, and everything that an address or a form of the table can name."""

    event: Event
    people: dict[str, Person]
    names: dict[str, Any]

    def fill(self, text: str) -> str:
        return text.format_map(self.names)

    def shown_by(self, answer: Answer) -> Iterator[str]:
        """Yield whom an answer shows."""
        for name, person in self.people.items():
            if any(answer.shows(mark) for mark in (person.words if answer.is_text else person.files)):
                yield name


def make_place(slug: str, access: Event.Access, names: Iterable[str], by: User) -> Place:
    """Make an event with a photo of each of these people, and a cover with nobody; staff named them, and hid Hid."""
    code = "WXYZ-6789" if slug == ELSEWHERE else CODE
    event = Event.objects.create(
        slug=f"{slug}-run",
        name=f"Marathon of {slug}",
        access=access,
        access_code=code,
        engine="fake",
    )
    # Of another shade in each event, so that its files are its own.
    shade = 100 + Event.objects.count()
    for name in names:
        ingest.add(event, paint_photo(COLOURS[name], shade=shade), f"{name}-of-{slug}.png")
    ingest.add(event, paint_photo(shade=shade), f"cover-of-{slug}.png")
    pipeline.ingest(event)
    Event.objects.filter(pk=event.pk).update(cover=event.images.get(file_name__startswith="cover"))
    event.refresh_from_db()
    people = {name: _named(event, f"{name}-of-{slug}", by) for name in names}
    broken = Image.objects.create(
        event=event, file_name="broken.png", storage_key=slug, sha256=slug, width=9, height=9, state=Image.State.FAILED
    )
    names = {"event": event, "slug": event.slug, "confirm": quote(event.name), "broken": broken}
    return Place(event, people, names | people)


def _named(event: Event, word: str, by: User) -> Person:
    person = Face.objects.get(event=event, image_faces__image__file_name=f"{word}.png")
    corrections.rename(person, word, by)
    if word.startswith("hid"):
        corrections.hide([person], by)
    return Person.called(word)


def make_visitor(event: Event, sure: Iterable[Person], maybe: Iterable[Person] = ()) -> Visitor:
    """Open a gallery of these people, for somebody who agreed."""
    return Visitor.objects.create(
        event=event,
        consent=Consent.objects.create(event=event, version="1", language="en"),
        sure=[person.witness for person in sure],
        maybe=[person.witness for person in maybe],
        expires_at=timezone.now() + timedelta(hours=1),
    )
