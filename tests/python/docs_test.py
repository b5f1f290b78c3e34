# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/python.md, run from top to bottom as a reader would."""
import contextlib
import inspect
import io
import os
import re
import shutil
import subprocess

import dcmveil
from support import RESEARCH, Main, PythonTest, cli

DOCUMENT = cli.SOURCE / "docs" / "python.md"


class Docs(PythonTest):
    def test_examples(self):
        shutil.copy(RESEARCH, self.tmp / "rules.yaml")
        cli.WriteKey(self.tmp / "project.key")
        shutil.copytree(self.samples, self.tmp / "archive")
        shutil.copy(self.samples / "PROBST_PAULA" / "MR_Knie" / "MR000001.dcm", self.tmp / "in.dcm")
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.tmp)
        text = DOCUMENT.read_text()
        blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        self.assertGreater(len(blocks), 5)
        names = {}
        printed = io.StringIO()
        for block in blocks:
            line = text[:text.index(block)].count("\n")
            with contextlib.redirect_stdout(printed):
                # Line feeds first, so that an error names the line of the document.
                exec(compile("\n" * line + block, DOCUMENT, "exec"), names)
        self.assertEqual(names["clean_bytes"], (self.tmp / "out.dcm").read_bytes())
        self.assertEqual(str(names["clean"]), str(names["data_set"]))
        self.assertRegex(names["clean"].PatientID, "^RES-")
        self.assertEqual(names["summary"].counts.written,
                         len(cli.Walk(self.tmp / "export")))
        self.assertEqual(names["summary"].counts.written, sum(size > 0 for size in names["sizes"]))
        self.assertIn(names["report"].patient_id, printed.getvalue())
        self.assertIn("broken/notes.dcm not-dicom", printed.getvalue())

    def test_first_command(self):
        [command] = re.findall(r"^(PYTHONPATH=build/python .*)$", DOCUMENT.read_text(),
                               re.MULTILINE)
        result = subprocess.run(command.replace("build/python", str(cli.BINARIES / "python")),
                                shell=True, capture_output=True, text=True, timeout=60)
        self.assertEqual((dcmveil.__version__ + "\n", ""), (result.stdout, result.stderr))

    def test_table_of_errors(self):
        """Names all there are, and attributes that are there."""
        rows = re.findall(r"^\| `(\w+)` \|[^|]*\| (.*) \|$", DOCUMENT.read_text(), re.MULTILINE)
        errors = {name for name, thing in vars(dcmveil).items()
                  if inspect.isclass(thing) and issubclass(thing, dcmveil.Error)} - {"Error"}
        self.assertEqual(errors, {name for name, _ in rows})
        for name, has in rows:
            source = inspect.getsource(dcmveil._errors)
            for attribute in re.findall(r"(?:^|, |; )`(\w+)`", has.split(": `")[0]):
                self.assertIn(f"self.{attribute} = ", source, name)


if __name__ == "__main__":
    Main()
