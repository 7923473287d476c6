"""A Zebra by S3."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from zerocloud.zebra import Zebra, settings, view
from zerocloud.zebra.settings import user_called


def s3_client(zebra: Zebra) -> Any:
    """boto3's client for the user ``test:tester``, as ``zebra env`` would set it up."""
    variables = view.s3_variables(settings.load(zebra.layout), user_called("test:tester"))
    return boto3.client(
        "s3",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_DEFAULT_REGION"],
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, proxies={}),
    )
