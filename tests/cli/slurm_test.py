# SPDX-License-Identifier: Apache-2.0
"""A real Slurm runs the array job of samples/slurm: a task is killed, requeued and goes on; the merged
state and the output are those of a single run."""
import pathlib
import shutil
import subprocess
import tempfile

import support
from slurm import Slurm
from support import (CORPUS, DCMVEIL, CliTest, Environment, Main, MakeStudies, NeedsCorpus,
                     Tree)

SCRIPTS = support.SOURCE / "samples" / "slurm"
SHARDS = 4
# Stands for dcmveil. Shard 2 does not get far the first time: its process is killed, or stopped so
# that whoever waits for the file "stopped" can do something to the task.
WRAPPER = """#!/bin/bash
if [ "$1" != run ] || [ "$SLURM_ARRAY_TASK_ID" != 2 ] || [ -n "$SLURM_RESTART_COUNT" ]; then
  exec "{dcmveil}" "$@"
fi
"{dcmveil}" "$@" --durable &
run=$!
until [ "$(wc -l < "$SINK.dcmveil/shard-2-of-4/journal")" -ge 5 ] || ! kill -0 "$run"; do
  sleep 0.005
done 2>/dev/null
kill -{signal} "$run"
echo "$run" > "{folder}/stopped.new"
mv "{folder}/stopped.new" "{folder}/stopped"
wait "$run"
"""


class SlurmArray(CliTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(tempfile.mkdtemp(prefix="slurm", dir=cls.class_tmp))
        cls.slurm = Slurm(folder)
        cls.addClassCleanup(cls.slurm.Stop)
        cls.slurm.Start()
        # With its key beside it, as users have it.
        cls.rules = cls.class_tmp / "rules" / "research-export.yaml"
        shutil.copytree(support.RULES, cls.rules.parent)
        support.WriteKey(cls.rules.parent / "project.key")

    def Go(self, source, signal, while_stopped=lambda job: None):
        """Runs source as an array with a task that is killed, and compares."""
        single, output = self.tmp / "single", self.tmp / "out"
        self.Run(self.rules, source, single, "-j", "2")
        wrapper = self.tmp / "wrapper"
        wrapper.write_text(WRAPPER.format(dcmveil=DCMVEIL, folder=self.tmp, signal=signal))
        wrapper.chmod(0o755)
        environment = Environment(RULES=str(self.rules), SOURCE=str(source), SINK=str(output),
                                  DCMVEIL=str(wrapper), **self.slurm.environment)
        submitted = subprocess.run([SCRIPTS / "submit.sh", str(SHARDS)], env=environment, timeout=60,
                                   cwd=self.tmp, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(0, submitted.returncode, submitted.stderr)
        job = submitted.stdout.decode().split()[1].rstrip(",")
        self.slurm.WaitFor("task that gets killed", (self.tmp / "stopped").exists)
        journal = self.State(output) / "shard-2-of-4" / "journal"
        while_stopped(job)
        self.slurm.WaitFor("second try of the task",
                           lambda: journal.read_bytes().count(b'"owner"') == 2, 60)
        self.slurm.WaitFor("end of all jobs", lambda: not self.slurm.Ask("squeue", "-h"), 60)
        logs = "".join(file.read_text() for file in sorted(self.tmp.glob("slurm-*.out")))
        self.assertTrue((self.State(output) / "manifest.ndjson").exists(), logs + self.slurm.Logs())
        before_second = journal.read_bytes().split(b'"owner"')[1]
        self.assertGreaterEqual(before_second.count(b"\n"), 5)
        self.assertNotIn(b'"end"', before_second, "the task was to be killed before its end")
        self.assertEqual(self.ManifestBytes(single).splitlines(),
                         self.ManifestBytes(output).splitlines(), logs)
        self.ExpectSameTrees(single, output)
        self.assertEqual((self.State(single) / "quarantine.ndjson").read_bytes(),
                         (self.State(output) / "quarantine.ndjson").read_bytes())
        shards = [len((self.State(output) / f"shard-{i}-of-4" / "manifest.ndjson")
                      .read_bytes().splitlines()) for i in range(1, SHARDS + 1)]
        print(f"{len(Tree(output))} outputs of {sum(shards)} inputs in shards of {shards}")

    def test_a_task_that_was_killed_requeues_itself(self):
        source = self.tmp / "in"
        shutil.copytree(self.samples, source)
        template = self.samples / "PROBST_PAULA" / "MR_Kopf" / "PROBST.MR.0001.IMA"
        MakeStudies(template, source / "more", 24, 12)
        self.Go(source, "KILL")

    @NeedsCorpus
    def test_the_corpus_and_a_task_that_slurm_requeues(self):
        self.Go(CORPUS, "STOP", lambda job: self.slurm.Ask("scontrol", "requeue", f"{job}_2"))


if __name__ == "__main__":
    Main()
