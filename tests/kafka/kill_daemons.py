#!/usr/bin/env python3
"""Two daemons on a real broker are killed (-9) again and again while they work off a topic, and sometimes lose their disk
with it; what a channel then holds is, after the channel rule (one number a partition), exactly what the reference computes:
nothing lost, nothing twice.

    kill_daemons.py SPURD TOOLS        SPUR_KILLS=N (default 6), SPUR_KILLS_SEED=S

The job, its reference and the tools are those of bench/peers. Exit code 77: there is no broker here (a failure in CI).
"""
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
EVENTS, CUSTOMERS = 400_000, 20_000
PATIENCE = 180  # seconds, against hanging for ever


def broker():
    """As tests/kafka/broker.h finds it."""
    if named := os.environ.get("SPUR_TEST_KAFKA"):
        return named
    env = pathlib.Path(os.environ.get("SPUR_TEST_KAFKA_FOLDER", "/nowhere")) / "env"
    return env.read_text().strip().split("=", 1)[1] if env.exists() else ""


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for s in held:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


class Cluster:
    def __init__(self, spurd, tools, brokers, folder):
        self.spurd, self.tools, self.brokers, self.folder = spurd, tools, brokers, folder
        self.prefix = f"kills-{os.getpid()}"
        self.events, self.out = f"{self.prefix}.events", f"{self.prefix}.actions"
        self.daemons = {}
        self.disks_lost = 0
        catalog = (ROOT / "bench/peers/catalog/job.yaml").read_text(encoding="utf-8")
        catalog = catalog.replace("topic: events,", f"topic: {self.events},").replace("topic: actions.email", f"topic: {self.out}")
        (folder / "catalog").mkdir()
        (folder / "catalog/job.yaml").write_text(catalog, encoding="utf-8")

    def tool(self, name, *arguments):
        return subprocess.run([self.tools / name, "--bootstrap", self.brokers, *map(str, arguments)], check=True,
                              stdout=subprocess.PIPE, text=True).stdout

    def prepare(self):
        for topic in (self.events, self.out):
            self.tool("topic", "--create", topic)
        self.tool("gen", "--topic", self.events, "--events", EVENTS, "--customers", CUSTOMERS)

    def expected(self):
        made = subprocess.Popen([self.tools / "gen", "--out-file", "-", "--events", str(EVENTS), "--customers",
                                 str(CUSTOMERS)], stdout=subprocess.PIPE)
        said = subprocess.run([sys.executable, ROOT / "bench/peers/reference.py"], stdin=made.stdout, check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        made.wait()
        return json.loads(said)

    def start(self, number):
        grpc, http = free_ports(2)
        log = open(self.folder / f"spurd-{number}.log", "a", encoding="utf-8")
        self.daemons[number] = subprocess.Popen(
            [self.spurd, "--kafka-brokers", self.brokers, "--kafka-topic-prefix", self.prefix, "--kafka-dev",
             "--kafka-instance", f"node-{number}", "--kafka-session-timeout", "6s", "--state-dir",
             self.folder / f"state-{number}", "--state-flush-interval", "1s", "--state-snapshots", self.folder / "snapshots",
             "--state-snapshot-interval", "1s", "--catalog", self.folder / "catalog",
             "--grpc-address", f"127.0.0.1:{grpc}", "--http-address", f"127.0.0.1:{http}"], stdout=log, stderr=log)

    def kill(self, number):
        self.daemons[number].send_signal(signal.SIGKILL)
        self.daemons[number].wait()

    def lose_disk(self, number):
        self.disks_lost += 1
        shutil.rmtree(self.folder / f"state-{number}", ignore_errors=True)

    def sent(self):
        return json.loads(self.tool("check", "--topic", self.out, "--shape", "spur"))

    def stop(self):
        """Gracefully; the exit codes."""
        for daemon in self.daemons.values():
            daemon.terminate()
        return [daemon.wait(PATIENCE) for daemon in self.daemons.values()]


def run(cluster, kills, seed):
    rng = random.Random(seed)
    cluster.prepare()
    expected = cluster.expected()
    for number in (1, 2):
        cluster.start(number)
    for _ in range(kills):
        time.sleep(rng.uniform(0.5, 2.5))
        number = rng.choice((1, 2))
        cluster.kill(number)
        if rng.random() < 0.3:
            cluster.lose_disk(number)
        time.sleep(rng.choice((0, 0.3)))
        cluster.start(number)
    until = time.monotonic() + PATIENCE
    sent = cluster.sent()
    while sent["actions"] < expected["actions"] and time.monotonic() < until:
        time.sleep(1)
        sent = cluster.sent()
    codes = cluster.stop()
    sent = cluster.sent()
    print(f"{kills} kills, {cluster.disks_lost} disks lost, seed {seed}: {sent['actions']} actions of {expected['actions']}, {sent['repeats']} repeats in the "
          f"log, {sent['holes']} holes, exit codes {codes}")
    wrong = [what for what, bad in (
        ("what was sent is not what the reference says",
         (sent["actions"], sent["checksum"]) != (expected["actions"], expected["checksum"])),
        ("spurseq has a hole", sent["holes"] != 0),
        ("a daemon did not stop cleanly", any(codes))) if bad]
    for what in wrong:
        print(f"kill_daemons: {what}", file=sys.stderr)
    return not wrong


def main():
    spurd, tools = map(pathlib.Path, sys.argv[1:3])
    brokers = broker()
    if not brokers:
        print("no broker: install packages-test.txt and run by ctest, or set SPUR_TEST_KAFKA", file=sys.stderr)
        return 1 if os.environ.get("CI") else 77
    folder = pathlib.Path(tempfile.mkdtemp(prefix="spur-kills-"))
    cluster = Cluster(spurd, tools, brokers, folder)
    try:
        good = run(cluster, int(os.environ.get("SPUR_KILLS", "6")), int(os.environ.get("SPUR_KILLS_SEED", "1")))
    finally:
        for daemon in cluster.daemons.values():
            daemon.kill()
    if not good:
        for log in sorted(folder.glob("*.log")):
            print(f"== {log.name}\n{log.read_text(encoding='utf-8')[-4000:]}", file=sys.stderr)
    shutil.rmtree(folder)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
