from backend.core.errors import Conflict, Forbidden, NotFound, RuleBroken, TooLarge, TooMany, Unavailable


class FileTooLarge(TooLarge):
    code, title = "file-too-large", "The file is larger than is taken"


class FileEmpty(RuleBroken):
    code, title = "file-empty", "The file is empty"


class TypeNotTaken(RuleBroken):
    code, title = "type-not-taken", "Only JPEG, PNG and PDF files are taken"


class TooManyUploads(TooMany):
    code, title = "too-many-uploads", "Too many uploads are unfinished; finish one first"


class PartInvalid(RuleBroken):
    code, title = "part-invalid", "The part is empty, too long, or goes beyond the file's size"


class UploadOffset(Conflict):
    """The part does not begin where the upload stands. The member `offset` says where to go on."""

    code, title = "upload-offset", "The upload stands at another offset"


class UploadFailed(Conflict):
    code, title = "upload-failed", "This upload was refused; begin a new one"


class UploadUnfinished(Conflict):
    code, title = "upload-unfinished", "The file has not arrived in full"


class DigestMismatch(RuleBroken):
    code, title = "digest-mismatch", "The file that arrived is not the one that was announced"


class TypeMismatch(RuleBroken):
    code, title = "type-mismatch", "The file is of another type than was announced"


class ImageUnreadable(RuleBroken):
    code, title = "image-unreadable", "The image cannot be opened: it is damaged or cut short"


class ImageTooLarge(RuleBroken):
    code, title = "image-too-large", "The image has more pixels than is taken"


class DocumentUnreadable(RuleBroken):
    code, title = "document-unreadable", "The PDF is damaged or cut short"


class AlreadyAttached(Conflict):
    code, title = "already-attached", "This file is attached there already"


class OriginalHoldsPlace(Forbidden):
    """Exact places are for the side whose own they are, and for auditors. The member `view_url` leads to the picture without them."""

    code, title = (
        "original-holds-place",
        "The original tells where it was taken; only the side that attached it may have it",
    )


class NotPublished(NotFound):
    """The event is not in a published checkpoint yet; the member `retry_after` says how many seconds to wait."""

    code, title = "not-published", "Signed, and waiting for the ledger"


class LedgerUnreadable(Unavailable):
    """The tiles do not lead to the published checkpoint: nothing is handed out that would not verify."""

    code, title = "ledger-unreadable", "The ledger's files do not fit together; the operator must look"
