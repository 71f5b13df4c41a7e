"""A deployment of several daemons on a real broker, for the tests of this folder that do harm to it: its topics and catalog, its
load, its daemons, and the verdict, which is the same for every fault:

    what a channel holds after the channel rule is what the reference computes    (bench/peers: gen, check, reference.py):
    each action where there is no rate, their number where there is one
    and `spur audit` finds nothing wrong

A test is a script beside this file with one function, run(deployment, rounds, rng), given to main(). It is called with the build
folder: `kill_daemons.py build/release`. SPUR_ROUNDS and SPUR_SEED change how often and how, SPUR_EVENTS and SPUR_RATE (events/s) the
load, SPUR_TRANSACTIONAL=1 sends each action to a transactional channel too; exit code 77: there is no broker here (in CI 1).
"""
import collections
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import brokers

ROOT = brokers.ROOT
PATIENCE = int(os.environ.get("SPUR_PATIENCE", "180"))  # seconds, against hanging for ever
LOG_TAIL = int(os.environ.get("SPUR_LOG_TAIL", "4000"))  # characters of a daemon's log, where something is wrong
SESSION = 6     # seconds: the least that a broker takes by default


class Programs:
    def __init__(self, build):
        build = pathlib.Path(build).resolve()
        self.spurd, self.spur = build / "bin/spurd", build / "bin/spur"
        self.gen, self.check = build / "bench/peers/gen", build / "bench/peers/check"
        self.topics = build / "tests/kafka/kafka_topics"


Channel = collections.namedtuple("Channel", "topic spec pad")


def takes_orders(process):
    """Whether it takes SIGTERM for an order, and not as the end of anything: from the first line of its main() on a thread of it blocks
    the signal (not that which waits for it)."""
    bit = 1 << (signal.SIGTERM - 1)
    for status in pathlib.Path(f"/proc/{process.pid}/task").glob("*/status"):
        try:
            blocked = re.search(r"^SigBlk:\s*(\w+)", status.read_text(encoding="utf-8"), re.MULTILINE)
        except OSError:
            continue  # the thread has ended
        if blocked and int(blocked[1], 16) & bit:
            return True
    return False


