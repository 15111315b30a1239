"""Who may do what: everybody reads the catalogue, customers have orders of their own, staff does the rest."""

from polymicro_lambda import InGroup, OwnedBy, Permission, ReadOnly, Through

from .models import Category

EVERYBODY = ReadOnly(anonymous=True)
STAFF = InGroup("staff")
CUSTOMER = OwnedBy("customer")
IN_CATEGORY = Through(Category, {"slug": "category"}, atomic=False)
"""Products of a category that is there. None ever goes, so that it is read before the write, not in it."""


class Deliverable(Permission):
    """Orders that have an address, as all but carts do."""

    def where(self, user, method, model):
        """A condition on the order as it was, and as it would be."""
        return (model.status == "cart") | model.address.exists()


class InCart(Permission):
    """Orders that are a cart still, in any answer and before and after any write."""

    def where(self, user, method, model):
        """A condition on the order."""
        return model.status == "cart"
