# SPDX-License-Identifier: Apache-2.0
"""Whole folders: run() does what the command does, tells how far it is, and can be stopped."""
import os
import signal
import subprocess
import sys
import threading
import time

import dcmveil
from support import RESEARCH, Main, PythonTest, cli

COUNT = 800


class Run(PythonTest):
    def test_as_the_command(self):
        told = []
        summary = dcmveil.run(self.engine, self.samples, self.tmp / "a", outcome=told.append)
        self.Run("research-export.yaml", self.samples, self.tmp / "b")
        self.ExpectSameTrees(self.tmp / "a", self.tmp / "b")
        lines = self.Manifest(self.tmp / "b")
        self.assertEqual(lines, self.Manifest(self.tmp / "a"))
        self.assertEqual([(line["input"], line["output"], line["outcome"], line["reason"],
                           line.get("where"), line.get("notes", {})) for line in lines],
                         [(one.input, one.output, one.outcome, one.reason, one.where, one.notes)
                          for one in told])
        counts = summary.counts
        self.assertEqual({name: sum(line["outcome"] == name for line in lines)
                          for name in cli.OUTCOMES},
                         {name: getattr(counts, name) for name in cli.OUTCOMES})
        self.assertEqual((len(lines), len(lines)), (counts.finished, counts.total))
        self.assertEqual(len(lines) - counts.written, sum(summary.reasons.values()))
        self.assertEqual(sum(len(data) for data in cli.Tree(self.tmp / "a").values()),
                         counts.bytes_out)
        self.assertGreater(counts.bytes_in, counts.bytes_out // 2)
        self.assertGreater(summary.notes["vr-mended"], 0)
        self.assertGreater(summary.seconds, 0)
        self.assertFalse(summary.complete, "some samples are broken")
        self.assertEqual(self.State(self.tmp / "a") / "manifest.ndjson", summary.manifest)

    def test_again(self):
        first = dcmveil.run(RESEARCH, self.samples, self.tmp / "a", key_file=self.key)
        again = dcmveil.run(self.engine, self.samples, self.tmp / "a")
        self.assertEqual(first.counts.written, again.counts.unchanged)
        self.assertEqual(first.counts.finished - first.counts.failed, again.recalled)
        with self.assertRaises(dcmveil.RunError) as caught:
            dcmveil.run(RESEARCH, self.samples, self.tmp / "a", key_file=self.other_key)
        self.assertTrue(caught.exception.usage)
        self.assertEqual(0, caught.exception.summary.counts.finished)
        other = dcmveil.run(RESEARCH, self.samples, self.tmp / "a", key_file=self.other_key,
                            accept_changes=True)
        self.assertEqual(first.counts.written, other.counts.written + other.counts.quarantined -
                         first.counts.quarantined)

    def test_options(self):
        source = self.samples / "TESTMANN_ERIKA_19580312"
        summary = dcmveil.run(self.engine, str(source), str(self.tmp / "a"), jobs=2,
                              state=self.tmp / "state", layout="{PatientID}/{SOPInstanceUID}.dcm",
                              durable=True, copy_quarantined=self.tmp / "bad", survey=True)
        self.assertEqual(self.tmp / "state" / "manifest.ndjson", summary.manifest)
        self.assertEqual({2}, {name.count(b"/") + 1 for name in cli.Tree(self.tmp / "a")})
        self.assertTrue((self.tmp / "state" / "survey.json").exists())
        dcmveil.run(self.engine, self.samples / "broken", self.tmp / "b",
                    copy_quarantined=self.tmp / "bad")
        self.assertIn(b"notes.dcm", cli.Walk(self.tmp / "bad"))
        dcmveil.run(self.engine, source, self.tmp / "c", dicomdir=True)
        self.assertIn(b"DICOMDIR", cli.Walk(self.tmp / "c"))

    def test_dry_run(self):
        told = []
        summary = dcmveil.run(self.engine, self.samples, self.tmp / "a", dry_run=True,
                              outcome=told.append)
        self.assertIsNone(summary.manifest)
        self.assertEqual(summary.counts.finished, len(told))
        self.assertEqual([], os.listdir(self.tmp))

    def test_shards(self):
        whole = dcmveil.run(self.engine, self.samples, self.tmp / "whole")
        for by in ("study", "path"):
            parts = [dcmveil.run(self.engine, self.samples, self.tmp / by, shard=(index, 3),
                                 shard_by=by) for index in (1, 2, 3)]
            self.ExpectSameTrees(self.tmp / "whole", self.tmp / by)
            self.assertEqual(whole.counts.written, sum(part.counts.written for part in parts))
            self.assertEqual("shard-1-of-3", parts[0].manifest.parent.name)

    def test_crosswalk(self):
        certificate, private = self.tmp / "c.pem", self.tmp / "k.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x",
                        "-keyout", private, "-out", certificate, "-days", "30"], check=True,
                       capture_output=True)
        dcmveil.run(self.engine, self.samples / "PET", self.tmp / "a", crosswalk=self.tmp / "x.cms",
                    crosswalk_to=[certificate])
        self.assertGreater((self.tmp / "x.cms").stat().st_size, 100)
        with self.assertRaises(dcmveil.RunError):
            dcmveil.run(self.engine, self.samples / "PET", self.tmp / "b",
                        crosswalk=self.tmp / "y.cms")

    def test_wrong_arguments(self):
        for error, more in ((TypeError, {"key_file": self.key}), (ValueError, {"jobs": -1}),
                            (ValueError, {"shard": (0, 2)}), (ValueError, {"shard": (3, 2)}),
                            (ValueError, {"shard": (1, 2), "shard_by": "patient"}),
                            (ValueError, {"dicomdir": True, "layout": "mirror"}),
                            (ValueError, {"dry_run": True, "survey": True}),
                            (TypeError, {"nonsense": 1}), (dcmveil.RunError, {"layout": "{Nothing}"})):
            with self.assertRaises(error, msg=str(more)):
                dcmveil.run(self.engine, self.samples, self.tmp / "a", **more)
        with self.assertRaises(dcmveil.RunError) as caught:
            dcmveil.run(self.engine, self.tmp / "nowhere", self.tmp / "a")
        self.assertIn("nowhere", str(caught.exception))
        with self.assertRaises(dcmveil.RuleError):
            dcmveil.run(self.tmp / "none.yaml", self.samples, self.tmp / "a")
        self.assertEqual([], os.listdir(self.tmp))


