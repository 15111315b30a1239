"""What the API serves."""

from marshmallow.validate import Email, Length, Range

from polymicro_lambda import (
    Create,
    Delete,
    IsAuthenticated,
    Key,
    List,
    ModelResource,
    One,
    OwnedBy,
    Retrieve,
    SoftDelete,
    Update,
    action,
)
from polymicro_lambda.exceptions import Conflict, Unprocessable

from .models import Category, Customer, Line, Order, Payment, Product, now
from .permissions import CUSTOMER, EVERYBODY, IN_CATEGORY, STAFF, Deliverable, InCart
from .pictures import upload
from .schemas import Delivery, Money, Picture, Wanted

MAX_LINES = 50
"""Products in an order: paying for it is one transaction, which has 100 writes at most."""


MOST = 1_000_000
"""The most pieces of a product that may be in stock."""


class Categories(ModelResource, Create, List, Retrieve, Update):
    """``/categories``: few, and none ever goes, as products are in them."""

    model = Category
    route = "categories"
    permissions = {"list": EVERYBODY, "retrieve": EVERYBODY, "*": STAFF}
    validators = {"slug": Length(1, 50), "name": Length(1, 100)}
    put = "upsert"
    scan = True


class Products(ModelResource, Create, List, Retrieve, Update, Delete):
    """``/products``: read by everybody, written by staff; a deleted one can be restored."""

    model = Product
    route = "products"
    permissions = {
        **dict.fromkeys(("list", "retrieve"), EVERYBODY),
        **dict.fromkeys(("create", "update"), STAFF & IN_CATEGORY),
        "*": STAFF,
    }
    dump_only = ("id",)
    exclude = ("deleted",)
    fields = {"price": Money(digits=6)}
    validators = {"name": Length(1, 100), "stock": Range(0, MOST)}
    filters = {"category": "eq", "price": ("gte", "lte")}
    touch = {"updated": now}
    soft_delete = "deleted"
    embed = {"category": One(Categories, {"slug": "category"})}

    @action(schema=Delivery)
    def restock(self, instance, req):
        """``POST …/restock``: more pieces, beside what is sold meanwhile."""
        room = Product.stock <= MOST - req["quantity"]
        more = {"stock": Product.stock + req["quantity"]}
        return self.store.update(instance, more, condition=room, otherwise="There is no room for so many.")

    @action(schema=Picture)
    def picture(self, instance, req):
        """``POST …/picture``: the form by which the product's picture goes to S3."""
        return upload(instance.id, req["type"])


class StaffProducts(ModelResource, List):
    """``/staff/products``: all of them, or by ``?deleted=true`` what can be restored."""

    model = Product
    route = "staff/products"
    permissions = STAFF
    fields = {"price": Money(digits=6)}
    filters = {"category": "eq", "stock": "lte"}
    scan = True
    soft_delete = SoftDelete("deleted", seen_by=STAFF)


class Customers(ModelResource, Create, Retrieve, Update):
    """``/customers``: a profile of one's own, which staff reads too; ``PUT`` makes it."""

    model = Customer
    route = "customers"
    permissions = {"retrieve": OwnedBy("id") | STAFF, "*": OwnedBy("id")}
    validators = {"email": Email(), "name": Length(1, 100)}
    unique = "email"
    put = "upsert"

    def clean(self, values, instance, user):
        """An address has one form, so that none is taken twice."""
        return {**values, "email": values["email"].lower()} if "email" in values else None


class Payments(ModelResource, Retrieve):
    """``/payments/{order}``."""

    model = Payment
    route = "payments"
    permissions = CUSTOMER | STAFF
    fields = {"amount": Money()}


