"""What a connection does, and how often."""

from collections.abc import Mapping

from .connection import Act, Connection
from .many_writers import bump, buy, count, look, refill, tally
from .own_rows import add, create, create_once, patch, put, read, remove, walk
from .refusals import borrow, err, leave, trespass

ACTS: Mapping[Act, int] = {
    create: 10,
    create_once: 6,
    Connection.again: 1,
    read: 30,
    patch: 14,
    put: 6,
    add: 6,
    remove: 7,
    walk: 4,
    count: 10,
    tally: 12,
    bump: 12,
    buy: 22,
    refill: 3,  # less than is bought: goods are sold out now and then
    look: 4,
    trespass: 6,
    borrow: 1,
    err: 8,
    leave: 1,
}
