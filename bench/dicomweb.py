#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Service to service against a plain copy of the same instances with as many connections, in one
run, between two Orthancs; then large multi-frames and the memory that they take.

Usage: bench/dicomweb.py [BUILD_FOLDER] [--instances N] [--large MB]
"""
import argparse
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE / "tests" / "cli"))
import dicomweb_test  # noqa: E402
import orthanc  # noqa: E402
import support  # noqa: E402


def Timed(command):
    begin = time.monotonic()
    result = subprocess.run(list(map(str, command)), env=dicomweb_test.ENVIRONMENT, stdout=subprocess.PIPE)
    seconds = time.monotonic() - begin
    if result.returncode != 0:
        sys.exit(f"{command[0]} ended with {result.returncode}")
    return seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", nargs="?", default=SOURCE / "build", type=pathlib.Path)
    parser.add_argument("--instances", type=int, default=500)
    parser.add_argument("--pixels", type=int, default=512)
    parser.add_argument("--large", type=int, default=200, help="MB of each of four multi-frames")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dcmveil-bench-") as name:
        folder = pathlib.Path(name)
        key = support.WriteKey(folder / "key")
        servers = []

        def Server():
            servers.append(orthanc.Orthanc(folder / f"server{len(servers)}"))
            return servers[-1]

        def Run(source, sink):
            return Timed([arguments.build / "dcmveil", "run", "-q", "-r",
                          SOURCE / "samples/rules/research-export.yaml", "--key", key, "-i", source.url,
                          "-o", sink.url, "--state", folder / f"state{len(servers)}"])

        try:
            archive = Server()
            for number in range(arguments.instances):
                archive.Upload(dicomweb_test.Slice(number, arguments.pixels))
            for _ in range(2):
                copy = Timed([arguments.build / "bench/dicomweb_copy", archive.url, Server().url, 8])
                run = Run(archive, Server())
                print(f"copy {copy:.2f} s, dcmveil {run:.2f} s, ratio {run / copy:.2f}")
            large = Server()
            pixels = int((arguments.large * 1e6 / 2) ** 0.5)
            for number in range(4):
                large.Upload(dicomweb_test.Slice(number, pixels))
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
            run = Run(large, Server())
            after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
            print(f"4 x {arguments.large} MB: {run:.2f} s, most memory of any child so far "
                  f"{max(before, after) / 1024:.0f} MB")
        finally:
            for server in servers:
                server.Stop()


if __name__ == "__main__":
    main()
