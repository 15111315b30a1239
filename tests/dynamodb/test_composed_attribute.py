"""Keys composed of other attributes: each pair of parts has a key of its own, and what can be no template is told."""

from datetime import UTC, datetime
from typing import Any

import pytest
from contract import create_table, stored
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    DiscriminatorAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import ComposedAttribute, ConfigurationError, PrefixedAttribute
from polymicro_lambda.dynamodb import UnfitPart, model_info


def index(**keys: Any) -> Any:
    meta = type("Meta", (), {"index_name": "by_key", "projection": AllProjection()})
    return type("ByKey", (GlobalSecondaryIndex,), {"Meta": meta, **keys})()


def model(**members: Any) -> Any:
    meta = type("Meta", (), {"table_name": "", "region": "us-east-1"})
    return type("Thing", (Model,), {"Meta": meta, **members})


def composed(template: str, **parts: Any) -> Any:
    """The composed key of a model with these parts."""
    made = model(
        id=UnicodeAttribute(hash_key=True),
        by_key=index(key=ComposedAttribute(template, hash_key=True)),
        key=ComposedAttribute(template),
        **parts,
    )
    return model_info(made).composed["key"]


# --- one key for each pair ----------------------------------------------------------------------------------

SEPARATORS = ("#", "##", "a", "ab", "#|#", "é", "{{", " ")
TEXTS = st.text(st.sampled_from("ab#|é{ ") | st.characters(codec="utf-8"), max_size=6)
KINDS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "S": (UnicodeAttribute, TEXTS),
    "N": (NumberAttribute, st.integers(-30, 30) | st.decimals(-9, 9, places=2).map(float)),
    "B": (lambda: BinaryAttribute(legacy_encoding=False), st.binary(max_size=3)),
    "BOOL": (BooleanAttribute, st.booleans()),
    "time": (UTCDateTimeAttribute, st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC))),
}


@st.composite
def keys(draw: st.DrawFn) -> tuple[Any, list[str]]:
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3))
    template = draw(st.sampled_from(["", "ORDER#"]))
    for place, _ in enumerate(kinds):
        template += f"{{p{place}}}"
        template += draw(st.sampled_from(SEPARATORS)) if place < len(kinds) - 1 else ""
    template += draw(st.sampled_from(["", "", "#end"]))
    try:
        return composed(template, **{f"p{place}": KINDS[one][0]() for place, one in enumerate(kinds)}), kinds
    except ConfigurationError:
        assume(False)
        raise


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_different_parts_never_make_one_key(data: st.DataObject) -> None:
    """A key tells its parts: so no two sets of parts have the same. Equal numbers are equal however written."""
    key, kinds = data.draw(keys())
    raw: Any = {}
    for part, kind in zip(key.parts, kinds, strict=True):
        raw[part.place] = {part.kind: part.attribute.serialize(data.draw(KINDS[kind][1]))}
    try:
        value = key.value(raw)
    except UnfitPart:
        return
    found = key.stored_parts(value["S"])
    for part in key.parts:
        given, told = (part.attribute.deserialize(one[part.place][part.kind]) for one in (raw, found))
        assert given == told


@pytest.mark.parametrize(
    ("separator", "value", "fits"),
    [
        ("#", "a#", False),
        ("#", "", True),
        ("##", "a#", False),
        ("##", "#a", True),
        ("##", "a##", False),
        ("aba", "ab", False),
        ("ab", "a", True),
    ],
)
def test_a_part_may_not_hold_what_ends_it(separator: str, value: str, fits: bool) -> None:
    key = composed(f"{{one}}{separator}{{two}}", one=UnicodeAttribute(), two=UnicodeAttribute())
    raw = {"one": {"S": value}, "two": {"S": f"x{separator}y{separator}"}}
    if fits:
        assert key.stored_parts(key.value(raw)["S"]) == raw
    else:
        with pytest.raises(UnfitPart, match="one: This may not hold"):
            key.value(raw)


