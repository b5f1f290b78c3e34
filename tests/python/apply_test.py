# SPDX-License-Identifier: Apache-2.0
"""One instance at a time, as bytes and as files."""
import concurrent.futures
import os
import pathlib
import pickle
import re
import subprocess
import sys
import threading
import time
import unittest

import dcmveil
from support import KEEP_ALL, RESEARCH, Main, Outcome, PythonTest, cli

CT = "TESTMANN_ERIKA_19580312/CT_Thorax_20240314/IM0001.dcm"


class Bytes(PythonTest):
    def ExpectAsTheCommand(self, rules, engine, source):
        """Each input's bytes give what the command wrote for the file, or the same reason."""
        output = self.tmp / "out"
        self.Run(rules, source, output)
        seen = {}
        for line in self.Manifest(output):
            seen[line["outcome"]] = seen.get(line["outcome"], 0) + 1
            got = Outcome(engine.apply, (pathlib.Path(source) / line["input"]).read_bytes())
            if line["output"] is not None:
                self.assertTrue(got == (output / line["output"]).read_bytes(), line["input"])
            elif line["reason"] not in ("same-output", "symbolic-link"):  # is about two inputs
                told = {key: line[key] for key in ("outcome", "reason", "where") if key in line}
                self.assertEqual(told, got, line["input"])
        return seen

    def test_samples(self):
        seen = self.ExpectAsTheCommand("research-export.yaml", self.engine, self.samples)
        self.assertGreater(seen["written"], 40)
        self.assertGreater(seen["rejected"], 0)
        self.assertGreater(seen["quarantined"], 0)

    def test_samples_as_they_are(self):
        self.ExpectAsTheCommand("keep-all.yaml", dcmveil.Engine(KEEP_ALL), self.samples)

    @cli.NeedsCorpus
    def test_corpus(self):
        seen = self.ExpectAsTheCommand("research-export.yaml", self.engine, cli.CORPUS)
        self.assertGreater(seen["written"], 300)

    def test_kinds_of_bytes(self):
        data = self.Instance(CT)
        clean = self.engine.apply(data)
        self.assertIs(bytes, type(clean))
        for kind in (bytearray, memoryview):
            self.assertEqual(clean, self.engine.apply(kind(data)))
        changing = bytearray(data)
        self.engine.apply(changing)
        self.assertEqual(data, changing)

    def test_other_kinds(self):
        for wrong in ("text", None, 7, pathlib.Path("a.dcm")):
            with self.assertRaisesRegex(TypeError, "bytes or a pydicom Dataset"):
                self.engine.apply(wrong)
        with self.assertRaises(BufferError):
            self.engine.apply(memoryview(self.Instance(CT))[::2])

    def test_report(self):
        data = self.Instance(CT)
        clean, report = self.engine.apply_with_report(data)
        self.assertEqual(self.engine.apply(data), clean)
        self.assertEqual((len(data), len(clean)), (report.input_size, report.output_size))
        self.assertRegex(report.patient_id, r"^RES-\w{10}$")
        self.assertIn(report.patient_id.encode(), clean)
        for uid in (report.study_instance_uid, report.series_instance_uid,
                    report.sop_instance_uid):
            self.assertRegex(uid, r"^2\.25\.\d+$")
            self.assertIn(uid.encode(), clean)
        self.assertEqual("1.2.840.10008.5.1.4.1.1.2", report.sop_class_uid)
        self.assertEqual({}, report.notes)
        for name, wanted in (("dirty/trailing_zeros.dcm", "trailing-bytes"),
                             ("dirty/illegal_groups.dcm", "illegal-group")):
            self.assertGreater(self.engine.apply_with_report(self.Instance(name))[1].notes[wanted],
                               0)

    def test_threads(self):
        names = [path for path in sorted(self.samples.rglob("*")) if path.is_file()] * 8
        inputs = [path.read_bytes() for path in names]
        alone = [Outcome(self.engine.apply, data) for data in inputs]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            together = list(pool.map(lambda data: Outcome(self.engine.apply, data), inputs))
        self.assertTrue(alone == together)

    def test_lock_is_released(self):
        """Another thread runs while the engine works, although it never takes the lock away."""
        pixels = cli.Element(0x7FE00010, "OW", bytes(32_000_000))
        data = cli.Part10(cli.Plain() + pixels)
        turns = 0
        done = threading.Event()

        def Turn():
            nonlocal turns
            while not done.is_set():
                turns += 1
                time.sleep(0)

        interval = sys.getswitchinterval()
        self.addCleanup(sys.setswitchinterval, interval)
        sys.setswitchinterval(1000)
        thread = threading.Thread(target=Turn)
        thread.start()
        try:
            # More than once, since on a busy machine the other thread may not come to it.
            for _ in range(50):
                before = turns
                self.engine.apply(data)
                after = turns
                if after > before:
                    break
        finally:
            done.set()
            thread.join()
        self.assertGreater(after, before)

    def test_without_pydicom(self):
        program = ("import sys; sys.modules['pydicom'] = None\n"
                   "import dcmveil\n"
                   "engine = dcmveil.Engine(sys.argv[1], key_file=sys.argv[2])\n"
                   "sys.stdout.buffer.write(engine.apply(open(sys.argv[3], 'rb').read()))\n")
        result = subprocess.run([sys.executable, "-c", program, RESEARCH, self.key,
                                 self.samples / CT], capture_output=True, check=True, timeout=60)
        self.assertTrue(self.engine.apply(self.Instance(CT)) == result.stdout)


