"""The storage servers' side of ZeroCloud: a filter that runs sessions where their objects lie. See ``doc/object-query.md``."""

from zerocloud.objectquery.filter import filter_factory

__all__ = ["filter_factory"]
