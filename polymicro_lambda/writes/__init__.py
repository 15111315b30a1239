"""Writes."""

from .bulk import BulkCreation, check_bulk
from .conditional_writes import ConditionFailed, OutcomeUnknown, write_if
from .creations import Creation, RecordPart, create_all
from .item_changes import UPDATE_ATTEMPTS
from .reservations import Reservation, Reservations, too_contended
from .store import PynamoStore, Store
from .transact_write import TransactionPart, TransactionRefused, transaction_part, write_together
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
