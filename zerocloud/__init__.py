"""ZeroCloud: compute inside object storage.

A *system map* is POSTed to a Swift proxy; its nodes run as WebAssembly programs on the storage servers that hold their
objects. See ``doc/`` for what each package is for.
"""

__version__ = "0.1.0"
