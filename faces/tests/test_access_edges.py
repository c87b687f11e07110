"""Where access could leak or lead astray: codes in sessions and addresses, caches, covers, and clocks."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from events.models import Event
from faces.models import Face
from faces.tests.galleries import open_gallery
from faces.tests.test_access import content, photo, publish, text

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

Access = Event.Access
EVENT = "/events/city-run/"
CODE = "ABCD-2345"


def open_red(client: Client, event: Event) -> None:
    open_gallery(client, event, [Face.objects.get(image_faces__image__file_name="red.png", event=event).cover_id or 0])


def entry(client: Client, address: str) -> str:
    """Return the form that asks for a code."""
    return form_of(text(client, address))


def form_of(page: str) -> str:
    return page.partition('<form class="entry')[2].partition("</form>")[0]


class TestCode:
    @pytest.fixture(autouse=True)
    def _code(self, run: Event) -> None:
        publish(run, Access.CODE, access_code=CODE)

    def test_is_kept_without_what_was_typed_around_it(self, client: Client, run: Event) -> None:
        client.post(EVENT + "code/", {"code": " - " * 10_000 + "abcd2345"})
        assert client.session["codes"] == {str(run.pk): CODE}

    def test_that_is_changed_closes_photos_by_their_addresses_too(self, client: Client, run: Event) -> None:
        client.post(EVENT + "code/", {"code": CODE})
        open_red(client, run)
        assert client.get(photo(run, "preview")).status_code == 200
        publish(run, Access.CODE, access_code="WXYZ-2345")
        assert client.get(photo(run, "preview")).status_code == 404
        client.post(EVENT + "code/", {"code": "WXYZ-2345"})
        assert client.get(photo(run, "preview")).status_code == 200

    def test_that_nobody_asks_for_any_more_is_not_looked_at(self, client: Client, run: Event) -> None:
        publish(run, Access.SELFIE)
        assert client.get(f"{EVENT}?code={CODE}").status_code == 200
        assert "sessionid" not in client.cookies

    def test_that_is_wrong_in_the_address_is_said_to_be_wrong(self, client: Client, run: Event) -> None:
        assert 'role="alert"' not in text(client, EVENT)
        assert 'role="alert"' in text(client, EVENT + "?code=WXYZ-2345")

    def test_leads_to_the_page_that_asked_for_it(self, client: Client, run: Event) -> None:
        wanted = f"{EVENT}my/{uuid.uuid4()}/"
        assert f'name="next" value="{wanted}"' in entry(client, wanted)
        wrong = client.post(EVENT + "code/", {"code": "WXYZ-2345", "next": wanted})
        assert f'name="next" value="{wanted}"' in form_of(wrong.content.decode())
        assert client.post(EVENT + "code/", {"code": CODE, "next": wanted})["Location"] == wanted

    @pytest.mark.parametrize(
        "wanted", ["https://evil.example/", "//evil.example/events/city-run/", "/events/other-run/", "/\\evil.example"]
    )
    def test_leads_nowhere_else(self, client: Client, run: Event, wanted: str) -> None:
        assert client.post(EVENT + "code/", {"code": CODE, "next": wanted})["Location"] == EVENT

    def test_is_asked_for_by_a_form_after_a_post_that_leads_to_the_event(self, client: Client, run: Event) -> None:
        refused = client.post(EVENT + "download/")
        assert refused.status_code == 403
        form = form_of(refused.content.decode())
        assert 'name="code"' in form
        assert 'name="next"' not in form

    def test_can_be_sent_from_a_personal_link(self, client: Client, run: Event) -> None:
        """Without a referrer the browser says that the form comes from nowhere, and it is refused as forged."""
        link = f"{EVENT}my/{uuid.uuid4()}/"
        assert client.get(link)["Referrer-Policy"] == "same-origin"
        client.post(EVENT + "code/", {"code": CODE})
        assert client.get(link)["Referrer-Policy"] == "no-referrer"

    @pytest.mark.parametrize(
        "page", ["", "photos/", "gallery/asked/1/", "?code=abcd2345", "gallery/asked/1/?code=abcd2345"]
    )
    def test_leaves_no_answer_behind_in_a_cache(self, client: Client, run: Event, page: str) -> None:
        kept = client.get(EVENT + page)["Cache-Control"]
        assert "no-store" in kept
        assert "max-age=0" in kept


class TestCover:
    @pytest.fixture(autouse=True)
    def _cover(self, run: Event) -> None:
        publish(run, Access.SELFIE, cover=run.images.get(file_name="empty.png"))

    @pytest.mark.parametrize(
        "window",
        [{"opens_at": timezone.now() + timedelta(days=3)}, {"closes_at": timezone.now() - timedelta(days=3)}],
        ids=["upcoming", "over"],
    )
    def test_is_not_shown_outside_the_window(
        self, client: Client, run: Event, organiser: User, window: dict[str, Any]
    ) -> None:
        publish(run, Access.SELFIE, **window)
        assert client.get(EVENT + "cover/").status_code == 404
        client.force_login(organiser)
        assert client.get(EVENT + "cover/").status_code == 200

    def test_carries_the_watermark_but_for_staff(self, client: Client, run: Event, organiser: User) -> None:
        plain = content(client.get(EVENT + "cover/"))
        publish(run, Access.SELFIE, watermark="City Runners")
        assert content(client.get(EVENT + "cover/")) != plain
        client.force_login(organiser)
        assert content(client.get(EVENT + "cover/")) == plain


@pytest.mark.parametrize(
    ("window", "words", "german"),
    [
        ({"opens_at": datetime(2099, 5, 1, 8, tzinfo=UTC)}, "1 May 2099, 10:00 CEST", "1. Mai 2099, 10:00 Uhr ("),
        (
            {"closes_at": datetime(2020, 5, 1, 22, tzinfo=UTC)},
            "2 May 2020, 00:00 CEST",
            "2. Mai 2020, 00:00 Uhr (",
        ),
    ],
    ids=["upcoming", "over"],
)
def test_a_closed_page_says_which_clock_it_means(
    client: Client, event: Event, window: dict[str, Any], words: str, german: str
) -> None:
    publish(event, Access.SELFIE, **window)
    with timezone.override("Europe/Berlin"):
        assert words in text(client, EVENT)
        assert german in client.get(EVENT, headers={"Accept-Language": "de"}).content.decode()
