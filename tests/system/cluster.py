#!/usr/bin/env python3
"""A small cluster on one machine. Each host is a set of namespaces with its
own name, network, /dev/shm, node-local folder and processes; mpirun starts
real daemons on them, which talk over TCP.

    test's own namespaces: head h0, bridge br0 10.77.0.10, a tmpfs as TMPDIR
      |-- cable --> h1  10.77.0.11   /dev/shm, work.path/node: its own
      |-- cable --> h2  10.77.0.12   everything else of the disk: shared

All know each other's hardware addresses for good: a bridge takes the lowest of
its ports', so that a host that goes off can change the head's, and look-ups
that failed while a host was cut are remembered. Both had connections hang.

A test calls cluster.main(); everything then runs below one process whose end
ends all: nothing can be left behind, also when the test is killed. Needs root
or user namespaces. The page cache is one for all hosts, and so is the clock.
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys

import harness
import mpi
from harness import BUILD, ENSRUN, OK, Failure, command_of, marked, skip, \
    stat_of, wait_until

INSIDE = "ENSRUN_TEST_CLUSTER"
NAMESPACES = ("--net", "--uts", "--ipc", "--mount", "--pid", "--fork",
              "--kill-child", "--mount-proc")
NETWORK = "10.77.0"

# Daemons notice a silent host after at most 4 s. This must be before ranks
# there end by [run] dead_man: their daemon would send word of that, and while
# something sent is not acknowledged, TCP does not probe but sends it again,
# for a quarter of an hour.
KEEPALIVE = {"OMPI_MCA_oob_tcp_keepalive_time": "1",
             "OMPI_MCA_oob_tcp_keepalive_intvl": "1",
             "OMPI_MCA_oob_tcp_keepalive_probes": "3"}


def address(host):
    """Of "h2"."""
    return f"{NETWORK}.{10 + int(host[1:])}"


def hardware(host):
    return f"02:00:00:00:00:{10 + int(host[1:]):02x}"


def run(*words, check=True, **more):
    done = subprocess.run([*map(str, words)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False, **more)
    if check and done.returncode != 0:
        raise Failure(f"{' '.join(map(str, words))}: exit code "
                      f"{done.returncode}: {done.stderr}")
    return done


# -- below one process --------------------------------------------------------

def enter():
    """Go on as head of a cluster without hosts; returns only there."""
    if os.environ.pop(INSIDE, None):
        become_head()
        return
    for program, package in (("unshare", "util-linux"), ("ip", "iproute2"),
                             ("mpirun", "openmpi-bin")):
        if shutil.which(program) is None:
            skip(f"no {program} (Debian package {package})")
    words = ["unshare", *NAMESPACES]
    if os.geteuid() != 0:
        words[1:1] = ["--user", "--map-root-user"]
    done = run(*words, "ip", "link", "add", "name", "br0", "type", "bridge",
               check=False)
    if done.returncode != 0:
        skip("no network, mount and PID namespaces with a bridge for "
             "a cluster of hosts (in a container: CAP_SYS_ADMIN and "
             f"CAP_NET_ADMIN, or --privileged): {done.stderr.strip()}")
    os.execvpe(words[0], [*words, sys.executable, *sys.argv],
               {**os.environ, INSIDE: "1"})


def become_head():
    """The first process here reaps orphans, a second one runs the tests."""
    child = os.fork()
    while child != 0:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            sys.stdout.flush()
            os._exit(code if code >= 0 else 128 - code)
    socket.sethostname("h0")
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "name", "br0", "address", hardware("h0"), "type",
        "bridge")
    run("ip", "addr", "add", f"{address('h0')}/24", "dev", "br0")
    run("ip", "link", "set", "br0", "up")
    if not os.environ.get("ENSRUN_TEST_KEEP"):
        use_private_folder()


def use_private_folder():
    """Folders of tests end with the mount namespace."""
    used = (harness.SOURCE.resolve(), BUILD.resolve())
    for name in ("/mnt", "/media", "/srv"):
        folder = pathlib.Path(name)
        if folder.is_dir() and not any(u.is_relative_to(folder)
                                       for u in used):
            run("mount", "-t", "tmpfs", "-o", "mode=1777,size=1g", "none",
                folder)
            os.environ["TMPDIR"] = name
            return
    raise Failure("no folder to mount on")


def be_host(name, node):
    """First process of a host (python3 cluster.py NAME NODE)."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    socket.sethostname(name)
    run("ip", "link", "set", "lo", "up")
    for folder in ("/dev/shm", node):
        run("mount", "-t", "tmpfs", "-o", "mode=1777,size=256m", name, folder)
    print("ready", flush=True)
    while True:
        signal.sigwait({signal.SIGCHLD})
        try:
            while os.waitpid(-1, os.WNOHANG)[0] != 0:
                pass
        except ChildProcessError:
            pass


