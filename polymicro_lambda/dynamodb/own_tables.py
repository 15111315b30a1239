"""Tables that an app keeps for itself, beside those of its resources: a key each, and when DynamoDB may remove it."""

from collections.abc import Iterable, Mapping

from pynamodb.attributes import TTLAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda.exceptions import ConfigurationError

KEY, EXPIRES = "id", "expires"


def own_table(name: str, module: str, table: str) -> type[Model]:
    """The model of such a table, which is named without the prefix."""
    members = {KEY: UnicodeAttribute(hash_key=True), EXPIRES: TTLAttribute()}
    meta = type("Meta", (), {"table_name": table})
    return type(name, (Model,), {"__module__": module, "Meta": meta, **members})


def check_table(where: str, table: object) -> None:
    """Raise ``ConfigurationError`` for what is no name of a table."""
    if not isinstance(table, str) or not table:
        raise ConfigurationError(f"{where} must be a table's name, not {table!r}")


def check_own_tables(ledgers: Mapping[str, type[Model]], served: Iterable[type[Model]]) -> None:
    """Raise ``ConfigurationError`` where a resource, or another ledger, has the table of one, by its setting.

    Who may write there makes answers up, or takes limits away.
    """
    owners: dict[str, str] = {}
    for setting, model in ledgers.items():
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
