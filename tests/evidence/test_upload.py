import hashlib
import io
import os
import struct
import threading
import time
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from PIL import Image, PngImagePlugin

from backend.core import clock
from backend.core.ids import from_typeid, typed
from backend.core.models import DataKey, Event
from backend.evidence import services, vault
from backend.evidence.models import StoredFile, Upload
from tests.evidence.conftest import CHUNK, Hand, pdf, photograph, real_transactions


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    return body


@pytest.mark.parametrize(
    ("data", "mime"),
    [(photograph(), "image/jpeg"), (photograph(format="PNG"), "image/png"), (pdf(), "application/pdf")],
)
def test_a_file_of_each_type_arrives_and_is_kept_byte_for_byte(clerk: Hand, data: bytes, mime: str) -> None:
    answer = clerk.send(data, mime)
    assert answer.status_code == 200
    assert answer.json() | {"id": ""} == {
        "id": "",
        "offset": len(data),
        "size": len(data),
        "chunk_size": CHUNK,
        "state": "COMPLETE",
        "failure": "",
    }
    stored = StoredFile.objects.get()
    assert (stored.sha256, stored.size, stored.mime) == (hashlib.sha256(data).hexdigest(), len(data), mime)
    assert vault.original(stored) == data


def test_a_large_file_comes_in_parts_and_goes_on_after_a_break(clerk: Hand) -> None:
    data = photograph(1800, 1600, "PNG")
    assert len(data) > 2 * CHUNK
    upload = clerk.announce(data, "image/png").json()["id"]
    assert clerk.part(upload, 0, data[:CHUNK]).json()["offset"] == CHUNK

    after_the_break = clerk.get(f"/api/v1/uploads/{upload}/").json()
    assert (after_the_break["offset"], after_the_break["state"]) == (CHUNK, "OPEN")
    for offset in range(CHUNK, len(data), CHUNK):
        last = clerk.part(upload, offset, data[offset : offset + CHUNK])
    assert last.json()["state"] == "COMPLETE"
    assert vault.original(StoredFile.objects.get()) == data


def test_a_part_out_of_order_or_repeated_is_told_where_to_go_on(clerk: Hand) -> None:
    data = photograph(1800, 1600, "PNG")
    upload = clerk.announce(data, "image/png").json()["id"]
    assert refused(clerk.part(upload, CHUNK, data[CHUNK : 2 * CHUNK]), 409, "upload-offset")["offset"] == 0
    clerk.part(upload, 0, data[:CHUNK])
    assert refused(clerk.part(upload, 0, data[:CHUNK]), 409, "upload-offset")["offset"] == CHUNK
    assert Upload.objects.get().received == CHUNK


def test_the_last_part_sent_again_finds_the_upload_complete(clerk: Hand) -> None:
    data = photograph()
    upload = clerk.send(data).json()["id"]
    again = refused(clerk.part(upload, 0, data), 409, "upload-offset")
    assert (again["offset"], again["state"]) == (len(data), "COMPLETE")


@pytest.mark.parametrize("part", [b"", b"x" * (CHUNK + 1)])
def test_an_empty_part_and_one_that_is_too_long_are_refused(clerk: Hand, part: bytes) -> None:
    upload = clerk.announce(b"x" * (3 * CHUNK)).json()["id"]
    refused(clerk.part(upload, 0, part), 422, "part-invalid")
    assert Upload.objects.get().received == 0


def test_a_part_beyond_the_announced_size_is_refused(clerk: Hand) -> None:
    upload = clerk.announce(b"x" * 100).json()["id"]
    refused(clerk.part(upload, 0, b"x" * 101), 422, "part-invalid")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"size": 0}, 422, "file-empty"),
        ({"size": -1}, 422, "file-empty"),
        ({"size": 25 * 1024 * 1024}, 413, "file-too-large"),
        ({"mime": "image/gif"}, 422, "type-not-taken"),
        ({"sha256": "nonsense"}, 400, "invalid"),
        ({"source": "dream"}, 400, "invalid"),
        ({"filename": ""}, 400, "invalid"),
    ],
)
def test_an_announcement_out_of_bounds_is_refused_and_nothing_is_kept(
    clerk: Hand, changes: dict[str, Any], status: int, code: str
) -> None:
    refused(clerk.announce(b"x", **changes), status, code)
    assert not Upload.objects.exists()


