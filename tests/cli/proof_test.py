# SPDX-License-Identifier: Apache-2.0
"""proof.json holds for the files it was made of, for no others, and tells nothing."""
import base64
import hashlib
import json
import os
import shutil
import subprocess
import unittest

from support import CliTest, Command, FindLeaks, Main, ReadIdentifiers, Tree, Walk

OPENSSL = shutil.which("openssl")


def Root(hashes):
    """RFC 6962 section 2.1, as it is written there."""
    if not hashes:
        return hashlib.sha256().digest()
    if len(hashes) == 1:
        return hashlib.sha256(b"\0" + hashes[0]).digest()
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\1" + Root(hashes[:k]) + Root(hashes[k:])).digest()


@unittest.skipUnless(OPENSSL, "openssl is not installed")
class Proof(CliTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.output = cls.class_tmp / "out"
        cls.Run("research-export.yaml", cls.samples, cls.output, expect=3)
        cls.sign, cls.public = cls.MakeKey("sign")
        _, cls.other = cls.MakeKey("other")
        if Command("verify", "--state", cls.State(cls.output)).returncode != 0:
            raise AssertionError("verify found something")
        cls.proof = cls.class_tmp / "proof.json"
        cls.Make(cls.proof, "--sign-key", cls.sign)

    @classmethod
    def MakeKey(cls, name):
        private, public = cls.class_tmp / f"{name}.pem", cls.class_tmp / f"{name}.pub"
        subprocess.run([OPENSSL, "genpkey", "-algorithm", "ed25519", "-out", private], check=True)
        private.chmod(0o600)
        subprocess.run([OPENSSL, "pkey", "-in", private, "-pubout", "-out", public], check=True)
        return private, public

    @classmethod
    def Make(cls, file, *more, expect=0, state=None):
        result = Command("proof", "make", "--state", state or cls.State(cls.output), "-o", file, *more)
        if result.returncode != expect:
            raise AssertionError(result.stderr)
        return result

    def Check(self, *more, expect, proof=None):
        result = Command("proof", "check", proof or self.proof, *more)
        self.assertEqual(expect, result.returncode, result.stdout + result.stderr)
        return result.stdout.decode()

    def test_holds(self):
        text = self.Check("--output", self.output, "--public-key", self.public, expect=0)
        self.assertEqual(3, text.count("holds: "))
        self.assertNotIn("note: ", text)
        again = self.tmp / "again.json"
        self.Make(again, "--sign-key", self.sign, "-j", "1")
        self.assertEqual(self.proof.read_bytes(), again.read_bytes())

    def test_content(self):
        proof = json.loads(self.proof.read_text())["proof"]
        lines = self.Manifest(self.output)
        run = json.loads((self.State(self.output) / "run.json").read_text())
        self.assertEqual(run["rules_hash"], proof["rules_hash"])
        self.assertEqual("DICOM PS3.15 2026d", proof["edition"])
        self.assertEqual(len(lines), sum(proof["outcomes"].values()))
        self.assertEqual("clean", proof["verify"]["result"])
        tree = Tree(self.output)
        outputs = [hashlib.sha256(name).digest() + hashlib.sha256(tree[name]).digest() for name in sorted(tree)]
        self.assertEqual("dcmveil-proof-2", proof["format"])
        self.assertEqual({"count": len(tree), "root": Root(outputs).hex()}, proof["outputs"])
        inputs = sorted(hashlib.sha256(source.read_bytes()).digest()
                        for source, _, _ in self.Pairs(self.samples, self.output))
        self.assertEqual({"count": len(Walk(self.samples)), "hashed": len(inputs),
                          "root": Root(inputs).hex()}, proof["inputs"])

    def test_openssl_agrees(self):
        signature = json.loads(self.proof.read_text())["signature"]
        (self.tmp / "signed").write_bytes(base64.b64decode(signature["signed"]))
        (self.tmp / "value").write_bytes(base64.b64decode(signature["value"]))
        result = subprocess.run([OPENSSL, "pkeyutl", "-verify", "-pubin", "-inkey", self.public, "-rawin",
                                 "-in", self.tmp / "signed", "-sigfile", self.tmp / "value"], check=False)
        self.assertEqual(0, result.returncode)

    def test_tells_nothing(self):
        identifiers = ReadIdentifiers(self.samples)
        self.assertEqual([], FindLeaks({"proof": self.proof.read_bytes()}, identifiers))
        text = self.proof.read_text()
        for line in self.Manifest(self.output):
            self.assertNotIn(line["input"], text)
            self.assertNotIn(line["output"] or "-/-", text)

    def test_files_that_are_others(self):
        copy = self.tmp / "copy"
        shutil.copytree(self.output, copy)
        names = sorted(os.fsdecode(name) for name in Tree(copy))
        for what, change in (("changed", lambda: self.Append(copy / names[0])),
                             ("more", lambda: (copy / "more").write_text("")),
                             ("less", lambda: (copy / names[1]).unlink()),
                             ("renamed", lambda: (copy / names[-1]).rename(copy / "0.dcm")),
                             ("renamed in place", lambda: (copy / names[-1]).rename(copy / f"{names[-1]}_DOE")),
                             ("a renamed folder", lambda: self.RenameLastFolder(copy)),
                             ("a link", lambda: self.Link(copy / names[2], copy / names[3]))):
            with self.subTest(what=what):
                shutil.rmtree(copy)
                shutil.copytree(self.output, copy)
                self.Check("--output", copy, expect=0)
                change()
                self.assertIn("WRONG", self.Check("--output", copy, expect=4))

    @staticmethod
    def Append(file):
        with open(file, "ab") as stream:
            stream.write(b"\0")

    @staticmethod
    def RenameLastFolder(folder):
        last = sorted(path for path in folder.iterdir() if path.is_dir())[-1]
        last.rename(last.with_name(f"{last.name}_DOE_JANE"))

    @staticmethod
    def Link(file, target):
        file.unlink()
        file.symlink_to(target)

    def test_proof_that_is_another(self):
        whole = json.loads(self.proof.read_text())
        changed = self.tmp / "changed.json"

        def expect_wrong(change, *more):
            copy = json.loads(json.dumps(whole))
            change(copy)
            changed.write_text(json.dumps(copy))
            self.assertIn("WRONG", self.Check(*more, expect=4, proof=changed))
        expect_wrong(lambda p: p["proof"].update(rules_hash="0" * 64))
        expect_wrong(lambda p: p["proof"]["outcomes"].update(quarantined=0))
        expect_wrong(lambda p: p["proof"]["outputs"].update(root="0" * 64), "--output", self.output)
        expect_wrong(lambda p: p["signature"].update(value=base64.b64encode(bytes(64)).decode()))
        expect_wrong(lambda p: p["signature"].update(signed=base64.b64encode(b"{}").decode()))
        expect_wrong(lambda p: p["signature"].update(public_key=self.other.read_text()))
        expect_wrong(lambda p: p.update(signature=None), "--public-key", self.public)
        self.assertIn("WRONG", self.Check("--public-key", self.other, expect=4))
        changed.write_text("{}")
        self.Check(expect=1, proof=changed)
        self.Check("--output", self.tmp / "none", expect=1)

    def test_an_earlier_format_is_told(self):
        old = json.loads(self.proof.read_text())
        old["proof"]["format"] = "dcmveil-proof-1"
        file = self.tmp / "old.json"
        file.write_text(json.dumps(old))
        self.assertIn(b"dcmveil-proof-2", Command("proof", "check", file).stderr)
        self.Check(expect=1, proof=file)

    def test_the_output_is_named_in_any_way(self):
        for name in (".", "./", f"../{self.output.name}/", self.output):
            result = Command("proof", "check", self.proof, "--output", name, cwd=self.output)
            self.assertEqual(0, result.returncode, result.stdout)

    def test_names_that_are_no_utf8(self):
        source, output = self.tmp / "in", self.tmp / "out"
        source.mkdir()
        for number, (path, _, _) in enumerate(list(self.Pairs(self.samples, self.output))[:3]):
            shutil.copy(path, os.fsencode(source) + b"/\xe4%d\xff" % number)
        self.Run("research-export.yaml", source, output, "--layout", "mirror", expect=0)
        file = self.tmp / "p.json"
        self.Make(file, state=self.State(output))
        self.Check("--output", output, expect=0, proof=file)
        os.rename(os.fsencode(output) + b"/\xe42\xff", os.fsencode(output) + b"/\xe42\xfe")
        self.Check("--output", output, expect=4, proof=file)

    def test_what_is_no_public_key(self):
        (self.tmp / "text").write_text("no key")
        for file, word in ((self.sign, b"private key"), (self.tmp / "text", b"no public key"),
                           (self.tmp / "none", b"cannot be read")):
            result = Command("proof", "check", self.proof, "--public-key", file)
            self.assertEqual(2, result.returncode, result.stdout)
            self.assertIn(word, result.stderr)
            self.assertNotIn(b"WRONG", result.stdout)

    def test_nothing_but_a_proof_is_replaced(self):
        key = self.tmp / "project.key"
        key.write_text("secret")
        link = self.tmp / "dangling"
        link.symlink_to(self.output / "proof.json")
        for file in (key, self.tmp, link, self.State(self.output) / "manifest.ndjson", "/dev/null"):
            with self.subTest(file=file):
                self.assertIn(b"not overwritten", self.Make(file, expect=2).stderr)
        self.assertEqual("secret", key.read_text())
        key.write_text('{"proof": {"format": "other"}}')
        self.Make(key, expect=2)
        file = self.tmp / "p.json"
        self.Make(file)
        self.Make(file, "--sign-key", self.sign)
        self.assertEqual(self.proof.read_bytes(), file.read_bytes())

    def test_not_into_the_files_and_no_new_folder(self):
        before = Tree(self.output)
        for file in (self.output / "proof.json", self.output / "sub" / "proof.json", self.samples / "proof.json"):
            with self.subTest(file=file):
                self.assertIn(b"lies inside", self.Make(file, expect=2).stderr)
        self.assertEqual(before, Tree(self.output))
        self.assertIn(b"no folder", self.Make(self.tmp / "new" / "proof.json", expect=2).stderr)
        self.assertFalse((self.tmp / "new").exists())
        result = Command("proof", "make", "--state", self.State(self.output), cwd=self.output)
        self.assertEqual(2, result.returncode, result.stderr)
        self.assertIn(b"lies inside", result.stderr)
        result = Command("proof", "make", "--state", self.State(self.output), "-o", "", cwd=self.tmp)
        self.assertEqual(2, result.returncode, result.stderr)

    def test_a_state_that_no_run_wrote(self):
        for number, text in enumerate(('{"folder": 3, "input": 4}', '{"input": "x", "input_is_service": "no"}', "[]")):
            state = self.tmp / f"state{number}"
            state.mkdir()
            (state / "run.json").write_text(text)
            for command, option in (("proof make", "-o"), ("report", "--report")):
                with self.subTest(text=text, command=command):
                    result = Command(*command.split(), "--state", state, option, self.tmp / "new")
                    self.assertEqual(1, result.returncode, result.stderr)
                    self.assertNotIn(b"unexpected", result.stderr)

    def test_a_report_replaces_no_other_file_by_its_proof(self):
        report = self.tmp / "report"
        report.mkdir()
        (report / "proof.json").write_text("mine")
        result = self.Run("research-export.yaml", self.samples, self.tmp / "out", "--report", report, expect=2)
        self.assertIn(b"not overwritten", result.stderr)
        self.assertEqual("mine", (report / "proof.json").read_text())
        self.assertFalse((self.tmp / "out").exists())

    def test_unsigned(self):
        file = self.tmp / "unsigned.json"
        self.Make(file)
        self.assertIn("not signed", self.Check("--output", self.output, expect=0, proof=file))

    def test_verify_of_an_earlier_run_does_not_count(self):
        output = self.tmp / "out"
        self.Run("research-export.yaml", self.samples, output, expect=3)
        state = self.State(output)
        file = self.tmp / "p.json"
        self.Make(file, state=state)
        self.assertIsNone(json.loads(file.read_text())["proof"]["verify"])
        Command("verify", "--state", state)
        self.Make(file, state=state)
        self.assertEqual("clean", json.loads(file.read_text())["proof"]["verify"]["result"])
        first = next(iter(Tree(output)))
        self.Append(output / os.fsdecode(first))
        Command("verify", "--state", state)
        self.Make(file, state=state)
        self.assertEqual("found", json.loads(file.read_text())["proof"]["verify"]["result"])
        self.assertIn("WRONG", self.Check(expect=4, proof=file))
        os.utime(state / "manifest.ndjson")
        self.Make(file, state=state)
        self.assertIsNone(json.loads(file.read_text())["proof"]["verify"])

    def test_keys(self):
        self.sign.chmod(0o644)
        self.addCleanup(self.sign.chmod, 0o600)
        self.assertIn(b"open to others", self.Make(self.tmp / "p", "--sign-key", self.sign, expect=1).stderr)
        self.sign.chmod(0o600)
        rsa = self.tmp / "rsa.pem"
        subprocess.run([OPENSSL, "genpkey", "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", rsa],
                       check=True)
        rsa.chmod(0o600)
        self.Make(self.tmp / "p", "--sign-key", rsa, expect=1)
        self.Make(self.tmp / "p", "--sign-key", self.tmp / "none", expect=1)
        self.assertFalse((self.tmp / "p").exists())
        # A night's run does not end with that.
        for more in ((), ("--dry-run",)):
            result = self.Run("research-export.yaml", self.samples, self.tmp / "out", "--report", self.tmp / "report",
                              "--sign-key", rsa, *more, expect=2)
            self.assertIn(b"no private key of Ed25519", result.stderr)
            self.assertEqual([], [name for name in os.listdir(self.tmp) if name != "rsa.pem"])

    def test_state_that_is_none(self):
        self.Make(self.tmp / "p", expect=1, state=self.tmp)
        self.assertEqual(2, Command("proof").returncode)
        self.assertEqual(2, Command("proof", "make").returncode)

    def test_dicomdir(self):
        output = self.tmp / "set"
        self.Run("research-export.yaml", self.samples, output, "--dicomdir", expect=3)
        self.Make(self.tmp / "p", state=self.State(output))
        self.Check("--output", output, expect=0, proof=self.tmp / "p")


if __name__ == "__main__":
    Main()
