"""The direction of dependencies: grabpic_site -> benchmarks, demo -> faces -> events, and nobody skips the engine."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LEVEL = {"events": 0, "faces": 1, "demo": 2, "benchmarks": 3, "grabpic_site": 4}
"""A package may import those below it."""

LAYERS = {
    "access": 0, "lettering": 0, "models": 0, "publishing": 0, "queue": 0,
    "views": 2, "api": 2, "admin": 2, "management": 2, "middleware": 2, "urls": 2, "tasks": 2,
}  # fmt: skip
"""Inside an app, by module; the verbs, everything not named here, are 1."""

HEAVY = {"cv2", "openvino", "onnx", "onnxruntime", "deepface", "tensorflow", "tf_keras"}


def modules() -> list[Path]:
    return [
        path
        for package in LEVEL
        for path in sorted((ROOT / package).rglob("*.py"))
        if not {"tests", "migrations"} & set(path.parts)
    ]


def imports(path: Path) -> set[str]:
    """Return the dotted names that a module imports, also inside functions and for types only."""
    names = set()
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = (
                ".".join([*package[: len(package) - node.level + 1], node.module or ""]) if node.level else node.module
            )
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def place(name: str) -> tuple[str, str]:
    """Return a dotted name's package and module."""
    package, _, rest = name.partition(".")
    return package, rest.partition(".")[0]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_import_points_back(path: Path) -> None:
    relative = path.relative_to(ROOT).with_suffix("")
    package, module = place(".".join(relative.parts))
    for name in imports(path):
        other, other_module = place(name)
        if other in LEVEL and other != package:
            assert LEVEL[other] < LEVEL[package], f"{relative} imports {name}"
        if other == package and LEVEL[package] <= LEVEL["faces"]:
            assert LAYERS.get(other_module, 1) <= LAYERS.get(module, 1), f"{relative} imports {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_engine_knows_the_libraries(path: Path) -> None:
    relative = path.relative_to(ROOT)
    found = {place(name)[0] for name in imports(path)}
    if relative.parts[:2] == ("faces", "engine"):
        assert not found & {*LEVEL, "django"} - {"faces"}, f"{relative} knows more than its libraries"
        assert all(name.startswith("faces.engine") for name in imports(path) if place(name)[0] == "faces")
    else:
        assert not found & HEAVY, f"{relative} imports {found & HEAVY}"


def test_loading_every_address_loads_no_engine() -> None:
    program = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'grabpic_site.settings'; django.setup(); "
        "import grabpic_site.urls; print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "grabpic_site.urls" in loaded.stdout.split()
    assert not HEAVY & set(loaded.stdout.split())
