# SPDX-License-Identifier: Apache-2.0
"""What is raised. No message holds the value of an element."""
from ._types import Diagnostic, Summary


class Error(Exception):
    """Whatever dcmveil raises of its own; TypeError and MemoryError are Python's."""


class RuleError(Error):
    """The rules are wrong. It tells every error of the file, never only the first."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics
        """Errors, and the warnings that were found with them, in the order of the file."""

    def __str__(self) -> str:
        return "\n".join(map(str, self.diagnostics))


class Rejected(Error):
    """A `reject` rule says that this instance shall not be passed on."""

    def __init__(self, rule: str, because: str) -> None:
        super().__init__(rule, because)
        self.rule = rule
        """Where the rule stands: "rules.yaml:14"."""
        self.because = because
        """The rule's own reason."""

    def __str__(self) -> str:
        return f"{self.rule}: {self.because}"


class _InstanceError(Error):
    def __init__(self, code: str, where: str, message: str) -> None:
        super().__init__(code, where, message)
        self.code = code
        """A stable code, as in the manifest: "truncated"."""
        self.where = where
        """A tag path such as "(0008,1140)[0].(0008,1155)", or a rule; may be empty."""
        self._message = message

    def __str__(self) -> str:
        return self._message


class Quarantined(_InstanceError):
    """The result could not be vouched for, so there is none."""


class Failed(_InstanceError):
    """Reading or writing a file failed; it may succeed another time."""


class EncodeError(Error):
    """pydicom cannot write this data set, so nothing was done with it.

    pydicom's own message may hold a value and is not repeated: `data_set.save_as()` raises it.
    """

    def __init__(self, kind: str, where: str) -> None:
        super().__init__(kind, where)
        self.kind = kind
        """Class of pydicom's exception, as "ValueError"."""
        self.where = where
        """The tag, as "(0010,0020)", of the outermost element; may be empty."""

    def __str__(self) -> str:
        at = f" at {self.where}" if self.where else ""
        return f"pydicom cannot write the data set: {self.kind}{at}"


class RunError(Error):
    """A run could not begin or go on."""

    def __init__(self, message: str, usage: bool, summary: Summary) -> None:
        super().__init__(message, usage, summary)
        self.usage = usage
        """True: what was asked for is wrong, and nothing was touched."""
        self.summary = summary
        """What was done before."""

    def __str__(self) -> str:
        return str(self.args[0])
