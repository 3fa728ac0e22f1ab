from backend.core.errors import Conflict, DomainError, Forbidden, Malformed, RuleBroken


class QuantityInvalid(Malformed):
    code, title = "quantity-invalid", "A quantity is not as it should be"


class WrongState(Conflict):
    code, title = "wrong-state", "The document is not in a state that allows this"


class AmendmentOpen(Conflict):
    code, title = "amendment-open", "A change of this order waits for an answer already"


class OwnProposal(Forbidden):
    code, title = "own-proposal", "Your own side proposed this; the other side answers it"


class NotProposer(Forbidden):
    code, title = "not-proposer", "Only the side that proposed this may take it back"


class NotIssuer(Forbidden):
    code, title = "not-issuer", "Only the side that issued the order may take it back"


class AlreadyDelivered(Conflict):
    code, title = "already-delivered", "Goods of this order were received or are on their way"


class AlreadySigned(Conflict):
    code, title = "already-signed", "This was signed already"


class ReceiptExists(Conflict):
    code, title = "receipt-exists", "This delivery was signed for already"


class DocumentChanged(Conflict):
    code, title = "document-changed", "The document is no longer what was signed; open it again"


class RecordAltered(Conflict):
    code, title = "record-altered", "The database no longer holds what was recorded; do not sign"


class NumberTaken(Conflict):
    code, title = "number-taken", "This document number is in use"


class StaleVersion(DomainError):
    code, title, status = "stale-version", "The document has a newer version than you saw", 412


class DeviceMismatch(Forbidden):
    code, title = "device-mismatch", "The signature names another device than the one signed in"


class SignedDifference(RuleBroken):
    code, title = "signed-difference", "What was signed differs from what the server knows"


class SignatureInvalid(RuleBroken):
    code, title = "signature-invalid", "The signature does not fit what was signed"


class LocationInvalid(RuleBroken):
    code, title = "location-invalid", "The place cannot be right"


class CapturedInFuture(RuleBroken):
    code, title = "captured-in-future", "The time of signing lies in the future: check the phone's clock"


class CapturedTooLongAgo(RuleBroken):
    code, title = "captured-too-long-ago", "This was signed too long ago to be taken now"


class CaptureIncomplete(RuleBroken):
    code, title = "capture-incomplete", "The pictures sent are not the pictures signed"


class GtinInvalid(RuleBroken):
    code, title = "gtin-invalid", "This is no trade item number"


class OverDespatched(RuleBroken):
    code, title = "over-despatched", "More would be despatched than was ordered"


class ConsentMissing(RuleBroken):
    code, title = "consent-missing", "A place was sent without the person's consent"


class SignInWithPhone(Forbidden):
    code, title = "device-required", "This is done with a device key, on the phone"
