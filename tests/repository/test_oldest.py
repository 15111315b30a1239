"""What pyproject.toml names has a range, whose lower end is what `make test-oldest` installs."""

import tomllib
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
oldest = ModuleType("oldest")
exec(SourceFileLoader("oldest", str(ROOT / "scripts" / "oldest")).get_code("oldest"), vars(oldest))  # type: ignore[arg-type]


def project(*dependencies: str, **extras: list[str]) -> dict[str, Any]:
    said = {"name": "ours", "dependencies": list(dependencies), "optional-dependencies": extras}
    return {"project": said, "build-system": {"requires": ["hatchling>=1,<2"]}}


def test_each_of_the_projects_own_has_a_range() -> None:
    found = oldest.oldest(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    assert {"botocore", "itsdangerous", "marshmallow", "pynamodb", "moto", "pytest"} <= {
        one.partition("==")[0] for one in found
    }


def test_the_lower_bounds() -> None:
    given = project("b>=1.2,<2", test=["ours[docs]", "A[x,y]>=3.0.1,<4"], docs=["b[z]>=1.2,<2"])
    assert oldest.oldest(given) == ["a==3.0.1", "b==1.2", "hatchling==1"]


def test_boto3_goes_by_botocore() -> None:
    """It comes by way of others: pip would try each of its versions, for most of an hour."""
    assert oldest.oldest(project("botocore>=1.40,<2"))[:2] == ["boto3==1.40", "botocore==1.40"]


@pytest.mark.parametrize("one", ["b", "b>=1", "b<2", "b==1.0", "b>=1,<2,!=1.1", "b~=1.0"])
def test_no_range(one: str) -> None:
    with pytest.raises(ValueError, match="has no range"):
        oldest.oldest(project(one))


def test_two_lower_bounds() -> None:
    with pytest.raises(ValueError, match=r"b has two lower bounds, 1\.2 and 1\.3"):
        oldest.oldest(project("b>=1.2,<2", test=["b>=1.3,<2"]))
