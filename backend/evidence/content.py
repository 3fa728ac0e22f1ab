"""What a file is, told from its bytes alone: its type, whether it opens, what it says about itself, and a picture to look at."""

import io
import re
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import puremagic
from PIL import ExifTags, Image, ImageOps

from backend.evidence.errors import DocumentUnreadable, ImageTooLarge, ImageUnreadable, TypeMismatch
from backend.evidence.models import Mime

PIXEL_LIMIT = 50_000_000
VIEW_EDGE = 2_000
VIEW_QUALITY = 85
TEXT_LIMIT = 100

_FORMATS = {Mime.JPEG.value: "JPEG", Mime.PNG.value: "PNG"}
_PNG_END = b"IEND\xaeB`\x82"
# Decoding 50 million pixels takes up to 200 MB: no more than two at a time in one process.
_decoding = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Examined:
    """`facts`: canonical values that the file states about itself, proven by nobody. `view`: a JPEG to look at, None for a PDF."""

    facts: dict[str, Any]
    view: bytes | None


def examine(data: bytes, mime: str) -> Examined:
    """Opens the file as the type it was announced to be. Raises TypeMismatch, ImageUnreadable, ImageTooLarge, DocumentUnreadable."""
    found = sniff(data)
    if found != mime:
        raise TypeMismatch(f"Announced was {mime}, the content is {found or 'of no known type'}.", field="mime")
    if mime == Mime.PDF:
        _check_pdf(data)
        return Examined(facts={}, view=None)
    with _decoding:
        return _examine_image(data, mime)


def sniff(data: bytes) -> str:
    """The media type that the content shows, "" for none."""
    try:
        return str(puremagic.from_string(data, mime=True))
    except (puremagic.PureError, ValueError):
        return ""


def _check_pdf(data: bytes) -> None:
    """ISO 32000-1 section 7.5: a header first, and at the end `startxref`, an offset and `%%EOF`."""
    tail = data[-2048:]
    if not data.startswith(b"%PDF-") or not re.search(rb"startxref\s+\d+\s+%%EOF", tail):
        raise DocumentUnreadable()


def _examine_image(data: bytes, mime: str) -> Examined:
    try:
        image = Image.open(io.BytesIO(data), formats=[_FORMATS[mime]])
        if image.width * image.height > PIXEL_LIMIT:
            raise ImageTooLarge(
                f"{image.width} by {image.height} pixels; at most {PIXEL_LIMIT:,} are taken.", limit=PIXEL_LIMIT
            )
        if mime == Mime.PNG:
            _check_png(data)
        facts = {"width": image.width, "height": image.height, **_exif_facts(image)}
        facts["gps"] = facts["gps"] or _xmp_tells_place(image, data)
        image.draft("RGB", (VIEW_EDGE, VIEW_EDGE))
        image.load()
        return Examined(facts, _render_view(image))
    except ImageTooLarge:
        raise
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(f"At most {PIXEL_LIMIT:,} pixels are taken.", limit=PIXEL_LIMIT) from error
    except Exception as error:  # decoders meet hostile bytes with errors of every class
        raise ImageUnreadable() from error


def _check_png(data: bytes) -> None:
    """Checks every chunk's CRC up to the last one; Pillow alone overlooks a missing end."""
    if _PNG_END not in data:
        raise ImageUnreadable()
    Image.open(io.BytesIO(data), formats=["PNG"]).verify()


def _exif_facts(image: Image.Image) -> dict[str, Any]:
    """When, with what and whether with a place the picture says it was taken. The place itself is not read."""
    exif = image.getexif()
    taken = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
    return {
        "taken_at": _exif_time(taken),
        "gps": bool(exif.get_ifd(ExifTags.IFD.GPSInfo)),
        "make": _text(exif.get(ExifTags.Base.Make)),
        "model": _text(exif.get(ExifTags.Base.Model)),
        "software": _text(exif.get(ExifTags.Base.Software)),
    }


def _xmp_tells_place(image: Image.Image, data: bytes) -> bool:
    """Whether XMP names a latitude, as `exif:GPSLatitude`. It lies in the open in a JPEG, and may be compressed in a PNG."""
    return b"GPSLatitude" in data or "GPSLatitude" in str(image.info.get("XML:com.adobe.xmp", ""))


def _exif_time(value: object) -> str | None:
    """`2026-11-23T10:00:00`, as the camera's clock showed it, in no known zone."""
    try:
        return datetime.strptime(_text(value), "%Y:%m:%d %H:%M:%S").isoformat()  # noqa: DTZ007 - EXIF names no zone
    except ValueError:
        return None


def _text(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return "".join(character for character in text if character.isprintable())[:TEXT_LIMIT].strip()


def _render_view(image: Image.Image) -> bytes:
    """Upright, at most VIEW_EDGE pixels a side, on white, as a JPEG without any metadata."""
    if image.mode.startswith("I"):  # 16 bits a pixel: keep the upper eight
        image = image.point(lambda value: value / 256).convert("L")
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((VIEW_EDGE, VIEW_EDGE))
    picture = Image.new("RGB", upright.size, "white")
    if upright.has_transparency_data:
        layer = upright.convert("RGBA")
        picture.paste(layer, mask=layer)
    else:
        picture.paste(upright.convert("RGB"))
    view = io.BytesIO()
    picture.save(view, "JPEG", quality=VIEW_QUALITY)
    return view.getvalue()
