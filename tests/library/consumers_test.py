#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Projects of somebody else's are built against an installed dcmveil alone, with CMake and with pkg-config, and run.

Usage: consumers_test.py [unittest arguments]; environment as in tests/cli/support.py.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
from support import BINARIES, MAKE_SAMPLES, SOURCE, WriteKey  # noqa: E402

CONSUMERS = SOURCE / "tests" / "consumers"


def Run(*command, cwd=None, env=None, status=0):
    result = subprocess.run([os.fspath(part) for part in command], cwd=cwd, env={**os.environ, **(env or {})},
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, errors="replace", timeout=600)
    if result.returncode != status:
        raise AssertionError(f"{command} ended with {result.returncode}:\n{result.stdout[-6000:]}")
    return result.stdout


class Consumers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Outside of the source folder, so that nothing of it is found by chance.
        folder = tempfile.TemporaryDirectory(prefix="dcmveil-consumers-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.prefix = cls.folder / "prefix"
        for component in ("runtime", "dev"):
            Run("cmake", "--install", BINARIES, "--prefix", cls.prefix, "--component", component)
        # It may be moved as a whole.
        cls.prefix = cls.prefix.rename(cls.folder / "moved")
        cls.lib_folder = next(cls.prefix.rglob("libdcmveil.so")).parent
        cls.samples = cls.folder / "samples"
        Run(MAKE_SAMPLES, cls.samples)
        cls.few = next(path for path in cls.samples.iterdir() if path.name.startswith("TESTMANN"))

    def Work(self, name):
        work = self.folder / f"work-{name}"
        work.mkdir()
        WriteKey(work / "project.key")
        return work

    def WithCMake(self, language):
        build = self.folder / f"cmake-{language}"
        Run("cmake", "-S", CONSUMERS / language, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}",
            "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", "-DCMAKE_BUILD_TYPE=RelWithDebInfo")
        Run("cmake", "--build", build, "-j2")
        commands = (build / "compile_commands.json").read_text()
        self.assertNotIn(str(SOURCE / "include"), commands)
        return build

    def WithPkgConfig(self, language):
        build = self.folder / f"pkg-config-{language}"
        build.mkdir()
        Run("make", "-f", CONSUMERS / language / "Makefile", f"SOURCE={CONSUMERS / language}/", "-j2", cwd=build,
            env={"PKG_CONFIG_PATH": str(self.lib_folder / "pkgconfig")})
        return build

    def Needed(self, program):
        text = Run("readelf", "-d", program)
        return {line.split("[")[1].rstrip("]") for line in text.splitlines() if "(NEEDED)" in line}

    def test_command_is_installed(self):
        version = Run(self.prefix / "bin" / "dcmveil", "--version").strip()
        self.assertIn("0.1.0", version)
        config = Run("pkg-config", "--modversion", "dcmveil", env={"PKG_CONFIG_PATH": str(self.lib_folder / "pkgconfig")})
        self.assertEqual(config.strip(), "0.1.0")
        self.assertTrue((self.lib_folder / "libdcmveil.so.0").is_file())

    def test_cpp(self):
        for build in (self.WithCMake("cpp"), self.WithPkgConfig("cpp")):
            with self.subTest(build=build.name):
                needed = self.Needed(build / "consumer")
                self.assertIn("libdcmveil.so.0", needed)
                for name in ("yaml", "re2", "tbb", "crypto", "curl", "dcmdata", "expat"):
                    self.assertFalse([library for library in needed if name in library], needed)
                env = {"LD_LIBRARY_PATH": str(self.lib_folder)}
                work = self.Work(build.name)
                self.assertIn("all well", Run(build / "consumer", self.samples, work, env=env))
                self.assertIn("all well", Run(build / "consumer_dcmtk", self.samples, work, env=env))

    def test_c(self):
        ct = sorted(self.few.glob("CT_*/*"))[0]
        env = {"LD_LIBRARY_PATH": str(self.lib_folder)}
        for build in (self.WithCMake("c"), self.WithPkgConfig("c")):
            with self.subTest(build=build.name):
                output = Run(build / "consumer", self.few, ct, self.Work(build.name), env=env)
                self.assertIn("all well", output)
        valgrind = shutil.which("valgrind")
        self.assertIsNotNone(valgrind, "valgrind is not installed")
        # oneTBB's threads outlive the run, and what they hold is "possibly lost".
        output = Run(valgrind, "-q", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite,indirect",
                     "--errors-for-leak-kinds=definite,indirect",
                     self.folder / "pkg-config-c" / "consumer", self.few, ct, self.Work("valgrind"), env=env)
        self.assertIn("all well", output)

    def test_unknown_component(self):
        project = self.folder / "wrong"
        project.mkdir()
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.16)\nproject(x LANGUAGES CXX)\n"
            "find_package(dcmveil CONFIG REQUIRED COMPONENTS nothing)\n")
        text = Run("cmake", "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}", status=1)
        self.assertIn("dcmveil has no component nothing", " ".join(text.split()))


if __name__ == "__main__":
    unittest.main()
