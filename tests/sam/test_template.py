"""The template and what is built from it."""

from pathlib import Path

from .conftest import Sam


def test_the_template_is_valid(sam: Sam) -> None:
    assert "is a valid SAM Template" in sam("validate", "--lint", "--region=us-east-1")


def test_each_artifact_holds_what_its_function_imports(built: Path) -> None:
    def has(function: str) -> set[str]:
        names = {path.name for path in (built / function).iterdir()}
        return names & {"handlers", "polymicro_lambda", "pynamodb", "jwt", "tests", "moto"}

    assert has("TodoFunction") == {"handlers", "polymicro_lambda", "pynamodb"}
    assert has("AuthorizerFunction") == {"handlers", "jwt"}
