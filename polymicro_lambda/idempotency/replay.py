"""A repeated request is answered with the response of the first one, if its user may still have that."""

import zlib
from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from polymicro_lambda.dynamodb import get_item, model_info
from polymicro_lambda.http import Response
from polymicro_lambda.items import instance_of, is_live, report_unreadable
from polymicro_lambda.routing import Route
from polymicro_lambda.rules import Guard, Verdict, certainly_allows_by_parts, current_guard
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes import StoredItems

REPLAYED = {"idempotency-replayed": "true"}


def stored_response(response: Response, readable: frozenset[str], room: int, *, whole: bool) -> RawItem:
    """The attributes of a record that keep a response, its body compressed.

    Headers and body that do not fit into ``room`` (bytes) are left out, and the body unless ``whole``. ``readable``
    are the fields that the body may show.
    """
    # A lone surrogate is no UTF-8; it goes out as "?" too.
    headers = {name: text.encode(errors="replace").decode() for name, text in response.headers.items()}
    length = sum(len(name.encode()) + len(text.encode()) for name, text in headers.items())
    headers = headers if length <= room else {}
    body = zlib.compress(response.body)
    return {
        "status": {"N": str(response.status)},
        "headers": {"L": [{"L": [{"S": name}, {"S": text}]} for name, text in headers.items()]},
        "fields": {"L": [{"S": name} for name in sorted(readable)]},
        **({"body": {"B": body}} if whole and length + len(body) <= room else {}),
    }


def replayed_response(stored: Mapping[str, Any], readable: frozenset[str]) -> Response:
    """The response of a record; without its body where none is stored, or it shows more than ``readable`` fields."""
    headers = {name["S"]: text["S"] for name, text in (pair["L"] for pair in stored["headers"]["L"])}
    shown = {name["S"] for name in stored["fields"]["L"]}
    if "body" in stored and shown <= readable:
        return Response(int(stored["status"]["N"]), headers | REPLAYED, zlib.decompress(stored["body"]["B"]))
    headers.pop("content-type", None)
    return Response(int(stored["status"]["N"]), headers | REPLAYED)


def check_replay(route: Route, path_key: RawItem | None, made: Iterable[RawItem]) -> None:
    """Raise where the rule does not hold any more on an item of the path, or on one that the request ``made``.

    Items that are gone hide nothing. One that no attribute can read raises as ``StoredItems.instance``, unless it is
    certain that the rule holds on it: the answer is kept, and needs no instance.
    """
    current_guard().check_related()
    if isinstance(current_guard().verdict, bool):
        return
    table = route.model.Meta.table_name
    keys = [entry["key"]["M"] for entry in made if entry["table"]["S"] == table]
    for key in [*keys, *([] if path_key is None else [path_key])]:
        raw = get_item(route.model, key)
        if _is_there(raw, route) and not certainly_allows_by_parts(current_guard().verdict, raw):
            current_guard().judge(StoredItems(route.model).instance(raw), raw)


def may_have(route: Route, path_key: RawItem | None, verdict: Verdict) -> bool:
    """Whether a verdict lets the user have the item of the path, as it is now.

    An item that is gone hides nothing; of one that no attribute can read only what is certain lets them.
    """
    if isinstance(verdict, bool) or path_key is None:
        return verdict is not False
    raw = get_item(route.model, path_key)
    if not _is_there(raw, route) or certainly_allows_by_parts(verdict, raw):
        return True
    try:
        instance = instance_of(route.model, raw)
    except Exception as error:  # noqa: BLE001 - a poison row raises whatever its attribute's class does
        report_unreadable(route.model, raw, "was not shown", error)
        return False
    return Guard(verdict).allows(instance, raw)


def _is_there(raw: RawItem | None, route: Route) -> TypeGuard[RawItem]:
    """Whether a stored item has neither expired nor been deleted."""
    if not raw or not is_live(route.model, raw):
        return False
    return route.deletion is None or not route.deletion.hides(raw)


def key_of_path(route: Route, key: Mapping[str, Any] | None) -> RawItem | None:
    """A key by its attributes' names as DynamoDB stores it, None for none."""
    if key is None:
        return None
    about = model_info(route.model)
    parts = {a.attr_name: {a.attr_type: a.serialize(key[name])} for name, a in about.address.items()}
    return about.key_of(parts) if about.has_composed_key else parts
