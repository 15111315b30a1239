"""Uploads of pictures: a form that a browser sends to S3 itself."""

import os
from functools import cache

from botocore.config import Config
from botocore.session import get_session

TYPES = ("image/jpeg", "image/png", "image/webp")
MAX_SIZE = 5_000_000
"""Bytes of a picture."""
EXPIRES = 300
"""Seconds in which the form must be sent."""


@cache
def s3():
    """The client of S3. It signs by itself: no request is made."""
    return get_session().create_client("s3", config=Config(signature_version="s3v4"))


def upload(product, content_type):
    """``url`` and ``fields`` of the form by which a file of this type becomes the picture of a product."""
    return s3().generate_presigned_post(
        os.environ["PICTURES_BUCKET"],
        f"products/{product}",
        Fields={"Content-Type": content_type},
        Conditions=[{"Content-Type": content_type}, ["content-length-range", 1, MAX_SIZE]],
        ExpiresIn=EXPIRES,
    )
