"""What is stored: a table for each kind of item."""

import time
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from uuid import uuid4

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import DecimalAttribute


def new_id():
    """An id that nobody can guess."""
    return str(uuid4())


def next_id():
    """An id that sorts by time: microseconds in hexadecimal, and what tells two of the same one apart."""
    return f"{time.time_ns() // 1000:014x}-{token_hex(4)}"


def now():
    """The time, in UTC."""
    return datetime.now(UTC)


def tomorrow():
    """The time in a day: so long a cart keeps its prices."""
    return now() + timedelta(days=1)


class Category(Model):
    """A part of the catalogue."""

    class Meta:
        table_name = "shop-categories"

    slug = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute()


class ByCategory(GlobalSecondaryIndex):
    """The products of a category, by price."""

    class Meta:
        index_name = "by_category"
        projection = AllProjection()

    category = UnicodeAttribute(hash_key=True)
    price = DecimalAttribute(range_key=True)


class Product(Model):
    """Something on sale."""

    class Meta:
        table_name = "shop-products"

    id = UnicodeAttribute(hash_key=True, default=new_id)
    category = UnicodeAttribute()
    name = UnicodeAttribute()
    price = DecimalAttribute()
    stock = NumberAttribute(default=0)
    updated = UTCDateTimeAttribute()
    deleted = UTCDateTimeAttribute(null=True)
    by_category = ByCategory()


class Customer(Model):
    """Somebody who buys; the id is the user's."""

    class Meta:
        table_name = "shop-customers"

    id = UnicodeAttribute(hash_key=True)
    email = UnicodeAttribute()
    name = UnicodeAttribute()


class Line(MapAttribute):
    """So many of a product, at the price of when they were put into the cart."""

    product = UnicodeAttribute()
    name = UnicodeAttribute()
    price = DecimalAttribute()
    quantity = NumberAttribute()


class Address(MapAttribute):
    """Where to send an order."""

    name = UnicodeAttribute()
    street = UnicodeAttribute()
    postcode = UnicodeAttribute()
    city = UnicodeAttribute()


class ByStatus(GlobalSecondaryIndex):
    """The orders of all customers in a state, by age."""

    class Meta:
        index_name = "by_status"
        projection = AllProjection()

    status = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class Order(Model):
    """A customer's cart, and what becomes of it: ``cart``, ``paid``, ``shipped`` or ``cancelled``."""

    class Meta:
        table_name = "shop-orders"

    customer = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True, default=next_id)
    status = UnicodeAttribute(default="cart")
    lines = ListAttribute(of=Line, default=list)
    address = Address(null=True)
    gift = BooleanAttribute(default=False)
    total = DecimalAttribute(null=True)
    updated = UTCDateTimeAttribute()
    expires = TTLAttribute(default_for_new=tomorrow, null=True)
    by_status = ByStatus()


class Payment(Model):
    """What was paid for an order."""

    class Meta:
        table_name = "shop-payments"

    order = UnicodeAttribute(hash_key=True)
    customer = UnicodeAttribute()
    amount = DecimalAttribute()
    paid = UTCDateTimeAttribute(default=now)
    refunded = UTCDateTimeAttribute(null=True)
