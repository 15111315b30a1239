"""Conditional writes: a verb's values become items in DynamoDB, and an outcome that is certain.

In comes a key and the values to store, under the guard of the request; out goes the item as it is then, or an error of
`exceptions`. Open

- ``store`` for the methods that the verbs call, ``stored_items`` for those that read;
- ``writable_items`` for values on their way into items, ``written_values`` and
  ``cleaned_values`` for what a resource makes of them;
  ``creations`` for new items, ``addresses`` for what paths
  ask of them, ``bulk`` for a POST of a list;
- ``changes/`` for updates and deletes: their conditions (``item_changes``, ``item_conditions``), an update
  (``item_updates``), the values that DynamoDB computes (``atomic_changes``), members of maps that a PATCH changes
  (``map_merges``), keys made of changed attributes (``composed_changes``), how one is sent (``item_writes``);
- ``transactions/`` for several writes at once: as a verb says them (``transaction``, ``keys``), each of them
  (``entries``), one call (``transact_write``);
- ``unique/`` for ``unique`` of a resource, the reservations of its values, and items found by one (``lookups``);
- ``conditional_writes`` for one write: done, refused, or unknown; ``lost_answers`` for what unknown means, and whether
  the write is sent again.
"""

from .addresses import Addresses, PathText
from .bulk import BulkCreation, check_bulk
from .changes.item_writes import UPDATE_ATTEMPTS
from .conditional_writes import ConditionFailed, LostRace, OutcomeUnknown, write_if
from .creations import Creation, KeyTaken, RecordPart, create_all
from .lost_answers import unchanged_conditions
from .store import PynamoStore, Store
from .stored_items import MissingItem, StoredItems
from .transactions.keys import Key
from .transactions.transact_write import TransactionPart, TransactionRefused, transaction_part, write_together
from .transactions.transaction import Transaction
from .unique.lookups import Lookup
from .unique.reservations import Reservation, Reservations, too_contended
from .unique.unique_constraints import UniqueConstraints, check_same_constraints, read_unique
from .writable_items import Stores
from .written_values import WrittenValues

__all__ = [
    "UPDATE_ATTEMPTS",
    "Addresses",
    "BulkCreation",
    "ConditionFailed",
    "Creation",
    "Key",
    "KeyTaken",
    "Lookup",
    "LostRace",
    "MissingItem",
    "OutcomeUnknown",
    "PathText",
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
    "WrittenValues",
    "check_bulk",
    "check_same_constraints",
    "create_all",
    "read_unique",
    "too_contended",
    "transaction_part",
    "unchanged_conditions",
    "write_if",
    "write_together",
]
