# SPDX-License-Identifier: Apache-2.0
"""Where things may lie: paths as people give them, of folders that are not there yet."""
import os
import shutil
import signal
import subprocess

from support import CliTest, Command, DCMVEIL, Environment, Main, MakeCopies, RULES, Timeout, Tree, Walk


class Places(CliTest):
    rules = RULES / "research-export.yaml"

    def Do(self, source, output, *more, cwd, expect):
        result = Command("run", "-r", self.rules, "--key", self.key, "-i", source, "-o", output, *more, cwd=cwd)
        self.assertEqual(expect, result.returncode, (more, result.stderr))
        return result

    def test_nothing_of_a_run_lies_in_the_output(self):
        """A relative output that does not exist yet, and the other place absolute."""
        for option in ("--state", "--report", "--copy-quarantined"):
            result = self.Do(self.samples, "x", option, self.tmp / "x" / "in", cwd=self.tmp, expect=2)
            self.assertIn(b"lies inside", result.stderr)
            self.Do(self.samples, self.tmp / "x", option, "x/in", cwd=self.tmp, expect=2)
        self.assertEqual([], Walk(self.tmp))

    def test_nothing_is_written_into_the_input(self):
        archive = self.tmp / "archive"
        shutil.copytree(self.samples, archive)
        before = Tree(archive)
        for output, more in (("out", ()), ("./out/", ()), ("../archive/out", ()),
                             ("../out", ("--state", "state")), ("../out", ("--report", "report")),
                             ("../out", ("--copy-quarantined", "copies")),
                             ("../out", ("--dry-run", "--report", "report"))):
            result = self.Do(".", output, *more, cwd=archive, expect=2)
            self.assertIn(b"lies inside", result.stderr)
            if not more:
                self.assertIn(b"the output lies inside the input", result.stderr)
        self.assertEqual(before, Tree(archive))
        self.assertEqual(["archive"], os.listdir(self.tmp))

    def test_a_link_to_the_input_is_the_input(self):
        archive = self.tmp / "archive"
        shutil.copytree(self.samples, archive)
        (self.tmp / "link").symlink_to(archive)
        self.Do("archive", "link/out", cwd=self.tmp, expect=2)

    def test_an_output_that_is_no_path(self):
        result = self.Do(self.samples, "", "--state", "state", cwd=self.tmp, expect=2)
        self.assertIn(b"output", result.stderr)
        self.assertNotIn(b"lies inside", result.stderr)

    def test_reports_lie_in_neither(self):
        archive = self.tmp / "archive"
        shutil.copytree(self.samples, archive)
        self.Do("archive", "out", "--report", "report", cwd=self.tmp, expect=3)
        for place in ("out", "out/report", "archive/report", self.tmp / "archive"):
            result = Command("report", "--state", "out.dcmveil", "--report", place, cwd=self.tmp)
            self.assertEqual(2, result.returncode, place)
            self.assertIn(b"it holds values", result.stderr)
        self.assertFalse((self.tmp / "out" / "report.html").exists())
        result = Command("report", "--state", "../out.dcmveil", "--report", "../again", cwd=self.tmp / "archive")
        self.assertEqual(0, result.returncode, result.stderr)

    def test_originals_do_not_lie_in_the_export(self):
        self.Do(self.samples, "out", cwd=self.tmp, expect=3)
        result = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k.pem", "-out",
                                 "c.pem", "-subj", "/CN=office", "-days", "2"], cwd=self.tmp, capture_output=True)
        self.assertEqual(0, result.returncode, result.stderr)
        os.chmod(self.tmp / "k.pem", 0o600)
        result = Command("reidentify", "--key", "../k.pem", "-i", ".", "-o", "originals", cwd=self.tmp / "out")
        self.assertEqual(2, result.returncode)
        self.assertIn(b"inside each other", result.stderr)

    def test_what_a_killed_first_run_leaves_is_removed(self):
        """The output was not there when it began, and is when the next run begins."""
        MakeCopies(self.samples / "charsets" / "greek.dcm", self.tmp / "in", 3000)
        arguments = [DCMVEIL, "run", "-r", self.rules, "--key", self.key, "-i", "in", "-o", "out", "--quiet", "-j", "2"]
        process = subprocess.Popen(arguments, cwd=self.tmp, env=Environment())
        try:
            while process.poll() is None and not list(self.tmp.glob("out/*/*/*/*")):
                pass
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=Timeout(60))
        self.assertEqual(-signal.SIGKILL, process.returncode)
        self.assertTrue(list(self.tmp.glob("out/.dcmveil-*")))
        result = subprocess.run(arguments, cwd=self.tmp, env=Environment(), timeout=Timeout(120))
        self.assertEqual(0, result.returncode)
        self.assertEqual([], list(self.tmp.glob("out/.dcmveil-*")))


if __name__ == "__main__":
    Main()
