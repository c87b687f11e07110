"""Pictures that somebody has tampered with, each made from its number and the seed alone: it can be had again."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING
from zipfile import ZipFile

from benchmarks.parts import EXTREMES, joined, parts_of, with_extremes
from benchmarks.specimens import chunk, painted, png, specimens, tiff

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[Random, bytes], bytes]

NAMES = (
    *(b"me.jpg", b"me.png", b"me.heic", b"me", b"", b".", b"..", b"preview.jpg", b"../../../etc/passwd"),
    *(b"..\\..\\windows\\system.ini", b"C:\\boot.ini", b"/etc/passwd", b"CON", b"nul.jpg", b"a\0b.jpg"),
    *(b"a%00b.jpg", b"a\tb.jpg", b"\xe2\x80\xaegpj.exe", b"\xff\xfe.jpg", b"&#47;etc&#47;passwd", b"a" * 900 + b".jpg"),
    *(b"<script>alert(1)</script>.jpg", b"me.php.jpg", b"%s%n{0}.jpg", b"'; DROP TABLE events_image; --.jpg"),
)
"""What comes as the name of a file, raw."""

TYPES = ("image/jpeg", "image/png", "text/html", "application/x-php", "", "image/svg+xml; charset=utf-7", "x" * 300)

ZEROS = 30_000_000
"""Bytes that a bomb unpacks to."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A file to send; `kind` tells from which picture it was made, and how."""

    number: int
    kind: str
    content: bytes
    name: bytes
    content_type: str


def mutation(seed: int, number: int) -> Mutation:
    """Return one of them; the same for the same seed and number."""
    random = Random(f"{seed}/{number}")  # noqa: S311 (nothing to guess)
    specimen, content = random.choice(list(specimens().items()))
    change = random.choices(list(CHANGES), list(CHANGES.values()))[0]
    content = change(random, content)
    if random.random() < 0.2:
        content = _bits_flipped(random, content)
    kind = f"{specimen} {change.__name__.strip('_')}"
    return Mutation(number, kind, content, random.choice(NAMES), random.choice(TYPES))


def _untouched(random: Random, content: bytes) -> bytes:
    return content


def _bits_flipped(random: Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 4, 40)) if content else 0):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _header_bits_flipped(random: Random, content: bytes) -> bytes:
    return _bits_flipped(random, content[:200]) + content[200:]


def _run_overwritten(random: Random, content: bytes) -> bytes:
    start, end = _span(random, content)
    return content[:start] + random.choice((bytes, random.randbytes, _ones))(end - start) + content[end:]


def _ones(length: int) -> bytes:
    return b"\xff" * length


def _run_removed(random: Random, content: bytes) -> bytes:
    start, end = _span(random, content)
    return content[:start] + content[end:]


def _run_repeated(random: Random, content: bytes) -> bytes:
    start, end = _span(random, content)
    return content[:end] + content[start:end] * random.choice((1, 3, 100)) + content[end:]


def _span(random: Random, content: bytes) -> tuple[int, int]:
    start = random.randrange(len(content) + 1)
    return start, min(len(content), start + random.choice((1, 4, 64, 1000)))


def _cut_off(random: Random, content: bytes) -> bytes:
    return content[: random.choice((0, 1, 8, 16, 40, random.randrange(len(content)), len(content) - 2))]


def _parts_shuffled(random: Random, content: bytes) -> bytes:
    """Remove, repeat or swap chunks, segments or boxes."""
    parts = parts_of(content)
    first, second = (random.randrange(len(parts)) for _ in range(2))
    match random.choice(("remove", "repeat", "swap", "many")):
        case "remove":
            del parts[first]
        case "repeat":
            parts.insert(second, parts[first])
        case "swap":
            parts[first], parts[second] = parts[second], parts[first]
        case "many":
            parts[first:first] = [parts[first]] * 300
    return joined(parts)


def _extremes(random: Random, content: bytes) -> bytes:
    return with_extremes(random, content)