def test_another_persons_upload_looks_as_if_it_were_not_there(clerk: Hand, stranger: Hand) -> None:
    upload = clerk.announce(photograph()).json()["id"]
    absent = "upl_01jdaaaaaaaaaaaaaaaaaaaaaa"
    theirs, none = stranger.get(f"/api/v1/uploads/{upload}/"), stranger.get(f"/api/v1/uploads/{absent}/")
    assert (theirs.status_code, theirs.content) == (none.status_code, none.content) == (404, none.content)
    refused(stranger.part(upload, 0, b"x"), 404, "not-found")
    assert Upload.objects.get().received == 0


def test_without_a_token_nothing_is_taken(clerk: Hand) -> None:
    clerk.token = "nobody"
    refused(clerk.announce(b"x"), 401, "not-authenticated")


def failed(clerk: Hand, data: bytes, mime: str, status: int, code: str, **changes: Any) -> None:
    """The upload is refused by name, has failed for good, and leaves nothing behind."""
    refused(clerk.send(data, mime, **changes), status, code)
    upload = Upload.objects.get()
    assert (upload.state, upload.failure, upload.file) == ("FAILED", code, None)
    assert not StoredFile.objects.exists()
    assert not list(services.uploads_folder().glob("*"))
    refused(clerk.part(typed("upload", upload.id), 0, data[:1]), 409, "upload-failed")


def test_other_bytes_than_announced_are_refused(clerk: Hand) -> None:
    failed(clerk, photograph(), "image/jpeg", 422, "digest-mismatch", sha256="0" * 64)


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (photograph(), "image/png"),
        (photograph(), "application/pdf"),
        (pdf(), "image/jpeg"),
        (b"<html><script>alert(1)</script></html>", "image/jpeg"),
        (b"neither this nor that", "application/pdf"),
    ],
)
def test_another_type_than_announced_is_refused(clerk: Hand, data: bytes, mime: str) -> None:
    failed(clerk, data, mime, 422, "type-mismatch")


@pytest.mark.parametrize("cut", [2, 20, 5000])
@pytest.mark.parametrize(("format", "mime"), [("JPEG", "image/jpeg"), ("PNG", "image/png")])
def test_a_truncated_image_is_refused(clerk: Hand, format: str, mime: str, cut: int) -> None:
    failed(clerk, photograph(format=format)[:-cut], mime, 422, "image-unreadable")


