"""The ways in: each turns one form of request into the same thing, a :class:`~zerocloud.proxyquery.request.JobRequest`.

posted_map    a system map in the body
tar_image     a tar archive with a map in it
script        a text that begins with ``#!``
opened        the object that a job comes from, read with the caller's rights; known ones are only asked for
sourced       ``X-Zerovm-Source``: an object that is one of these; the body is its payload
rest          ``/open/…`` and ``/api/…``: an address that is a program
association   ``/open/…`` of an object that is none: the program that is registered for its type
choose        which of them a request takes
"""