def test_numbers_have_one_text_and_binary_keeps_its_order() -> None:
    parts = {"n": NumberAttribute(), "b": BinaryAttribute(legacy_encoding=False), "f": BooleanAttribute()}
    key = composed("{n}#{f}#{b}", **parts)
    raw = {"n": {"N": "1.50e1"}, "f": {"BOOL": True}, "b": {"B": b"\x00\xff"}}
    assert key.value(raw) == {"S": "15#true#00ff"}
    assert key.value({"n": {"N": "1"}, "f": {"BOOL": True}}) is None


# --- PynamoDB's own writes ------------------------------------------------------------------------------------


def test_pynamodb_saves_the_key_of_the_parts_as_they_are(dynamodb: None, table_name: str) -> None:
    by_key = index(state=ComposedAttribute("{team}#{due}", hash_key=True, attr_name="s"))
    job = model(
        pk=ComposedAttribute("JOB#{id}", hash_key=True),
        id=UnicodeAttribute(),
        team=UnicodeAttribute(null=True),
        due=UTCDateTimeAttribute(default=datetime(2026, 1, 2, tzinfo=UTC)),
        by_key=by_key,
        state=ComposedAttribute("{team}#{due}", attr_name="s"),
    )
    create_table(job, table_name)
    one = job(id="1", team="red")
    assert (one.pk, one.state) == ("JOB#1", "red#2026-01-02T00:00:00.000000+0000")
    one.save()
    (item,) = stored(table_name)
    assert (item["pk"], item["s"]) == ({"S": "JOB#1"}, {"S": "red#2026-01-02T00:00:00.000000+0000"})
    again = job.get("JOB#1")
    again.team = None
    again.save()
    (item,) = stored(table_name)
    assert "s" not in item
    with job.batch_write() as batch:
        batch.save(job(id="2", team="blue"))
    assert sorted(one.get("s", {}).get("S", "")[:5] for one in stored(table_name)) == ["", "blue#"]
    with pytest.raises(UnfitPart, match="team"):
        job(id="3", team="a#b").save()


class ReadByItself(Model):
    """PynamoDB gets the attributes of such a model from the model's own method."""

    def __getattribute__(self, name: str) -> Any:
        return super().__getattribute__(name)


@pytest.mark.parametrize("base", [Model, ReadByItself])
def test_no_key_that_cannot_be_composed_is_left_out_of_a_write(
    dynamodb: None, table_name: str, base: Any
) -> None:
    members = {
        "Meta": type("Meta", (), {"table_name": "", "region": "us-east-1"}),
        "id": UnicodeAttribute(hash_key=True),
        "team": UnicodeAttribute(),
        "status": UnicodeAttribute(default="open"),
        "state": ComposedAttribute("{team}#{status}"),
        "by_key": index(state=ComposedAttribute("{team}#{status}", hash_key=True)),
    }
    job = type("Job", (base,), members)
    create_table(job, table_name)
    job(id="1", team="red").save()
    before, unfit = stored(table_name), job(id="1", team="a#b")
    with pytest.raises(UnfitPart, match="team"):
        unfit.save()
    with pytest.raises(UnfitPart, match="team"), job.batch_write() as batch:
        batch.save(unfit)
    assert stored(table_name) == before
    assert (unfit.state, unfit.to_simple_dict()) == (None, {"id": "1", "team": "a#b", "status": "open"})


