"""`bioft run --slurm` with Debian's slurm-wlm, its three daemons running on this machine in a folder of their own.

Skipped where the package slurm-wlm is not installed. A requeued job waits for one second more than cred_expire, whose smallest
value is 5.
"""
import getpass
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import bioft

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "scancel", "squeue")
ENOUGH = 300                                       # seconds that anything may take

CONF = """\
ClusterName=bioft
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
SchedulerParameters=sched_interval=1,sched_min_interval=0,bf_interval=1,batch_sched_delay=0
KillWait=2
CompleteWait=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def find(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(done, what):
    end = time.monotonic() + ENOUGH
    while not done():
        if time.monotonic() > end:
            raise AssertionError(f"no {what} in {ENOUGH} seconds")
        time.sleep(0.2)


class Cluster:
    """munged, slurmctld and slurmd in the foreground, in `folder`."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []
        self.environment = dict(os.environ, SLURM_CONF=str(folder / "slurm.conf"))
        for name in ("munge", "state", "spool"):
            (folder / name).mkdir(parents=True)
        folder.chmod(0o755)
        (folder / "munge").chmod(0o711)
        key = folder / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        (folder / "slurm.conf").write_text(CONF.format(
            host=socket.gethostname().split(".")[0], port=free_port(), node_port=free_port(), user=getpass.getuser(),
            folder=folder, cpus=len(os.sched_getaffinity(0))))

    def begin(self):
        folder, key = self.folder, self.folder / "key"
        self.start("munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge/socket",
                   f"--pid-file={folder}/munge/pid", f"--log-file={folder}/munge/log", f"--seed-file={folder}/munge/seed")
        wait_until((folder / "munge/socket").exists, "munge socket")
        self.start("slurmctld", "-D", "-i")
        self.start("slurmd", "-D")
        wait_until(lambda: "idle" in self.run("sinfo", "-h", "-o", "%T").stdout, "idle node")

    def start(self, program, *args):
        with open(self.folder / f"{program}.out", "w") as out:
            self.processes.append(subprocess.Popen([find(program), *args], env=self.environment, stdout=out, stderr=out))

    def run(self, *args):
        return subprocess.run(args, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def logs(self):
        return "\n".join(p.read_text(errors="replace")[-2000:] for p in sorted(self.folder.rglob("*"))
                         if p.suffix in (".log", ".out"))

    def stop(self):
        self.run("scancel", "--full", f"--user={getpass.getuser()}")
        for process in reversed(self.processes):
            process.terminate()
            process.wait()


class Slurm(bioft.Case):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="bioft-slurm-")).resolve()
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.cluster = Cluster(folder / "cluster")
        cls.addClassCleanup(cls.cluster.stop)
        folder.chmod(0o755)
        cls.cluster.begin()

    def jobs(self):
        return self.cluster.run("squeue", "-h", "-o", "%i %T").stdout.split("\n")[:-1]

    def test_requeued(self):
        """One trial's element is told that its time is nearly over, another is requeued by hand: both resume."""
        text = bioft.MANIFEST.replace("epochs: 1", "epochs: 25").replace("steps: 12", "steps: 300").replace(", brsf]", "]")
        m = self.manifest(text)
        out = self.folder / "out"
        self.good("run", m, "--out", out, "--slurm", "--threads", "1", env=self.cluster.environment)
        wait_until(lambda: all((out / f"trials/{t}/status").exists() for t in ("00-rule=bp", "01-rule=usf"))
                   or len(os.sched_getaffinity(0)) < 2, "running trials")
        wait_until(lambda: list(out.glob("stages/*/checkpoint.safetensors")), "checkpoint")
        job = self.jobs()[0].split("_")[0]
        self.cluster.run("scancel", "--signal=USR1", "--batch", f"{job}_0")
        self.cluster.run("scontrol", "requeue", f"{job}_1")
        wait_until(lambda: not self.jobs(), "empty queue\n" + self.cluster.logs())
        control = (self.cluster.folder / "slurmctld.log").read_text()
        logs = "".join(p.read_text() for p in out.glob("slurm-*.log"))
        self.assertGreaterEqual(control.lower().count("requeu"), 2, control[-4000:])
        self.good("run", m, "--out", "whole", "--threads", "1", "--jobs", "2", "--quiet")
        self.assertTrue((out / "results.csv").exists(), logs + self.cluster.logs())
        self.same_files(self.folder / "whole", out)
        self.assertTrue((out / "report.html").exists())
        self.assertEqual(self.good("status", out).stdout, "2 of 2 trials done, 0 running\n")

    def test_a_failing_element(self):
        """It fails alone, the queue says so, and the others' results stand."""
        text = bioft.MANIFEST
        m = self.manifest(text[:text.index("sweep:")] + "sweep:\n  stages.fine-tune.optimizer.lr: [1e30, 1e-4]\n")
        out = self.folder / "out"
        self.good("run", m, "--out", out, "--slurm", "--threads", "1", env=self.cluster.environment)
        wait_until(lambda: not self.jobs(), "empty queue")
        self.assertIn("not finite", (out / "slurm-0.log").read_text())
        self.assertEqual([p.parent.name[:2] for p in out.glob("trials/*/results.csv")], ["01"])
        said = self.cluster.run("scontrol", "show", "job").stdout
        self.assertIn("JobState=FAILED", said)
        self.assertIn("JobState=COMPLETED", said)


if __name__ == "__main__":
    if not all(map(find, PROGRAMS)) or "sanitize" in os.environ.get("BIOFT_BUILD", ""):
        sys.exit(77)                               # skipped: a sanitized program takes minutes here, and shows nothing else
    unittest.main()