class Orders(ModelResource, Create, List, Retrieve, Update):
    """``/orders``: the customer's own, from cart to delivery; staff sees all by their status."""

    model = Order
    route = "orders"
    permissions = {
        **dict.fromkeys(("list", "retrieve", "cancel"), CUSTOMER | STAFF),
        "update": CUSTOMER & Deliverable,
        "*": CUSTOMER,
    }
    dump_only = ("id", "status", "lines", "total", "expires")
    fields = {"lines.price": Money(), "total": Money()}
    validators = {"address.name": Length(1, 100), "address.postcode": Length(1, 20)}
    filters = {"status": "eq", "customer": "eq"}
    field_permissions = {"gift": {"read": IsAuthenticated, "write": InCart}}
    requires = {"update": (Order.status.is_in("cart", "paid"), "It is on its way, or cancelled.")}
    touch = {"updated": now}
    idempotent = ("create", "pay")
    embed = {
        "customer": One(Customers, {"id": "customer"}),
        "payment": One(Payments, {"order": "id"}),
    }
    calls = {
        Order: "UpdateItem",
        Product: ("BatchGetItem", "UpdateItem"),
        Payment: ("PutItem", "UpdateItem"),
    }

    @action(
        methods=("PUT",),
        path="lines",
        schema=Wanted,
        attempts=3,
        requires=Order.status == "cart",
        otherwise="It is no cart any more.",
    )
    def line(self, instance, req):
        """``PUT …/lines``: so many of a product, at today's price."""
        lines = [line for line in instance.lines if line.product != req["product"]]
        if req["quantity"]:
            product = on_sale(req["product"])
            said = {"product": product.id, "name": product.name, "price": product.price}
            lines.append(Line(**said, quantity=req["quantity"]))
        if len(lines) > MAX_LINES:
            raise Unprocessable(f"An order has {MAX_LINES} products at most.")
        return self.store.update(instance, {"lines": lines})

    @action(requires=Order.status == "cart", otherwise="It is no cart any more.")
    def pay(self, instance):
        """``POST …/pay``: the order, its payment and each product's stock in one transaction, or nothing."""
        if not instance.lines or instance.address is None:
            raise Conflict("It needs a product and an address.")
        total = sum(line.price * line.quantity for line in instance.lines)
        payment = {"order": instance.id, "customer": instance.customer, "amount": total}
        with self.store.transaction() as write:
            write.update(instance, {"status": "paid", "total": total, "expires": None})
            write.create(Payment, payment)
            for line in instance.lines:
                write.update(
                    Key(Product, line.product),
                    {"stock": Product.stock - line.quantity},
                    condition=Product.stock >= line.quantity,
                    otherwise=f"Sold out: {line.name}.",
                )
        return {"status": "paid", "total": f"{total:.2f}"}

    @action(permissions=STAFF, requires=Order.status == "paid", otherwise="It is not to be shipped.")
    def ship(self, instance):
        """``POST …/ship``."""
        return self.store.update(instance, {"status": "shipped"})

    @action(requires=Order.status.is_in("cart", "paid"), otherwise="It is on its way, or cancelled already.")
    def cancel(self, instance):
        """``POST …/cancel``: what was paid is given back, and what is still on sale goes back to its stock."""
        with self.store.transaction() as write:
            write.update(instance, {"status": "cancelled"})
            if instance.status == "paid":
                write.update(Key(Payment, instance.id), {"refunded": now()})
                for product, quantity in back_on_sale(instance.lines):
                    write.update(
                        Key(Product, product),
                        {"stock": Product.stock + quantity},
                        otherwise="A product of it was deleted just now. Try again.",
                    )
        return {"status": "cancelled"}


def on_sale(key):
    """The product as it is now. Raises ``Unprocessable`` for one that is not there, or deleted."""
    product = next(Product.batch_get([key], consistent_read=True), None)
    if product is None or product.deleted is not None:
        error = {"pointer": "#/product", "detail": "Not on sale."}
        raise Unprocessable("There is no such product.", errors=[error])
    return product


def back_on_sale(lines):
    """Product and quantity of those lines whose product is not deleted."""
    quantities = {line.product: line.quantity for line in lines}
    found = Product.batch_get([*quantities], consistent_read=True)
    return [(one.id, quantities[one.id]) for one in found if one.deleted is None]


RESOURCES = (Categories, Products, StaffProducts, Customers, Payments, Orders)
