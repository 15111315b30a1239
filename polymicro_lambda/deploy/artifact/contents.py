"""What stays in an artifact: rules as data, botocore's data cut to size, and how much each part takes."""

import gzip
import json
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from .bytecode_archive import archived
from .bytecode_importer import ARCHIVE

DROPPED: Mapping[str, str] = {
    "bin/*": "commands, which nothing calls in a Lambda",
    "tests/*": "tests that a package installs beside itself",
    "*/tests/*": "a package's own tests",
    "docs/*": "documentation that a package installs beside itself",
    "*.pyi": "types, for checkers",
    "*/py.typed": "types, for checkers",
    "*.pyx": "what compiled modules were made of",
    "*.pxd": "what compiled modules were made of",
    "*.dist-info/RECORD": "pip's note for an uninstall; digests of files that are dropped",
    "*.dist-info/WHEEL": "pip's note of the file that it installed",
    "*.dist-info/INSTALLER": "pip's note of itself",
    "*.dist-info/REQUESTED": "pip's note of what it was asked for",
    "*.dist-info/direct_url.json": "a path of the machine that builds",
    "polymicro_lambda/cli/skeleton/*": "what `polymicro new` begins a project with",
    "urllib3/contrib/emscripten/*": "urllib3 in a browser, which it imports on that platform alone",
    "dateutil/tz/win.py": "time zones of Windows, which dateutil does without elsewhere",
    "dateutil/tzwin.py": "the same by another name",
    "dateutil/zoneinfo/rebuild.py": "what makes dateutil's archive of time zones anew, with a compiler of them",
    "botocore/data/*/examples-1.json": "examples for documentation",
}
"""Files of dependencies that no running code reads, and why. METADATA and licences stay: code asks for the one,
and the others must go with what they are of."""

LACKING: Mapping[str, str] = {
    "botocore/crt/auth.py": "awscrt",
    "urllib3/contrib/pyopenssl.py": "OpenSSL",
    "urllib3/contrib/socks.py": "socks",
    "urllib3/http2/connection.py": "h2",
}
"""Files of dependencies, and the package without which they cannot be imported: where that is not there, they go."""

LOCAL_ONLY: Mapping[str, str] = {
    "polymicro_lambda.local": "the app as a WSGI application: `PolyMicro.wsgi()` imports it, for a server",
}
"""Modules of this package that an app can reach, but not in a Lambda, and why."""

DOCS_ONLY: Mapping[str, str] = {
    "polymicro_lambda.openapi": "what `PolyMicro(docs=…)` serves",
}
"""Modules of this package that an app can reach, but that only one with documentation needs, and why."""

DOCS_REQUIREMENTS = ("apispec>=6.8,<7", "flask-swagger-ui>=5.21,<6", "packaging>=23")
"""What documentation needs besides: the extra ``docs``, without Flask, none of which is run."""

DOCS_KEPT = frozenset({"dist/LICENSE", "dist/swagger-ui.css", "dist/swagger-ui-bundle.js"})
"""What is served of Swagger UI, and its licence."""

ALL_SERVICES = (
    "aioboto3",
    "aiobotocore",
    "boto3",
    "botocore",
    "aws_lambda_powertools.utilities.data_masking",
    "aws_lambda_powertools.utilities.feature_flags",
    "aws_lambda_powertools.utilities.idempotency",
    "aws_lambda_powertools.utilities.kafka",
    "aws_lambda_powertools.utilities.parameters",
    "aws_lambda_powertools.utilities.streaming",
)
"""What makes clients of services that cannot be read from the code: where it is imported, botocore's data stays."""

DATA = Path("botocore/data")


def drop(root: Path) -> None:
    """Remove what no running code reads; the directories that this leaves empty too."""
    for file in sorted(files(root)):
        if any(fnmatch(file.relative_to(root).as_posix(), pattern) for pattern in DROPPED):
            file.unlink()
    for name, wanted in LACKING.items():
        if not ((root / wanted).is_dir() or (root / f"{wanted}.py").is_file()):
            (root / name).unlink(missing_ok=True)
    directories = (path for path in root.rglob("*") if path.is_dir())
    for directory in sorted(directories, reverse=True):
        if not any(directory.iterdir()):
            directory.rmdir()


def drop_unserved(root: Path) -> None:
    """Remove what comes with Swagger UI and is not served: other builds of it, and code for Flask."""
    package = root / "flask_swagger_ui"
    for file in sorted(files(package)):
        if file.relative_to(package).as_posix() not in DOCS_KEPT:
            file.unlink()


