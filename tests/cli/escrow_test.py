# SPDX-License-Identifier: Apache-2.0
"""Originals in escrow, the crosswalk, and how keys are handled: held against openssl and pydicom."""
import csv
import io
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import time

import pydicom

from support import (CliTest, Command, CORPUS, DCMVEIL, Environment, FindLeaks, Main,
                     NeedsCorpus, ReadIdentifiers, Walk)

HEAD = "dcmveil: 1\nname: escrow\nprofile: basic\nrules: []\n"


def OpenSsl(*arguments, check=True):
    result = subprocess.run(["openssl", *map(os.fspath, arguments)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, timeout=120)
    if check and result.returncode != 0:
        raise AssertionError(result.stderr)
    return result


def MakePerson(folder, name):
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    OpenSsl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-subj", f"/CN={name}",
            "-keyout", key, "-out", certificate)
    key.chmod(0o600)
    return certificate, key


def Clean(value):
    return str(value or "").split("\0")[0].strip()


def Values(data_set):
    """Path -> (VR, value) of every element but pixel data."""
    found = {}

    def walk(item, path):
        for tag in item.keys():
            here = f"{path}{tag}"
            try:
                element = item[tag]
            except (TypeError, ValueError):
                # A dirty value.
                found[here] = ("", item.get_item(tag).value)
                continue
            if element.tag.element == 0 or element.tag.group == 0x7FE0:
                continue
            if element.VR == "SQ":
                found[here] = ("SQ", len(element.value))
                for number, inner in enumerate(element.value):
                    walk(inner, f"{here}[{number}]")
            else:
                found[here] = (element.VR, str(element.value))
    walk(data_set, "")
    return found


