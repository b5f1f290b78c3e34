# SPDX-License-Identifier: Apache-2.0
"""The Debian packages that cpack makes of the build, and the Dockerfile that installs them.

Usage: packages_test.py Packages | CleanRoot

Packages looks into them. CleanRoot makes a Debian 12 that has nothing else (debootstrap, from the
mirror that this machine's apt uses), does in it what the Dockerfile's last stage says, and builds
and runs the projects of tests/consumers from the installed packages alone. It needs root; where it
cannot be done, it says why in a line that begins with "skipped: ".
"""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "cli"))
from support import BINARIES, DCMVEIL, MAKE_SAMPLES, RULES, SOURCE, Walk, WriteKey

CONSUMERS = SOURCE / "tests" / "consumers"
NAMES = ("dcmveil", "libdcmveil-dev", "python3-dcmveil")


def Run(*command, timeout=600, **more):
    result = subprocess.run([*map(os.fspath, command)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=timeout, **more)
    text = result.stdout.decode("utf-8", "replace")
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit status {result.returncode}\n{text[-4000:]}")
    return text


def MakePackages(folder):
    """The packages of the build by their names."""
    Run("cpack", "-G", "DEB", "--config", BINARIES / "CPackConfig.cmake", "-B", folder, cwd=BINARIES)
    return {file.name.split("_")[0]: file for file in pathlib.Path(folder).glob("*.deb")}


def DockerfileStages():
    """Of each stage its instructions, as pairs of a word and the text behind it."""
    text = re.sub(r"(?m)^#.*\n", "", (SOURCE / "Dockerfile").read_text()).replace("\\\n", " ")
    stages = []
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stages.append([])
        stages[-1].append((word, " ".join(rest.split())))
    return stages


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="dcmveil-packages-")
        cls.addClassCleanup(folder.cleanup)
        cls.debs = MakePackages(folder.name)
        cls.files = {}
        for name, deb in cls.debs.items():
            cls.files[name] = pathlib.Path(folder.name) / "files" / name
            cls.files[name].mkdir(parents=True)
            Run("dpkg-deb", "-x", deb, cls.files[name])

    def Field(self, name, field):
        return Run("dpkg-deb", "-f", self.debs[name], field).strip()

    def test_names_and_relations(self):
        self.assertEqual(set(NAMES), set(self.debs))
        version = self.Field("dcmveil", "Version")
        self.assertEqual(Run(DCMVEIL, "--version").strip(), "dcmveil " + version.rpartition("-")[0])
        relations = lambda name, field: self.Field(name, field).split(", ")
        for name in NAMES:
            self.assertEqual(version, self.Field(name, "Version"))
            self.assertEqual("amd64", self.Field(name, "Architecture"))
            self.assertIn("de-identification of DICOM", self.Field(name, "Description"))
        self.assertEqual([f"dcmveil (= {version})"], relations("libdcmveil-dev", "Depends"))
        for relation in (f"dcmveil (= {version})", "python3 (>= 3.11)", "python3 (<< 3.12)"):
            self.assertIn(relation, relations("python3-dcmveil", "Depends"))
        self.assertEqual(["python3-pydicom"], relations("python3-dcmveil", "Recommends"))

    def test_dependencies_are_those_of_the_binaries(self):
        """Whatever a program or library of a package is linked to, its package depends on it."""
        for name, root in self.files.items():
            depends = {relation.split()[0] for relation in self.Field(name, "Depends").split(", ")}
            for file in root.rglob("*"):
                if file.is_symlink() or not file.is_file() or file.open("rb").read(4) != b"\x7fELF":
                    continue
                dynamic = Run("readelf", "-d", file)
                self.assertNotRegex(dynamic, r"\((RPATH|RUNPATH)\)", file.name)
                for library in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
                    if library.startswith("libdcmveil.so."):
                        self.assertTrue(name == "dcmveil" or "dcmveil" in depends)
                        continue
                    owners = {line.split(":")[0] for line in Run("dpkg", "-S", f"*/{library}").splitlines()}
                    self.assertTrue(owners & depends, (name, library, owners))

    def test_files(self):
        all_files = {name: {file.relative_to(root).as_posix() for file in root.rglob("*") if not file.is_dir()}
                     for name, root in self.files.items()}
        verbs = re.findall(r"(?m)^  (\S+)", Run(DCMVEIL, "--help").split("Subcommands:\n")[1].split("\n\n")[0])
        self.assertIn("run", verbs)
        for page in ("dcmveil", *(f"dcmveil-{verb}" for verb in verbs)):
            self.assertIn(f"usr/share/man/man1/{page}.1.gz", all_files["dcmveil"])
        wanted = {
            "dcmveil": ["usr/bin/dcmveil", "usr/share/bash-completion/completions/dcmveil",
                        "usr/share/zsh/vendor-completions/_dcmveil", "usr/share/doc/dcmveil/README.md",
                        "usr/share/doc/dcmveil/docs/packages.md",
                        "usr/share/doc/dcmveil/examples/rules/research-export.yaml"],
            "libdcmveil-dev": [f"usr/include/dcmveil/{header.name}"
                               for header in (SOURCE / "include" / "dcmveil").glob("*.h")],
            "python3-dcmveil": ["usr/lib/python3/dist-packages/dcmveil/__init__.py",
                                "usr/lib/python3/dist-packages/dcmveil/py.typed"]}
        for name, files in all_files.items():
            for file in [*wanted[name], f"usr/share/doc/{name}/copyright"]:
                self.assertIn(file, files, name)
            self.assertEqual([], [file for file in files if not file.startswith("usr/")])
        for name, ending in (("dcmveil", "/libdcmveil.so.0"), ("libdcmveil-dev", "/libdcmveil.so"),
                             ("libdcmveil-dev", "/pkgconfig/dcmveil.pc"),
                             ("libdcmveil-dev", "/cmake/dcmveil/dcmveilConfig.cmake")):
            self.assertEqual(1, sum(file.endswith(ending) for file in all_files[name]), ending)
        self.assertFalse(set.intersection(*all_files.values()), "a file is in one package")

    def test_nothing_tells_where_it_was_built(self):
        for root in self.files.values():
            for file in root.rglob("*"):
                if file.is_file() and not file.is_symlink():
                    self.assertFalse(os.fsencode(SOURCE) in file.read_bytes(), file)

    def test_lintian(self):
        """Debian's own checks; what is not mended is in packaging/lintian, with the reason."""
        Run("lintian", "--allow-root", "--fail-on", "error,warning", *self.debs.values())


