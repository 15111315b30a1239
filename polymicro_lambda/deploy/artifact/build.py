"""A Lambda's artifact: the files that its handler needs and no others, compiled for the Python that runs it.

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

from .botocore_data import ALL_SERVICES, cut_data
from .bytecode_archive import add_start, pack
from .dropped_files import (
    DOCS_ONLY,
    DOCS_REQUIREMENTS,
    LOCAL_ONLY,
    drop,
    drop_unserved,
    files,
)
from .format_libraries import format_requirements
from .imports import imports, passes_argument, reachable
from .powertools import missing_powertools, thin_out_powertools
from .sizes import ArtifactPart, artifact_parts, sdk_advice
from .stripped_sources import strip_dependencies, stripped
from .target_python import PACKAGE, RUNNING_PYTHON, BuildError, Target

MANIFEST = "polymicro-build.json"
"""The file that describes an artifact; a directory with it may be built into again."""
FILE_TIME = 318_211_200
"""Every file's time, 1 February 1980: a zip file knows none before 1980, in no time zone."""
WHEELS = "wheels"
"""Where a project keeps the wheels that no index has, as its Makefile has it."""
CODE = frozenset({".py", ".pyc", ".pyi", ".typed"})


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """The artifact to build: its project, its handler, its Python.

    ``module`` holds the handler; ``include`` names modules that are imported by a name made at run time.
    ``requirements`` are pip's. ``services`` are those whose data botocore keeps, by botocore's names; None is
    ``dynamodb`` alone, or all where the code may make clients of others. ``machine`` is x86_64 or aarch64.
    """

    root: Path
    module: str
    requirements: tuple[str, ...]
    include: tuple[str, ...] = ()
    services: tuple[str, ...] | None = None
    python: str = RUNNING_PYTHON
    machine: str = "x86_64"


@dataclass(frozen=True, slots=True)
class BuildResult:
    """The parts of an artifact, the largest first, and notes for the person who builds."""

    parts: tuple[ArtifactPart, ...]
    notes: tuple[str, ...] = ()


def build(plan: BuildPlan, out: Path) -> BuildResult:
    """Build into ``out``, a directory that is new, empty or of an earlier build; same input, same bytes.

    Raises ``BuildError``, and leaves ``out`` as it was.
    """
    target = Target.find(plan.python, plan.machine)
    previous = _previous(out)
    with TemporaryDirectory(prefix=".build-", dir=out.parent) as name:
        stage = Path(name) / "artifact"
        stage.mkdir()
        target.install(plan.requirements, stage, wheels=plan.root / WHEELS)
        found = _reachable_modules(plan, stage)
        if DOCS_ONLY.keys() & found.keys():
            target.install(DOCS_REQUIREMENTS, stage, alone=True)
            drop_unserved(stage)
        own = _project_modules(plan, stage, found)
        target.install(format_requirements(own, stage), stage, alone=True)
        thin_out_powertools(own, stage)
        drop(stage)
        strip_dependencies(stage)
        _copy(plan, stage, found)
        services = services_of(plan, found)
        _cut(stage, services)
        add_start(stage)
        target.compile(stage)
        pack(stage, plan.module, target.compile_source)
        notes = _trial_notes(target, plan, stage, missing_powertools(own, stage))
        sizes = artifact_parts(stage)
        _write_manifest(plan, stage, sizes)
        _replace(previous, stage, out)
    all_data = (
        None if services else "all of botocore's data is in it: the code may use other services than DynamoDB"
    )
    return BuildResult(sizes, tuple(filter(None, (all_data, *sdk_advice(sizes), *notes))))


def _trial_notes(
    target: Target, plan: BuildPlan, stage: Path, powertools: str | None
) -> tuple[str | None, ...]:
    """The notes on Powertools and on the trial import. Raises ``BuildError`` with both."""
    try:
        return powertools, target.try_import(plan.module, stage)
    except BuildError as error:
        raise BuildError("\n\n".join(filter(None, (str(error), powertools)))) from error


def _previous(out: Path) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    previous = sorted(out.iterdir())
    if previous and not (out / MANIFEST).is_file():
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


def _reachable_modules(plan: BuildPlan, stage: Path) -> dict[str, Path]:
    """The modules of the project and of this package that the handler reaches, and their files."""
    start = (plan.module, *plan.include)
    root_of = partial(_root_of, plan, stage)
    try:
        found = reachable(start, root_of, without={*LOCAL_ONLY, *DOCS_ONLY} - set(start))
        if any(passes_argument(file, "docs") for name, file in found.items() if _top(name) != PACKAGE):
            found = reachable(start, root_of, without=LOCAL_ONLY)
    except SyntaxError as error:
        raise BuildError(f"{error.filename}, line {error.lineno}, is no Python: {error.msg}.") from error
    missing = [name for name in start if name not in found]
    if missing:
        raise BuildError(f"There is no module {missing[0]} under {plan.root}.")
    return found


def _root_of(plan: BuildPlan, stage: Path, top: str) -> Path | None:
    if (plan.root / top).is_dir() or (plan.root / f"{top}.py").is_file():
        return plan.root
    return stage if top == PACKAGE else None


def _top(name: str) -> str:
    return name.partition(".")[0]


def _project_modules(plan: BuildPlan, stage: Path, found: Mapping[str, Path]) -> dict[str, Path]:
    return {name: file for name, file in found.items() if _root_of(plan, stage, _top(name)) == plan.root}


def _copy(plan: BuildPlan, stage: Path, found: Mapping[str, Path]) -> None:
    """Copy the project's modules that the handler reaches, and remove those of this package that it does not."""
    own = _project_modules(plan, stage, found)
    for file in sorted({*own.values(), *_data_files(own)}):
        copy = stage / file.relative_to(plan.root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    _thin_out(stage, found)


def _data_files(own: Mapping[str, Path]) -> Iterator[Path]:
    """The files beside modules of packages that are no code, and directories of such files."""
    for directory in {file.parent for name, file in own.items() if "." in name or file.name == "__init__.py"}:
        for path in directory.iterdir():
            if path.is_dir() and not any(file.suffix in CODE for file in files(path)):
                yield from files(path)
            elif path.is_file() and path.suffix not in CODE:
                yield path


def _thin_out(stage: Path, found: Mapping[str, Path]) -> None:
    """Strip the sources of this package, and remove its modules that the handler does not reach."""
    reached = {(name.replace(".", "/"), file.name == "__init__.py") for name, file in found.items()}
    for file in (stage / PACKAGE).rglob("*.py") if PACKAGE in found else ():
        package = file.name == "__init__.py"
        name = (file.parent if package else file.with_suffix("")).relative_to(stage).as_posix()
        if (name, package) in reached:
            file.write_text(stripped(file.read_text(encoding="utf-8")), encoding="utf-8")
        else:
            file.unlink()


# --- botocore's data, and the manifest ----------------------------------------------


def services_of(plan: BuildPlan, found: Mapping[str, Path]) -> tuple[str, ...]:
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


def _write_manifest(plan: BuildPlan, stage: Path, found: tuple[ArtifactPart, ...]) -> None:
    """Write the manifest, and make all files' times and modes the same."""
    about = {"module": plan.module, "python": plan.python, "machine": plan.machine}
    sizes = {part.name: part.total for part in found}
    (stage / MANIFEST).write_text(json.dumps({**about, "bytes": sizes}, indent=2) + "\n", encoding="utf-8")
    for path in stage.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.suffix == ".so" else 0o644)
        os.utime(path, (FILE_TIME, FILE_TIME))
