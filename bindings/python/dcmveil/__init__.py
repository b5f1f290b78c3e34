# SPDX-License-Identifier: Apache-2.0
"""De-identify DICOM by rules: one instance in memory, one file, or whole folders.

    engine = dcmveil.Engine("rules.yaml")
    clean = engine.apply(pydicom.dcmread("in.dcm"))     # or bytes
    summary = dcmveil.run(engine, "archive", "export", progress=print)

What could not be vouched for raises an exception and is never returned. No message holds the value
of an element. docs/python.md is the tutorial.
"""
from ._engine import Engine
from ._errors import EncodeError, Error, Failed, Quarantined, Rejected, RuleError, RunError
from ._native import version as _version
from ._run import run
from ._types import Counts, Diagnostic, InputOutcome, Report, RuleSetOutputs, Summary

__version__: str = _version()

__all__ = [
    "Counts",
    "Diagnostic",
    "EncodeError",
    "Engine",
    "Error",
    "Failed",
    "InputOutcome",
    "Quarantined",
    "Rejected",
    "Report",
    "RuleError",
    "RuleSetOutputs",
    "RunError",
    "Summary",
    "__version__",
    "run",
]

# In messages and help, things are called what callers call them.
for _name in __all__:
    if _name != "__version__":
        globals()[_name].__module__ = __name__
del _name