class Dockerfile(unittest.TestCase):
    """What can be known of it where there is no docker; its last stage CleanRoot does."""

    def test_stages(self):
        build, last = map(dict, DockerfileStages())
        self.assertEqual({"debian:12"}, {stage["FROM"].split()[0] for stage in (build, last)})
        self.assertEqual("scripts/package", build["RUN"], "the same as by hand: see docs/packages.md")
        self.assertTrue(os.access(SOURCE / build["RUN"], os.X_OK))
        self.assertIn("cpack -G DEB -B packages", (SOURCE / build["RUN"]).read_text())
        self.assertTrue(last["COPY"].startswith(f"--from=build {build['WORKDIR']}/build/packages/dcmveil_*.deb"))
        self.assertEqual(["dcmveil"], json.loads(last["ENTRYPOINT"]))
        self.assertNotIn(last["USER"], ("root", "0"))

    def test_packages_are_known(self):
        names = Run("bash", "-c", "source scripts/packages.sh && "
                    'printf "%s\\n" "${build_packages[@]}" "${packaging_packages[@]}" "${python_packages[@]}"', cwd=SOURCE).split()
        self.assertIn("g++", names)
        _, last = DockerfileStages()
        install = re.search(r"apt-get install (.*?) &&", dict(reversed(last))["RUN"])[1]
        names += [word for word in install.split() if not word.startswith(("-", "/"))]
        self.assertIn("ca-certificates", names)
        if subprocess.run(["apt-cache", "show", "base-files"], capture_output=True, check=False).returncode != 0:
            self.skipTest("apt knows no packages here (apt-get update)")
        for name in names:
            self.assertIn(f"Package: {name}\n", Run("apt-cache", "show", name), name)

    def test_what_is_not_copied(self):
        ignored = (SOURCE / ".dockerignore").read_text().split()
        for pattern in (".git", "build", "build-*", "**/*.key"):
            self.assertIn(pattern, ignored)


def Mirror():
    """The places of Debian's packages that apt is configured with: (site, release, component)."""
    lines = Run("apt-get", "indextargets", "--format", "$(ORIGIN) $(SITE) $(RELEASE) $(COMPONENT)",
                "Created-By: Packages").splitlines()
    return sorted({tuple(line.split()[1:]) for line in lines if line.startswith("Debian ")})


def WhyNot():
    """What is missing for CleanRoot, or None."""
    if os.geteuid() != 0:
        return "a clean root needs the user root"
    if shutil.which("debootstrap") is None:
        return "no debootstrap (apt-get install debootstrap)"
    sites = [site for site, release, _ in Mirror() if release == "bookworm"]
    if not sites:
        return "apt has no lists of Debian 12's packages (apt-get update)"
    try:
        urllib.request.urlopen(f"{sites[0]}/dists/bookworm/InRelease", timeout=30).close()
    except (urllib.error.URLError, OSError) as error:
        return f"Debian's mirror does not answer: {error}"
    return None


