# SPDX-License-Identifier: Apache-2.0
"""The package as it is installed, and its types."""
import os
import shutil
import subprocess
import sys

import dcmveil
from support import RESEARCH, Main, PythonTest, cli

CONSUMER = cli.SOURCE / "tests" / "consumers" / "python" / "consumer.py"


class Installed(PythonTest):
    def Install(self, component):
        subprocess.run(["cmake", "--install", cli.BINARIES, "--prefix", self.tmp / "usr",
                        "--component", component], check=True, capture_output=True, timeout=120)

    def test_consumer(self):
        """A program that has the installed files and nothing of the source or the build."""
        for component in ("runtime", "python"):
            self.Install(component)
        packages = self.tmp / "usr" / "lib" / "python3" / "dist-packages"
        self.assertEqual(["dcmveil"], os.listdir(packages))
        files = {path.name for path in (packages / "dcmveil").iterdir()}
        extension = {name for name in files if name.endswith(".so")}
        self.assertEqual(1, len(extension))
        self.assertEqual({path.name for path in
                          (cli.SOURCE / "bindings" / "python" / "dcmveil").iterdir()
                          if path.suffix in (".py", ".pyi", ".typed")}, files - extension)
        [built] = extension
        dynamic = subprocess.run(["readelf", "-d", packages / "dcmveil" / built], check=True,
                                 capture_output=True, text=True, timeout=60).stdout
        self.assertIn("libdcmveil.so.0", dynamic)
        self.assertNotIn("PATH)", dynamic)

        folder = self.tmp / "project"
        folder.mkdir()
        shutil.copy(RESEARCH, folder / "rules.yaml")
        cli.WriteKey(folder / "project.key")
        shutil.copytree(self.samples, folder / "dicom")
        libraries = {path.parent for path in (self.tmp / "usr").rglob("libdcmveil.so.0")}
        result = subprocess.run(
            [sys.executable, "-B", CONSUMER, folder], cwd=self.tmp, capture_output=True, text=True,
            timeout=120, env=cli.Environment(PYTHONPATH=str(packages),
                                             LD_LIBRARY_PATH=":".join(map(str, libraries))))
        self.assertEqual((0, ["ok"]), (result.returncode, result.stdout.splitlines()[-1:]),
                         result.stderr)

    def test_everything_is_documented(self):
        for name in dcmveil.__all__:
            thing = getattr(dcmveil, name)
            if name.startswith("__"):
                continue
            self.assertTrue(thing.__doc__, name)
            if isinstance(thing, type) and thing.__module__ != "builtins":
                for member, value in vars(thing).items():
                    if not member.startswith("_") and callable(value):
                        self.assertTrue(value.__doc__, f"{name}.{member}")

    def Mypy(self, *files):
        """Strict. The cache is kept from test to test, since pydicom is looked at, too."""
        if not shutil.which("mypy", path="/usr/bin"):
            self.skipTest("no mypy (apt install mypy)")
        return subprocess.run(
            ["/usr/bin/mypy", "--strict", "--python-executable", sys.executable, "--cache-dir",
             self.class_tmp / "cache", *files], capture_output=True, text=True, timeout=300,
            env=cli.Environment(MYPYPATH=str(cli.BINARIES / "python")))

    def test_types(self):
        for files in (["-p", "dcmveil"], [CONSUMER]):
            result = self.Mypy(*files)
            self.assertEqual(0, result.returncode, result.stdout + result.stderr)

    def test_types_are_checked(self):
        wrong = self.tmp / "wrong.py"
        wrong.write_text('import dcmveil\nengine = dcmveil.Engine("a")\n'
                         "clean: str = engine.apply(b'')\n"
                         'dcmveil.run(engine, "a", "b", shard="1/2")\n')
        result = self.Mypy(wrong)
        self.assertEqual(1, result.returncode)
        for sign in ("wrong.py:3: error: Incompatible types", 'wrong.py:4: error: Argument "shard"',
                     "Found 2 errors"):
            self.assertIn(sign, result.stdout)


if __name__ == "__main__":
    Main()
