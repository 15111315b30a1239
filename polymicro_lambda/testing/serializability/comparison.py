"""Outcomes as trees of JSON, and what counts as equal in them: what is made anew is compared by presence."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from polymicro_lambda.testing.client import Result

from .declarations import Declared
from .runs import Outcome
from .tables import Items

Path: TypeAlias = tuple[str, ...]
"""The members that lead to a value; ``EACH`` stands for any index of a list."""

EACH = "*"
MADE_ANEW = "(made anew)"
ABSENT = "(absent)"
ALWAYS_NEW = frozenset({"etag", "retry-after", "ratelimit", "ratelimit-policy"})
"""Headers that differ with the moment, or with how many requests were counted before."""
SETS = frozenset({"SS", "NS", "BS"})


class Comparison:
    """What is made anew: found in runs that should be equal, defaults that are called, and what a test ignores."""

    def __init__(self, ignored: Collection[str], before: Mapping[str, Items]) -> None:
        self.ignored = frozenset(ignored)
        self.before = before
        """The tables as they stood at first; it grows with the tables that are met."""
        self.anew: set[Path] = set()
        self._declared: dict[str, Declared] = {}

    def learn(self, one: Outcome, same: Outcome) -> None:
        """Two runs of the same requests in the same order: what differs in them is made anew."""
        self.anew.update(path for path, _, _ in differences(self._tree(one), self._tree(same)))

    def tree(self, outcome: Outcome) -> dict[str, Any]:
        """The outcome without what is made anew."""
        tree: dict[str, Any] = self._without_new(self._tree(outcome), ())
        return tree

    def _tree(self, outcome: Outcome) -> dict[str, Any]:
        tables = {name: outcome.tables.get(name, items) for name, items in self.before.items()}
        answers = {str(number): self._answer(answer) for number, answer in outcome.answers.items()}
        return {
            "answers": answers,
            "tables": {
                name: self._table(name, items)
                for name, items in tables.items()
                if not self._declarations(name).counts
            },
        }

    def _declarations(self, table: str) -> Declared:
        if table not in self._declared:
            self._declared[table] = Declared.of(table)
        return self._declared[table]

    def _answer(self, answer: Result) -> dict[str, Any]:
        try:
            body = answer.json
        except ValueError:
            body = answer.body.decode(errors="backslashreplace") or None
        anew = self.ignored
        if "problem" in answer.headers.get("content-type", ""):
            anew = anew | {"instance"}
        if answer.status == 201:
            anew = anew.union(*(self._declarations(table).called for table in self.before))
        headers = presence(dict(answer.headers), ALWAYS_NEW | self.ignored)
        return {"status": answer.status, "headers": headers, "body": presence(body, anew)}

    def _table(self, name: str, items: Items) -> dict[str, Any]:
        before, declared = self.before[name], self._declarations(name)
        ignored = self.ignored | declared.stored(self.ignored)
        anew = ignored | declared.stored(declared.called)
        new = [presence(item, anew) for key, item in items.items() if key not in before]
        return {
            "items": {key: presence(item, ignored) for key, item in items.items() if key in before},
            "new items": new,
        }

    def _without_new(self, value: Any, path: Path) -> Any:
        if path in self.anew:
            return _present(value)
        if isinstance(value, dict):
            return {name: self._without_new(one, (*path, name)) for name, one in value.items()}
        if not isinstance(value, list):
            return value
        below = (*path, EACH)
        shown = [self._without_new(one, below) for one in value]
        # The order of a list may follow from what is made anew.
        free = path[-1:] == ("new items",) or any(one[: len(below)] == below for one in self.anew)
        return sorted(shown, key=repr) if free else shown


def differences(one: Any, other: Any, path: Path = ()) -> Iterator[tuple[Path, Any, Any]]:
    """Where two trees differ, with the value in each; the items of lists of one length are paired as they fit best."""
    if one == other:
        return
    if isinstance(one, dict) and isinstance(other, dict):
        for name in {**one, **other}:
            yield from differences(one.get(name, ABSENT), other.get(name, ABSENT), (*path, name))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        found = [each for pair in _pairs(one, other) for each in differences(*pair, (*path, EACH))]
        yield from found or [(path, one, other)]
    else:
        yield path, one, other


def _pairs(one: Sequence[Any], other: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    left = list(other)
    for value in sorted(one, key=lambda value: value not in other):
        best = value if value in left else min(left, key=lambda each: len(list(differences(value, each))))
        left.remove(best)
        yield value, best


def presence(value: Any, anew: Collection[str]) -> Any:
    """The same with the members of these names, at every depth, by presence alone; sets in order."""
    if isinstance(value, list):
        return [presence(one, anew) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _present(one) if name in anew else _ordered(name, presence(one, anew))
        for name, one in value.items()
    }


def _ordered(name: str, value: Any) -> Any:
    return sorted(value) if name in SETS and isinstance(value, list) else value


def _present(value: Any) -> Any:
    return value if value is None or value == ABSENT else MADE_ANEW
