"""Conditional writes: a verb's values become items in DynamoDB, and an outcome that is certain.

In comes a key and the values to store, under the guard of the request; out goes the item as it is then, or an error of
`exceptions`. Open

- ``store`` for the methods that the verbs call, ``stored_items`` for those that read;
- ``transactions`` for several writes at once, ``transaction_entries`` for each of them, ``keys`` for ``Key``;
- ``writable_items`` for values on their way into items, ``atomic_changes`` for those that DynamoDB computes;
- ``creations`` for new items, ``bulk`` for a POST of a list, ``item_changes`` for the conditions of
  updates and deletes, ``item_writes`` for these themselves;
- ``conditional_writes`` for one write and ``transact_write`` for one transaction: done, refused, or unknown;
- ``lost_answers`` for what an unknown outcome means, and whether the write is sent again;
- ``unique_constraints`` for ``unique`` of a resource, ``reservations`` for how its values are kept unique.
"""

from .bulk import BulkCreation, check_bulk
from .conditional_writes import ConditionFailed, LostRace, OutcomeUnknown, write_if
from .creations import Creation, RecordPart, create_all
from .item_writes import UPDATE_ATTEMPTS
from .keys import Key
from .reservations import Reservation, Reservations, too_contended
from .store import PynamoStore, Store
from .stored_items import StoredItems
from .transact_write import TransactionPart, TransactionRefused, transaction_part, write_together
from .transactions import Transaction
from .unique_constraints import UniqueConstraints, check_same_constraints, read_unique
from .writable_items import Stores

__all__ = [
    "UPDATE_ATTEMPTS",
    "BulkCreation",
    "ConditionFailed",
    "Creation",
    "Key",
    "LostRace",
    "OutcomeUnknown",
    "PynamoStore",
    "RecordPart",
    "Reservation",
    "Reservations",
    "Store",
    "StoredItems",
    "Stores",
    "Transaction",
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