def test_a_damaged_png_is_refused(clerk: Hand) -> None:
    data = bytearray(photograph(format="PNG"))
    data[len(data) // 2] ^= 1
    failed(clerk, bytes(data), "image/png", 422, "image-unreadable")


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes whose pixels would fill gigabytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1_000_000), 9))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("edge", [7_100, 10_000, 60_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(clerk: Hand, edge: int) -> None:
    started = time.monotonic()
    failed(clerk, bomb(edge, edge), "image/png", 422, "image-too-large")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("data", [pdf()[:-8], b"%PDF-1.4\n" + b"x" * 5000])
def test_a_pdf_cut_short_is_refused(clerk: Hand, data: bytes) -> None:
    failed(clerk, data, "application/pdf", 422, "document-unreadable")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("送货单.jpg", "送货单.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\a.jpg", "a.jpg"),
        ('a"; filename="b.html', 'a"; filename="b.html'),
        ("a\r\nSet-Cookie: x.jpg", "aSet-Cookie: x.jpg"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("/", "file"),
        ("...", "file"),
        ("长" * 300 + ".jpg", "长" * 196 + ".jpg"),
    ],
)
def test_a_filename_is_kept_without_what_could_do_harm(given: str, kept: str) -> None:
    assert services.plain_filename(given) == kept


def test_files_at_rest_are_not_readable(clerk: Hand, data_dir: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCameraMaker"
    data = photograph(exif=exif)
    clerk.send(data)
    stored = StoredFile.objects.get()
    files = [path for path in (data_dir / "files").rglob("*") if path.is_file()]
    assert len(files) == 2
    for path in files:
        at_rest = path.read_bytes()
        assert b"JFIF" not in at_rest and b"SecretCameraMaker" not in at_rest and data[1000:1050] not in at_rest
        assert stored.sha256 not in str(path)
    assert b"SecretCameraMaker" not in bytes(stored.facts)
    assert not list((data_dir / "uploads").glob("*"))


def test_a_changed_byte_at_rest_does_not_open(clerk: Hand) -> None:
    clerk.send(photograph())
    stored = StoredFile.objects.get()
    path = vault.folder() / vault.names(stored.id)["original"]
    changed = bytearray(path.read_bytes())
    changed[500] ^= 1
    path.write_bytes(bytes(changed))
    with pytest.raises(ValueError, match="MAC"):
        vault.original(stored)


def test_the_same_bytes_are_kept_once_and_nobody_can_tell(clerk: Hand, stranger: Hand) -> None:
    data = photograph()
    first, second = clerk.send(data), stranger.send(data)
    assert first.json() | {"id": ""} == second.json() | {"id": ""}
    assert StoredFile.objects.count() == 1
    assert DataKey.objects.filter(purpose="file").count() == 1
    assert Upload.objects.values_list("file", flat=True).distinct().count() == 1
    assert len([path for path in vault.folder().rglob("*") if path.is_file()]) == 2


def together(*calls: Any) -> list[Any]:
    """Runs the calls at the same time, each on a connection of its own; what each gave, or the error it raised."""
    results: list[Any] = [None] * len(calls)
    gate = threading.Barrier(len(calls))

    def run(at: int, call: Any) -> None:
        gate.wait()
        try:
            results[at] = call()
        except Exception as error:
            results[at] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(at, call)) for at, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@real_transactions
def test_two_who_bring_the_same_file_at_once_share_one_stored_file(
    sequences: None, clerk: Hand, stranger: Hand
) -> None:
    data = photograph()
    uploads = [(hand, hand.announce(data).json()["id"]) for hand in (clerk, stranger)]
    answers = together(*(lambda hand=hand, upload=upload: hand.part(upload, 0, data) for hand, upload in uploads))
    assert [answer.json()["state"] for answer in answers] == ["COMPLETE", "COMPLETE"]
    stored = StoredFile.objects.get()
    assert vault.original(stored) == data
    assert set(Upload.objects.values_list("file", flat=True)) == {stored.id}
    assert DataKey.objects.filter(purpose="file").count() == 1


@real_transactions
def test_the_last_part_sent_twice_at_once_completes_the_upload_once(sequences: None, clerk: Hand) -> None:
    data = photograph()
    upload = clerk.announce(data).json()["id"]
    statuses = {answer.status_code for answer in together(*[lambda: clerk.part(upload, 0, data)] * 4)}
    assert 200 in statuses and statuses <= {200, 409}
    assert Upload.objects.get().state == "COMPLETE"
    assert StoredFile.objects.count() == 1
    assert not list(services.uploads_folder().glob("*"))


def refused_in_between(clerk: Hand, upload: str, rest: bytes, monkeypatch: pytest.MonkeyPatch, *, after: bool) -> None:
    """While the next part is being written (or just before that), another request ends the upload with a bad last part."""
    write, bad = services._write_part, b"x" * 20

    def meanwhile(path: Path, offset: int, data: bytes) -> None:
        monkeypatch.setattr(services, "_write_part", write)
        if after:
            write(path, offset, data)
        refused(clerk.part(upload, 0, bad), 422, "digest-mismatch")
        if not after:
            write(path, offset, data)

    monkeypatch.setattr(services, "_write_part", meanwhile)
    refused(clerk.part(upload, 0, rest), 409, "upload-failed")
    assert (Upload.objects.get().state, Upload.objects.get().received) == ("FAILED", 0)
    assert not StoredFile.objects.exists()
    assert not list(services.uploads_folder().glob("*"))


def test_a_bad_last_part_sent_twice_at_once_is_refused_twice(clerk: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = clerk.announce(b"y" * 20).json()["id"]
    refused_in_between(clerk, upload, b"x" * 20, monkeypatch, after=True)


def test_a_part_that_comes_while_the_upload_is_refused_leaves_no_file(
    clerk: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = clerk.announce(b"y" * 20).json()["id"]
    refused_in_between(clerk, upload, b"x" * 10, monkeypatch, after=False)


@real_transactions
def test_bad_last_parts_at_once_are_all_refused_by_name(sequences: None, clerk: Hand) -> None:
    upload = clerk.announce(b"y" * 20).json()["id"]
    for answer in together(*[lambda: clerk.part(upload, 0, b"x" * 20)] * 4):
        assert (answer.status_code, answer.json()["code"]) in {(422, "digest-mismatch"), (409, "upload-failed")}
    assert not list(services.uploads_folder().glob("*"))


def test_the_number_of_unfinished_uploads_is_bounded(clerk: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "OPEN_UPLOADS", 2)
    for number in range(2):
        assert clerk.announce(b"%d" % number).status_code == 201
    answer = clerk.announce(b"3")
    refused(answer, 429, "too-many-uploads")
    assert answer["Retry-After"]


def test_a_disk_that_is_full_leaves_the_upload_where_it_was(clerk: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    data = photograph()
    upload = clerk.announce(data).json()["id"]

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    clerk.client.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr(vault.durable, "write_all", full)
        assert clerk.part(upload, 0, data).status_code == 500
    assert Upload.objects.get().state == "OPEN"
    assert clerk.part(upload, 0, data).json()["state"] == "COMPLETE"


def test_what_nobody_finishes_and_what_a_crash_left_is_collected(clerk: Hand, data_dir: Path, ledger: Path) -> None:
    old = clock.now() - timedelta(days=9)
    kept = clerk.send(photograph()).json()["id"]
    fresh = clerk.announce(b"x" * 20).json()["id"]
    stale = from_typeid("upl", clerk.announce(b"y" * 20).json()["id"])
    clerk.part(fresh, 0, b"x" * 10)
    services.receive_part(by=clerk.actor, upload_id=stale, offset=0, data=b"y" * 10)
    Upload.objects.filter(id=stale).update(moved_at=old)
    crashed = data_dir / "files" / vault.names(stale)["original"]
    crashed.parent.mkdir(exist_ok=True)
    crashed.write_bytes(b"no row names this")
    for path in (crashed, services.uploads_folder() / stale.hex):
        os.utime(path, (old.timestamp(), old.timestamp()))
    assert services.collect_leftovers() == 3
    assert not crashed.exists()
    assert [path.name for path in services.uploads_folder().iterdir()] == [from_typeid("upl", fresh).hex]
    assert Upload.objects.get(id=stale).failure == "abandoned"
    assert clerk.get(f"/api/v1/uploads/{kept}/").json()["state"] == "COMPLETE"
    assert vault.original(StoredFile.objects.get())


def test_an_upload_goes_on_for_as_long_as_its_act_may_wait_on_the_phone(clerk: Hand, data_dir: Path) -> None:
    data = photograph(1800, 1600, "PNG")
    upload = clerk.announce(data, "image/png").json()["id"]
    clerk.part(upload, 0, data[:CHUNK])
    then = clock.now() - clock.ACT_MAY_WAIT
    Upload.objects.update(moved_at=then)
    (part,) = services.uploads_folder().iterdir()
    os.utime(part, (then.timestamp(), then.timestamp()))
    assert services.collect_leftovers() == 0
    for offset in range(CHUNK, len(data), CHUNK):
        last = clerk.part(upload, offset, data[offset : offset + CHUNK])
    assert last.json()["state"] == "COMPLETE"
    assert not part.exists()


def test_an_upload_alone_is_no_event(clerk: Hand) -> None:
    clerk.send(photograph())
    assert not Event.objects.filter(type="voucher.attached").exists()


def test_the_view_is_upright_small_and_says_nothing_of_camera_or_place(clerk: Hand) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0131] = 6, "Maker", "Editor 1.0"
    exif.get_ifd(0x8769)[0x9003] = "2026:11:23 10:00:00"
    exif.get_ifd(0x8825)[1] = "N"
    data = photograph(3000, 1500, exif=exif)
    clerk.send(data)
    stored = StoredFile.objects.get()
    view = Image.open(io.BytesIO(vault.view(stored)))
    assert view.size == (1000, 2000)
    assert not view.getexif()
    assert b"Maker" not in vault.view(stored)
    assert vault.original(stored) == data
    assert vault.facts(stored) == {
        "width": 3000,
        "height": 1500,
        "taken_at": "2026-11-23T10:00:00",
        "gps": True,
        "make": "Maker",
        "model": "",
        "software": "Editor 1.0",
    }


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_a_place_that_stands_in_xmp_alone_is_found(clerk: Hand, format: str) -> None:
    packet = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><d exif:GPSLatitude="31,13.82N"/></x:xmpmeta>'
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", packet, zip=True)
    data = io.BytesIO()
    more: dict[str, Any] = {"xmp": packet.encode()} if format == "JPEG" else {"pnginfo": text}
    Image.effect_noise((60, 40), 60).convert("RGB").save(data, format, **more)
    clerk.send(data.getvalue(), f"image/{format.lower()}")
    assert vault.facts(StoredFile.objects.get())["gps"] is True


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_kind_of_png_gets_a_view(clerk: Hand, mode: str) -> None:
    data = io.BytesIO()
    Image.new(mode, (50, 40)).save(data, "PNG")
    assert clerk.send(data.getvalue(), "image/png").json()["state"] == "COMPLETE"
    assert Image.open(io.BytesIO(vault.view(StoredFile.objects.get()))).size == (50, 40)


def test_a_transparent_image_is_shown_on_white(clerk: Hand) -> None:
    data = io.BytesIO()
    Image.new("RGBA", (50, 40), (0, 0, 0, 0)).save(data, "PNG")
    clerk.send(data.getvalue(), "image/png")
    assert Image.open(io.BytesIO(vault.view(StoredFile.objects.get()))).getpixel((5, 5)) == (255, 255, 255)