class CleanRoot(unittest.TestCase):
    @classmethod
    def MakeRoot(cls):
        """Debian alone, with this machine's mirror. Why it cannot be made here, or None."""
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix="dcmveil-root-"))
        cls.addClassCleanup(cls.RemoveRoot)
        cls.root.chmod(0o755)
        cls.cache = BINARIES / "debian-packages"  # what a second run need not fetch
        cls.cache.mkdir(exist_ok=True)
        mirror = Mirror()
        site = next(site for site, release, _ in mirror if release == "bookworm")
        try:
            Run("debootstrap", "--variant=minbase", f"--cache-dir={cls.cache}", "bookworm", cls.root, site)
            shutil.copytree(cls.cache, cls.root / "var/cache/apt/archives", dirs_exist_ok=True)
            (cls.root / "etc/apt/sources.list").write_text(
                "".join(f"deb {site} {release} {component}\n" for site, release, component in mirror))
            # How this machine's apt reaches the mirror, and whether it may be an old snapshot.
            settings = re.findall(r"(?m)^Acquire::(?:.*Proxy|Check-).*$", Run("apt-config", "dump", "Acquire"))
            (cls.root / "etc/apt/apt.conf.d/90test").write_text(
                "\n".join([*settings, 'Acquire::Languages "none";', 'Dpkg::Options:: "--force-unsafe-io";', ""]))
            shutil.copy("/etc/resolv.conf", cls.root / "etc/resolv.conf")
            cls.Inside("apt-get update -qq && apt-get install -qq -y --no-install-recommends ca-certificates")
        except AssertionError as error:
            cls.doClassCleanups()
            return f"no clean root can be made here: {' '.join(str(error).split())[-500:]}"
        return None

    @classmethod
    def setUpClass(cls):
        packages = tempfile.TemporaryDirectory(prefix="dcmveil-packages-")
        cls.addClassCleanup(packages.cleanup)
        cls.debs = MakePackages(packages.name)
        cls.DoLastStage()
        Run(MAKE_SAMPLES, cls.root / "work/archive")
        shutil.copy(RULES / "research-export.yaml", cls.root / "work/rules.yaml")
        WriteKey(cls.root / "work/project.key")
        cls.Inside("chown -R dcmveil /work")

    @classmethod
    def RemoveRoot(cls):
        """Also what debootstrap may have mounted, if it was interrupted."""
        for file in cls.root.glob("var/cache/apt/archives/*.deb"):
            shutil.copy2(file, cls.cache)
        for line in reversed(pathlib.Path("/proc/mounts").read_text().splitlines()):
            if line.split()[1].startswith(f"{cls.root}/"):
                subprocess.run(["umount", line.split()[1]], check=True)
        shutil.rmtree(cls.root)

    @classmethod
    def Inside(cls, command, user="root", folder="/", expect=0):
        """Runs a line of a shell in the root, with nothing of this environment."""
        line = ["chroot", f"--userspec={user}", cls.root, "/usr/bin/env", "-i",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/tmp",
                "DEBIAN_FRONTEND=noninteractive", "/bin/sh", "-c", f"cd {folder} && {command}"]
        result = subprocess.run([*map(os.fspath, line)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=900, check=False)
        text = result.stdout.decode("utf-8", "replace")
        if result.returncode != expect:
            raise AssertionError(f"{command}: exit status {result.returncode}\n{text[-4000:]}")
        return text

    @classmethod
    def DoLastStage(cls):
        """What docker would do, with the packages of this build for those of the first stage."""
        cls.user, cls.folder = "root", "/"
        for word, rest in DockerfileStages()[-1][1:]:
            if word == "COPY":
                _, source, target = rest.split()
                shutil.copy(cls.debs[os.path.basename(source).split("_")[0]], f"{cls.root}{target}")
            elif word == "RUN":
                cls.Inside(rest, cls.user, cls.folder)
            elif word == "USER":
                cls.user = rest
            elif word == "WORKDIR":
                cls.folder = rest
                (cls.root / rest.lstrip("/")).mkdir(exist_ok=True)
            elif word == "ENTRYPOINT":
                cls.command = shlex.join(json.loads(rest))
            else:
                raise AssertionError(f"the test does not know the Dockerfile's {word}")

    @classmethod
    def Install(cls, *packages, debs=()):
        for name in debs:
            shutil.copy(cls.debs[name], cls.root / "tmp")
        files = [f"/tmp/{cls.debs[name].name}" for name in debs]
        cls.Inside("apt-get update -qq && apt-get install -qq -y --no-install-recommends "
                   + " ".join([*files, *packages]))

    def Work(self, name):
        """A new folder in the root, with rules and a key."""
        folder = self.root / "srv" / name
        folder.mkdir()
        for file in ("rules.yaml", "project.key"):
            shutil.copy2(self.root / "work" / file, folder)
        return folder

    def test_1_command(self):
        """Of every sample what this build's command makes of it, by the container's own user."""
        self.Inside(f"{self.command} run -r rules.yaml -i archive -o export --quiet", self.user, self.folder, expect=3)
        work = self.root / "work"
        here = subprocess.run([DCMVEIL, "run", "-r", work / "rules.yaml", "-i", work / "archive", "-o",
                               work / "here", "--quiet"], check=False, timeout=300)
        self.assertEqual(3, here.returncode)
        names = Walk(work / "export")
        self.assertGreater(len(names), 30)
        self.assertEqual(names, Walk(work / "here"))
        bytes_of = lambda part, name: pathlib.Path(os.fsdecode(os.fsencode(work / part) + b"/" + name)).read_bytes()
        for name in names:
            self.assertEqual(bytes_of("export", name), bytes_of("here", name), name)
        self.assertNotEqual(0, (work / "export").stat().st_uid)
        told = json.loads(self.Inside("dcmveil --version --json"))
        self.assertEqual("dcmveil", told["name"])

    def test_2_pages_and_completion(self):
        self.Install("man-db")
        self.assertIn("/usr/share/man/man1/dcmveil-run.1.gz", self.Inside("man -w dcmveil-run"))
        self.assertIn("De-identify", self.Inside("man dcmveil"))
        self.assertIn("explain", self.Inside(
            "bash -c 'source /usr/share/bash-completion/completions/dcmveil; COMP_WORDS=(dcmveil ex); COMP_CWORD=1; "
            "_dcmveil; echo ${COMPREPLY[*]}'"))

    def test_3_consumers(self):
        """Headers and library as they are installed; this source and build are not in the root."""
        self.Install("g++", "make", "cmake", "pkg-config", "libdcmtk-dev", debs=["libdcmveil-dev"])
        shutil.copytree(CONSUMERS, self.root / "srv/consumers")
        patient = next((self.root / "work/archive").glob("TESTMANN_*"))
        inside = lambda path: shlex.quote(f"/{path.relative_to(self.root)}")
        image = sorted(patient.glob("CT_*/*"))[0]
        for language, arguments in (("cpp", "/work/archive"), ("c", f"{inside(patient)} {inside(image)}")):
            project = f"/srv/consumers/{language}"
            self.Inside("cmake -S . -B cmake && cmake --build cmake && make", folder=project)
            programs = self.Inside("find . -maxdepth 2 -type f -executable -name 'consumer*'", folder=project).split()
            self.assertEqual({"./consumer", "./cmake/consumer"},
                             {program for program in programs if not program.endswith("_dcmtk")})
            for number, program in enumerate(programs):
                work = self.Work(f"{language}{number}")
                self.assertIn("all well", self.Inside(f"{project}/{program} {arguments} {inside(work)}"))

    def test_4_python(self):
        self.Install("python3-pydicom", debs=["python3-dcmveil"])
        folder = self.Work("python")
        shutil.copytree(self.root / "work/archive", folder / "dicom")
        shutil.copy(CONSUMERS / "python" / "consumer.py", folder)
        said = self.Inside("python3 -B consumer.py /srv/python", folder="/srv/python")
        self.assertEqual("ok", said.splitlines()[-1])

    def test_5_removal(self):
        """Nothing of ours is left in the system."""
        self.Inside("apt-get purge -qq -y dcmveil libdcmveil-dev python3-dcmveil")
        # What man has shown, its own cache keeps.
        self.assertEqual("", self.Inside("find /usr /etc /var -path /var/cache/man -prune -o -name '*dcmveil*' -print"))


if __name__ == "__main__":
    what = sys.argv.pop(1)
    why_not = (WhyNot() or CleanRoot.MakeRoot()) if what == "CleanRoot" else None
    if why_not:
        print(f"skipped: {why_not}")
        sys.exit(0)
    wanted = [Packages, Dockerfile] if what == "Packages" else [CleanRoot]
    suite = unittest.TestSuite(map(unittest.defaultTestLoader.loadTestsFromTestCase, wanted))
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())
