from django.contrib import admin

from backend.evidence.models import Checkpoint, LedgerOrigin, Refusal, StoredFile, Upload, Voucher
from backend.parties.admin import ReadOnly


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnly):
    list_display = ("chain", "size", "committed_at")
    list_filter = ("chain",)
    ordering = ("-id",)
    fields = ("chain", "size", "committed_at", "previous")


@admin.register(LedgerOrigin)
class LedgerOriginAdmin(ReadOnly):
    list_display = ("chain", "origin", "vkey", "created_at")


@admin.register(Refusal)
class RefusalAdmin(ReadOnly):
    list_display = ("chain", "code", "detail", "since")


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnly):
    list_display = ("id", "mime", "size", "stored_at")
    fields = ("id", "sha256", "mime", "size", "stored_at")


@admin.register(Upload)
class UploadAdmin(ReadOnly):
    list_display = ("id", "state", "mime", "received", "size", "failure", "moved_at")
    list_filter = ("state",)


@admin.register(Voucher)
class VoucherAdmin(ReadOnly):
    list_display = ("id", "kind", "subject_type", "organisation", "created_at")
    list_filter = ("kind", "subject_type")
