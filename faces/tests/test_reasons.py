"""Whatever goes wrong with a selfie has words for visitors, and no words are left over."""

from __future__ import annotations

import ast
from pathlib import Path

from django.conf import settings

from faces import flaws
from faces.reasons import REASONS

FAMILIES = {"PictureError", "NoMatch"}
"""What is made with a code that a visitor may meet."""


def codes_in(path: Path) -> set[str]:
    """Return the codes that a module's problems are made with."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    named = [call for call in calls if _name(call.func) in FAMILIES]
    codes = [call.args[0] for call in named if call.args]
    return {code.value for code in codes if isinstance(code, ast.Constant) and isinstance(code.value, str)}


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def produced() -> set[str]:
    modules = [
        path
        for app in ("events", "faces")
        for path in (settings.BASE_DIR / app).rglob("*.py")
        if "tests" not in path.parts
    ]
    return set(flaws.REASONS).union(*map(codes_in, modules))


def test_each_code_has_words_and_no_others_have() -> None:
    assert produced() == set(REASONS)


def test_the_codes_are_really_looked_for() -> None:
    assert {"no_face", "empty", "different_people", "faces_deleted", "consent_required", "too_dark"} <= produced()


def test_titles_are_short_and_advice_is_a_sentence() -> None:
    for code, reason in REASONS.items():
        assert 10 < len(str(reason.title)) < 50, code
        assert not str(reason.title).endswith(".")
        assert str(reason.advice).endswith("."), code
        assert len(str(reason.advice)) < 160, code