def _number_overwritten(random: Random, content: bytes) -> bytes:
    """Put an extreme number anywhere: most are lengths, counts or sides of something, near the beginning."""
    place = random.randrange(min(len(content), random.choice((40, 400, len(content)))))
    width = random.choice((1, 2, 4))
    number = random.choice(EXTREMES) % (1 << 8 * width)
    return content[:place] + number.to_bytes(width, random.choice(("big", "little"))) + content[place + width :]


def _something_behind(random: Random, content: bytes) -> bytes:
    return content + random.choice(
        (_archive(), b"<html><script>alert(1)</script></html>", bytes(200_000), _other(random))
    )


def _something_before(random: Random, content: bytes) -> bytes:
    return random.choice((b"GIF89a", b"\xff\xd8\xff", b"\n", b"%PDF-1.7\n", _archive(), _other(random)[:30])) + content


def _spliced(random: Random, content: bytes) -> bytes:
    other = _other(random)
    return content[: random.randrange(len(content))] + other[random.randrange(len(other)) :]


def _other(random: Random) -> bytes:
    return random.choice(list(specimens().values()))


def _archive() -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        archive.writestr("../../evil.php", "<?php phpinfo(); ?>")
    return file.getvalue()


def _bomb(random: Random, content: bytes) -> bytes:
    return random.choice(BOMBS)(random)


def _png_bomb(random: Random) -> bytes:
    """A megabyte that wants to be gigabytes, or a hundred megapixels from next to nothing."""
    width, height, depth, colours = random.choice(
        (
            (50_000, 50_000, 8, 2),
            (2**31 - 1, 2**31 - 1, 8, 2),
            (10_900, 10_900, 1, 0),
            (2**31 - 1, 1, 8, 0),
            (1, 2**20, 8, 2),
        )
    )
    header = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, random.choice((0, 1)))
    return png(header, zlib.compress(bytes(ZEROS)))


def _text_bomb(random: Random) -> bytes:
    packed = zlib.compress(bytes(ZEROS))
    header, rows = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0), zlib.compress(bytes(9 * 8))
    kind = random.choice((b"zTXt", b"iCCP", b"iTXt"))
    inside = b"key\0\1\0\0\0" if kind == b"iTXt" else b"key\0\0"
    return png(header, rows, *[chunk(kind, inside + packed)] * random.choice((1, 5)))


def _tiff_bomb(random: Random) -> bytes:
    """One strip, or one tile, of much more than the picture seems to have."""
    packed = zlib.compress(bytes(ZEROS))
    width, height = random.choice(((100, 100), (60_000, 60_000), (2**31 - 1, 1), (0, 0), (10_000, 10_000)))
    tags = [(256, width), (257, height), (258, 8), (259, 8), (262, 1), (277, 1)]
    where = random.choice((((322, 65_520), (323, 65_520), (324, 0), (325, len(packed))), ((273, 0), (278, height))))
    place = 8 + 2 + (len(tags) + len(where)) * 12 + 4
    entries = [(tag, 4, place if tag in {273, 324} else value) for tag, value in (*tags, *where)]
    return tiff(entries, packed)


def _scans_bomb(random: Random) -> bytes:
    """A progressive JPEG whose last scan comes a thousand times."""
    parts = parts_of(specimens()["jpeg-progressive"])
    scans = [part for part in parts if part.startswith(b"\xff\xda")]
    return joined([*parts[:-1], *[random.choice(scans)] * random.choice((90, 5_000)), parts[-1]])


def _large_picture(random: Random) -> bytes:
    size = random.choice(((8000, 2), (2, 8000), (1, 1), (3000, 3000)))
    pixels = painted(random.randrange(80, 180), size)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    return png(struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0), zlib.compress(rows, 1))


BOMBS = (_png_bomb, _text_bomb, _tiff_bomb, _scans_bomb, _large_picture)

CHANGES: dict[Change, int] = {
    _untouched: 3,
    _bits_flipped: 10,
    _header_bits_flipped: 15,
    _run_overwritten: 8,
    _run_removed: 6,
    _run_repeated: 6,
    _cut_off: 8,
    _parts_shuffled: 15,
    _extremes: 20,
    _number_overwritten: 15,
    _something_behind: 5,
    _something_before: 3,
    _spliced: 5,
    _bomb: 4,
}
"""How often each is chosen, in proportion."""