def introduce(host, device):
    return ("ip", "neigh", "replace", address(host), "lladdr", hardware(host),
            "dev", device, "nud", "permanent")


def is_launcher(pid):
    """mpirun, its daemons and what has started these."""
    words = command_of(pid)
    return any(name in word for word in words
               for name in (b"mpirun", b"orted", b"nsenter"))


# -- the hosts ----------------------------------------------------------------

class Cluster:
    """with Cluster(work, 3) as cluster: hosts h1, h2, h3."""

    def __init__(self, work, n, slots=2):
        self.work = work
        self.names = [f"h{i + 1}" for i in range(n)]
        self.slots = slots
        self.first = {}  # host -> pid of its first process
        self.unshare = {}
        # the same name on every host, other files on each
        self.node = work.path / "node"
        self.node.mkdir()
        self.folder = work.path / "cluster"
        self.folder.mkdir()

    def __enter__(self):
        lines = "".join(f"{address(h)} {h}\n" for h in ("h0", *self.names))
        hosts = self.folder / "hosts"
        hosts.write_text("127.0.0.1 localhost\n" + lines)
        run("mount", "--bind", hosts, "/etc/hosts")
        (self.folder / "hostfile").write_text(
            "".join(f"{h} slots={self.slots}\n" for h in self.names))
        self.write_agent()
        try:
            for name in self.names:
                self.unshare[name] = self.launch(name)
            for name in self.names:
                self.wire(name)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, value, trace):
        for name in list(self.unshare):
            self.off(name)
        run("umount", "/etc/hosts", check=False)

    def write_agent(self):
        """What mpirun uses in place of ssh: HOST, then words that are to be
        joined for a shell."""
        self.agent = self.folder / "agent"
        self.agent.write_text(
            f"#!/bin/sh\npid=$(cat {self.folder}/$1.pid) || exit 255\n"
            "shift\nexec nsenter -t $pid -n -u -i -m -p -- "
            "/bin/sh -c \"cd '$PWD' && $*\"\n")
        self.agent.chmod(0o755)

    def launch(self, name):
        return subprocess.Popen(
            ["unshare", *NAMESPACES, sys.executable, __file__, name,
             self.node], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def wire(self, name):
        """Wait until it is up; then the cable."""
        process = self.unshare[name]
        if process.stdout.readline() != b"ready\n":
            raise Failure(f"host {name} did not start")
        pid = process.pid
        path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        self.first[name] = int(path.read_text())
        (self.folder / f"{name}.pid").write_text(f"{self.first[name]}\n")
        run("ip", "link", "add", "name", f"v{name}", "type", "veth", "peer",
            "name", "eth0", "address", hardware(name), "netns",
            self.first[name])
        run("ip", "link", "set", f"v{name}", "master", "br0", "up")
        self.on(name, "ip", "addr", "add", f"{address(name)}/24", "dev",
                "eth0")
        self.on(name, "ip", "link", "set", "eth0", "up")
        run(*introduce(name, "br0"))
        for other in ("h0", *self.names):
            if other != name:
                self.on(name, *introduce(other, "eth0"))

    # -- what happens to them

    def cut(self, name):
        """Pull the cable: packets vanish, nobody is told."""
        run("ip", "link", "set", f"v{name}", "down")

    def join(self, name):
        run("ip", "link", "set", f"v{name}", "up")

    def slow(self, name, rate="400mbit"):
        """What is sent to it; not where the kernel has no such queue."""
        run("tc", "qdisc", "replace", "dev", f"v{name}", "root", "tbf", "rate",
            rate, "burst", "256kb", "latency", "400ms", check=False)

    def off(self, name):
        """Every process of it ends at once."""
        process = self.unshare.pop(name)
        self.first.pop(name, None)
        process.kill()  # its child gets the same
        process.stdout.read()  # until the last one has ended
        process.wait()
        process.stdout.close()
        run("ip", "link", "del", f"v{name}", check=False)

    def boot(self, name):
        """Again after off()."""
        self.unshare[name] = self.launch(name)
        self.wire(name)

    # -- what is on them

    def on(self, name, *words, check=True, env=None):
        return run("nsenter", "-t", self.first[name], "-n", "-u", "-i", "-m",
                   "-p", "--", *words, check=check,
                   env={**os.environ, **(env or {})})

    def host_of(self, pid):
        """Name of the host a process is on; None for the head."""
        try:
            namespace = os.readlink(f"/proc/{pid}/ns/pid")
        except OSError:
            return None
        for name, first in self.first.items():
            if os.readlink(f"/proc/{first}/ns/pid") == namespace:
                return name
        return None

    def processes(self, name, program):
        """Live ones that run a program of that name."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                exe = os.readlink(f"/proc/{pid}/exe")
            except OSError:
                continue
            stat = stat_of(pid)
            if (os.path.basename(exe) == program and stat and
                    stat[1] not in "ZX" and self.host_of(pid) == name):
                found.append(int(pid))
        return found

    def marked(self, job):
        """host (None: head) -> live processes of a job."""
        found = {}
        for pid in marked(job.mark):
            found.setdefault(self.host_of(pid), []).append(pid)
        return found

    # -- jobs

    def environment(self, launcher=True):
        """For Open MPI; launcher: mpirun is to start its own daemons."""
        network = f"{NETWORK}.0/24"
        env = {**mpi.ENV, "TMPDIR": str(self.node),
               "OMPI_MCA_oob_tcp_if_include": network,
               "OMPI_MCA_btl_tcp_if_include": network,
               "OMPI_MCA_pml": "ob1",
               "OMPI_MCA_btl": "tcp,self,vader",
               # every host takes all cores for its own
               "OMPI_MCA_mpi_yield_when_idle": "1",
               "OMPI_MCA_hwloc_base_binding_policy": "none"}
        if launcher:
            env |= {"OMPI_MCA_plm": "rsh",
                    "OMPI_MCA_plm_rsh_agent": str(self.agent),
                    "OMPI_MCA_orte_default_hostfile":
                        str(self.folder / "hostfile")}
        return env

    def mpirun(self, *words, env=None):
        """mpirun WORDS on the head in the background."""
        return self.work.start(*words, program=mpi.mpirun(),
                               env={**self.environment(), **(env or {})})

    def start_run(self, study, results, *arguments, ranks=2, workers=1,
                  env=None, hosts=None, program=ENSRUN):
        """Ranks are dealt to the hosts in turn."""
        where = ("--host", ",".join(f"{h}:{self.slots}" for h in hosts)) \
            if hosts else ()
        return self.mpirun("-n", ranks, "--map-by", "node", *where, program,
                           "run", study, "--results", results, "--workers",
                           workers, "--progress", "none", *arguments, env=env)

    def run(self, study, results, *arguments, expect=OK, seconds=120, **more):
        """Run to the end; nothing of it is left then."""
        job = self.start_run(study, results, *arguments, **more)
        job.code = job.wait(seconds, expect)
        self.expect_gone(job, 10)
        return job

    def ranks(self, job):
        """rank -> (host, pid)."""
        found = {}
        for pid in marked(job.mark):
            rank = mpi.environ(pid, "OMPI_COMM_WORLD_RANK") or \
                mpi.environ(pid, "PMIX_RANK")
            try:
                exe = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
            except OSError:
                continue
            if rank is not None and exe == "ensrun":
                found[int(rank)] = (self.host_of(pid), pid)
        return found

    def workers(self, job):
        """host -> workers of a job."""
        found = {}
        for host, rank in self.ranks(job).values():
            for zygote in harness.children(rank):
                for worker in harness.children(zygote):
                    found.setdefault(host, []).append(worker)
        return found

    def expect_gone(self, job, seconds, launcher=True):
        """Nothing of a job on any host, cut ones included; of ensrun and its
        tasks alone when the launcher does not count."""
        def left():
            return {pid: command_of(pid) for pid in marked(job.mark)
                    if launcher or not is_launcher(pid)}
        try:
            wait_until(lambda: not left(), seconds, "gone")
        except Failure:
            found = [f"{self.host_of(pid) or 'h0'}: {b' '.join(words)[:100]}"
                     for pid, words in left().items()]
            raise Failure(f"left after {seconds} s: {found}") from None


def main(*tests):
    enter()
    harness.main(*tests)


if __name__ == "__main__":
    be_host(*sys.argv[1:])
