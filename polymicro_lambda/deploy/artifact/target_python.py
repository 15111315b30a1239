"""The Python that an artifact is for: found on this machine, it installs, compiles and tries the artifact."""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from polymicro_lambda.exceptions import PolymicroError

from .bytecode_importer import COMPILED
from .sizes import SDK_MISSING
from .trial_import import MISSING

RUNNING_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The minor version of the Python that runs."""
PACKAGE = "polymicro_lambda"
"""This package."""
TASK_FOLDER = "/var/task"
"""The folder of the artifact in a Lambda: tracebacks name it, wherever the build was."""

GLIBC: Mapping[str, int] = {"3.11": 26}
"""Python -> the minor version of the glibc 2 under it: Amazon Linux 2's; 2023's (34) under later ones."""
GLIBC_LATER = 34
OLDEST = 17
"""glibc 2.17 is the oldest that wheels name, as ``manylinux2014`` too (PEP 599)."""

TRIAL = Path(__file__).with_name("trial_import.py")
COMPILE = (
    "import sys; from py_compile import compile, PycInvalidationMode; "
    "compile(*sys.argv[1:], dfile='<polymicro build>', invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)"
)
TRIAL_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",  # the port that discards (RFC 863)
    "AWS_LAMBDA_FUNCTION_NAME": "none",
    "AWS_SECRET_ACCESS_KEY": "none",  # nosec B105 # for a trial import, which calls nothing
    "POLYMICRO_CURSOR_SECRET": "no secret but long enough to compile with",  # nosec B105 # as above
    "POWERTOOLS_METRICS_NAMESPACE": "none",
}


class BuildError(PolymicroError):
    """The artifact cannot be built; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """A Python of the right minor version on this machine, and the machine that the artifact will run on."""

    version: str
    machine: str
    command: str

    @classmethod
    def find(cls, version: str, machine: str) -> "Target":
        """The Python of this version that runs here, is on PATH or one of pyenv's. Raises ``BuildError``.

        Bytecode is of one minor version alone.
        """
        for command in _pythons(version):
            if _version(command) == version:
                return cls(version, machine, command)
        raise BuildError(
            f"Bytecode for Python {version} takes a Python {version}, and there is none on this machine: neither "
            f"python{version} on PATH nor one of pyenv's. Install it, or build for the Python at hand by "
            f"--python {RUNNING_PYTHON}, with Runtime: python{RUNNING_PYTHON} in the template."
        )

    def install(
        self, requirements: Sequence[str], root: Path, *, alone: bool = False, wheels: Path | None = None
    ) -> None:
        """Install requirements, and unless ``alone`` what they require, as wheels for Lambda.

        ``wheels`` is a directory where pip looks besides its index, if it is there. Raises ``BuildError`` with pip's
        words.
        """
        if not requirements:
            return
        done = _run(
            *(sys.executable, "-m", "pip", "--python", self.command, "install", "--quiet", "--no-input"),
            *("--disable-pip-version-check", "--root-user-action=ignore", "--no-compile"),
            *("--only-binary=:all:", "--implementation=cp", f"--python-version={self.version}"),
            *(f"--platform={name}" for name in self._platforms()),
            *([f"--find-links={wheels}"] if wheels is not None and wheels.is_dir() else []),
            *(f"--target={root}", *(["--no-deps"] if alone else []), *requirements),
        )
        if done.returncode:
            raise BuildError(f"The dependencies cannot be installed:\n\n{done.stderr.strip()}")

    def _platforms(self) -> Iterator[str]:
        yield f"manylinux2014_{self.machine}"
        for minor in range(OLDEST, GLIBC.get(self.version, GLIBC_LATER) + 1):
            yield f"manylinux_2_{minor}_{self.machine}"

    def compile(self, root: Path) -> None:
        """Compile every module under a directory; one that does not compile stays, and fails where it is imported.

        No file's time is compared with its source's when it is loaded: the two never part (PEP 552). This package goes
        without its docstrings: nothing reads them in a Lambda.
        """
        ours = root / PACKAGE
        self._compile(root, root, "-x", f"^{re.escape(str(ours))}/")
        if ours.is_dir():
            self._compile(ours, root, "-o", "2")

    def _compile(self, directory: Path, root: Path, *options: str) -> None:
        _run(
            *(self.command, "-m", "compileall", "-q", "-j1", "--invalidation-mode=unchecked-hash"),
            *(*options, "-s", str(root), "-p", TASK_FOLDER, str(directory)),
            environment={"PYTHONHASHSEED": "0"},  # the order of constants that are sets
        )

    def compile_source(self, source: str, file: Path) -> None:
        """Compile a source that stands in no file of its own into ``file``."""
        with TemporaryDirectory() as name:
            written = Path(name) / "source.py"
            written.write_text(source, encoding="utf-8")
            _run(self.command, "-c", COMPILE, str(written), str(file))

    def try_import(self, module: str, root: Path) -> str | None:
        """Import a module with the artifact alone. Returns a note of an error, unless a module is missing; else None.

        The patterns and classes that this compiles are put into the artifact. Raises ``BuildError`` with the traceback
        of an ``ImportError``, or of what was raised from one.
        """
        if any(root.rglob("*.so")) and (sys.platform, platform.machine()) != ("linux", self.machine):
            return f"not tried: this machine cannot load compiled modules for {self.machine}"
        # X-Ray's SDK asks by LAMBDA_TASK_ROOT whether it is in a Lambda: elsewhere it takes botocore's data on X-Ray.
        environment = {**TRIAL_ENVIRONMENT, "LAMBDA_TASK_ROOT": str(root)}
        done = _run(
            *(self.command, "-I", "-S", "-B", str(TRIAL)),
            *(str(root), module, str(root / COMPILED)),
            environment=environment,
        )
        last = done.stderr.strip().rpartition("\n")[2]
        if done.returncode == MISSING:
            advice = f"\n\n{SDK_MISSING}" if "No module named 'boto3'" in done.stderr else ""
            raise BuildError(
                f"{module} cannot be imported with the artifact alone:\n\n{done.stderr.strip()}{advice}"
            )
        return f"not tried to its end: importing {module} here raised {last}" if done.returncode else None


def _pythons(version: str) -> Iterator[str]:
    yield sys.executable
    yield from filter(None, [shutil.which(f"python{version}")])
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True))


def _version(command: str) -> str:
    try:
        return _run(command, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").stdout.strip()
    except OSError:
        return ""


def _run(*command: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(  # nosec B603 # noqa: S603 - the commands are this module's own
        command, capture_output=True, text=True, check=False, env={**kept, **(environment or {})}
    )
