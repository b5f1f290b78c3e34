# SPDX-License-Identifier: Apache-2.0
"""The engine: rules, applied to one instance at a time."""
from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Union, overload

from . import _native
from ._types import Diagnostic, Report

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

StrPath = Union[str, "os.PathLike[str]"]
Buffer = Union[bytes, bytearray, memoryview]


def path_text(path: StrPath) -> str:
    """The path as str. Bytes are refused: the bytes of an instance, given by mistake, would show in
    the extension's own message."""
    text = os.fspath(path)
    if not isinstance(text, str):
        raise TypeError(f"a path is str or os.PathLike[str], not {type(text).__name__}")
    return text


class Engine:
    """De-identifies single instances by a rule set.

    It does not change once made, and any number of threads may use one at once: the interpreter's
    lock is released while it works.
    """

    def __init__(self, rules: StrPath, *, key_file: StrPath | None = None) -> None:
        """Loads a rule file: YAML, or Microsoft's JSON configuration.

        `key_file` replaces the rule file's `key:`. Raises RuleError with all errors. Reads no
        DICOM.
        """
        self._native = _native.Engine(path_text(rules), path_text(key_file or ""))

    @classmethod
    def from_text(cls, text: str, *, name: str = "rules", folder: StrPath = ".",
                  key_file: StrPath | None = None) -> Engine:
        """Loads rules from text.

        `name` stands for the file in messages; relative paths in the text are resolved against
        `folder`. Raises RuleError with all errors.
        """
        engine = cls.__new__(cls)
        engine._native = _native.Engine.from_text(text, name, path_text(folder),
                                                  path_text(key_file or ""))
        return engine

    @property
    def name(self) -> str:
        """The rules' `name:`, or the file's own name without its ending."""
        return self._native.name

    @property
    def rules_hash(self) -> str:
        """SHA-256 over the text of all rule files, lower-case hexadecimal."""
        return self._native.rules_hash

    @property
    def key_id(self) -> str:
        """Identifies the key without telling it; empty if the rules use none."""
        return self._native.key_id

    @property
    def warnings(self) -> list[Diagnostic]:
        """What is odd about the rules, though not wrong. `dcmveil check` prints the same."""
        return self._native.warnings

    def __repr__(self) -> str:
        return f"<dcmveil.Engine {self.name!r}>"

    @overload
    def apply(self, instance: Buffer) -> bytes: ...

    @overload
    def apply(self, instance: Dataset) -> FileDataset: ...

    def apply(self, instance: Buffer | Dataset) -> bytes | FileDataset:
        """De-identifies one instance: the bytes of a DICOM file, or a pydicom data set.

        Returns the same kind; a data set has the same transfer syntax and file meta information of
        its own. The input is not changed, and must not be by another thread meanwhile.

        Raises Rejected if a rule says so, Quarantined if the result cannot be vouched for,
        EncodeError if pydicom cannot write the data set.
        """
        return self.apply_with_report(instance)[0]

    @overload
    def apply_with_report(self, instance: Buffer) -> tuple[bytes, Report]: ...

    @overload
    def apply_with_report(self, instance: Dataset) -> tuple[FileDataset, Report]: ...

    def apply_with_report(self, instance: Buffer | Dataset) -> tuple[bytes | FileDataset, Report]:
        """apply(), and what was done: notes, and the new identifiers."""
        if isinstance(instance, (bytes, bytearray, memoryview)):
            return self._native.apply_bytes(instance)
        # Who has no pydicom has no data set of it either.
        if "pydicom" in sys.modules:
            from pydicom.dataset import Dataset

            from . import _data_set

            if isinstance(instance, Dataset):
                file, report = self._native.apply_bytes(_data_set.encode(instance))
                return _data_set.decode(file), report
        raise TypeError("an instance is bytes or a pydicom Dataset, not "
                        f"{type(instance).__name__}")

    @overload
    def apply_file(self, input: StrPath, output: None = None) -> tuple[bytes, Report]: ...

    @overload
    def apply_file(self, input: StrPath, output: StrPath) -> Report: ...

    def apply_file(self, input: StrPath,
                   output: StrPath | None = None) -> tuple[bytes, Report] | Report:
        """De-identifies one file, into another or into bytes.

        Returns a Report, and the bytes if there is no `output`. The input is never changed. The
        output appears whole or not at all and replaces nothing: Quarantined with the code
        "output-exists" if a different file has its name. Pixel data does not go through memory on
        its way from file to file.

        Raises as apply() does, and Failed if a file cannot be read or written.
        """
        if output is None:
            return self._native.apply_file(path_text(input))
        return self._native.apply_file_to(path_text(input), path_text(output))
