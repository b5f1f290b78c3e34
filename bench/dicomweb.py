#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Service to service, by instance, series and study, against a plain copy of the same instances with
as many connections, in one run, between two Orthancs; then large multi-frames, and the memory that
they take.

Usage: bench/dicomweb.py [BUILD_FOLDER] [--instances N] [--rounds N] [--large MB]
"""
import argparse
import itertools
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE / "tests" / "cli"))
import dicomweb_test  # noqa: E402
import orthanc  # noqa: E402
import support  # noqa: E402

RETRIEVE = ("instance", "series", "study")


def Timed(command):
    """Seconds, and the most memory in MB, read from the process itself: what a parent is told of its
    children counts its own memory at the time of the fork."""
    begin = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), env=dicomweb_test.ENVIRONMENT,
                               stdout=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                most = int(line.split()[1])
        time.sleep(0.02)
    if process.returncode != 0:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    return time.monotonic() - begin, most / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", nargs="?", default=SOURCE / "build", type=pathlib.Path)
    parser.add_argument("--instances", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pixels", type=int, default=512)
    parser.add_argument("--large", type=int, default=200, help="MB of each of four multi-frames")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dcmveil-bench-") as name:
        folder = pathlib.Path(name)
        key = support.WriteKey(folder / "key")
        servers = []
        numbers = itertools.count()

        def Server():
            servers.append(orthanc.Orthanc(folder / f"server{next(numbers)}"))
            return servers[-1]

        def Run(source, sink, retrieve):
            # A busy machine's Orthanc takes its time before it begins with a large instance.
            connections = folder / "connections.yaml"
            connections.write_text("connections:\n" + "".join(
                f"  {name}: {{url: '{server.url}', limits: {{stall-timeout: 900}}}}\n"
                for name, server in (("archive", source), ("research", sink))))
            return Timed([arguments.build / "dcmveil", "run", "-q", "-r",
                          SOURCE / "samples/rules/research-export.yaml", "--key", key, "-i", "archive",
                          "-o", "research", "--connections", connections, "--state", folder / f"state{next(numbers)}", "--retrieve", retrieve])

        def Copy(source, sink):
            return Timed([arguments.build / "bench/dicomweb_copy", source.url, sink.url, 8])[0]

        def Drop():
            server = servers.pop()
            server.Stop()
            shutil.rmtree(server.folder)

        try:
            archive = Server()
            for number in range(arguments.instances):
                archive.Upload(dicomweb_test.Slice(number, arguments.pixels))
            best = {}
            for _ in range(arguments.rounds):
                for what in ("copy", *RETRIEVE):
                    sink = Server()
                    seconds = Copy(archive, sink) if what == "copy" else Run(archive, sink, what)[0]
                    best[what] = min(best.get(what, seconds), seconds)
                    Drop()
            for what, seconds in best.items():
                print(f"{what:9} {seconds:6.2f} s  {seconds / best['copy']:.2f} of the copy")
            large = Server()
            pixels = int((arguments.large * 1e6 / 2) ** 0.5)
            for number in range(4):
                large.Upload(dicomweb_test.Slice(number, pixels))
            for what in RETRIEVE:
                run, memory = Run(large, Server(), what)
                Drop()
                print(f"{what:9} 4 x {arguments.large} MB: {run:.2f} s, at most {memory:.0f} MB of memory")
        finally:
            for server in servers:
                server.Stop()


if __name__ == "__main__":
    main()
