"""The executor service, ``zerovm --serve SOCKET``: one process, one thread, one event loop for a host.

Callers connect over a Unix socket (:mod:`zerocloud.zerovm.client`), are admitted to a pool, and hand over a manifest with open
descriptors. Each session is a child forked from this warm process, behind walls of its own; a user's native code is only ever
loaded there. How a request travels::

    listener -> service -> conversation -> pools                      admission
                                        -> modules -> digests, cache  which native code
                                                   -> compiler -> (compiling, in a limited child)
                                        -> sessions -> (child, walls) the guest's process
                                        -> page, outcome              its report, even if it was killed

``server`` puts it together, ``usher`` does from outside the walls what the service can't do any more.
"""
