"""delivery: hand bundles and NDJSON to a FHIR R4 server so that it holds exactly what was meant, once."""

from casefhir.delivery.auth import Auth
from casefhir.delivery.config import load_settings
from casefhir.delivery.diff import FactDifference, diff
from casefhir.delivery.engine import Progress, upload, upload_async
from casefhir.delivery.outbox import default_outbox, last_sources, receipts
from casefhir.delivery.pull import pull, pull_async
from casefhir.delivery.receipt import CaseReceipt, ResourceReceipt, UploadReceipt
from casefhir.delivery.remove import RemovalReceipt, remove, remove_async
from casefhir.delivery.retry import RetryPolicy
from casefhir.delivery.secret import Secret
from casefhir.delivery.settings import Settings

__all__ = [
    "Auth",
    "CaseReceipt",
    "FactDifference",
    "Progress",
    "RemovalReceipt",
    "ResourceReceipt",
    "RetryPolicy",
    "Secret",
    "Settings",
    "UploadReceipt",
    "default_outbox",
    "diff",
    "last_sources",
    "load_settings",
    "pull",
    "pull_async",
    "receipts",
    "remove",
    "remove_async",
    "upload",
    "upload_async",
]
