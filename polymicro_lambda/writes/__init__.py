"""Writes."""

from .bulk import BulkCreation
from .bulk_limits import check_bulk
from .conditional_writes import ConditionFailed, OutcomeUnknown, write_if
from .creations import Creation, RecordPart, create_all
from .reservations import Reservation, Reservations, too_contended
from .store import UPDATE_ATTEMPTS, PynamoStore, Store
from .transactions import TransactionPart, TransactionRefused, transaction_part, write_together
from .unique_constraints import UniqueConstraints, check_same_constraints, read_unique

__all__ = [
    "UPDATE_ATTEMPTS",
    "BulkCreation",
    "ConditionFailed",
    "Creation",
    "OutcomeUnknown",
    "PynamoStore",
    "RecordPart",
    "Reservation",
    "Reservations",
    "Store",
    "TransactionPart",
    "TransactionRefused",
    "UniqueConstraints",
    "check_bulk",
    "check_same_constraints",
    "create_all",
    "read_unique",
    "too_contended",
    "transaction_part",
    "write_if",
    "write_together",
]
