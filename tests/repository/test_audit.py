"""`make check` fails for a package that is known to be vulnerable, and only for such."""

from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "audit"
audit = ModuleType("audit")
exec(SourceFileLoader("audit", str(SCRIPT)).get_code("audit"), vars(audit))  # type: ignore[arg-type]


def package(*vulns: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "flask", "version": "0.1", **(more or {"vulns": list(vulns)})}


ADVISORY = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["0.2", "1.0"], "description": "…"}
FOUND = "flask 0.1: PYSEC-1, mended in 0.2, 1.0"
UNASKED = package(skip_reason="Dependency not found")
NOT_RUN = "audit: not run, no advisory service answers about these packages"


@pytest.mark.parametrize(
    ("dependencies", "known", "verdict"),
    [
        pytest.param([package()], {}, (0, ["audit: nothing is known of 1 packages"]), id="none"),
        pytest.param([package(), package(ADVISORY)], {}, (1, [FOUND]), id="one"),
        pytest.param(
            [UNASKED, package(ADVISORY)], {}, (1, [FOUND]), id="one beside one that is not asked about"
        ),
        pytest.param(
            [package(ADVISORY | {"fix_versions": []})],
            {},
            (1, ["flask 0.1: PYSEC-1, mended in no version"]),
            id="no fix",
        ),
        pytest.param(
            [package(ADVISORY)], {"CVE-1": "why"}, (0, ["audit: nothing is known of 1 packages"]), id="known"
        ),
        pytest.param([package(ADVISORY)], {"CVE-2": "why"}, (1, [FOUND]), id="another is known"),
        pytest.param([UNASKED, UNASKED], {}, (0, [NOT_RUN]), id="no service"),
        pytest.param([], {}, (0, [NOT_RUN]), id="no package"),
    ],
)
def test_a_report_is_judged(dependencies: Any, known: Any, verdict: Any) -> None:
    assert audit.judged({"dependencies": dependencies}, known) == verdict


def test_without_an_answer_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "COMMAND", ("sh", "-c", "echo first >&2; echo 'no route to host' >&2; exit 1"))
    assert audit.audit() == (0, ["audit: not run, no route to host"])


def test_what_it_passes_over_has_a_reason() -> None:
    assert all(audit.KNOWN.values())
