"""Functions as source text, to be run by another Python: themselves, the functions that they call, their data. Pure."""

from __future__ import annotations

import ast
import builtins
import inspect
import symtable
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType, ModuleType
from typing import Any

from .errors import WorkError

PACKAGES = """
PIL attr attrs bs4 charset_normalizer cloudpickle contourpy cycler dateutil defusedxml et_xmlfile fontTools formulaic html5lib
interface_meta jinja2 joblib kiwisolver lxml markupsafe matplotlib more_itertools mpl_toolkits mpmath narwhals networkx numpy
openpyxl packaging pandas patsy pyparsing pypdf regex reportlab scipy seaborn six sklearn soupsieve statsmodels sympy tabulate
threadpoolctl tlz tomli_w toolz tqdm typing_extensions tzdata webencodings wrapt xlrd xlsxwriter xmltodict yaml zvm
"""
LIBRARIES = sys.stdlib_module_names | set(PACKAGES.split())
"""What is imported there instead of being sent: the library, and packages of the system image ``python``."""


def source_of(function: Callable[..., Any]) -> str:
    """A module that defines the function, after all that it uses. Raises WorkError for what can't be sent, with the reason."""
    if not isinstance(function, FunctionType):
        raise WorkError(f"{function!r} can't be sent: it has to be a function made by def")
    parts: dict[str, str] = {}
    _add(function.__name__, function, parts, {})
    return "\n".join(parts.values())


def _add(name: str, value: Any, parts: dict[str, str], owners: dict[str, Any]) -> None:
    if name in owners:
        if owners[name] is not value:
            raise WorkError(f"Two different things are called {name}: rename one of them")
        return
    owners[name] = value
    if isinstance(value, ModuleType):
        _check_module(value.__name__)
        text = f"import {value.__name__} as {name}\n"
    elif (origin := _origin(value)) is not None:
        text = f"from {origin} import {value.__name__} as {name}\n"
    elif isinstance(value, FunctionType):
        text = _function(name, value, parts, owners)
    else:
        text = f"{name} = {_data(name, value)}\n"
    parts[name] = text  # after what it needs


def _check_module(name: str) -> None:
    """Raises WorkError for a module that is not there."""
    if name.partition(".")[0] not in LIBRARIES:
        raise WorkError(
            f"The module {name} is neither in the library nor in the image python: import the functions that are needed by "
            "name (from module import function), so that they are sent along"
        )


def _imported(statements: Iterable[ast.stmt]) -> Iterator[str]:
    """The modules that statements import, but for those that they can do without."""
    for statement in statements:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            yield statement.module or "."
        elif not isinstance(statement, ast.Try):
            yield from _imported(node for node in ast.iter_child_nodes(statement) if isinstance(node, ast.stmt))


def _origin(value: Any) -> str | None:
    """The library that a function or class is imported from."""
    module = getattr(value, "__module__", None)
    if not callable(value) or not isinstance(module, str) or not hasattr(value, "__name__"):
        return None
    return module if module.partition(".")[0] in LIBRARIES else None


def _function(name: str, function: FunctionType, parts: dict[str, str], owners: dict[str, Any]) -> str:
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError) as error:
        raise WorkError(f"The source of {name} is not known here: put it into a file or a notebook's cell") from error
    tree = _parsed(text)
    if not isinstance(tree, ast.FunctionDef):
        raise WorkError(f"{name} can't be sent: it has to be a function made by def, neither a lambda nor async")
    if tree.decorator_list:
        raise WorkError(f"{name} can't be sent: it is decorated")
    if tree.name != name:
        raise WorkError(f"{name} can't be sent: it is called {tree.name} where it is defined")
    for module in _imported(tree.body):
        _check_module(module)
    known = {**function.__globals__, **inspect.getclosurevars(function).nonlocals}
    for used in sorted(set(_globals(symtable.symtable(text, name, "exec"))) - {name}):
        if used in known:
            _add(used, known[used], parts, owners)
        elif not hasattr(builtins, used):
            raise WorkError(f"{name} can't be sent: it uses {used}, which is not defined")
    return text


def _parsed(text: str) -> ast.stmt | None:
    """The statement, or None for a piece of one, as the source of a lambda may be."""
    try:
        return ast.parse(text).body[0]
    except SyntaxError:
        return None


def _globals(table: symtable.SymbolTable) -> Iterator[str]:
    """Names that the code takes from around itself."""
    for symbol in table.get_symbols():
        outer = symbol.is_global() or (table.get_type() == "module" and not symbol.is_assigned() and not symbol.is_namespace())
        if symbol.is_referenced() and outer:
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals(child)


def _data(name: str, value: Any) -> str:
    text = repr(value)
    try:
        same = ast.literal_eval(text) == value
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        same = False
    if same is not True:
        kind = type(value).__name__
        raise WorkError(
            f"{name} can't be sent: a {kind} is neither a function, a module nor plain data (make it inside the function)"
        )
    return text