class Files(PythonTest):
    def test_into_a_file(self):
        output = self.tmp / "clean.dcm"
        before = cli.Snapshot(self.samples)
        clean, report = self.engine.apply_with_report(self.Instance(CT))
        self.assertEqual(report, self.engine.apply_file(self.samples / CT, output))
        self.assertTrue(clean == output.read_bytes())
        self.assertEqual((clean, report), self.engine.apply_file(str(self.samples / CT)))
        self.assertEqual(before, cli.Snapshot(self.samples))
        self.assertEqual([b"clean.dcm"], cli.Walk(self.tmp))

    def test_nothing_is_overwritten(self):
        output = self.tmp / "clean.dcm"
        output.write_bytes(b"of somebody else")
        with self.assertRaises(dcmveil.Quarantined) as caught:
            self.engine.apply_file(self.samples / CT, output)
        self.assertEqual("output-exists", caught.exception.code)
        self.assertEqual(b"of somebody else", output.read_bytes())
        self.assertEqual([b"clean.dcm"], cli.Walk(self.tmp))

    def test_nothing_is_written(self):
        output = self.tmp / "clean.dcm"
        for name, error in (("broken/notes.dcm", dcmveil.Quarantined),
                            ("SC/BILDMANN_BERTHA_screenshot.dcm", dcmveil.Rejected),
                            ("nowhere.dcm", dcmveil.Failed)):
            with self.assertRaises(error):
                self.engine.apply_file(self.samples / name, output)
            with self.assertRaises(error):
                self.engine.apply_file(self.samples / name)
        self.assertEqual([], os.listdir(self.tmp))

    def test_no_folder(self):
        with self.assertRaises(dcmveil.Failed) as caught:
            self.engine.apply_file(self.samples / CT, self.tmp / "no" / "clean.dcm")
        self.assertEqual("write-failed", caught.exception.code)

    def test_bytes_are_no_path(self):
        """An instance that is given for its name does not end up in a message."""
        data = self.Instance(CT)
        for wrong in (lambda: self.engine.apply_file(data), lambda: dcmveil.Engine(data),
                      lambda: self.engine.apply_file(self.samples / CT, data),
                      lambda: dcmveil.run(self.engine, data, self.tmp / "out"),
                      lambda: dcmveil.run(self.engine, self.samples, data)):
            with self.assertRaises(TypeError) as caught:
                wrong()
            self.assertEqual("a path is str or os.PathLike[str], not bytes", str(caught.exception))
        self.assertEqual([], os.listdir(self.tmp))

    def test_name_that_is_no_text(self):
        place = os.fsencode(self.tmp) + b"/\xff.dcm"
        with open(place, "wb") as file:
            file.write(self.Instance(CT))
        clean, _ = self.engine.apply_file(os.fsdecode(place))
        self.assertTrue(self.engine.apply(self.Instance(CT)) == clean)


