"""Jobs on this machine, without a cluster: folders are containers, files are objects, everything else is ZeroCloud's own.

The very filters of a proxy and of a storage server run, in one process of their own that ends with its user; only what lies
behind them is different. What works here so works in a cluster (command-line tools, section 3)::

    names      which file an account, container and object are          (pure)
    metadata   what is kept beside a file's bytes: its type, its headers
    listing    a folder's files in the order in which Swift lists them
    swift      the WSGI application in place of Swift's proxy server
    storage    the files in place of a storage server's devices
    door       who may talk to it, and where the served zapp is
    settings   the process's configuration files, as values             (pure)
    server     the process
    world      starts and ends it
    work       the job that a folder, a zapp or a map is
    commands   ``zapp run``, ``zapp serve``, ``zvapp``
"""
