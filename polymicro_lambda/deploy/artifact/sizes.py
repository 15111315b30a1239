"""The size of an artifact, package by package."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .botocore_data import DATA
from .bytecode_archive import archived
from .bytecode_importer import ARCHIVE
from .dropped_files import files


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


def size_table(found: Iterable[ArtifactPart]) -> list[str]:
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


SDK = ("boto3", "s3transfer")
"""What Lambda's own runtime has too, and botocore alone does without."""
SDK_MISSING = (
    "Lambda's runtime has a boto3, but an artifact does not count on it, as its version changes by itself. Name boto3"
    " in the project's dependencies; or make the client by botocore, which is in the artifact:"
    ' botocore.session.get_session().create_client("s3").'
)


def sdk_advice(found: Iterable[ArtifactPart]) -> list[str]:
    """A note where boto3 is in an artifact; none where it is not."""
    size = sum(part.total for part in found if part.name in SDK)
    if not size:
        return []
    return [
        f"boto3 takes {size / 1000:,.0f} KB of it, and a start the time of its import: botocore, which is there anyway,"
        ' makes the same clients by botocore.session.get_session().create_client("s3").'
    ]
