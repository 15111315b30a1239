"""Conditional writes: a verb's values become items in DynamoDB, and an outcome that is certain.

In comes a key and the values to store, under the guard of the request; out goes the item as it is then, or an error of
`exceptions`. Open

- ``store`` for the methods that the verbs call, ``stored_items`` for those that read;
- ``creations`` for new items, ``bulk`` for a POST of a list, ``item_changes`` for updates and deletes;
- ``conditional_writes`` for one write and ``transact_write`` for one transaction: done, refused, or unknown;
- ``lost_answers`` for what an unknown outcome means, and whether the write is sent again;
- ``unique_constraints`` for ``unique`` of a resource, ``reservations`` for how its values are kept unique.
"""

from .bulk import BulkCreation, check_bulk
from .conditional_writes import ConditionFailed, OutcomeUnknown, write_if
from .creations import Creation, RecordPart, create_all
from .item_changes import UPDATE_ATTEMPTS
from .reservations import Reservation, Reservations, too_contended
from .store import PynamoStore, Store
from .stored_items import StoredItems
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
    "StoredItems",
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
