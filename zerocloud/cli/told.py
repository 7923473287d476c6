"""What commands tell programs: ``--json``."""

from __future__ import annotations

import base64
from dataclasses import asdict

import simplejson

from zerocloud.client import Answer


def answer_json(answer: Answer) -> str:
    """The answer as JSON; a body that is no text is in Base64."""
    try:
        body = {"body": answer.body.decode()}
    except UnicodeDecodeError:
        body = {"body_base64": base64.b64encode(answer.body).decode()}
    nodes = [asdict(node) for node in answer.nodes]
    kind = next((value for name, value in answer.headers.items() if name.lower() == "content-type"), "")
    told = {"job": answer.job, "status": answer.status, "seconds": answer.seconds, "content_type": kind}
    text: str = simplejson.dumps({**told, **body, "nodes": nodes, "more_nodes": answer.more_nodes}, indent=2)
    return text
