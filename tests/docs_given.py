# SPDX-License-Identifier: Apache-2.0
"""What a document may take as given, by name: `<!-- given: rules.yaml archive/ -->` puts a new folder
with these at the reader's feet. build/, samples/ and scripts/ are always there."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import orthanc
from docs_parts import Problem
from support import (BINARIES, DCMVEIL, RULES, SOURCE, Environment, MakeSamples, Timeout, WriteKey)

# Samples that nothing is wrong with; all of them are what build/make_samples writes.
CLEAN = ("Müller^Jürgen", "PET", "PROBST_PAULA", "US")
ONE_FILE = "Müller^Jürgen/CT_Thorax_20240314/CT.1.2.826.0.1.3680043.10.999.1.2.1.1.1.dcm"

CTP_SCRIPT = """<script>
  <e en="T" t="00100010" n="PatientName">@empty()</e>
  <e en="T" t="00100020" n="PatientID">@hash(this,12)</e>
  <e en="T" t="0020000D" n="StudyInstanceUID">@hashuid(2.25,this)</e>
  <e en="T" t="0020000E" n="SeriesInstanceUID">@hashuid(2.25,this)</e>
  <e en="T" t="00080018" n="SOPInstanceUID">@hashuid(2.25,this)</e>
  <e en="T" t="00080016" n="SOPClassUID">@keep()</e>
  <e en="T" t="00080060" n="Modality">@keep()</e>
  <k en="T" t="0028">Keep group 28</k>
  <r en="T" t="privategroups">x</r>
  <r en="T" t="unspecifiedelements">x</r>
</script>
"""


def Call(*arguments, **more):
    subprocess.run([*map(os.fspath, arguments)], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, env=Environment(), timeout=Timeout(60), **more)


class Services:
    """Documents say https://NAME.example/dicom-web; here an Orthanc of that name is behind it, which
    starts when it is first named and ends with the reader's folder. `archive` has instances, others are
    empty."""
    ADDRESS = re.compile(r"https://([a-z]+)\.example/dicom-web")

    def __init__(self, work):
        self.work, self.running, self.samples = work, {}, None

    def Real(self, text):
        return self.ADDRESS.sub(lambda match: self._Start(match[1]).url, text)

    def Documented(self, text):
        for name, service in self.running.items():
            text = text.replace(service.url, f"https://{name}.example/dicom-web")
        return text

    def _Start(self, name):
        if name not in self.running:
            if not orthanc.INSTALLED:
                raise Problem("needs the packages orthanc and orthanc-dicomweb")
            self.running[name] = orthanc.Orthanc(tempfile.mkdtemp(prefix="orthanc-", dir=self.work))
            if name == "archive":
                for file in sorted((self.samples / "Müller^Jürgen").rglob("*.dcm")):
                    self.running[name].Upload(file.read_bytes())
        return self.running[name]

    def Stop(self):
        for service in self.running.values():
            service.process.kill()  # nobody needs what it stored; its own end takes seconds
            service.process.wait()
            service.Stop()
        self.running.clear()


class Given:
    def __init__(self, work, services):
        self.work, self.services = work, services
        self.samples = MakeSamples(work / "samples")
        services.samples = self.samples
        self.certificates = {}

    def Basics(self, folder):
        self.services.Stop()
        (folder / "build").symlink_to(BINARIES)
        shutil.copytree(SOURCE / "samples", folder / "samples")
        (folder / "scripts").mkdir()
        for script in (SOURCE / "scripts").iterdir():
            shutil.copy2(script, folder / "scripts")
        # What it builds is what this test runs.
        (folder / "scripts" / "build").write_text("#!/bin/sh\n")

    def Put(self, name, folder):
        target = folder / name.rstrip("/")
        if name in ("archive/", "incoming/", "cases/"):
            for part in CLEAN:
                shutil.copytree(self.samples / part, target / part)
        elif match := re.fullmatch(r"delivery-([12])/", name):
            part = ("CT_Thorax_20240314", "CT_Thorax_20240912")[int(match[1]) - 1]
            shutil.copytree(self.samples / "TESTMANN_ERIKA_19580312" / part, target)
        elif name == "one-file.dcm":
            shutil.copy(self.samples / ONE_FILE, target)
        elif name in ("first.dcm", "second.dcm"):
            files = sorted((self.samples / ONE_FILE).parent.iterdir())
            shutil.copy(files[name == "second.dcm"], target)
        elif name == "rules.yaml":
            shutil.copy(RULES / "research-export.yaml", target)
        elif name == "base.yaml":
            shutil.copy(RULES / name, target)
        elif name == "project.key":
            WriteKey(target)
        elif name == "export/":
            self.Put("project.key", folder)
            Call(DCMVEIL, "run", "-r", "rules.yaml", "-i", "archive", "-o", "export", cwd=folder)
        elif name == "DicomAnonymizer.script":
            target.write_text(CTP_SCRIPT)
        elif match := re.fullmatch(r"([a-z-]+)\.(pem|key)", name):
            self.Certificate(match[1])
            shutil.copy(self.certificates[match[1]].with_suffix("." + match[2]), target)
        else:
            raise Problem(f"nothing is known of {name}: see Given.Put")

    def Certificate(self, name):
        if name in self.certificates:
            return
        self.certificates[name] = file = self.work / name
        Call("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj",
             f"/CN={name}", "-keyout", file.with_suffix(".key"), "-out", file.with_suffix(".pem"))
        file.with_suffix(".key").chmod(0o600)

    def LoadConnections(self, file):
        """A file of connections is read by a run, also one that uses none of them."""
        rules, empty = self.work / "keep-all.yaml", self.work / "empty"
        shutil.copy(RULES / "keep-all.yaml", rules)
        empty.mkdir(exist_ok=True)
        done = subprocess.run([DCMVEIL, "run", "-r", rules, "-i", empty, "-o", self.work / "none",
                               "--dry-run", "--connections", file], capture_output=True, text=True,
                              env=Environment(), timeout=Timeout(20))
        if done.returncode != 0:
            raise Problem(f"the connections do not load:\n{done.stdout}{done.stderr}")
