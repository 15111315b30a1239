"""What `polymicro build` says of boto3."""

from pathlib import Path

import pytest

from polymicro_lambda.deploy.artifact.sizes import ArtifactPart, sdk_advice
from polymicro_lambda.deploy.artifact.target_python import RUNNING_PYTHON, BuildError, Target


def test_what_it_adds_is_told() -> None:
    parts = [ArtifactPart("boto3", 1_000_000, 0, 500_000), ArtifactPart("s3transfer", 200_000, 0, 0)]
    (note,) = sdk_advice([*parts, ArtifactPart("botocore", 1, 1, 1)])
    assert note.startswith("boto3 takes 1,700 KB of it")
    assert sdk_advice([ArtifactPart("botocore", 1, 1, 1)]) == []


@pytest.mark.parametrize(("name", "advised"), [("boto3", True), ("other_sdk", False)])
def test_where_it_is_missing_the_error_says_what_to_do(tmp_path: Path, name: str, advised: bool) -> None:
    (tmp_path / "app.py").write_text(
        f"import sys\nsys.path[:] = [p for p in sys.path if 'site-packages' not in p]\nimport {name}\n"
    )
    with pytest.raises(BuildError, match=f"No module named '{name}'") as refused:
        Target.find(RUNNING_PYTHON, "x86_64").try_import("app", tmp_path)
    assert ("Name boto3 in" in str(refused.value)) is advised
