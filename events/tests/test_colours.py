"""Whatever a picture's colours are stored as, they come out as sRGB."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from events import colours, pictures


def saved(image: Image.Image, file_format: str = "PNG", **options: object) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file


def colour_of(file: io.BytesIO) -> list[int]:
    """Return the colour in the middle of the picture."""
    pixels = pictures.load(file, 2048).pixels
    assert pixels.dtype == np.uint8
    return [int(value) for value in pixels[pixels.shape[0] // 2, pixels.shape[1] // 2]]


def swapping_profile() -> bytes:
    """Return a profile in which red and green have changed places, as no camera has it, but a test can see."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SWAPPING = swapping_profile()
RED = Image.new("RGB", (40, 40), (255, 0, 0))


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("CMYK", (40, 40), (0, 255, 255, 0)), (255, 0, 0)),
        (Image.new("L", (40, 40), 100), (100, 100, 100)),
        (Image.new("1", (40, 40), 1), (255, 255, 255)),
        (RED, (255, 0, 0)),
    ],
)
@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_colour_modes_become_rgb(image: Image.Image, expected: tuple[int, int, int], file_format: str) -> None:
    colour = colour_of(saved(image, file_format, quality=100))
    assert np.abs(np.subtract(colour, expected)).max() < 6


def test_palettes_become_rgb() -> None:
    assert colour_of(saved(RED.quantize(4))) == [255, 0, 0]


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_sixteen_bits_become_eight(file_format: str, order: str) -> None:
    grey = Image.fromarray(np.full((8, 8), 128 * 256, np.dtype(order)))
    assert colour_of(saved(grey, file_format)) == [128, 128, 128]


@pytest.mark.parametrize(
    "image",
    [
        Image.new("RGBA", (8, 8), (255, 0, 0, 0)),
        Image.new("LA", (8, 8), (0, 0)),
        Image.new("RGBA", (8, 8), (255, 0, 0, 0)).quantize(4),
    ],
)
def test_transparency_becomes_white(image: Image.Image) -> None:
    assert colour_of(saved(image)) == [255, 255, 255]


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_the_embedded_profile_is_applied(file_format: str) -> None:
    red, green, _ = colour_of(saved(RED, file_format, icc_profile=SWAPPING, quality=95))
    assert red < 20
    assert green > 235


def test_the_profile_of_a_photo_decoded_at_a_half_is_applied() -> None:
    large = saved(Image.new("RGB", (4000, 3000), (255, 0, 0)), "JPEG", icc_profile=SWAPPING)
    assert pictures.load(large, 1000).pixels[::100, ::100, 1].min() > 235


def test_srgb_is_left_as_it_is() -> None:
    noise = Image.effect_noise((64, 64), 80).convert("RGB")
    plain, tagged = (pictures.load(saved(noise, icc_profile=profile), 2048) for profile in (None, SRGB))
    assert np.array_equal(plain.pixels, tagged.pixels)


@pytest.mark.parametrize("profile", [b"nonsense", SRGB[:200], SRGB[:400], b"\xff" * 3000])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_broken_profile_refuses_no_photo(profile: bytes, mode: str) -> None:
    plain, broken = (saved(RED.convert(mode), "JPEG", icc_profile=given) for given in (None, profile))
    assert colour_of(broken) == colour_of(plain)


def test_a_profile_of_another_kind_of_picture_is_ignored() -> None:
    assert colour_of(saved(Image.new("L", (40, 40), 100), icc_profile=SWAPPING)) == [100, 100, 100]


def test_a_huge_profile_is_not_kept() -> None:
    photo = Image.new("RGB", (8, 8))
    photo.info["icc_profile"] = bytes(5_000_000)
    colours._transform.cache_clear()
    assert colours.to_srgb(photo, "RGB") is None
    assert colours._transform.cache_info().currsize == 0
