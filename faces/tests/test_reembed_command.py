"""`manage.py reembed`."""

from __future__ import annotations

import io

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import OperationalError

from events.models import Event, Image
from faces import engine as engines
from faces.engine.fake import FakeEngine


class OtherEngine(FakeEngine):
    name = "other"


@pytest.fixture(autouse=True)
def _other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engines._engines, "other", OtherEngine())


def reembed(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("reembed", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_it_tells_how_far_it_is_and_what_has_become_of_the_people(run: Event) -> None:
    out, err = reembed("city-run", "--engine", "other")
    assert "Faces: 6 of 6" in out
    assert "city-run uses other now. Faces: 6, without a vector: 0. People: 3, of whom 3 keep their grab_id.\n" in out
    assert err == ""
    run.refresh_from_db()
    assert run.engine == "other"


def test_it_tells_which_distances_it_empties(run: Event) -> None:
    Event.objects.update(max_distance=0.25)
    assert (
        "Its own max_distance of 0.25 was for another engine, and is empty now."
        in reembed("city-run", "--engine", "other")[0]
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nowhere", "--engine", "other"), r"There is no event 'nowhere' \(there are: city-run\)"),
        (("city-run", "--engine", "crystal-ball"), "There is no face engine 'crystal-ball'; there are: "),
        (("city-run", "--engine", "fake"), "city-run uses the engine fake already"),
        (("city-run",), "--engine"),
    ],
)
def test_what_cannot_be_done_is_said(run: Event, arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        reembed(*arguments)
    run.refresh_from_db()
    assert run.engine == "fake"


def test_missing_originals_are_named_and_nothing_is_switched(run: Event, capsys: pytest.CaptureFixture[str]) -> None:
    default_storage.delete(Image.objects.get(file_name="all.png").storage_key)
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError, match="3 faces have no vector of other, so nothing was switched"):
        call_command("reembed", "city-run", "--engine", "other", stdout=out, stderr=err)
    assert err.getvalue().startswith("all.png: 3 faces: A stored file is gone")
    run.refresh_from_db()
    assert run.engine == "fake"
    assert "Faces: 3, without a vector: 3." in reembed("city-run", "--engine", "other", "--allow-missing")[0]


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        (ConnectionError("no route to the bucket"), "The storage fails: no route to the bucket\nRun it again"),
        (OperationalError("gone"), "The database does not answer: gone\nRun it again"),
        (KeyboardInterrupt(), "Stopped; nothing was switched. Run it again"),
    ],
)
def test_what_may_pass_is_gone_on_with(
    run: Event, monkeypatch: pytest.MonkeyPatch, trouble: BaseException, sentence: str
) -> None:
    def fail(*args: object) -> None:
        raise trouble

    monkeypatch.setattr(default_storage, "open", fail)
    with pytest.raises(CommandError, match=sentence):
        reembed("city-run", "--engine", "other")
    monkeypatch.undo()
    monkeypatch.setitem(engines._engines, "other", OtherEngine())
    assert "city-run uses other now" in reembed("city-run", "--engine", "other")[0]
