"""Slurm over the hosts of a test cluster: munged and slurmctld on the head, a
slurmd on each host, without systemd and cgroups, all below one folder."""
import os
import pathlib
import shutil
import subprocess

from cluster import NETWORK, run
from harness import Failure, skip, wait_until

CONF = """ClusterName=ensrun
SlurmctldHost=h0({network}.10)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={dir}/munge/socket
CredType=cred/munge
TmpFS={node}
StateSaveLocation={dir}/state
SlurmdSpoolDir={dir}/spool.%n
SlurmctldPidFile={dir}/slurmctld.pid
SlurmdPidFile={dir}/slurmd.%n.pid
SlurmctldLogFile={dir}/slurmctld.log
SlurmdLogFile={dir}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1,\
sched_min_interval=0
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
JobRequeue=1
KillWait=3
SlurmctldTimeout=30
SlurmdTimeout={node_seconds}
"""


class Slurm:
    """with Slurm(cluster) as slurm; node_seconds: silence of a node after
    which it is down."""

    def __init__(self, cluster, node_seconds=30):
        for program in ("munged", "slurmctld", "slurmd", "sbatch"):
            if shutil.which(program) is None:
                skip(f"no {program} (Debian packages slurm-wlm, munge)")
        if pathlib.Path("/proc/self/setgroups").read_text() != "allow\n":
            skip("no root: Slurm does not run in a user namespace without")
        self.cluster = cluster
        self.dir = cluster.folder / "slurm"
        (self.dir / "munge").mkdir(parents=True)
        (self.dir / "state").mkdir()
        self.env = {**cluster.environment(launcher=False),
                    "SLURM_CONF": str(self.dir / "slurm.conf")}
        self.daemons = []
        self.configure(node_seconds)

    def configure(self, node_seconds):
        names = self.cluster.names
        text = CONF.format(network=NETWORK, dir=self.dir,
                           node=self.cluster.node,
                           node_seconds=node_seconds)
        for name in names:
            text += (f"NodeName={name} NodeAddr={NETWORK}.{10 + int(name[1:])}"
                     f" CPUs={self.cluster.slots} RealMemory=500\n")
        text += f"PartitionName=test Nodes={','.join(names)} Default=YES\n"
        (self.dir / "slurm.conf").write_text(text)
        (self.dir / "cgroup.conf").write_text(
            "CgroupAutomount=no\nConstrainCores=no\n")

    def __enter__(self):
        munge = self.dir / "munge"
        key = munge / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        self.start("munged", "--foreground", "--force", f"--key-file={key}",
                   f"--socket={munge}/socket", f"--pid-file={munge}/pid",
                   f"--log-file={munge}/log", f"--seed-file={munge}/seed")
        wait_until((munge / "socket").exists, 20, "munged is up")
        self.start("slurmctld", "-D", "-c")
        for name in self.cluster.names:
            self.start_node(name)
        names = set(self.cluster.names)
        try:
            wait_until(lambda: self.nodes("idle") == names, 60,
                       "all nodes idle", 0.05)
        except Failure as failure:
            self.__exit__(None, None, None)
            raise Failure(f"{failure}\n{self.logs()}") from None
        return self

    def __exit__(self, kind, value, trace):
        for daemon in self.daemons:
            daemon.kill()
            daemon.wait()
        if kind is not None:
            print(self.logs())

    def start(self, *words):
        self.daemons.append(subprocess.Popen(
            words, env={**os.environ, **self.env}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def start_node(self, name):
        """Also of a host that was booted again."""
        self.start("nsenter", "-t", str(self.cluster.first[name]), "-n", "-u",
                   "-i", "-m", "-p", "--", "slurmd", "-D", "-c")

    def logs(self):
        return "\n".join(f"{path.name}: {line}"
                         for path in sorted(self.dir.glob("*.log"))
                         for line in path.read_text(
                             errors="replace").splitlines()[-20:])

    def command(self, *words, check=True, env=None):
        """A command of Slurm, on the head; its stdout."""
        return run(*words, check=check,
                   env={**os.environ, **self.env, **(env or {})},
                   cwd=self.cluster.work.path).stdout

    def nodes(self, state):
        text = self.command("sinfo", "-h", "-N", "-o", "%N %T", check=False)
        return {line.split()[0] for line in text.splitlines()
                if line.split()[1] == state}

    def submit(self, *words, env=None):
        text = self.command("sbatch", "--parsable", *words, env=env)
        return text.strip().split(";")[0]

    def state(self, job):
        """COMPLETED, PENDING ...; of an array, of all its jobs."""
        text = self.command("scontrol", "-o", "show", "job", job, check=False)
        found = [word[9:] for word in text.split()
                 if word.startswith("JobState=")]
        return " ".join(sorted(set(found)))

    def wait_state(self, job, states, seconds=90):
        """The state, once it is one of them."""
        try:
            return wait_until(lambda: self.state(job) in states and
                              self.state(job), seconds, f"{states}", 0.05)
        except Failure as failure:
            raise Failure(f"{failure} but {self.state(job)}\n"
                          f"{self.command('scontrol', 'show', 'job', job)}"
                          ) from None

    def is_completing(self, job):
        """A node still ends what the job had there."""
        return self.command("squeue", "-h", "-t", "COMPLETING", "-j", job,
                            check=False).strip() != ""

    def hurry(self, job):
        """Slurm holds back what was requeued for two minutes. Some seconds it
        needs: nodes refuse a job of the second in which they ended it."""
        self.command("scontrol", "update", f"JobId={job}", "StartTime=now+3")
