"""The files of a new project: a skeleton's under the project's name, and what its classes make."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path

from polymicro_lambda import __version__
from polymicro_lambda.deploy import RUNTIMES
from polymicro_lambda.project import UsageError

SKELETONS = Path(__file__).with_name("skeleton")
AUTHORIZER = ("authorizer.py", "jwks.py")
"""Modules of this repository's own example; a wheel has them beside the skeletons."""
CHECKOUT = Path(__file__).parents[2] / "handlers"
"""The directory of these modules in a checkout."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*")
LONGEST = 40
"""Characters of a name; the names of stacks and tables begin with it, and need room for more."""
TAKEN = frozenset({"events", "tests", "wheels"})
"""Names of the project's other directories."""


@dataclass(frozen=True, slots=True)
class ProjectName:
    """A project's name: as people write it, as Python does, and as CloudFormation does."""

    name: str

    @property
    def package(self) -> str:
        """The name of its package."""
        return self.name.replace("-", "_")

    @property
    def stack(self) -> str:
        """The beginning of its stacks' names, where CloudFormation takes no underscores."""
        return self.name.replace("_", "-")

    def fault(self) -> str | None:
        """The reason why the name cannot be taken, None where it can."""
        if not NAME.fullmatch(self.name) or len(self.name) > LONGEST:
            return f"a name has at most {LONGEST} letters and digits, begins with a letter, and may have single - or _"
        if iskeyword(self.package) or self.package in TAKEN:
            return f"{self.package} means something else already; choose another name"
        spec = find_spec(self.package)
        if spec is not None and spec.origin is not None:  # a directory without modules is no hindrance
            return f"Python has a module {self.package} here already; choose another name"
        return None


def project(name: ProjectName) -> dict[str, str]:
    """The files of a whole project by their paths, without template and events, which its classes make."""
    files = {**_skeleton("project"), **_authorizer()}
    return {_path_in_project(path, name): _with_names(text, name) for path, text in files.items()}


def minimal(_: ProjectName) -> dict[str, str]:
    """The one file of a small project."""
    return _skeleton("minimal")


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write files into a directory that is new or empty. Raises ``UsageError`` for any other."""
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise UsageError(
            f"{root} is there already: nothing is overwritten. Choose another name, or move it away."
        )
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as opened:
            opened.write(text)


def make_generated(root: Path) -> None:
    """Have the project's classes make its template and its events, in processes of their own. Raises ``UsageError``."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("POLYMICRO_")}
    for arguments in (
        ("template", "--build-method", "makefile", "--runtime", f"python{_python_version()}"),
        ("events",),
    ):
        done = subprocess.run(  # nosec B603 # noqa: S603 - it is this package's own command
            [sys.executable, "-B", "-m", "polymicro_lambda.cli", *arguments],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise UsageError(f"polymicro {arguments[0]} fails in {root}:\n\n{done.stderr.strip()}")


# --- the files ------------------------------------------------------------------------------------------


def _skeleton(name: str) -> dict[str, str]:
    """A skeleton's files, without what tools leave beside them."""
    root = SKELETONS / name
    files = {path.relative_to(root): path for path in sorted(root.rglob("*")) if path.is_file()}
    hidden = {path for path in files if any(part.startswith((".", "__pycache__")) for part in path.parts)}
    return {p.as_posix(): file.read_text(encoding="utf-8") for p, file in files.items() if p not in hidden}


def _authorizer() -> dict[str, str]:
    files = {name: SKELETONS / "authorizer" / name for name in AUTHORIZER}
    return {
        f"project_name/{name}": (file if file.is_file() else CHECKOUT / name).read_text(encoding="utf-8")
        for name, file in files.items()
    }


def _path_in_project(path: str, name: ProjectName) -> str:
    """A file's path in the project. A dot is spelled out in the skeleton, where tools would obey such a file."""
    parts = (part.replace("project_name", name.package) for part in path.split("/"))
    return "/".join(re.sub("^dot_", ".", part) for part in parts)


def _with_names(text: str, name: ProjectName) -> str:
    values = {
        "project_name": name.package,
        "project-name": name.name,
        "stack-name": name.stack,
        "~=0.0.0": f"~={__version__}",
        "3.13": _python_version(),
    }
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


def _python_version() -> str:
    """The running Python's version, if Lambda has it, else Lambda's newest: a build needs that Python here too."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    return running if f"python{running}" in RUNTIMES else RUNTIMES[-1].removeprefix("python")