def Slow(_):
    """Makes the run wait, so that it is not over too soon on any machine."""
    time.sleep(0.001)


class Stopped(PythonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.source = cli.MakeCopies(cls.samples / "charsets" / "greek.dcm", cls.class_tmp / "many",
                                    COUNT)
        cls.whole = cls.class_tmp / "whole"
        cls.Run("research-export.yaml", cls.source, cls.whole, expect=0)

    def ExpectCompleted(self, output):
        """What stands there is a part of the run in order; the next run does the rest."""
        lines = self.Manifest(output)
        self.assertGreater(len(lines), 0)
        self.assertLess(len(lines), COUNT)
        self.assertEqual([f"{n:05}" for n in range(len(lines))], [line["input"] for line in lines])
        self.assertEqual(sorted(os.fsencode(line["output"]) for line in lines), cli.Walk(output))
        summary = dcmveil.run(self.engine, self.source, output)
        self.assertEqual((COUNT, len(lines)), (summary.counts.written, summary.recalled))
        self.ExpectSameTrees(self.whole, output)

    def test_progress(self):
        told, threads = [], set()

        def Progress(counts):
            told.append(counts)
            threads.add(threading.get_ident())

        summary = dcmveil.run(self.engine, self.source, self.tmp / "a", progress=Progress)
        self.assertEqual(summary.counts, told[-1])
        self.assertGreater(len(told), 1)
        self.assertEqual(sorted(one.finished for one in told), [one.finished for one in told])
        self.assertEqual({threading.get_ident()}, threads, "it is called in the calling thread")

    def test_slow_callback(self):
        """Nothing is lost, and what is not told yet does not pile up."""
        told = []

        def Tell(one):
            told.append(one.input)
            Slow(one)

        dcmveil.run(self.engine, self.source, self.tmp / "a", outcome=Tell)
        self.assertEqual([f"{n:05}" for n in range(COUNT)], told)

    def test_exception_in_a_callback(self):
        mine = LookupError("mine")
        calls = 0

        def Raise(_):
            nonlocal calls
            calls += 1
            raise mine

        for name in ("progress", "outcome"):
            calls = 0
            callbacks = {"outcome": Slow, name: Raise}
            with self.assertRaises(LookupError) as caught:
                dcmveil.run(self.engine, self.source, self.tmp / name, jobs=1, **callbacks)
            self.assertIs(mine, caught.exception)
            self.assertEqual(1, calls, "it is not called again")
            self.ExpectCompleted(self.tmp / name)

    def test_runs_in_threads(self):
        """Two at once, and neither in the main thread."""
        done = {}

        def Work(name):
            done[name] = dcmveil.run(self.engine, self.source, self.tmp / name, jobs=2,
                                     progress=lambda counts: None)

        workers = [threading.Thread(target=Work, args=(name,)) for name in ("a", "b")]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        for name in ("a", "b"):
            self.assertEqual(COUNT, done[name].counts.written)
            self.ExpectSameTrees(self.whole, self.tmp / name)

    PROGRAM = """
import json, signal, sys, time

import dcmveil

def terminate(number, frame):
    raise SystemExit("terminated")

signal.signal(signal.SIGTERM, terminate)
rules, key, source, output = sys.argv[1:5]
more = {"outcome": lambda one: time.sleep(0.001)} if sys.argv[5] == "callback" else {}
try:
    dcmveil.run(rules, source, output, key_file=key, jobs=1, **more)
except KeyboardInterrupt:
    # The journal is closed: every line is whole.
    with open(output + ".dcmveil/manifest.ndjson") as lines:
        print("interrupted", sum(1 for line in lines if json.loads(line)))
"""

    def Interrupt(self, output, number, what):
        """The program's status and what it prints; nothing if it came to its end before that."""
        process = subprocess.Popen(
            [sys.executable, "-c", self.PROGRAM, RESEARCH, self.key, self.source, output, what],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        manifest = self.State(output) / "manifest.ndjson"
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if manifest.exists() and manifest.stat().st_size > 10_000:
                break
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout.strip(), stderr.strip()

    def test_interrupt(self):
        output = self.tmp / "out"
        told = self.Interrupt(output, signal.SIGINT, "callback")
        self.assertEqual((0, f"interrupted {len(self.Manifest(output))}", ""), told)
        self.ExpectCompleted(output)

    def test_interrupt_without_callbacks(self):
        for attempt in range(10):
            output = self.tmp / f"out{attempt}"
            told = self.Interrupt(output, signal.SIGINT, "none")
            if told != (0, "", ""):  # else it was over too soon
                break
        self.assertEqual((0, f"interrupted {len(self.Manifest(output))}", ""), told)
        self.ExpectCompleted(output)

    def test_other_signal(self):
        """Whatever a handler raises ends the run in the same way."""
        output = self.tmp / "out"
        told = self.Interrupt(output, signal.SIGTERM, "callback")
        self.assertEqual((1, "", "terminated"), told)
        self.ExpectCompleted(output)


if __name__ == "__main__":
    Main()
