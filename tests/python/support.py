# SPDX-License-Identifier: Apache-2.0
"""What the tests of the Python package share: what those of the command have, and an engine.

PYTHONPATH has the package (set by ctest: build/python).
"""
import importlib.util
import pathlib
import sys

import dcmveil

# tests/cli/support.py has the same name as this file.
_SPEC = importlib.util.spec_from_file_location(
    "cli_support", pathlib.Path(__file__).resolve().parents[1] / "cli" / "support.py")
cli = importlib.util.module_from_spec(_SPEC)
sys.modules["cli_support"] = cli
_SPEC.loader.exec_module(cli)

RESEARCH = cli.RULES / "research-export.yaml"
KEEP_ALL = cli.RULES / "keep-all.yaml"
Main = cli.Main


def Outcome(apply, *arguments):
    """What apply() returns, or what it raises of dcmveil's own as a line of the manifest has it."""
    try:
        return apply(*arguments)
    except dcmveil.Rejected as error:
        return {"outcome": "rejected", "reason": error.because, "where": error.rule}
    except dcmveil.Quarantined as error:
        line = {"outcome": "quarantined", "reason": error.code}
        if error.where:
            line["where"] = error.where
        return line


class PythonTest(cli.CliTest):
    """Has an engine a class (self.engine) with the rules and the key of the command's tests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.engine = dcmveil.Engine(RESEARCH, key_file=cls.key)

    def Instance(self, name):
        return (self.samples / name).read_bytes()
