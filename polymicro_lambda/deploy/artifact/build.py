"""A Lambda's artifact: what its handler needs and nothing else, compiled for the Python that runs it.

``sam build`` ships no bytecode and Lambda's task folder cannot be written to, so that each cold start would
compile every module again.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from .bytecode_archive import add_start, pack
from .contents import (
    ALL_SERVICES,
    DOCS_ONLY,
    DOCS_REQUIREMENTS,
    LOCAL_ONLY,
    ArtifactPart,
    artifact_parts,
    cut_data,
    drop,
    drop_unserved,
    files,
)
from .imports import imports, reachable, says
from .powertools import lacking
from .target_python import THIS, BuildError, Target

PACKAGE = __name__.partition(".")[0]
MARK = "polymicro-build.json"
"""The file that says what an artifact is; a directory with it may be built into again."""
MADE = 318_211_200
"""Every file's time, 1 February 1980: a zip file knows none before 1980, in no time zone."""
WHEELS = "wheels"
"""Where a project keeps the wheels that no index has, as its Makefile has it."""
CODE = frozenset({".py", ".pyc", ".pyi", ".typed"})


@dataclass(frozen=True, slots=True)
class Plan:
    """What to build, of which project, for which Python.

    ``module`` holds the handler; ``include`` names modules that are imported by a name made at run time.
    ``requirements`` are pip's. ``services`` are those whose data botocore keeps, by botocore's names; None is
    ``dynamodb`` alone, or all where the code may make clients of others. ``machine`` is x86_64 or aarch64.
    """

    root: Path
    module: str
    requirements: tuple[str, ...]
    include: tuple[str, ...] = ()
    services: tuple[str, ...] | None = None
    python: str = THIS
    machine: str = "x86_64"


@dataclass(frozen=True, slots=True)
class Built:
    """The parts of an artifact, the largest first, and what to know of it."""

    parts: tuple[ArtifactPart, ...]
    notes: tuple[str, ...] = ()


def build(plan: Plan, out: Path) -> Built:
    """Build into ``out``, a directory that is new, empty or of an earlier build; same input, same bytes.

    Raises ``BuildError``, and leaves ``out`` as it was.
    """
    target = Target.find(plan.python, plan.machine)
    previous = _previous(out)
    with TemporaryDirectory(prefix=".build-", dir=out.parent) as name:
        stage = Path(name) / "artifact"
        stage.mkdir()
        target.install(plan.requirements, stage, wheels=plan.root / WHEELS)
        found = _found(plan, stage)
        if DOCS_ONLY.keys() & found.keys():
            target.install(DOCS_REQUIREMENTS, stage, alone=True)
            drop_unserved(stage)
        drop(stage)
        _copy(plan, stage, found)
        services = services_of(plan, found)
        _cut(stage, services)
        add_start(stage)
        target.compile(stage)
        pack(stage, plan.module, target.compile_source)
        trouble = _tried(target, plan, stage, lacking(_own(plan, stage, found), stage))
        sizes = artifact_parts(stage)
        _finish(plan, stage, sizes)
        _replace(previous, stage, out)
    every = (
        None if services else "all of botocore's data is in it: the code may use other services than DynamoDB"
    )
    return Built(sizes, tuple(filter(None, (every, *trouble))))


def _tried(target: Target, plan: Plan, stage: Path, known: str | None) -> tuple[str | None, ...]:
    """What is known, and what came up when the artifact was tried. Raises ``BuildError`` with both."""
    try:
        return known, target.imports(plan.module, stage)
    except BuildError as error:
        raise BuildError("\n\n".join(filter(None, (str(error), known)))) from error


def _previous(out: Path) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    previous = sorted(out.iterdir())
    if previous and not (out / MARK).is_file():
        raise BuildError(
            f"{out} is not empty and holds no earlier build. Empty it, or name another directory."
        )
    return previous


def _replace(previous: list[Path], stage: Path, out: Path) -> None:
    for old in previous:
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    for new in sorted(stage.iterdir()):
        new.rename(out / new.name)


