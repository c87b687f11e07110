"""`manage.py export_person` and `manage.py erase_person`."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from faces import corrections
from faces.models import AuditEntry, Face
from faces.tests.people import add_person
from faces.tests.test_privacy import person_at

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User

    from events.models import Event


def said(command: str, *arguments: Any) -> str:
    out = io.StringIO()
    call_command(command, *map(str, arguments), stdout=out)
    return out.getvalue()


def test_export_writes_a_zip_file(run: Event, tmp_path: Path) -> None:
    path = tmp_path / "ada.zip"
    assert said("export_person", person_at("red.png", 0).grab_id, "--to", path).startswith(f"{path}: ")
    assert "person.json" in zipfile.ZipFile(path).namelist()
    assert list(tmp_path.glob("*.part")) == []
    assert AuditEntry.objects.get().actor == "command line"


def test_export_to_a_folder_that_is_not_there(run: Event, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="could not be written"):
        said("export_person", person_at("red.png", 0).grab_id, "--to", tmp_path / "nowhere" / "ada.zip")


def test_erase_deletes_the_person_and_counts(run: Event) -> None:
    grab_id = person_at("red.png", 0).grab_id
    assert said("erase_person", grab_id, "--yes") == (
        "Erased: 3 faces in 3 photos, 0 galleries; taken out of 0 decisions.\n"
    )
    assert not Face.objects.filter(grab_id=grab_id).exists()
    assert AuditEntry.objects.get().actor == "command line"


@pytest.mark.parametrize("command", ["export_person", "erase_person"])
def test_the_grab_id_of_who_was_merged_works_too(
    command: str, event: Event, staff: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    small, large = add_person(event, 0), add_person(event, 3, 4)
    corrections.merge(event, [small, large], staff)
    options = ["--yes"] if command == "erase_person" else []
    said(command, small.grab_id, *options)
    assert AuditEntry.objects.get(actor="command line").grab_id == large.grab_id


@pytest.mark.parametrize("command", ["export_person", "erase_person"])
@pytest.mark.parametrize("grab_id", ["3934a8fe-35f2-43c8-9f55-0a3532d3970d", "ada"])
def test_nobody_has_this_grab_id(run: Event, command: str, grab_id: str) -> None:
    with pytest.raises(CommandError, match="grab_id") as error:
        said(command, grab_id)
    assert error.value.returncode == 1


def test_erase_asks_first(run: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(question: str) -> str:
        assert question.endswith("in 3 photos, for good? Type yes: ")
        return answers.pop()

    answers = ["yes", "", "no"]
    monkeypatch.setattr("builtins.input", answer)
    grab_id = person_at("red.png", 0).grab_id
    for _ in range(2):
        with pytest.raises(CommandError, match="Nothing was erased"):
            said("erase_person", grab_id)
    assert Face.objects.count() == 3
    said("erase_person", grab_id)
    assert Face.objects.count() == 2


def test_erase_deletes_nothing_where_nobody_can_answer(run: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(CommandError, match="--yes"):
        said("erase_person", person_at("red.png", 0).grab_id)
    assert Face.objects.count() == 3
