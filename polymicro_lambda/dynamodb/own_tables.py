"""Tables that an app keeps for itself, beside its resources' tables: items of a key and an expiry.

They hold the records of idempotency and the counters of rate limits.
"""

from collections.abc import Iterable, Mapping

from pynamodb.attributes import TTLAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda.exceptions import ConfigurationError

KEY, EXPIRES = "id", "expires"


def own_table_model(name: str, module: str, table: str) -> type[Model]:
    """A model with this class name and module, for a ``table`` that is named without the prefix."""
    members = {KEY: UnicodeAttribute(hash_key=True), EXPIRES: TTLAttribute()}
    meta = type("Meta", (), {"table_name": table})
    return type(name, (Model,), {"__module__": module, "Meta": meta, **members})


def check_table(where: str, table: object) -> None:
    """Raise ``ConfigurationError`` if ``table`` is no table's name; ``where`` names the setting in the message."""
    if not isinstance(table, str) or not table:
        raise ConfigurationError(f"{where} must be a table's name, not {table!r}")


def check_own_tables(own: Mapping[str, type[Model]], served: Iterable[type[Model]]) -> None:
    """Raise ``ConfigurationError`` where two settings of ``own``, or a resource's model in ``served``, share a table.

    A client that may write to such a table could make answers up, or take limits away.
    """
    owners: dict[str, str] = {}
    for setting, model in own.items():
        other = owners.setdefault(model.Meta.table_name, setting)
        if other != setting:
            raise ConfigurationError(
                f"PolyMicro.{other} and PolyMicro.{setting} have one table: name another"
            )
    for model in served:
        name = model.Meta.table_name
        if name in owners:
            raise ConfigurationError(
                f"{model.__name__} has the table {name!r}, which is that of PolyMicro.{owners[name]}:"
                " name another by its table=…"
            )
