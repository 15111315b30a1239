"""What a build compiles is what Python would: patterns, data classes and named tuples, made of their code."""

import builtins
import collections
import dataclasses
import re
import sys
import zlib
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType, SimpleNamespace
from typing import Any, NamedTuple

import pytest

from polymicro_lambda.deploy.artifact import trial_import
from polymicro_lambda.deploy.artifact.bytecode_importer import (
    compiled_ahead,
    precompiled_patterns,
    precompiled_texts,
)

PATTERNS = [
    pytest.param(r"a(?P<name>b)?(c)\1", 0, id="groups"),
    pytest.param(r"[\u00a1-\uffff]+é", re.IGNORECASE, id="letters in either case"),
    pytest.param(rb"[\x80-\xff]", 0, id="bytes"),
    pytest.param("(?x) a  # and no more\n b", re.VERBOSE | re.DOTALL, id="flags in and beside it"),
    pytest.param("", 0, id="empty"),
]


def known(pattern: Any, flags: int, file: Path) -> Any:
    """The pattern as an artifact has it; Python is not asked for it."""
    with trial_import.recorded_patterns() as made:
        re.purge()
        re.compile(pattern, flags)
    trial_import.write(made, {}, str(file))
    re.purge()
    asked: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(re._compiler, "compile", lambda *given: asked.append(given))  # type: ignore[attr-defined]
        with precompiled_patterns(compiled_ahead(str(file))[0]):
            found = re.compile(pattern, flags)
        assert asked == []
    return found


@pytest.mark.parametrize(("pattern", "flags"), PATTERNS)
def test_what_is_made_of_its_code_is_what_python_compiles(pattern: Any, flags: int, tmp_path: Path) -> None:
    """Patterns are equal when their text, flags and code are."""
    made = known(pattern, flags, tmp_path / "patterns")
    re.purge()
    real = re.compile(pattern, flags)
    assert made is not real
    assert (made, made.groups, made.groupindex) == (real, real.groups, real.groupindex)


def test_the_same_patterns_give_the_same_bytes(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one", "other")]
    for file, order in zip(files, (1, -1), strict=True):
        with trial_import.recorded_patterns() as made:
            re.purge()
            for param in PATTERNS[::order]:
                re.compile(*param.values)  # type: ignore[arg-type]
        trial_import.write(made, {}, str(file))
    assert files[0].read_bytes() == files[1].read_bytes()


def test_code_of_another_python_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with trial_import.recorded_patterns() as made:
        re.purge()
        re.compile("a")
    made["a", 0] = (*made["a", 0][:2], [0], *made["a", 0][3:])  # code that would be refused
    sre = re._compiler._sre  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setattr(
            re._compiler,
            "_sre",
            SimpleNamespace(MAGIC=sre.MAGIC + 1, CODESIZE=sre.CODESIZE),  # type: ignore[attr-defined]
        )
        trial_import.write(made, {}, str(tmp_path / "patterns"))
    re.purge()
    with precompiled_patterns(compiled_ahead(str(tmp_path / "patterns"))[0]):
        assert re.compile("a").fullmatch("a")


def test_without_the_file_and_with_a_text_of_a_class_of_its_own_python_compiles(tmp_path: Path) -> None:
    class Text(str):
        __slots__ = ()

    re.purge()
    with (
        precompiled_patterns(compiled_ahead(str(tmp_path / "none"))[0]),
        trial_import.recorded_patterns() as made,
    ):
        assert re.compile(Text("b")).fullmatch("b")
    assert made == {}


def test_a_trial_imports_and_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "tried_module.py").write_text("import re\nre.compile('a b c d tried')\n")
    (tmp_path / "tried_missing.py").write_text("import a_module_that_is_not_there\n")
    (tmp_path / "tried_failing.py").write_text("1 / 0\n")
    file = tmp_path / "patterns"
    statuses = [
        trial_import.main(str(tmp_path), f"tried_{name}", str(file))
        for name in ("missing", "failing", "module")
    ]
    assert statuses == [trial_import.MISSING, 1, 0]
    assert b"a b c d tried" in zlib.decompress(file.read_bytes())


# --- classes that are made of text ---


def make_classes() -> dict[str, Any]:
    @dataclass(frozen=True, slots=True, order=True)
    class Point:
        x: int
        y: int = 2
        names: list[str] = field(default_factory=list, compare=False)

    class Pair(NamedTuple):
        one: int
        two: str = "b"

    return {"Point": Point, "Pair": Pair}


def described(classes: dict[str, Any]) -> dict[str, Any]:
    """What the classes do, and the code of each of their methods."""
    point, pair = classes["Point"](1), classes["Pair"](1)
    return {
        "values": (
            repr(point),
            point == classes["Point"](1, 2),
            hash(point),
            point < classes["Point"](2),
            repr(pair),
        ),
        "code": {
            name: {
                key: one.__code__.co_code for key, one in vars(kind).items() if isinstance(one, FunctionType)
            }
            for name, kind in classes.items()
        },
    }


def kept(file: Path) -> dict[str, Any]:
    with trial_import.recorded_texts() as texts:
        make_classes()
    trial_import.write({}, texts, str(file))
    return dict(compiled_ahead(str(file))[1])


def test_classes_of_compiled_texts_are_those_that_python_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of none of their texts Python is asked for the code."""
    texts = kept(tmp_path / "compiled")
    assert {name: bool(codes) for name, codes in texts.items()} == {"dataclasses": True, "collections": True}
    ran: list[type] = []

    def watched(run: Callable[..., Any]) -> Callable[..., Any]:
        return lambda code, *scopes: (ran.append(type(code)), run(code, *scopes))[1]

    for name in ("exec", "eval"):
        monkeypatch.setattr(builtins, name, watched(getattr(builtins, name)))
    with precompiled_texts(texts):
        made = make_classes()
    monkeypatch.undo()
    assert set(ran) == {CodeType}
    assert described(made) == described(make_classes())


def test_a_text_that_the_build_has_not_met_is_compiled(tmp_path: Path) -> None:
    texts = kept(tmp_path / "compiled")
    with precompiled_texts(texts):
        other = namedtuple("Other", "a b")
    assert other(1, 2).b == 2
    assert "eval" not in vars(collections)
    assert "exec" not in vars(dataclasses)


def test_the_same_classes_give_the_same_bytes(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one", "other")]
    for file in files:
        kept(file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_classes_of_another_python_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "compiled"
    kept(file)
    monkeypatch.setattr(sys.implementation, "cache_tag", "cpython-399")
    assert compiled_ahead(str(file)) == ({}, {})
