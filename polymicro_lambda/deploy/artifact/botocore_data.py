"""botocore's data in an artifact: the services that the code uses, without prose."""

import gzip
import json
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

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
"""Modules that make clients of services that the code does not name: where one is imported, all of the data stays."""

DATA = Path("botocore/data")


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
    """Unpack a service's description and leave out its prose. Returns its key in the endpoints."""
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
