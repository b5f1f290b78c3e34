# SPDX-License-Identifier: Apache-2.0
"""Runs to and from a DICOM service: a real Orthanc, and servers that are no such service."""
import http.server
import json
import os
import pathlib
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import orthanc
from support import (Command, Environment, Main, MakeSamples, RULES, Sanitized, Tree, WriteKey)

COUNT = 60 if Sanitized() else 500
ENVIRONMENT = Environment(no_proxy="127.0.0.1", NO_PROXY="127.0.0.1")


def Element(group, element, vr, value):
    if len(value) % 2:
        value += b"\0" if vr in (b"UI", b"OW") else b" "
    head = struct.pack("<HH", group, element) + vr
    if vr == b"OW":
        return head + b"\0\0" + struct.pack("<I", len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def Slice(number, pixels=64):
    """One CT slice of one of several patients, in explicit VR little endian."""
    uid = f"1.2.826.0.1.3680043.2.1125.{number}".encode()
    study, series = number // 40, number // 20
    meta = (Element(2, 2, b"UI", b"1.2.840.10008.5.1.4.1.1.2") + Element(2, 3, b"UI", uid)
            + Element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1"))
    meta = Element(2, 0, b"UL", struct.pack("<I", len(meta))) + meta
    body = (Element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.2") + Element(8, 0x18, b"UI", uid)
            + Element(8, 0x20, b"DA", b"20240%03d" % (301 + study)) + Element(8, 0x60, b"CS", b"CT")
            + Element(0x10, 0x10, b"PN", b"TEST^PATIENT%d" % study)
            + Element(0x10, 0x20, b"LO", b"PAT%d" % study)
            + Element(0x20, 0x0D, b"UI", b"1.2.3.1.%d" % study)
            + Element(0x20, 0x0E, b"UI", b"1.2.3.2.%d" % series)
            + Element(0x28, 0x10, b"US", struct.pack("<H", pixels))
            + Element(0x28, 0x11, b"US", struct.pack("<H", pixels))
            + Element(0x28, 0x100, b"US", struct.pack("<H", 16))
            + Element(0x7FE0, 0x10, b"OW", bytes([number % 256]) * (pixels * pixels * 2)))
    return bytes(128) + b"DICM" + meta + body


class Base(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="dcmveil-web-")
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)
        self.key = WriteKey(self.folder / "project.key")

    def Arguments(self, source, sink, *more, rules=RULES / "research-export.yaml"):
        return ("run", "-r", rules, "--key", self.key, "-i", source, "-o", sink, "-j", "2", *more)

    def Run(self, source, sink, *more, env=ENVIRONMENT, **rules):
        return Command(*self.Arguments(source, sink, *more, **rules), env=env, timeout=300)

    def RunWell(self, *arguments):
        result = self.Run(*arguments)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout.decode()


@unittest.skipUnless(orthanc.INSTALLED, "no Orthanc with DICOMweb (Debian: orthanc, orthanc-dicomweb)")
class OrthancTest(Base):
    def Server(self, name, **more):
        server = orthanc.Orthanc(self.folder / name, **more)
        self.addCleanup(server.Stop)
        return server

    def test_folder_to_service_to_folder(self):
        inputs = self.folder / "in"
        inputs.mkdir()
        for number in range(COUNT):
            (inputs / f"{number:04}").write_bytes(Slice(number))
        self.RunWell(inputs, self.folder / "direct")
        direct = Tree(self.folder / "direct")
        self.assertEqual(len(direct), COUNT)
        archive, research = self.Server("archive"), self.Server("research")

        # The originals into an archive; out of it, de-identified, into a folder.
        for number in range(COUNT):
            archive.Upload(Slice(number))
        state = ("--state", self.folder / "s1")
        text = self.RunWell(archive.url, self.folder / "pulled", *state)
        self.assertIn(f"{COUNT} written", text)
        self.assertEqual(Tree(self.folder / "pulled"), direct)
        self.assertIn(f"{COUNT} unchanged", self.RunWell(archive.url, self.folder / "pulled", *state))
        # In whole series and whole studies: the same, in the same order.
        manifest = (self.folder / "s1" / "manifest.ndjson").read_bytes()
        for what in ("series", "study"):
            self.RunWell(archive.url, self.folder / what, "--state", self.folder / f"s-{what}",
                         "--retrieve", what)
            self.assertEqual(Tree(self.folder / what), direct)
            self.assertEqual((self.folder / f"s-{what}" / "manifest.ndjson").read_bytes(),
                             manifest.replace(b'"unchanged"', b'"written"'))

        # From the folder into a service: what it has is what stands in the folder.
        state = ("--state", self.folder / "s2")
        self.assertIn(f"{COUNT} written", self.RunWell(inputs, research.url, *state))
        self.assertEqual(sorted(research.Instances().values()), sorted(direct.values()))
        self.assertEqual(research.Stores(), COUNT)
        self.assertIn(f"{COUNT} unchanged", self.RunWell(inputs, research.url, *state))
        self.assertEqual(research.Stores(), COUNT, "a second run stores nothing")

        # From service to service finds it all there; into an empty one it writes the same.
        state = ("--state", self.folder / "s3")
        self.assertIn(f"{COUNT} unchanged", self.RunWell(archive.url, research.url, *state))
        self.assertEqual(research.Stores(), COUNT)
        fresh = self.Server("fresh")
        batch = ("--state", self.folder / "s4", "--stow-batch", "10")
        self.assertIn(f"{COUNT} written", self.RunWell(archive.url, fresh.url, *batch))
        self.assertEqual(sorted(fresh.Instances().values()), sorted(direct.values()))

    def test_selection_and_basic_authentication(self):
        server = self.Server("server", user="alice", password="open sesame")
        for number in range(100):
            server.Upload(Slice(number))
        connections = self.folder / "connections.yaml"
        (self.folder / "password").write_text("open sesame\n")
        connections.write_text(
            f"connections:\n  archive:\n    url: {server.url}\n    limits: {{page: 9}}\n"
            "    auth: {type: basic, user: alice, password: {file: password}}\n")
        named = ("--connections", connections)
        text = self.RunWell("archive", self.folder / "a", *named, "--query", "PatientID=PAT1")
        self.assertIn("40 written", text)
        text = self.RunWell("archive", self.folder / "b", *named, "--query", "StudyDate=20240301-20240302",
                            "--query", "Modality=CT", "--query", "SeriesInstanceUID=1.2.3.2.1")
        self.assertIn("20 written", text)
        uids = self.folder / "uids"
        uids.write_text("1.2.3.1.2   # a study\n1.2.3.2.1\n1.2.3.1.0/1.2.3.2.0\n")
        text = self.RunWell("archive", self.folder / "c", *named, "--uids", uids)
        self.assertIn("60 written", text)
        # The same list from standard input; the query from a job file.
        result = Command(*self.Arguments("archive", self.folder / "c2", *named, "--uids", "-"),
                         env=ENVIRONMENT, timeout=300, input=uids.read_bytes())
        self.assertIn(b"60 written", result.stdout, result.stderr)
        self.assertEqual(Tree(self.folder / "c2"), Tree(self.folder / "c"))
        job = self.folder / "job"
        job.write_text('query=["StudyDate=20240301-20240302", "SeriesInstanceUID=1.2.3.2.1"]\n'
                       'retrieve="series"\n')
        text = self.RunWell("archive", self.folder / "e", *named, "--job", job)
        self.assertIn("20 written", text)
        # Refused, in one line, and without the password.
        (self.folder / "password").write_text("close sesame\n")
        result = self.Run("archive", self.folder / "d", *named)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr.decode().count("\n"), 1, result.stderr)
        self.assertIn(b"asks for other credentials", result.stderr)
        self.assertNotIn(b"sesame", result.stderr + result.stdout)

    def test_samples(self):
        """Files of all kinds of encodings come back as they were sent."""
        samples = MakeSamples(self.folder / "samples")
        server = self.Server("server")
        self.Run(samples, self.folder / "direct")
        result = self.Run(samples, server.url, "--state", self.folder / "s")
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertEqual(sorted(server.Instances().values()),
                         sorted(Tree(self.folder / "direct").values()))
        # The second look sees in the service what it sees in a folder.
        served = self.Verify(0, "--state", self.folder / "s", "-o", server.url)
        direct = self.Verify(0, "--state", self.folder / "direct.dcmveil")
        for what in ("inputs", "outputs", "excused", "findings"):
            self.assertEqual(served[what], direct[what])
        self.assertGreater(served["outputs"], 20)

    def Verify(self, expect, *arguments):
        result = Command("verify", "--json", *arguments, env=ENVIRONMENT, timeout=300)
        self.assertEqual(result.returncode, expect, result.stdout + result.stderr)
        return json.loads(result.stdout)

    def test_verify_looks_into_services(self):
        count = 40
        archive, research = self.Server("archive"), self.Server("research")
        for number in range(count):
            archive.Upload(Slice(number))
        state = self.folder / "s"
        places = ("--state", state, "-i", archive.url, "-o", research.url)
        self.RunWell(archive.url, research.url, "--state", state)
        report = self.Verify(0, *places)
        self.assertEqual((report["inputs"], report["outputs"]), (count, count))
        self.assertIn("no manifest names", report["not_checked"][-1])
        self.assertFalse((state / "verify-copies").exists())
        # By name, with credentials of its own.
        connections = self.folder / "connections.yaml"
        connections.write_text(f"connections:\n  archive: {{url: '{archive.url}'}}\n")
        self.Verify(0, "--state", state, "-i", "archive", "-o", research.url, "--connections", connections)
        # Without being named they cannot be found.
        result = Command("verify", "--state", state, env=ENVIRONMENT)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"name it with --input", result.stderr)
        # An instance that went, and originals where de-identified ones should be.
        research.Rest("/instances/" + json.loads(research.Rest("/instances"))[0], method="DELETE")
        report = self.Verify(4, *places)
        self.assertEqual([finding["check"] for finding in report["findings"]], ["missing"])
        kept = self.Server("kept")
        self.assertEqual(self.Run(archive.url, kept.url, "--state", self.folder / "k",
                                  rules=RULES / "keep-all.yaml").returncode, 0)
        report = self.Verify(4, "--state", self.folder / "k", "-i", archive.url, "-o", kept.url,
                             "-r", RULES / "research-export.yaml")
        self.assertGreaterEqual(report["counts"]["leak"], count)
        self.assertNotIn("TEST", json.dumps(report))
        # A service that is not there.
        result = Command("verify", "--state", state, "-i", "http://127.0.0.1:1/dicom-web", env=ENVIRONMENT)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertFalse((state / "verify-copies").exists())

    def test_killed_and_gone_on(self):
        inputs = self.folder / "in"
        inputs.mkdir()
        for number in range(COUNT):
            (inputs / f"{number:04}").write_bytes(Slice(number, 128))
        server = self.Server("server")
        command = [os.fspath(x) for x in (
            Command.__globals__["DCMVEIL"], "run", "-q", "-r", RULES / "research-export.yaml", "--key",
            self.key, "-i", inputs, "-o", server.url, "--state", self.folder / "s")]
        process = subprocess.Popen(command, env=ENVIRONMENT)
        for _ in range(3000):
            if server.Stores() > 20:
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        text = self.RunWell(inputs, server.url, "--state", self.folder / "s")
        self.assertIn(f"{COUNT} written", text)
        self.assertIn("of these an earlier run had done", text)
        self.assertEqual(len(server.Instances()), COUNT)
        text = self.RunWell(inputs, server.url, "--state", self.folder / "s")
        self.assertIn(f"{COUNT} unchanged", text)


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/empty"):
            self.send_response(204 if self.headers.get("Authorization") == "Bearer s3same" else 401)
            self.end_headers()
            return
        if self.path.startswith("/missing"):
            self.send_error(404)
            return
        body = b"<html>Sign in, please</html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class BadInputTest(Base):
    def Serve(self, tls=False, client_too=False):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        if tls:
            certificate = self.folder / "cert.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                            "-keyout", self.folder / "key.pem", "-out", certificate],
                           check=True, stderr=subprocess.DEVNULL)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, self.folder / "key.pem")
            if client_too:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"

    def OneLine(self, result, code, words):
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(result.stderr.decode().strip().count("\n"), 0, result.stderr)
        self.assertIn(words, result.stderr.decode())
        self.assertEqual(sorted(os.listdir(self.folder)), self.before)

    def setUp(self):
        super().setUp()
        self.rules = self.folder / "rules.yaml"
        self.rules.write_text("dcmveil: 1\nprofile: none\nrules: []\notherwise: keep\n")
        (self.folder / "in").mkdir()
        self.before = sorted(os.listdir(self.folder))

    def Both(self, url, code, words, *more):
        self.OneLine(self.Run(url, self.folder / "out", "-q", *more, rules=self.rules), code, words)
        self.OneLine(self.Run(self.folder / "in", url, "--state", self.folder / "s", "-q", *more,
                              rules=self.rules), code, words)

    def test_a_web_page(self):
        self.Both(self.Serve(), 2, "answers with a web page")

    def test_wrong_path(self):
        self.Both(self.Serve() + "/missing", 2, "is this the base URL of a DICOM service")

    def test_nobody_there(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.Both(f"http://127.0.0.1:{taken.getsockname()[1]}", 1, "no connection could be made")

    def test_certificate(self):
        url = self.Serve(tls=True)
        self.before = sorted(os.listdir(self.folder))
        self.Both(url, 1, "certificate does not verify")
        connections = self.folder / "connections.yaml"
        connections.write_text(f"connections: {{web: {{url: '{url}', tls: {{ca: cert.pem}}}}}}\n")
        self.before = sorted(os.listdir(self.folder))
        # Now it is believed, and what it says is another thing.
        self.Both("web", 2, "answers with a web page", "--connections", connections)

    def test_client_certificate(self):
        url = self.Serve(tls=True, client_too=True)
        connections = self.folder / "connections.yaml"
        connections.write_text(f"""connections:
  without: {{url: '{url}', tls: {{ca: cert.pem}}}}
  with: {{url: '{url}', tls: {{ca: cert.pem, certificate: cert.pem, key: key.pem}}}}
  bad: {{url: '{url}', tls: {{ca: cert.pem, certificate: rules.yaml}}}}
""")
        self.before = sorted(os.listdir(self.folder))
        named = ("--connections", connections)
        self.Both("without", 1, "for a client certificate", *named)
        self.Both("with", 2, "answers with a web page", *named)
        self.Both("bad", 1, "the client certificate or its key cannot be used", *named)

    def test_no_secret_anywhere(self):
        url = self.Serve() + "/empty"
        connections = self.folder / "connections.yaml"
        connections.write_text(f"connections:\n  env: {{url: '{url}', auth: {{type: bearer, token: "
                               f"{{env: TEST_TOKEN}}}}}}\n  command: {{url: '{url}', auth: {{type: "
                               "bearer, token: {command: 'cat token'}}}\n")
        (self.folder / "token").write_text("s3same")
        environment = dict(ENVIRONMENT, TEST_TOKEN="s3same")
        os.chdir(self.folder)
        self.addCleanup(os.chdir, "/")
        for name in ("env", "command"):
            result = self.Run(name, self.folder / "out", "--connections", connections,
                              rules=self.rules, env=environment)
            self.assertEqual(result.returncode, 0, result.stderr)
            for text in (result.stdout, result.stderr, *Tree(self.folder / "out.dcmveil").values()):
                self.assertNotIn(b"s3same", text)
        result = self.Run("env", self.folder / "out", "--connections", connections, rules=self.rules,
                          env=dict(ENVIRONMENT, TEST_TOKEN="s3same but wrong"))
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"asks for other credentials", result.stderr)
        self.assertNotIn(b"s3same", result.stderr + result.stdout)

    def test_command_line(self):
        for more, words in [(("-i", "http://me:secret@127.0.0.1/"), "a URL with a user or password"),
                            (("-i", "http://127.0.0.1/?a=b"), "a base URL is"),
                            (("-i", self.folder / "in", "--query", "A=B"), "for an input that is a service"),
                            (("-i", "http://127.0.0.1/", "--query", "AB"), "KEYWORD=VALUE"),
                            (("-i", "http://127.0.0.1/", "--uids", "no/such/file"), "cannot be read"),
                            (("-i", "http://127.0.0.1/", "--upsert"), "for an output that is a service"),
                            (("-i", "http://127.0.0.1/", "--since", "1"), "--since belongs to"),
                            (("-i", self.folder / "in", "--retrieve", "series"), "for an input that is")]:
            result = Command("run", "-q", "-r", self.rules, "-o", self.folder / "out", *more, env=ENVIRONMENT)
            self.OneLine(result, 2, words)
            self.assertNotIn(b"secret@", result.stderr)


if __name__ == "__main__":
    Main()
