"""File names of photographers, as they may be said in a header and written by whoever keeps the file."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

LONGEST_STEM, LONGEST_SUFFIX = 240, 6
"""Bytes: with a number, they still fit a file system's 255."""

DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|\Z)", re.IGNORECASE)
"""How names begin that no file may have on Windows, whatever their ending."""

ENDINGS = frozenset([".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".heic", ".heif", ".avif", ".tif", ".tiff"])
"""Of pictures: whatever one of these is opened with shows it, also where it is another kind of picture."""


def harmless(name: str) -> str:
    """Return a file's name without folders, and without what some system refuses or shows as something else."""
    last = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    shown = "".join("_" if unicodedata.category(each)[0] == "C" else each for each in last)
    path = PurePosixPath(re.sub(r'[<>:"|?*]', "_", shown).strip(" ."))
    suffix = path.suffix if len(path.suffix.encode()) <= LONGEST_SUFFIX else ""
    stem = path.name.removesuffix(suffix).encode()[:LONGEST_STEM].decode(errors="ignore").strip(" .") or "photo"
    return f"{'_' if DEVICES.match(stem) else ''}{stem}{suffix}"


def as_picture(name: str, extension: str) -> str:
    """Return the name, with the extension of what the file is where it ends as no picture does: `a.html` would run."""
    return name if PurePosixPath(name).suffix.lower() in ENDINGS else f"{name}{extension}"
