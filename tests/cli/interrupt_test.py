# SPDX-License-Identifier: Apache-2.0
"""A run that was interrupted, or killed, is finished by the next one, with the same bytes."""
import json
import os
import shutil
import signal
import subprocess
import time

from support import (CheckHealth, CliTest, DCMVEIL, Environment, MakeCopies, Main, Sanitized,
                     Timeout, Tree, Walk)

RULES = "research-export.yaml"


class Interrupted(CliTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.count = 600 if Sanitized() else 1500
        cls.source = MakeCopies(cls.samples / "charsets" / "greek.dcm", cls.class_tmp / "many",
                                cls.count)
        cls.whole = cls.class_tmp / "whole"
        cls.Run(RULES, cls.source, cls.whole, expect=0)
        cls.tree = Tree(cls.whole)
        assert len(cls.tree) == cls.count

    def Begin(self, output, lines, jobs):
        """Starts a run and returns when that many inputs have a line."""
        process = subprocess.Popen(list(map(os.fspath, [
            DCMVEIL, *self.Arguments(RULES, self.source, output, "-j", jobs)])),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=Environment())
        manifest = self.State(output) / "manifest.ndjson"
        deadline = time.monotonic() + Timeout(60)
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if manifest.stat().st_size > lines * 300:
                    break
            except FileNotFoundError:
                pass
        return process

    def End(self, process, number):
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=Timeout(60))
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def ExpectPart(self, output):
        """Whatever stands under an output name is whole."""
        part = {name: data for name, data in Tree(output).items()
                if not name.startswith(b".dcmveil-")}
        for name, data in part.items():
            self.assertTrue(data == self.tree[name], name)
        return part

    def ExpectCompleted(self, output, part):
        """The next run: the part is left as it is, the rest is written, nothing else is left."""
        times = {name: os.lstat(os.path.join(os.fsencode(output), name)).st_mtime_ns for name in part}
        self.Run(RULES, self.source, output, "-j", "8", expect=0)
        lines = self.ExpectConsistent(self.source, output)
        self.assertEqual(self.count, len(lines))
        for line in lines:
            self.assertEqual("written", line["outcome"], line)
        self.assertTrue(Tree(output) == self.tree)
        for name, moment in times.items():
            self.assertEqual(moment,
                             os.lstat(os.path.join(os.fsencode(output), name)).st_mtime_ns)

    def Interrupt(self, number, jobs):
        output = self.tmp / "out"
        result = self.End(self.Begin(output, 200, jobs), number)
        CheckHealth(result)
        self.assertEqual(130, result.returncode, result.stderr)
        self.assertIn(b"interrupted", result.stdout)
        lines = self.Manifest(output)
        self.assertGreaterEqual(len(lines), 150)
        self.assertLess(len(lines), self.count)
        # The first so many inputs are done, each has a line, and nothing else is in the output.
        self.assertEqual([f"{n:05}" for n in range(len(lines))], [line["input"] for line in lines])
        self.assertEqual(sorted(os.fsencode(line["output"]) for line in lines), Walk(output))
        self.ExpectCompleted(output, self.ExpectPart(output))

    def test_interrupt(self):
        self.Interrupt(signal.SIGINT, "2")

    def test_terminate_many_threads(self):
        self.Interrupt(signal.SIGTERM, "8")

    def test_kill(self):
        for jobs, lines in (("1", 20), ("8", 200)):
            output = self.tmp / f"out{jobs}"
            result = self.End(self.Begin(output, lines, jobs), signal.SIGKILL)
            self.assertEqual(-signal.SIGKILL, result.returncode, "it was killed in mid-run")
            part = self.ExpectPart(output)
            self.assertGreaterEqual(len(part), 10)
            self.assertLess(len(part), self.count)
            text = (self.State(output) / "manifest.ndjson").read_text()
            for line in text.splitlines()[:-1]:
                json.loads(line)
            self.ExpectCompleted(output, part)

    def test_kill_twice(self):
        output = self.tmp / "out"
        for lines in (50, 300):
            result = self.End(self.Begin(output, lines, "4"), signal.SIGKILL)
            self.assertEqual(-signal.SIGKILL, result.returncode)
        self.ExpectCompleted(output, self.ExpectPart(output))

    def test_garbage_of_an_old_run(self):
        """Temporary files of a run that was killed do not become outputs."""
        output = self.tmp / "out"
        result = self.End(self.Begin(output, 100, "4"), signal.SIGKILL)
        self.assertEqual(-signal.SIGKILL, result.returncode)
        temporary = [name for name in os.listdir(output) if name.startswith(".dcmveil-")]
        self.assertEqual(1, len(temporary))
        for number in range(2000):
            (output / temporary[0] / str(number)).write_bytes(b"half an instance")
        self.ExpectCompleted(output, self.ExpectPart(output))

    def test_lost_outputs_come_back(self):
        output = self.tmp / "out"
        shutil.copytree(self.whole, output)
        for name in Walk(output)[::3]:
            os.unlink(os.path.join(os.fsencode(output), name))
        part = self.ExpectPart(output)
        self.Run(RULES, self.source, output, "-j", "8", expect=0)
        for line in self.ExpectConsistent(self.source, output):
            self.assertEqual("unchanged" if os.fsencode(line["output"]) in part else "written",
                             line["outcome"], line)
        self.assertTrue(Tree(output) == self.tree)


if __name__ == "__main__":
    Main()