class Deployment:
    events, customers, partitions = 150_000, 10_000, 4
    # Events/s; 0: all are there before a daemon begins, and decisions follow the events' own times. Events that come in while
    # daemons run meet the wall's clock, eleven months later: then only what no time decides has a reference, one trigger of four.
    rate = 0
    # Each action goes to a second channel too, one that asks for transactions; to a third, with so many characters more.
    transactional = os.environ.get("SPUR_TRANSACTIONAL") == "1"
    padded = 0
    # A trigger fires only where a record of business data says so, which is in one partition of a topic that each shard reads.
    business = False
    more = ""  # of the catalog

    def __init__(self, programs, bootstrap, folder, snapshots=False):
        self.programs, self.bootstrap, self.folder = programs, bootstrap, pathlib.Path(folder)
        self.prefix = f"f{os.getpid()}-{time.monotonic_ns() % 1_000_000}"
        self.input, self.output = f"{self.prefix}.events", f"{self.prefix}.actions"
        self.once, self.heavy = f"{self.prefix}.once", f"{self.prefix}.heavy"
        self.snapshots = self.folder / "snapshots" if snapshots else None
        self.daemons, self.options, self.ports = {}, {}, {}
        self.producer, self.ended = None, False
        self.expected = None
        self.codes = []  # of daemons that were told to stop
        self.did = {}    # what was done to it, for the figures

    def count(self, what, times=1):
        self.did[what] = self.did.get(what, 0) + times

    def write_catalog(self):
        catalog = (ROOT / "bench/peers/catalog/job.yaml").read_text(encoding="utf-8")
        catalog = catalog.replace("topic: events,", f"topic: {self.input},").replace("topic: actions.email",
                                                                                    f"topic: {self.output}")
        if self.rate:
            catalog = "---\n".join(part for part in catalog.split("---\n")
                                   if "kind: Trigger" not in part or "name: category-first" in part)
        if self.business:
            novelty = "  novelty: {on: Order Completed, of: event.properties.category}\n"
            catalog = catalog.replace(novelty, novelty + "  if: reference.switches['category-first'].on\n")
            catalog += (f"---\napiVersion: spur/v1\nkind: Reference\nmetadata: {{name: switches}}\n"
                        f"spec: {{topic: {self.prefix}.switches, key: body.of}}\n")
        catalog += self.more
        plain = [line for line in catalog.splitlines() if line.lstrip().startswith("- {channel: email,")]
        for name, channel in self.channels().items():
            for line in plain:
                other = line.replace("channel: email,", f"channel: {name},")
                if channel.pad:
                    other = other.replace("data: {", f"data: {{pad: \"'{'x' * channel.pad}'\", ")
                catalog = catalog.replace(line, f"{line}\n{other}", 1)
            catalog += (f"---\napiVersion: spur/v1\nkind: Channel\nmetadata: {{name: {name}}}\n"
                        f"spec: {{topic: {channel.topic}, format: json{channel.spec}}}\n")
        (self.folder / "catalog").mkdir(exist_ok=True)
        (self.folder / "catalog/job.yaml").write_text(catalog, encoding="utf-8")

    def channels(self):
        """Those beside `email`, by name."""
        found = {}
        if self.transactional:
            found["once"] = Channel(self.once, ", delivery: transactional", 0)
        if self.padded:
            found["heavy"] = Channel(self.heavy, "", self.padded)
        return found

    def outputs(self):
        return (self.output, *(channel.topic for channel in self.channels().values()))

    # --- topics and load ---

    def topics(self, *words, check=True):
        return subprocess.run([self.programs.topics, self.bootstrap, *map(str, words)], check=check, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)

    def make_topics(self, replicas=1):
        self.write_catalog()
        for topic in (self.input, *self.outputs()):
            # The events' times are old, and the broker would soon take them away.
            self.topics("create", topic, self.partitions, f"replicas={replicas}", "retention.ms=-1",
                        f"min.insync.replicas={max(1, replicas - 1)}")
        if self.business:
            self.topics("create", f"{self.prefix}.switches", 3, f"replicas={replicas}", "retention.ms=-1")
            # Before the first event: history is taken in the order of its records' times.
            self.topics("write", f"{self.prefix}.switches", 1, '{"of": "category-first", "on": true}', 1_000_000_000_000)

    def load(self, wait=True):
        """Writes the input, or begins to where it has a rate or nobody waits for it."""
        rate = ["--rate", str(self.rate)] if self.rate else []
        with open(self.folder / "gen.log", "a", encoding="utf-8") as log:
            self.producer = subprocess.Popen([self.programs.gen, "--bootstrap", self.bootstrap, "--topic", self.input, "--events",
                                              str(self.events), "--customers", str(self.customers), *rate], stdout=log, stderr=log)
        if wait and not self.rate:
            self.await_input()

    def end_load(self):
        """There is enough: what is in the topic by now is all."""
        self.producer.terminate()
        self.producer.wait()
        self.ended = True

    def await_input(self):
        """Until all events are written; what should come of those that are there. A producer too may have given up, or written
        twice, where a broker was killed: what counts is what is in the topic."""
        if self.expected is not None:
            return
        try:
            if self.producer.wait(PATIENCE) != 0 and not self.ended:
                self.count("producers that gave up")
        except subprocess.TimeoutExpired as late:
            raise AssertionError(f"the events are not written after {PATIENCE} s: see gen.log") from late
        made = subprocess.Popen([self.programs.topics, self.bootstrap, "dump", self.input], stdout=subprocess.PIPE)
        said = subprocess.run([sys.executable, ROOT / "bench/peers/reference.py"], stdin=made.stdout, check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        if made.wait() != 0:
            raise AssertionError(f"{self.input} cannot be read")
        self.expected = json.loads(said)
        self.count("events", self.expected["events"])
        if self.rate:
            self.expected = {"actions": self.expected["category_first"]}

    # --- daemons ---

    def arguments(self, number, **options):
        grpc, http = brokers.free_ports(2)
        self.ports[number] = http
        flags = {"kafka-brokers": self.bootstrap, "kafka-topic-prefix": self.prefix, "kafka-dev": True,
                 "kafka-session-timeout": f"{SESSION}s", "kafka-instance": f"node-{number}",
                 "state-dir": self.folder / f"state-{number}", "state-flush-interval": "1s", "catalog": self.folder / "catalog",
                 "grpc-address": f"127.0.0.1:{grpc}", "http-address": f"127.0.0.1:{http}"}
        if self.snapshots:
            flags |= {"state-snapshots": self.snapshots, "state-snapshot-interval": "1s"}
        flags |= {name.replace("_", "-"): value for name, value in options.items()}
        return [f"--{name}" if value is True else f"--{name}={value}" for name, value in flags.items() if value is not None]

    def start(self, number, **options):
        self.options[number] = options
        with open(self.folder / f"spurd-{number}.log", "a", encoding="utf-8") as log:
            self.daemons[number] = subprocess.Popen([self.programs.spurd, *self.arguments(number, **options)], stdout=log,
                                                    stderr=log)

    def put_two_to_work(self, replicas=1, **options):
        """Daemons 1 and 2, both ready before the first event comes: harm does not meet a start."""
        self.make_topics(replicas)
        for number in (1, 2):
            self.start(number, **options)
        for number in (1, 2):
            self.await_ready(number)
        self.load()

    def refused(self, number, **options):
        """Starts a daemon that should end by itself: its exit code and all that it said."""
        done = subprocess.run([self.programs.spurd, *self.arguments(number, **options)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=False)
        return done.returncode, done.stdout

    def signal(self, number, what):
        self.daemons[number].send_signal(what)

    def kill(self, number):
        self.signal(number, signal.SIGKILL)
        self.daemons.pop(number).wait()

    def stop(self, number):
        daemon = self.daemons.pop(number)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and daemon.poll() is None and not takes_orders(daemon):
            time.sleep(0.01)
        daemon.terminate()
        try:
            self.codes.append(daemon.wait(PATIENCE))
        except subprocess.TimeoutExpired:
            daemon.kill()
            self.codes.append("hung")

    def lose_disk(self, number):
        shutil.rmtree(self.folder / f"state-{number}", ignore_errors=True)

    def log_of(self, number):
        return (self.folder / f"spurd-{number}.log").read_text(encoding="utf-8")

    def ready(self, number):
        """(whether it is ready, what it says about it)"""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[number]}/readyz", timeout=5) as answer:
                return True, answer.read().decode()
        except urllib.error.HTTPError as error:
            return False, error.read().decode()
        except OSError as error:
            return False, str(error)

    def await_ready(self, number):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            yes, said = self.ready(number)
            if yes:
                return said
            if self.daemons[number].poll() is not None:
                raise AssertionError(f"daemon {number} ended: {self.log_of(number)[-2000:]}")
            time.sleep(0.1)
        raise AssertionError(f"daemon {number} is not ready after {PATIENCE} s: {said}")

    def metrics(self, number):
        """What /metrics says, by name, summed over labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[number]}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        sums = collections.Counter()
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                sums[name.split("{")[0]] += float(value)
        return sums

    def await_parked(self, number, reason):
        """Until some shard is parked for that reason."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            yes, said = self.ready(number)
            if not yes and reason in said:
                return said
            time.sleep(0.1)
        raise AssertionError(f"daemon {number} did not park as {reason} in {PATIENCE} s: {said}")

    def await_said(self, number, pattern):
        """Until its log has a line with `pattern`."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if re.search(pattern, self.log_of(number)):
                return
            time.sleep(0.1)
        raise AssertionError(f"daemon {number} did not say {pattern} in {PATIENCE} s: {self.log_of(number)[-2000:]}")

    def supervise(self):
        """Starts again what has ended because the world was away, as whatever supervises a daemon does."""
        for number, daemon in list(self.daemons.items()):
            if daemon.poll() == 3:
                self.count("started again")
                errors = [line for line in self.log_of(number).splitlines() if '"level":"error"' in line]
                print(f"daemon {number} ended with 3: {errors[-1:]}", file=sys.stderr)
                self.start(number, **self.options[number])

    # --- the verdict ---

    def sent(self, topic):
        """What a channel has, by bench/peers/tools/check; None while the broker is away."""
        done = subprocess.run([self.programs.check, "--bootstrap", self.bootstrap, "--topic", topic, "--shape", "spur"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def await_all(self, topics=None):
        """Until as many actions are there as should be, or patience ends: whether they are."""
        self.await_input()
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            sent = [self.sent(topic) for topic in topics or self.outputs()]
            if all(one and one["actions"] >= self.expected["actions"] for one in sent):
                return True
            self.supervise()
            time.sleep(0.5)
        return False

    def audit(self, *flags):
        """(exit code, report)"""
        snapshots = ["--snapshots", self.snapshots] if self.snapshots else []
        done = subprocess.run([self.programs.spur, "audit", "--kafka-brokers", self.bootstrap, "--kafka-topic-prefix", self.prefix,
                               "--json", *snapshots, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False)
        return done.returncode, json.loads(done.stdout) if done.stdout else {"said": done.stderr}

    def await_taken(self):
        """Until the audit says that every input was taken and nothing is on its way, or patience ends."""
        self.await_input()
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            _, report = self.audit()
            if report.get("waiting") == 0 and not any(shard["inputs_left"] for shard in report["shards"]):
                return
            self.supervise()
            time.sleep(0.5)

    def epochs(self):
        """How often a shard was claimed so far, over all shards."""
        code, report = self.audit()
        if code != 0:
            raise AssertionError(f"spur audit answered {code}: {json.dumps(report)[:3000]}")
        return sum(shard["journal"]["epoch"] for shard in report["shards"])

    def verdict_by_audit(self):
        """The verdict where the topic of actions does not hold all of them any more: what is wrong, as sentences."""
        self.await_taken()
        for number in list(self.daemons):
            self.stop(number)
        code, report = self.audit("--settled", "--whole")
        if code != 0:
            return [f"spur audit answered {code}: {json.dumps(report)[:3000]}"]
        actions = [o for shard in report["shards"] for o in shard["outputs"] if o["partition"].startswith(self.output)]
        decided = sum(o["expected"] for o in actions)
        there = sum(o["matched"] for o in actions)
        self.did |= {"actions": decided, "no longer kept": sum(o["expired"] for o in actions),
                     "repeats": sum(o["repeats"] for o in actions), "effects audited": report["matched"]}
        wrong = []
        if decided != self.expected["actions"]:
            wrong.append(f"{decided} actions were decided, and the reference says {self.expected['actions']}")
        if there == 0:
            wrong.append("no action is there: nothing was tried")
        if any(self.codes):
            wrong.append(f"a daemon did not stop cleanly: {self.codes}")
        return wrong

    def verdict(self):
        """What is wrong, as sentences. Stops all daemons."""
        self.await_all()
        for number in list(self.daemons):
            self.stop(number)
        wrong = []
        for topic in self.outputs():
            sent = self.sent(topic)
            if any(sent[what] != self.expected[what] for what in ("actions", "checksum") if what in self.expected):
                wrong.append(f"what was sent to {topic} is not what the reference says: {sent} for {self.expected}")
            if sent["holes"]:
                wrong.append(f"spurseq of {topic} has {sent['holes']} holes")
            if topic == self.once and sent["repeats"]:
                wrong.append(f"{sent['repeats']} actions stand twice in {topic}, whose channel asks for transactions")
        sent = self.sent(self.output)
        code, report = self.audit("--settled", "--whole")
        if any(self.codes):
            wrong.append(f"a daemon did not stop cleanly: {self.codes}")
        if code != 0:
            wrong.append(f"spur audit answered {code}: {json.dumps(report)[:3000]}")
        else:
            journals = [shard["journal"] for shard in report["shards"]]
            self.did |= {"actions": sent["actions"], "repeats": sent["repeats"], "effects audited": report["matched"],
                         "epochs": sum(j["epoch"] for j in journals), "late entries": sum(j["late"] for j in journals),
                         "lost claims": sum(j["claims_lost"] for j in journals)}
        return wrong

    def end(self):
        for process in [*self.daemons.values(), *([self.producer] if self.producer else [])]:
            if process.poll() is None:
                process.kill()
                process.wait()


class Memory(threading.Thread):
    """The most that any daemon has taken, as Linux counts it."""

    def __init__(self, d):
        super().__init__(daemon=True)
        self.d, self.peak, self.ended = d, 0, threading.Event()

    def run(self):
        while not self.ended.wait(0.1):
            for daemon in list(self.d.daemons.values()):
                try:
                    with open(f"/proc/{daemon.pid}/status", encoding="ascii") as status:
                        kib = [int(line.split()[1]) for line in status if line.startswith("VmRSS:")]
                except OSError:
                    continue
                self.peak = max(self.peak, *(k << 10 for k in kib), 0)


def not_here(why):
    """The exit code of a test that this machine cannot run: it is skipped, but not in CI, where nothing may go untried."""
    print(why, file=sys.stderr)
    return 1 if os.environ.get("CI") else 77


def no_broker():
    return not_here("no broker: install packages-test.txt and run by ctest, or set SPUR_TEST_KAFKA")


def main(run, rounds, own_brokers=None, **settings):
    """Runs a fault test: `run` answers what is wrong, as sentences. `own_brokers`(folder) makes brokers that it may harm."""
    programs = Programs(sys.argv[1])
    rounds, seed = int(os.environ.get("SPUR_ROUNDS", rounds)), int(os.environ.get("SPUR_SEED", "1"))
    name = pathlib.Path(sys.argv[0]).stem
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"spur-{name}-"))
    begun = time.monotonic()
    cluster = deployment = None
    try:
        try:
            cluster = own_brokers(folder) if own_brokers else None
            bootstrap = cluster.bootstrap if cluster else brokers.shared()
        except brokers.Absent as why:
            bootstrap = ""
            print(why, file=sys.stderr)
        if not bootstrap:
            return no_broker()
        snapshots = settings.pop("snapshots", None)
        deployment = Deployment(programs, bootstrap, folder, seed % 2 == 0 if snapshots is None else snapshots)
        for setting in ("events", "rate"):
            if f"SPUR_{setting.upper()}" in os.environ:
                settings[setting] = int(os.environ[f"SPUR_{setting.upper()}"])
        for setting, value in settings.items():
            setattr(deployment, setting, value)
        deployment.brokers = cluster
        try:
            wrong = run(deployment, rounds, random.Random(seed))
        except AssertionError as failed:
            wrong = [str(failed)]
        figures = {"test": name, "rounds": rounds, "seed": seed, "seconds": round(time.monotonic() - begun, 1),
                   "wrong": len(wrong), **deployment.did}
        print(json.dumps(figures))
        for what in wrong:
            print(f"{name}: {what}", file=sys.stderr)
        if wrong:
            for log in (*sorted(folder.glob("spurd-*.log")), *folder.glob("gen.log")):
                print(f"== {log.name}\n{log.read_text(encoding='utf-8')[-LOG_TAIL:]}", file=sys.stderr)
        return 1 if wrong else 0
    finally:
        if deployment:
            deployment.end()
        if cluster:
            cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