class WithPeople(CliTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.office, cls.office_key = MakePerson(cls.class_tmp, "office")
        cls.steward, cls.steward_key = MakePerson(cls.class_tmp, "steward")
        cls.stranger, cls.stranger_key = MakePerson(cls.class_tmp, "stranger")

    def Rules(self, more="", recipients="office.pem, steward.pem", head=HEAD):
        file = self.class_tmp / f"{self.id()}.yaml"
        file.write_text(f"{head}escrow: {{recipients: [{recipients}]{more}}}\n")
        return file

    def Restore(self, source, output, *more, key=None, expect=0, **options):
        result = Command("reidentify", "--key", key or self.office_key, "-i", source, "-o", output,
                         *more, timeout=300, **options)
        self.assertEqual(expect, result.returncode, result.stderr)
        return result


class EscrowRun(WithPeople):
    def test_samples_go_and_come_back(self):
        rules = self.Rules(head=HEAD.replace("basic", "basic+"))
        output, back = self.tmp / "out", self.tmp / "back"
        self.Run(rules, self.samples, output, expect=3)
        pairs = self.Pairs(self.samples, output)
        self.assertGreater(len(pairs), 20)
        self.ExpectNoLeak(output, ReadIdentifiers(self.samples))
        self.Restore(output, back, "--cert", self.office)
        self.assertEqual(Walk(output), Walk(back))
        for source, target, line in pairs:
            if "duplicate-element" in line.get("notes", {}):
                continue  # pydicom takes the second
            before = pydicom.dcmread(source, force=True)
            after = pydicom.dcmread(back / line["output"])
            for keyword in ("PatientName", "PatientID", "PatientBirthDate", "AccessionNumber",
                            "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "StudyDate"):
                # DCMTK takes blanks out of UIDs.
                self.assertEqual(Clean(before.get(keyword)), Clean(after.get(keyword)),
                                 (source, keyword))
            self.assertEqual("NO", after.PatientIdentityRemoved)
            self.assertNotIn("DeidentificationMethod", after)
            self.assertNotIn("DeidentificationMethodCodeSequence", after)
            self.assertNotIn("EncryptedAttributesSequence", after)
            self.assertEqual(before.SOPInstanceUID, after.file_meta.MediaStorageSOPInstanceUID)

    def test_openssl_opens_the_content(self):
        rules, output = self.Rules(), self.tmp / "out"
        self.Run(rules, self.samples / "formats", output)
        checked = 0
        for source, target, _ in self.Pairs(self.samples / "formats", output):
            items = pydicom.dcmread(target).EncryptedAttributesSequence
            self.assertEqual(1, len(items))
            self.assertEqual({"EncryptedContentTransferSyntaxUID", "EncryptedContent"},
                             set(items[0].dir()))
            self.assertEqual("1.2.840.10008.1.2.1", items[0].EncryptedContentTransferSyntaxUID)
            blob = self.tmp / "blob.der"
            blob.write_bytes(items[0].EncryptedContent)
            for certificate, key in ((self.office, self.office_key), (self.steward, self.steward_key)):
                plain = OpenSsl("cms", "-decrypt", "-binary", "-inform", "DER", "-in", blob,
                                "-recip", certificate, "-inkey", key).stdout
                content = pydicom.filereader.read_dataset(io.BytesIO(plain), False, True)
                self.assertEqual(["ModifiedAttributesSequence"], content.dir())
                self.assertEqual(1, len(content.ModifiedAttributesSequence))
                before = pydicom.dcmread(source, force=True)
                item = content.ModifiedAttributesSequence[0]
                self.assertEqual(before.PatientName, item.PatientName)
                self.assertEqual(before.SOPInstanceUID, item.SOPInstanceUID)
            shown = OpenSsl("cms", "-cmsout", "-print", "-inform", "DER", "-in", blob).stdout
            self.assertIn(b"rsaEncryption", shown)
            self.assertIn(b"aes-256-cbc", shown)
            self.assertNotEqual(0, OpenSsl("cms", "-decrypt", "-inform", "DER", "-in", blob, "-recip",
                                           self.stranger, "-inkey", self.stranger_key,
                                           check=False).returncode)
            checked += 1
        self.assertGreater(checked, 3)

    def test_wrong_keys_leave_nothing(self):
        rules, output = self.Rules(recipients="office.pem"), self.tmp / "out"
        self.Run(rules, self.samples / "formats", output)
        for key in (self.stranger_key, self.steward_key):
            back = self.tmp / "back"
            result = self.Restore(output, back, key=key, expect=1)
            self.assertFalse(back.exists())
            self.assertIn(b"wrong-key", result.stderr)
        result = self.Restore(output, back, "--cert", self.steward, expect=2)
        self.assertIn(b"is not that of the certificate", result.stderr)
        # No escrow in it at all.
        result = self.Restore(self.samples / "formats", back, expect=1)
        self.assertIn(b"no-encrypted-attributes", result.stderr)
        self.assertFalse(back.exists())
        self.assertEqual([], FindLeaks({b"stderr": result.stderr}, ReadIdentifiers(self.samples)))

    def test_the_same_bytes_again(self):
        rules, source = self.Rules(", all-replaced: true"), self.samples / "formats"
        self.Run(rules, source, self.tmp / "a", expect=0)
        self.Run(rules, source, self.tmp / "b", "-j", "4", expect=0)
        self.ExpectSameTrees(self.tmp / "a", self.tmp / "b")
        self.Run(rules, source, self.tmp / "a", expect=0)
        self.assertEqual({"unchanged"}, {line["outcome"] for line in self.Manifest(self.tmp / "a")})

    def Whole(self, source, expect):
        """Everything that a run takes away comes back."""
        rules, output, back = self.Rules(", all-replaced: true"), self.tmp / "out", self.tmp / "back"
        kept = self.tmp / "kept.yaml"
        kept.write_text("dcmveil: 1\nrules: []\notherwise: keep\nsettings: {mark: false}\n")
        self.Run(rules, source, output, expect=expect, timeout=300)
        self.Run(kept, source, self.tmp / "keep", "--layout", "mirror", timeout=300)
        self.Restore(output, back)
        keep = self.ByInput(self.tmp / "keep")
        compared = 0
        for _, _, line in self.Pairs(source, output):
            # What comes back is the input; what is kept leaves out text behind a NUL.
            if (keep[line["input"]]["output"] is None or
                    "text-after-nul" in keep[line["input"]].get("notes", {})):
                continue
            before = Values(pydicom.dcmread(self.tmp / "keep" / keep[line["input"]]["output"]))
            after = Values(pydicom.dcmread(back / line["output"]))
            for marker in ("(0012, 0062)", "(0012, 0063)", "(0012, 0064)", "(0028, 0303)"):
                before = {k: v for k, v in before.items() if not k.startswith(marker)}
                after = {k: v for k, v in after.items() if not k.startswith(marker)}
            before = {k: v for k, v in before.items() if not k.startswith("(0400, 0500)")}
            if "(0088, 0200)" not in after:  # an icon whose pixels are compressed
                before = {k: v for k, v in before.items() if not k.startswith("(0088, 0200)")}
            # A kept sequence is written as one; what comes back is what the input was.
            for hidden in [k for k, v in after.items() if v[0] == "UN" and
                           before.get(k, ("",))[0] == "SQ"]:
                before = {k: v for k, v in before.items() if not k.startswith(hidden)}
                after = {k: v for k, v in after.items() if not k.startswith(hidden)}
            self.assertEqual(before, after, line["input"])
            compared += 1
        return compared

    def test_all_replaced_of_the_samples(self):
        self.assertGreater(self.Whole(self.samples, 3), 20)

    @NeedsCorpus
    def test_all_replaced_of_the_corpus(self):
        self.assertGreater(self.Whole(CORPUS, 3), 250)

    def test_other_readers(self):
        output, plain = self.tmp / "out", self.tmp / "plain"
        without = self.class_tmp / "without.yaml"
        without.write_text(HEAD)
        self.Run(self.Rules(), self.samples / "formats", output)
        self.Run(without, self.samples / "formats", plain)

        def Complaints(file):
            result = subprocess.run(["dciodvfy", file], stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, timeout=60)
            return {line for line in result.stdout.decode("latin-1").splitlines()
                    if line.startswith(("Error", "Warning"))}
        for name in Walk(output):
            file = os.path.join(os.fsencode(output), name)
            subprocess.run(["dcmdump", "-q", file], check=True, stdout=subprocess.DEVNULL, timeout=60)
            new = Complaints(file) - Complaints(os.path.join(os.fsencode(plain), name))
            self.assertEqual(set(), {line for line in new if b"0400" in line.encode()
                                     or "Encrypted" in line}, name)

    def test_what_another_tool_encrypted(self):
        file, blob, plain = self.tmp / "other.dcm", self.tmp / "blob", self.tmp / "plain"
        original = pydicom.Dataset()
        original.PatientName = "Wirtmann^Wilma"
        modified = pydicom.Dataset()
        modified.ModifiedAttributesSequence = [original]
        modified.is_little_endian, modified.is_implicit_VR = True, False
        pydicom.dcmwrite(plain, modified, write_like_original=True)
        OpenSsl("cms", "-encrypt", "-binary", "-des3", "-outform", "DER", "-in", plain, "-out", blob,
                self.office)
        source = next(iter(sorted((self.samples / "formats").iterdir())))
        data_set = pydicom.dcmread(source, force=True)
        item = pydicom.Dataset()
        item.EncryptedContentTransferSyntaxUID = "1.2.840.10008.1.2.1"
        item.EncryptedContent = blob.read_bytes() + bytes(blob.stat().st_size % 2)
        data_set.EncryptedAttributesSequence = [item]
        data_set.PatientName = "Dummy"
        data_set.save_as(file)
        self.Restore(file, self.tmp / "back")
        self.assertEqual("Wirtmann^Wilma", pydicom.dcmread(self.tmp / "back" / "other.dcm").PatientName)

    def test_diagnostics_have_places(self):
        rules = self.Rules(recipients="nobody.pem")
        result = self.Run(rules, self.samples, self.tmp / "out", expect=2)
        self.assertIn(f"{rules}:5:23: error: nobody.pem does not exist".encode(), result.stderr)
        self.assertFalse((self.tmp / "out").exists())

    def test_explain_and_conformance(self):
        rules = self.Rules()
        file = next(iter(sorted((self.samples / "formats").iterdir())))
        result = Command("explain", "-r", rules, "--key", self.key, file)
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertIn(b"EncryptedAttributesSequence", result.stdout)
        result = Command("conformance", "-r", rules)
        self.assertIn(b"Encrypted Attributes Sequence (0400,0500)", result.stdout)
        self.assertIn(b"PatientName", result.stdout)


class Crosswalk(WithPeople):
    def Written(self, *more, rules="research-export.yaml", expect=3):
        output, file = self.tmp / "out", self.tmp / "walk.p7m"
        self.Run(rules, self.samples, output, "--crosswalk", file, "--crosswalk-to", self.office,
                 self.steward, *more, expect=expect)
        return output, file

    def Open(self, file, *more, key=None, expect=0):
        result = Command("crosswalk", "open", file, "--key", key or self.office_key, *more)
        self.assertEqual(expect, result.returncode, result.stderr)
        return result

    def test_round_trip(self):
        output, file = self.Written()
        self.assertEqual(0o600, file.stat().st_mode & 0o777)
        self.assertEqual([], [n for n in os.listdir(self.tmp) if "partial" in n])
        self.assertEqual([], FindLeaks({b"walk": file.read_bytes()}, ReadIdentifiers(self.samples)))
        text = self.Open(file).stdout
        plain = OpenSsl("cms", "-decrypt", "-binary", "-inform", "DER", "-in", file, "-recip",
                        self.steward, "-inkey", self.steward_key).stdout
        self.assertEqual(plain, text)
        rows = list(csv.DictReader(io.StringIO(text.decode())))
        self.assertEqual(len(rows), len({tuple(row.values()) for row in rows}), "no row twice")
        known = {(row["kind"], row["id_old"]): row["id_new"] for row in rows}
        pairs = self.Pairs(self.samples, output)
        self.assertEqual(len(pairs), sum(row["kind"] == "instance" for row in rows))
        for source, target, _ in pairs:
            before, after = (pydicom.dcmread(f, force=True) for f in (source, target))
            for kind, keyword in (("study", "StudyInstanceUID"), ("series", "SeriesInstanceUID"),
                                  ("instance", "SOPInstanceUID")):
                if before.get(keyword):
                    self.assertEqual(after.get(keyword), known[kind, Clean(before.get(keyword))])
            if Clean(before.get("PatientID")):
                self.assertEqual(after.PatientID, known["patient", Clean(before.PatientID)])

    def test_tables(self):
        _, file = self.Written()
        folder = self.tmp / "tables"
        self.Open(file, "-o", folder)
        self.assertEqual([b"patid_mapping.csv", b"uid_mapping.csv"], Walk(folder))
        rows = list(csv.DictReader(io.StringIO(self.Open(file).stdout.decode())))
        for name, kinds in (("patid_mapping.csv", {"patient"}),
                            ("uid_mapping.csv", {"study", "series", "instance"})):
            self.assertEqual(0o600, (folder / name).stat().st_mode & 0o777)
            text = (folder / name).read_text()
            self.assertTrue(text.startswith("id_old,id_new\n"))
            self.assertEqual([(r["id_old"], r["id_new"]) for r in rows if r["kind"] in kinds],
                             [(r["id_old"], r["id_new"]) for r in csv.DictReader(io.StringIO(text))])
        self.assertIn(b"exists already", self.Open(file, "-o", folder, expect=2).stderr)

    def test_wrong_key_damage_and_modes(self):
        _, file = self.Written()
        folder = self.tmp / "tables"
        for more in ((), ("-o", folder), ("--cert", self.stranger)):
            result = self.Open(file, *more, key=self.stranger_key, expect=1)
            self.assertEqual(b"", result.stdout)
            self.assertFalse(folder.exists())
        cut = self.tmp / "cut"
        cut.write_bytes(file.read_bytes()[:-100])
        self.assertEqual(b"", self.Open(cut, expect=1).stdout)

    def test_again_and_where_it_may_lie(self):
        output, file = self.Written()
        first = self.Open(file).stdout
        self.Written()
        self.assertEqual(first, self.Open(file).stdout, "outputs that stand are in it too")
        self.assertEqual(first, self.Open(self.tmp / "walk.p7m.previous").stdout)
        for wrong in (output / "walk", self.samples / "walk"):
            result = self.Run("research-export.yaml", self.samples, output, "--crosswalk", wrong,
                              "--crosswalk-to", self.office, expect=2)
            self.assertIn(b"the crosswalk lies inside", result.stderr)
        result = self.Run("research-export.yaml", self.samples, self.tmp / "new", "--crosswalk",
                          self.tmp / "w", "--crosswalk-to", self.office_key, expect=2)
        self.assertIn(b"holds a private key", result.stderr)
        self.assertFalse((self.tmp / "new").exists())
        result = self.Run("research-export.yaml", self.samples, self.tmp / "new", "--crosswalk",
                          self.tmp / "w", expect=2)
        self.Run("research-export.yaml", self.samples, self.tmp / "new", "--dry-run", "--crosswalk",
                 self.tmp / "w", "--crosswalk-to", self.office, expect=3)
        self.assertFalse((self.tmp / "w").exists())

    def test_what_is_no_crosswalk_stays(self):
        key = self.tmp / "walk.p7m"
        key.write_text("secret")
        for _ in range(2):
            result = self.Run("research-export.yaml", self.samples, self.tmp / "out", "--crosswalk", key,
                              "--crosswalk-to", self.office, expect=2)
            self.assertIn(b"is no crosswalk", result.stderr)
        self.assertEqual("secret", key.read_text())
        self.assertFalse((self.tmp / "out").exists())
        key.unlink()
        previous = self.tmp / "walk.p7m.previous"
        previous.write_text("secret")
        self.Run("research-export.yaml", self.samples, self.tmp / "out", "--crosswalk", key,
                 "--crosswalk-to", self.office, expect=2)
        self.assertEqual("secret", previous.read_text())

    def test_odd_identifiers(self):
        source = self.tmp / "in"
        source.mkdir()
        identifiers = ['=cmd|"x"!A1', "a,b", 'say "hi"', "-1", "M\u00fcller"]
        template = pydicom.dcmread(next(iter(sorted((self.samples / "formats").iterdir()))), force=True)
        template.SpecificCharacterSet = "ISO_IR 192"
        for number, identifier in enumerate(identifiers):
            template.PatientID = identifier
            template.SOPInstanceUID = f"1.2.826.0.1.99.{number + 1}"
            template.save_as(source / f"{number}.dcm")
        file = self.tmp / "walk"
        self.Run("research-export.yaml", source, self.tmp / "out", "--crosswalk", file,
                 "--crosswalk-to", self.office, expect=0)
        rows = list(csv.DictReader(io.StringIO(self.Open(file).stdout.decode())))
        self.assertEqual(identifiers, [r["id_old"] for r in rows if r["kind"] == "patient"])
        self.Open(file, "-o", self.tmp / "t", "--spreadsheet")
        rows = list(csv.DictReader(io.StringIO((self.tmp / "t/patid_mapping.csv").read_text())))
        self.assertEqual(["'=cmd|\"x\"!A1", "a,b", 'say "hi"', "'-1", "M\u00fcller"],
                         [r["id_old"] for r in rows])


class Keys(WithPeople):
    def test_files_that_others_may_read_are_refused(self):
        key = self.tmp / "private.key"
        shutil.copy(self.office_key, key)
        for mode in (0o640, 0o604, 0o620, 0o602):
            key.chmod(mode)
            for arguments in (("reidentify", "-i", self.samples, "-o", self.tmp / "out"),
                              ("crosswalk", "open", self.office),
                              ("decrypt",)):
                flag = "--microsoft-key-file" if arguments == ("decrypt",) else "--key"
                result = Command(*arguments, flag, key)
                self.assertEqual(2, result.returncode, (mode, arguments))
                self.assertEqual(1, result.stderr.count(b"\n"), result.stderr)
                self.assertIn(b"is open to other users; chmod 600", result.stderr)
        key.chmod(0o400)
        result = Command("reidentify", "--key", key, "-i", self.samples, "-o", self.tmp / "out")
        self.assertNotEqual(2, result.returncode)

    def test_passphrase(self):
        key = self.tmp / "locked.key"
        OpenSsl("pkcs8", "-topk8", "-passout", "pass:sesame", "-in", self.office_key, "-out", key)
        key.chmod(0o600)
        output = self.tmp / "out"
        self.Run(self.Rules(), self.samples / "formats", output)
        result = self.Restore(output, self.tmp / "back", key=key, expect=2)
        self.assertIn(b"set DCMVEIL_PASSPHRASE", result.stderr)
        result = self.Restore(output, self.tmp / "back", key=key, expect=2,
                              env=Environment(DCMVEIL_PASSPHRASE="open"))
        self.assertIn(b"does not open", result.stderr)
        self.Restore(output, self.tmp / "back", key=key, env=Environment(DCMVEIL_PASSPHRASE="sesame"))

    def test_no_core_dumps(self):
        unlimited = resource.getrlimit(resource.RLIMIT_CORE)[1]

        def Allow():
            resource.setrlimit(resource.RLIMIT_CORE, (unlimited, unlimited))
        process = subprocess.Popen([DCMVEIL, "decrypt", "--key", self.key], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, cwd=self.tmp, preexec_fn=Allow)
        try:
            limits = ""
            for _ in range(200):
                limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text()
                if "Max core file size        0                    0" in limits:
                    break
                time.sleep(0.05)
            self.assertRegex(limits, r"Max core file size +0 +0 ")
            process.send_signal(signal.SIGABRT)
            _, status = os.waitpid(process.pid, 0)
            self.assertTrue(os.WIFSIGNALED(status))
            self.assertFalse(os.WCOREDUMP(status))
        finally:
            process.stdin.close()
            process.stdout.close()
            process.returncode = 0


if __name__ == "__main__":
    Main()