class Errors(PythonTest):
    def test_rejected(self):
        with self.assertRaises(dcmveil.Rejected) as caught:
            self.engine.apply(self.Instance("SC/BILDMANN_BERTHA_screenshot.dcm"))
        self.assertRegex(caught.exception.rule, r"^research-export.yaml:\d+$")
        self.assertEqual("the screen shot says that it has text in its pixels",
                         caught.exception.because)
        self.assertEqual(f"{caught.exception.rule}: {caught.exception.because}",
                         str(caught.exception))

    def test_quarantined(self):
        with self.assertRaises(dcmveil.Quarantined) as caught:
            self.engine.apply(self.Instance("broken/ABGESCHNITTEN_truncated.dcm"))
        self.assertEqual(("truncated", "(7FE0,0010)"),
                         (caught.exception.code, caught.exception.where))
        self.assertEqual("truncated: the file ends before its data set does (at (7FE0,0010))",
                         str(caught.exception))
        with self.assertRaises(dcmveil.Quarantined) as caught:
            self.engine.apply(b"")
        self.assertEqual("not-dicom", caught.exception.code)

    def test_rules(self):
        text = ("dcmveil: 1\nname: wrong\nrules:\n"
                "  - {tag: PatientNmae, action: remove}\n"
                "  - {tag: PatientID, action: removed}\n")
        with self.assertRaises(dcmveil.RuleError) as caught:
            dcmveil.Engine.from_text(text, name="mine.yaml")
        first, second = [one for one in caught.exception.diagnostics if one.severity == "error"]
        self.assertEqual(("mine.yaml", 4), (first.file, first.line))
        self.assertEqual(("mine.yaml", 5), (second.file, second.line))
        self.assertIn("PatientName", first.hint + first.message)
        self.assertGreater(first.column, 1)
        self.assertTrue(str(first).startswith(f"mine.yaml:4:{first.column}: error: "), str(first))
        self.assertEqual("\n".join(map(str, caught.exception.diagnostics)), str(caught.exception))

    def test_no_rules(self):
        with self.assertRaises(dcmveil.RuleError) as caught:
            dcmveil.Engine(self.tmp / "none.yaml")
        self.assertIn("none.yaml", str(caught.exception))

    def test_no_key(self):
        with self.assertRaises(dcmveil.RuleError):
            dcmveil.Engine(RESEARCH, key_file=self.tmp / "none.key")

    def test_text_and_file_agree(self):
        engine = dcmveil.Engine.from_text(RESEARCH.read_text(), folder=RESEARCH.parent,
                                          key_file=self.key)
        self.assertEqual((self.engine.name, self.engine.key_id), (engine.name, engine.key_id))
        data = self.Instance(CT)
        self.assertTrue(self.engine.apply(data) == engine.apply(data))

    def test_engine_tells_itself(self):
        self.assertEqual("research-export", self.engine.name)
        self.assertEqual("<dcmveil.Engine 'research-export'>", repr(self.engine))
        self.assertRegex(self.engine.rules_hash, r"^[0-9a-f]{64}$")
        self.assertRegex(self.engine.key_id, r"^[0-9a-f]{16}$")
        self.assertEqual([], self.engine.warnings)
        twice = dcmveil.Engine.from_text(
            "dcmveil: 1\nrules:\n  - {tag: PatientID, action: remove}\n"
            "  - {tag: PatientID, action: keep}\notherwise: keep\n")
        self.assertIn("warning", [one.severity for one in twice.warnings])

    def test_version(self):
        version = re.search(r"project\(dcmveil VERSION ([0-9.]+)",
                            (cli.SOURCE / "CMakeLists.txt").read_text())[1]
        self.assertEqual(version, dcmveil.__version__)

    def test_exceptions_can_be_sent(self):
        """To another process, as concurrent.futures does."""
        for data in (b"", self.Instance("SC/BILDMANN_BERTHA_screenshot.dcm")):
            with self.assertRaises(dcmveil.Error) as caught:
                self.engine.apply(data)
            copy = pickle.loads(pickle.dumps(caught.exception))
            self.assertEqual((type(caught.exception), caught.exception.args, str(caught.exception)),
                             (type(copy), copy.args, str(copy)))

    def test_no_value_in_a_message(self):
        identifiers = {one.text for one in cli.ReadIdentifiers(self.samples)
                       if one.kind in ("name", "id", "birthdate")}
        self.assertGreater(len(identifiers), 20)
        count = 0
        for path in sorted(self.samples.rglob("*")):
            if not path.is_file():
                continue
            try:
                self.engine.apply(path.read_bytes())
            except dcmveil.Error as error:
                count += 1
                told = str(error) + repr(error.args)
                self.assertEqual([], [text for text in identifiers if text in told])
        self.assertGreater(count, 4)


if __name__ == "__main__":
    Main()
