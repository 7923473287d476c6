"""The system map: ZeroCloud's language for jobs. A JSON document goes in, an immutable plan of nodes comes out.

Pure: it does no input or output. What is stored is asked through a ``Listing``, everything else that a plan depends on is in
the ``Context``. Every mistake of a map is a ``SystemMapError``. The language is described in ``doc/system-map.md``.
"""

from .context import Context, Limits, Listing, ObjectEntry
from .document import parse_document
from .drawing import graphviz, mermaid
from .explain import Explanation, Facts, Placement, explain, unsized
from .listing import StoredListing
from .paths import ImagePath, NetworkPath, Path, SwiftPath
from .place import wants_payload
from .plan import Access, Channel, Connection, Node, Plan, Slice
from .planner import check_map, plan_job
from .problems import ListingError, Problem, SystemMapError, SystemMapSyntaxError
from .schema import json_schema, json_schema_text
from .split import SliceTooLong, record_start, visible_range
from .table import table
from .urls import UrlError, parse_swift_url

__all__ = [
    # planning
    "plan_job",
    "check_map",
    "parse_document",
    "Context",
    "Limits",
    "Listing",
    "ObjectEntry",
    # the plan
    "Plan",
    "Node",
    "Channel",
    "Connection",
    "Access",
    "Slice",
    "wants_payload",
    "record_start",
    "visible_range",
    "SliceTooLong",
    # paths
    "Path",
    "SwiftPath",
    "ImagePath",
    "NetworkPath",
    "parse_swift_url",
    # explaining
    "explain",
    "unsized",
    "Explanation",
    "Facts",
    "Placement",
    "table",
    "mermaid",
    "graphviz",
    # for tools
    "StoredListing",
    "json_schema",
    "json_schema_text",
    # mistakes
    "SystemMapError",
    "SystemMapSyntaxError",
    "Problem",
    "ListingError",
    "UrlError",
]
