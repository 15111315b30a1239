"""The files that an artifact goes without, and why: rules as tables."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path

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
    "botocore/stub.py": "answers in place of AWS's, for tests",
    "botocore/data/*/examples-1.json": "examples for documentation",
}
"""Files of dependencies that no running code reads, and why. METADATA and licences stay: code asks for the one,
and the others must go with what they are of."""

NEEDING_PACKAGES: Mapping[str, str] = {
    "botocore/crt/auth.py": "awscrt",
    "urllib3/contrib/pyopenssl.py": "OpenSSL",
    "urllib3/contrib/socks.py": "socks",
    "urllib3/http2/connection.py": "h2",
}
"""File of a dependency -> the package that it imports: without the package the file is dropped."""

LOCAL_ONLY: Mapping[str, str] = {
    "polymicro_lambda.local": "the app as a WSGI application: `PolyMicro.wsgi()` imports it, for a server",
}
"""Modules of this package that an app can reach, but not in a Lambda, and why."""

DOCS_ONLY: Mapping[str, str] = {
    "polymicro_lambda.openapi": "what `PolyMicro(docs=…)` serves",
}
"""Modules of this package that an app can reach, but that only one with documentation needs, and why."""

DOCS_REQUIREMENTS = ("apispec>=6.8,<7", "flask-swagger-ui>=5.21,<6", "packaging>=23")
"""The packages of documentation: the extra ``docs``, without Flask, as no code of it runs."""

DOCS_KEPT = frozenset({"dist/LICENSE", "dist/swagger-ui.css", "dist/swagger-ui-bundle.js"})
"""The files of Swagger UI that are served, and its licence."""


def drop(root: Path) -> None:
    """Remove the files that no running code reads, and directories that this leaves empty."""
    for file in sorted(files(root)):
        if any(fnmatch(file.relative_to(root).as_posix(), pattern) for pattern in DROPPED):
            file.unlink()
    for name, wanted in NEEDING_PACKAGES.items():
        if not ((root / wanted).is_dir() or (root / f"{wanted}.py").is_file()):
            (root / name).unlink(missing_ok=True)
    directories = (path for path in root.rglob("*") if path.is_dir())
    for directory in sorted(directories, reverse=True):
        if not any(directory.iterdir()):
            directory.rmdir()


def drop_unserved(root: Path) -> None:
    """Remove the files of Swagger UI's package that are not served: other builds, and code for Flask."""
    package = root / "flask_swagger_ui"
    for file in sorted(files(package)):
        if file.relative_to(package).as_posix() not in DOCS_KEPT:
            file.unlink()


def files(root: Path) -> Iterator[Path]:
    """All files under a directory."""
    return (path for path in root.rglob("*") if path.is_file())