# --- declarations ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("ORDER", "names no attribute"),
        ("{one}{two}", "nothing separates one from two"),
        ("{one}#{one}", "names 'one' twice"),
        ("{}#{one}", "no attribute's name"),
        ("{one!r}", "no attribute's name"),
        ("{one:>5}", "no attribute's name"),
        ("{one", "cannot be read"),
        ("{one}\x00{two}", "control characters"),
        ("{ona}#{two}", "no attribute 'ona': is 'one' meant?"),
        ("{key}#{two}", "'key' is composed itself"),
        ("{some}", "'some' is a UnicodeSetAttribute"),
        ("{several}", "'several' is a ListAttribute"),
        ("{any}", "'any' is a JSONAttribute"),
        ("{version}", "'version' is a VersionAttribute"),
        ("{kind}", "'kind' is a DiscriminatorAttribute"),
        ("{time}:{one}", "':' behind 'time' can stand in a UTCDateTimeAttribute"),
        ("{count}-{one}", "'-' behind 'count' can stand in a NumberAttribute"),
        ("{prefixed}#{one}", "'#' behind 'prefixed' can stand in a PrefixedAttribute"),
        (None, "takes a template"),
    ],
)
def test_what_is_no_template_is_told_with_class_and_attribute(template: Any, said: str) -> None:
    parts = {
        "one": UnicodeAttribute(),
        "two": UnicodeAttribute(),
        "some": UnicodeSetAttribute(),
        "several": ListAttribute(),
        "any": JSONAttribute(),
        "version": VersionAttribute(),
        "kind": DiscriminatorAttribute(),
        "time": UTCDateTimeAttribute(),
        "count": NumberAttribute(),
        "prefixed": PrefixedAttribute("P#"),
    }
    with pytest.raises(ConfigurationError, match=r"^Thing\.key") as error:
        composed(template, **parts)
    assert said in str(error.value)


def test_a_part_of_a_tables_key_may_not_be_null() -> None:
    thing = model(pk=ComposedAttribute("{one}", hash_key=True), one=UnicodeAttribute(null=True))
    with pytest.raises(ConfigurationError, match=r"^Thing\.pk: 'one' may be null"):
        model_info(thing)


@pytest.mark.parametrize("said", [None, True, False])
def test_it_may_be_null_as_its_parts_may(said: Any) -> None:
    def made(part: Any) -> Any:
        by_key = index(key=ComposedAttribute("{one}", hash_key=True))
        members = {"by_key": by_key, "key": ComposedAttribute("{one}", null=said), "one": part}
        return model_info(model(id=UnicodeAttribute(hash_key=True), **members)).composed["key"]

    assert made(UnicodeAttribute()).is_certain
    if said is False:
        with pytest.raises(ConfigurationError, match=r"^Thing\.key has null=False, but is made of 'one'"):
            made(UnicodeAttribute(null=True))
    else:
        assert not made(UnicodeAttribute(null=True)).is_certain


def test_a_map_has_no_composed_member() -> None:
    place = type("Place", (MapAttribute,), {"city": UnicodeAttribute(), "key": ComposedAttribute("{city}")})
    with pytest.raises(ConfigurationError, match=r"^Thing\.place\.key is composed"):
        model_info(model(id=UnicodeAttribute(hash_key=True), place=place()))


@pytest.mark.parametrize(
    ("members", "said"),
    [
        (
            {"key": ComposedAttribute("{one}"), "by_key": ComposedAttribute("{two}", hash_key=True)},
            r"^Thing\.by_key: key is composed by '\{two\}', in the model by '\{one\}'",
        ),
        (
            {"key": UnicodeAttribute(), "by_key": ComposedAttribute("{two}", hash_key=True)},
            r"^Thing\.by_key: key is composed by '\{two\}', in the model it is not",
        ),
        ({"key": ComposedAttribute("{one}")}, r"^Thing\.key is composed, but a key of neither"),
    ],
    ids=["another template", "plain in the model", "no index"],
)
def test_model_and_index_say_the_same(members: dict[str, Any], said: str) -> None:
    if "by_key" in members:
        members = {**members, "by_key": index(key=members["by_key"])}
    thing = model(
        id=UnicodeAttribute(hash_key=True), one=UnicodeAttribute(), two=UnicodeAttribute(), **members
    )
    with pytest.raises(ConfigurationError, match=said):
        model_info(thing)
