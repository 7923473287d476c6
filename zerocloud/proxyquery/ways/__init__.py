"""The ways in: each module turns one form of request into a :class:`zerocloud.proxyquery.request.JobRequest`.

Source: HTTP API, sections 2 to 5.
"""
