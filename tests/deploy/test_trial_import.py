"""Regular expressions that a build compiles are those that Python would: an artifact makes them of their code."""

import re
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from polymicro_lambda.deploy.artifact import trial_import
from polymicro_lambda.deploy.artifact.bytecode_importer import precompiled_patterns

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
    trial_import.write(made, str(file))
    re.purge()
    asked: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(re._compiler, "compile", lambda *given: asked.append(given))  # type: ignore[attr-defined]
        with precompiled_patterns(str(file)):
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
        trial_import.write(made, str(file))
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
        trial_import.write(made, str(tmp_path / "patterns"))
    re.purge()
    with precompiled_patterns(str(tmp_path / "patterns")):
        assert re.compile("a").fullmatch("a")


def test_without_the_file_and_with_a_text_of_a_class_of_its_own_python_compiles(tmp_path: Path) -> None:
    class Text(str):
        __slots__ = ()

    re.purge()
    with precompiled_patterns(str(tmp_path / "none")), trial_import.recorded_patterns() as made:
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