# --- the project's own code -----------------------------------------------------------------------------


def _found(plan: Plan, stage: Path) -> dict[str, Path]:
    """The modules of the project and of this package that the handler reaches, and their files."""
    start = (plan.module, *plan.include)
    root_of = partial(_root_of, plan, stage)
    try:
        found = reachable(start, root_of, without={*LOCAL_ONLY, *DOCS_ONLY} - set(start))
        if any(says(file, "docs") for name, file in found.items() if _top(name) != PACKAGE):
            found = reachable(start, root_of, without=LOCAL_ONLY)
    except SyntaxError as error:
        raise BuildError(f"{error.filename}, line {error.lineno}, is no Python: {error.msg}.") from error
    missing = [name for name in start if name not in found]
    if missing:
        raise BuildError(f"There is no module {missing[0]} under {plan.root}.")
    return found


def _root_of(plan: Plan, stage: Path, top: str) -> Path | None:
    if (plan.root / top).is_dir() or (plan.root / f"{top}.py").is_file():
        return plan.root
    return stage if top == PACKAGE else None


def _top(name: str) -> str:
    return name.partition(".")[0]


def _own(plan: Plan, stage: Path, found: Mapping[str, Path]) -> dict[str, Path]:
    return {name: file for name, file in found.items() if _root_of(plan, stage, _top(name)) == plan.root}


def _copy(plan: Plan, stage: Path, found: Mapping[str, Path]) -> None:
    """Copy what the handler reaches of the project's own code, and thin out this package."""
    own = _own(plan, stage, found)
    for file in sorted({*own.values(), *_data(own)}):
        copy = stage / file.relative_to(plan.root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    _thin(stage, found)


def _data(own: Mapping[str, Path]) -> Iterator[Path]:
    """The files beside modules of packages that are no code, and directories of such files."""
    for directory in {file.parent for name, file in own.items() if "." in name or file.name == "__init__.py"}:
        for path in directory.iterdir():
            if path.is_dir() and not any(file.suffix in CODE for file in files(path)):
                yield from files(path)
            elif path.is_file() and path.suffix not in CODE:
                yield path


def _thin(stage: Path, found: Mapping[str, Path]) -> None:
    """Remove the modules of this package that the handler does not reach: its commands, its tests' client."""
    reached = {(name.replace(".", "/"), file.name == "__init__.py") for name, file in found.items()}
    for file in (stage / PACKAGE).rglob("*.py") if PACKAGE in found else ():
        package = file.name == "__init__.py"
        name = (file.parent if package else file.with_suffix("")).relative_to(stage).as_posix()
        if (name, package) not in reached:
            file.unlink()


# --- botocore's data, and what the artifact says of itself ----------------------------------------------


def services_of(plan: Plan, found: Mapping[str, Path]) -> tuple[str, ...]:
    """The services whose data botocore keeps, none for all."""
    if plan.services is not None:
        return plan.services
    own = (imports(name, file) for name, file in found.items() if name.partition(".")[0] != PACKAGE)
    others = any(_within(name, known) for names in own for name in names for known in ALL_SERVICES)
    return () if others else ("dynamodb",)


def _within(name: str, package: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


def _cut(stage: Path, services: tuple[str, ...]) -> None:
    try:
        if services:
            cut_data(stage, services)
    except LookupError as error:
        raise BuildError(f"{error}. Name services as botocore's own folder of data does.") from error


def _finish(plan: Plan, stage: Path, found: tuple[ArtifactPart, ...]) -> None:
    """Say what the artifact is, and make all files' times and modes the same."""
    about = {"module": plan.module, "python": plan.python, "machine": plan.machine}
    sizes = {part.name: part.total for part in found}
    (stage / MARK).write_text(json.dumps({**about, "bytes": sizes}, indent=2) + "\n", encoding="utf-8")
    for path in stage.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.suffix == ".so" else 0o644)
        os.utime(path, (MADE, MADE))
