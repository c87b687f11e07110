"""What picture files are made of: chunks of PNG and WebP, segments of JPEG, boxes of HEIC and AVIF, entries of TIFF."""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

EXTREMES = (0, 1, 2, 3, 127, 128, 255, 256, 32_767, 65_535, 65_536, 100_000, 2**24, 2**31 - 1, 2**31, 2**32 - 1)

_PNG = b"\x89PNG\r\n\x1a\n"


def parts_of(content: bytes) -> list[bytes]:
    """Cut a file into its parts; joined together they are the file again. What is no such file is cut anywhere."""
    if content.startswith(_PNG):
        return [_PNG, *_cut(content[8:], lambda rest: 12 + _big(rest[:4]))]
    if content.startswith(b"RIFF"):
        return [content[:12], *_cut(content[12:], lambda rest: 8 + (int.from_bytes(rest[4:8], "little") + 1 & ~1))]
    if content.startswith(b"\xff\xd8"):
        # Inside a scan, 0xFF is followed by 0, or by the number of a restart.
        return re.split(rb"(?=\xff[^\x00\xff\xd0-\xd7])", content)[1:]
    if content[4:8] == b"ftyp":
        return _cut(content, lambda rest: max(8, _big(rest[:4])))
    return _cut(content, lambda rest: 64)


def joined(parts: list[bytes]) -> bytes:
    return b"".join(parts)


def with_extremes(random: Random, content: bytes) -> bytes:
    """Set a number of the header to something extreme; checksums are right again afterwards."""
    if content.startswith(_PNG):
        return _png_with_extremes(random, content)
    if content.startswith(b"\xff\xd8"):
        return _jpeg_with_extremes(random, content)
    if content.startswith((b"II", b"MM")):
        return _tiff_with_extremes(random, content)
    if content[4:8] == b"ftyp":
        return _box_with_extremes(random, content)
    return _anywhere(random, content, random.randrange(max(1, min(len(content), 60))), 4)


def _cut(content: bytes, length: object) -> list[bytes]:
    parts = []
    while content:
        end = length(content) if callable(length) else 1
        parts.append(content[:end])
        content = content[end:]
    return parts or [b""]


def _big(four: bytes) -> int:
    return int.from_bytes(four, "big")


def _anywhere(random: Random, content: bytes, place: int, width: int, order: str = "big") -> bytes:
    number = random.choice(EXTREMES) % (1 << 8 * width)
    packed = number.to_bytes(width, "little" if order == "little" else "big")
    return content[:place] + packed + content[place + width :]


def _png_with_extremes(random: Random, content: bytes) -> bytes:
    parts = parts_of(content)
    place = random.choice([1, random.randrange(1, len(parts))])
    part = parts[place]
    kind, data = part[4:8], part[8:-4]
    if place == 1 and len(data) == 13:
        where = random.choice(((0, 4), (4, 4), (8, 1), (9, 1), (10, 1), (11, 1), (12, 1)))
        data = _anywhere(random, data, *where)
    elif data:
        data = _anywhere(random, data, random.randrange(min(len(data), 30)), random.choice((1, 2, 4)))[: len(data)]
    length = random.choice([len(data)] * 5 + [0, 2**31 - 1])
    parts[place] = struct.pack(">I", length) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return joined(parts)


def _jpeg_with_extremes(random: Random, content: bytes) -> bytes:
    """Change a segment's length, or, as often, sides, depth, components or tables in what describes the picture."""
    parts = parts_of(content)
    places = [place for place, part in enumerate(parts) if len(part) > 8] or [0]
    frames = [place for place in places if parts[place][1] in range(0xC0, 0xC4)]
    place = random.choice(frames or places) if random.random() < 0.5 else random.choice(places)
    inside = random.choice(((2, 2), (4, 1), (5, 2), (7, 2), (9, 1), (11, 1), (12, 1), (4, 4)))
    parts[place] = _anywhere(random, parts[place], *inside)
    return joined(parts)


def _tiff_with_extremes(random: Random, content: bytes) -> bytes:
    """Change tag, type, count or value of an entry of the first directory, or where the directory is."""
    order = "little" if content.startswith(b"II") else "big"
    entries = list(_entries(content, order))
    if not entries or random.random() < 0.1:
        return _anywhere(random, content, 4, 4, order)
    where = random.choice(((0, 2), (2, 2), (4, 4), (8, 4), (8, 2)))
    return _anywhere(random, content, random.choice(entries) + where[0], where[1], order)


def _entries(content: bytes, order: str) -> Iterator[int]:
    """Yield where the entries of the first directory begin."""
    endian = "<" if order == "little" else ">"
    (start,) = struct.unpack_from(f"{endian}I", content, 4)
    if start + 2 <= len(content):
        (count,) = struct.unpack_from(f"{endian}H", content, start)
        yield from range(start + 2, min(start + 2 + 12 * count, len(content) - 12), 12)


def _box_with_extremes(random: Random, content: bytes) -> bytes:
    """Change the length of a box, its name, or a number in its beginning, on whatever level."""
    names = rb"ftyp|meta|hdlr|pitm|iinf|infe|iloc|iprp|ipco|ispe|hvcC|av1C|pixi|colr|ipma|irot|mdat|moov|trak|stbl|iref"
    places = [found.start() for found in re.finditer(names, content)] or [4]
    place = random.choice(places)
    inside = random.choice(((-4, 4), (0, 4), (4, 4), (8, 4), (12, 4), (8, 2), (10, 2), (16, 2)))
    return _anywhere(random, content, place + inside[0], inside[1])
