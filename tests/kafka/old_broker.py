"""As much of an old Kafka broker as a client meets before it gives up: one that answers ApiVersions and Metadata as 0.10.0 did,
with no topic, and knows nothing that came later (https://kafka.apache.org/protocol: the layout of the messages used here).
"""
import socketserver
import struct
import threading

PRODUCE, FETCH, LIST_OFFSETS, METADATA, API_VERSIONS = 0, 1, 2, 3, 18
NEWEST = {PRODUCE: 2, FETCH: 2, LIST_OFFSETS: 0, METADATA: 1, API_VERSIONS: 0}
UNKNOWN_TOPIC, UNSUPPORTED_VERSION = 3, 35


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def api_versions(version):
    error = 0 if version <= NEWEST[API_VERSIONS] else UNSUPPORTED_VERSION
    kinds = b"".join(struct.pack(">hhh", key, 0, newest) for key, newest in NEWEST.items())
    return struct.pack(">hi", error, len(NEWEST)) + kinds


def asked_topics(body):
    (count,), at, names = struct.unpack_from(">i", body), 4, []
    for _ in range(max(0, count)):
        (length,) = struct.unpack_from(">h", body, at)
        names.append(body[at + 2:at + 2 + length].decode())
        at += 2 + length
    return names


def metadata(body, port):
    broker = struct.pack(">i", 1) + text("127.0.0.1") + struct.pack(">ih", port, -1)
    topics = [struct.pack(">h", UNKNOWN_TOPIC) + text(name) + struct.pack(">bi", 0, 0) for name in asked_topics(body)]
    return struct.pack(">i", 1) + broker + struct.pack(">ii", 1, len(topics)) + b"".join(topics)


class Connection(socketserver.StreamRequestHandler):
    def handle(self):
        while head := self.rfile.read(4):
            request = self.rfile.read(struct.unpack(">i", head)[0])
            kind, version, correlation, name = struct.unpack_from(">hhih", request)
            body = request[10 + max(0, name):]
            if kind == API_VERSIONS:
                answer = api_versions(version)
            elif kind == METADATA:
                answer = metadata(body, self.server.server_address[1])
            else:
                return  # as a broker does that does not know what it is asked
            answer = struct.pack(">i", correlation) + answer
            self.wfile.write(struct.pack(">i", len(answer)) + answer)


class OldBroker:
    """In a thread, for as long as the block lasts; `bootstrap` says where."""

    def __enter__(self):
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection)
        self.server.daemon_threads = True
        self.bootstrap = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
