"""Which interpreter has DataJoint for Python, for the tests that need it: `reference.need()` goes on in that one.

It is build/venv (tests/interop/get_datajoint), or what OAS_DATAJOINT_PYTHON names, or the one that runs. Without it, and
without what else a test calls missing(), the test is skipped by name; in CI it fails.
"""
import logging
import os
import pathlib
import sys
import warnings

VERSION = "2.3.5"
VENV = pathlib.Path(__file__).resolve().parents[2] / "build" / "venv" / "bin" / "python"
SKIPPED = 77


def missing(what, always_skipped=False):
    if os.environ.get("CI") == "true" and not always_skipped:
        sys.exit(f"missing: {what}")
    print(f"skipped: {what}")
    sys.exit(SKIPPED)


def need():
    other = os.environ.pop("OAS_DATAJOINT_PYTHON", str(VENV) if VENV.exists() else None)
    if other and os.path.abspath(other) != os.path.abspath(sys.executable):
        os.execv(other, [other, *sys.argv])
    for name in list(os.environ):
        if name.startswith("DJ_"):
            del os.environ[name]
    sys.dont_write_bytecode = True
    warnings.simplefilter("ignore")
    logging.disable()
    try:
        import datajoint
    except ImportError:
        missing(f"there is no DataJoint for Python {VERSION}. tests/interop/get_datajoint fetches it")
    if datajoint.__version__ != VERSION:
        missing(f"DataJoint for Python is {datajoint.__version__}, not {VERSION}")
