# SPDX-License-Identifier: Apache-2.0
"""A Slurm of our own: munged, slurmctld and slurmd on free loopback ports, with all their files in a
temporary folder. Nothing that a system's own Slurm uses is touched."""
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import time

PROGRAMS = {"munged": "munge", "slurmctld": "slurm-wlm", "slurmd": "slurm-wlm",
            "sbatch": "slurm-wlm", "scontrol": "slurm-wlm", "squeue": "slurm-wlm"}
PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


def FreePorts(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Slurm:
    """Start() it, and Stop() it in any case. Commands see it through `environment`."""

    def __init__(self, folder, cpus=16):
        self.folder = pathlib.Path(folder)
        self.cpus = cpus
        self.daemons = {}
        self.environment = {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": PATH}

    def Start(self):
        missing = [f"{name} ({package})" for name, package in PROGRAMS.items()
                   if not shutil.which(name, path=PATH)]
        if missing:
            raise AssertionError(f"not installed: {', '.join(missing)}; see scripts/packages.sh")
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        key = self.folder / "munge.key"
        key.touch(0o600)
        key.write_bytes(os.urandom(128))
        # --force: the folder is closed to others, which munged finds odd.
        self.Daemon("munged", "--foreground", "--force", f"--socket={self.folder}/munge.socket",
                    f"--key-file={key}", f"--log-file={self.folder}/munged.log",
                    f"--pid-file={self.folder}/munged.pid", f"--seed-file={self.folder}/munged.seed",
                    "--num-threads=2")
        self.WaitFor("munged's socket", lambda: (self.folder / "munge.socket").exists())
        self.WriteConfiguration()
        self.Daemon("slurmctld", "-D", "-c")
        self.Daemon("slurmd", "-D")
        self.WaitFor("a node that is idle", lambda: "idle" in self.Ask("sinfo", "-h", "-o", "%T"))

    def WriteConfiguration(self):
        controller, node = FreePorts(2)
        user = pwd.getpwuid(os.getuid()).pw_name
        (self.folder / "slurm.conf").write_text(f"""
ClusterName=dcmveil-test
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
# Also how long a requeued job must wait.
AuthInfo=socket={self.folder}/munge.socket,cred_expire=5
StateSaveLocation={self.folder}/state
SlurmdSpoolDir={self.folder}/spool
SlurmctldPidFile={self.folder}/slurmctld.pid
SlurmdPidFile={self.folder}/slurmd.pid
SlurmctldParameters=idle_on_node_suspend
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
KillWait=5
NodeName=localhost NodeAddr=127.0.0.1 CPUs={self.cpus} RealMemory=65536 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES State=UP
""")

    def Daemon(self, name, *arguments):
        log = open(self.folder / f"{name}.out", "wb")
        self.daemons[name] = subprocess.Popen(
            [shutil.which(name, path=PATH), *arguments], stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT, env={**os.environ, **self.environment}, cwd=self.folder,
            start_new_session=True)
        log.close()

    def WaitFor(self, what, condition, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            for name, process in self.daemons.items():
                if process.poll() is not None:
                    raise AssertionError(f"{name} ended with {process.returncode}\n{self.Logs()}")
            time.sleep(0.1)
        raise AssertionError(f"no {what} after {seconds} s\n{self.Logs()}")

    def Ask(self, *command):
        """The output of a command that may fail while the daemons come up."""
        result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, env={**os.environ, **self.environment},
                                timeout=30)
        return result.stdout.decode()

    def Logs(self):
        text = ""
        for name in self.daemons:
            for file in (self.folder / f"{name}.out", self.folder / f"{name}.log"):
                if file.exists():
                    text += f"--- {file.name}\n{file.read_text(errors='replace')[-6000:]}\n"
        return text

    def Stop(self):
        if "slurmctld" in self.daemons:
            # Jobs would outlive the daemons.
            self.Ask("scancel", "--signal=KILL", "--full", "--state=RUNNING", "--partition=main")
            self.Ask("scancel", "--partition=main")
            end = time.monotonic() + 15
            while self.Ask("squeue", "-h").strip() and time.monotonic() < end:
                time.sleep(0.2)
        for name in ("slurmd", "slurmctld", "munged"):
            process = self.daemons.get(name)
            if process is None or process.poll() is not None:
                continue
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
