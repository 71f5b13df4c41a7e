"""The brokers that fault tests run on: the one that ctest's fixture has started for all, or some of a test's own, which it may
kill, by scripts/kafka. And a wire between clients and a broker that can be made to swallow answers."""
import os
import pathlib
import selectors
import shutil
import socket
import subprocess
import threading
import time

PRODUCE = b"\0\0"  # the number of that request, behind its size
ROOT = pathlib.Path(__file__).resolve().parents[2]


def shared():
    """host:port of the broker of the suite, as tests/kafka/broker.h finds it; empty if there is none."""
    if named := os.environ.get("SPUR_TEST_KAFKA"):
        return named
    env = pathlib.Path(os.environ.get("SPUR_TEST_KAFKA_FOLDER", "/nowhere")) / "env"
    return env.read_text(encoding="utf-8").strip().split("=", 1)[1] if env.exists() else ""


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for s in held:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


class Absent(Exception):
    """Kafka cannot be run on this machine."""


class Brokers:
    """Brokers of one test's own."""

    def __init__(self, folder, count=1, heap="512m", properties=()):
        self.folder = pathlib.Path(folder) / "kafka"
        arguments = ["--brokers", str(count), "--heap", heap, "--young", "200m"]
        for name, value in properties:
            arguments += ["--property", f"{name}={value}"]
        done = self.call("start", *arguments, check=False)
        if done.returncode == 77:
            raise Absent(done.stderr)
        done.check_returncode()
        self.bootstrap = (self.folder / "env").read_text(encoding="utf-8").strip().split("=", 1)[1]

    def call(self, command, *arguments, check=True):
        # Its output goes to a file: the brokers inherit it and would keep a pipe open.
        log = self.folder.parent / "scripts-kafka.log"
        with open(log, "a", encoding="utf-8") as out:
            done = subprocess.run([ROOT / "scripts/kafka", command, *arguments, "--folder", self.folder], stdout=out,
                                  stderr=out, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"scripts/kafka {command}: {log.read_text(encoding='utf-8')[-2000:]}")
        done.stderr = log.read_text(encoding="utf-8")[-2000:]
        return done

    def kill(self, number=1):
        self.call("kill", str(number))

    def restart(self, number=1):
        self.call("restart", str(number))

    def pause(self, number=1):
        self.call("pause", str(number))

    def resume(self, number=1):
        self.call("resume", str(number))

    def rights(self, *arguments):
        """What kafka-acls does with these flags; the broker has to have an authorizer."""
        subprocess.run(["java", "-Xmx128m", "-cp", ROOT / "build/kafka/jars/*", "kafka.admin.AclCommand", "--bootstrap-server",
                        self.bootstrap, *arguments], check=True, capture_output=True)

    def stop(self):
        self.call("stop")
        shutil.rmtree(self.folder, ignore_errors=True)


class Wire:
    """Clients reach `port`, and through it the broker. swallow() takes what the broker answers, and cuts all connections at
    its end: requests were carried out, and nobody was told. While `delay` is set each piece of an answer to a producer takes so many
    seconds more, and so does what it asks meanwhile on that connection."""

    def __init__(self, port):
        self.port, self.to = port, None
        self.swallowed = self.cuts = 0
        self.swallowing = False
        self.delay = 0.0
        self.lock = threading.Lock()
        self.pairs = set()
        self.listener = socket.create_server(("127.0.0.1", port), backlog=256)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.to), timeout=2)
                server.settimeout(None)
            except (OSError, TypeError):
                client.close()
                continue
            for s in (client, server):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.pairs.add((client, server))
            threading.Thread(target=self.carry, args=(client, server), daemon=True).start()

    def carry(self, client, server):
        produces = False
        with selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            try:
                while True:
                    for key, _ in ready.select():
                        data = key.fileobj.recv(1 << 16)
                        if not data:
                            return
                        if key.fileobj is server and self.swallowing:
                            self.swallowed += len(data)
                            continue
                        if key.fileobj is client:
                            produces |= data[4:6] == PRODUCE
                        elif produces and self.delay:
                            time.sleep(self.delay)
                        key.data.sendall(data)
            except (OSError, ValueError):
                return
            finally:
                self.close(client, server)

    def close(self, client, server):
        with self.lock:
            self.pairs.discard((client, server))
        for s in (client, server):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def swallow(self, seconds):
        self.swallowing = True
        time.sleep(seconds)
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            self.close(*pair)
        self.cuts += len(pairs)
        self.swallowing = False

    def stop(self):
        self.listener.close()
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            self.close(*pair)


class Wired(Brokers):
    """One broker that calls itself by a wire's port, so that nobody gets around it."""

    def __init__(self, folder):
        (port,) = free_ports(1)
        self.wire = Wire(port)
        super().__init__(folder, properties=[("advertised.listeners", f"PLAINTEXT://127.0.0.1:{port}")])
        self.wire.to = int(self.bootstrap.rsplit(":", 1)[1])
        self.bootstrap = f"127.0.0.1:{port}"

    def stop(self):
        self.wire.stop()
        super().stop()