def files(root: Path) -> Iterator[Path]:
    """All files under a directory."""
    return (path for path in root.rglob("*") if path.is_file())


# --- botocore's data ------------------------------------------------------------------------------------


def cut_data(root: Path, services: Collection[str]) -> None:
    """Leave botocore the data of these services alone, e.g. ``("dynamodb",)``: without prose, and quick to read.

    Raises ``LookupError`` for a service that botocore does not know.
    """
    data = root / DATA
    if not data.is_dir():
        return
    unknown = sorted(name for name in services if not (data / name).is_dir())
    if unknown:
        raise LookupError(f"botocore has no service {', '.join(unknown)}")
    for directory in sorted(path for path in data.iterdir() if path.is_dir()):
        if directory.name not in services:
            shutil.rmtree(directory)
    prefixes = {_plain(file) for file in sorted(data.glob("*/*/service-2.json*"))}
    endpoints = data / "endpoints.json"
    _write(endpoints, endpoints_of(json.loads(endpoints.read_bytes()), prefixes | set(services)))


def _plain(file: Path) -> str:
    """Unpack a service's description and leave out its prose; the name that endpoints are under."""
    packed = file.suffix == ".gz"
    service = json.loads(gzip.decompress(file.read_bytes()) if packed else file.read_bytes())
    file.unlink()
    _write(file.with_suffix("") if packed else file, without_prose(service))
    return str(service["metadata"]["endpointPrefix"])


def without_prose(value: Any) -> Any:
    """A service's description without its documentation; a member of that name is no text and stays."""
    if isinstance(value, list):
        return [without_prose(each) for each in value]
    if not isinstance(value, dict):
        return value
    prose = isinstance(value.get("documentation"), str)
    return {key: without_prose(each) for key, each in value.items() if not (prose and key == "documentation")}


def endpoints_of(document: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The endpoints of these services alone; every partition and region stays."""

    def kept(services: Mapping[str, Any]) -> dict[str, Any]:
        return {name: endpoints for name, endpoints in services.items() if name in names}

    partitions = document["partitions"]
    return {**document, "partitions": [{**each, "services": kept(each["services"])} for each in partitions]}


def _write(file: Path, value: Any) -> None:
    file.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


# --- sizes ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ArtifactPart:
    """One package of the artifact, in bytes."""

    name: str
    source: int
    bytecode: int
    other: int

    @property
    def total(self) -> int:
        """All of its bytes."""
        return self.source + self.bytecode + self.other


KINDS = {".py": "source", ".pyc": "bytecode"}


def artifact_parts(root: Path) -> tuple[ArtifactPart, ...]:
    """The artifact's packages, the largest first; metadata and licences of all are one part."""
    sizes: dict[str, Counter[str]] = {}
    for file in files(root):
        kind = KINDS.get(file.suffix, "other")
        sizes.setdefault(_part(file.relative_to(root)), Counter())[kind] += file.stat().st_size
    for source, size in archived(root).items():
        sizes[_part(Path(source))]["bytecode"] += size
        sizes[ARCHIVE]["other"] -= size
    found = (
        ArtifactPart(name, each["source"], each["bytecode"], each["other"]) for name, each in sizes.items()
    )
    return tuple(sorted(found, key=lambda part: (-part.total, part.name)))


def _part(file: Path) -> str:
    top = file.parts[0]
    if file.is_relative_to(DATA):
        return DATA.as_posix()
    if top.endswith(".dist-info"):
        return "metadata and licences"
    # A module of its own has its bytecode in the top-level __pycache__.
    return file.name.partition(".")[0] if top == "__pycache__" else top.removesuffix(".py")


def table(found: Iterable[ArtifactPart]) -> list[str]:
    """The parts and their sum as lines of text, in KB (1000 bytes)."""
    rows = tuple(found)
    total = ArtifactPart(
        "total", *(sum(getattr(row, kind) for row in rows) for kind in ("source", "bytecode", "other"))
    )
    head = f"{'KB':24}{'source':>10}{'bytecode':>10}{'other':>10}{'total':>10}"
    return [head, *map(_line, (*rows, total))]


def _line(part: ArtifactPart) -> str:
    numbers = (part.source, part.bytecode, part.other, part.total)
    return f"{part.name:24}" + "".join(f"{number / 1000:>10,.1f}" for number in numbers)
