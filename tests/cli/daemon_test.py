"""What the tool says when it talks to a daemon, which is started here: messages that people act on.

    python3 daemon_test.py SOURCE_DIR SPUR SPURD
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT, SPUR, SPURD = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PATIENCE = 60  # seconds that nothing here needs, unless it hangs


def block(language, number=0):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.S | re.M)[number]


class Daemon(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        self.catalog = self.root / "catalog"
        self.catalog.mkdir()
        (self.catalog / "catalog.yaml").write_text(block("yaml"), encoding="utf-8")
        self.events = self.write("events.jsonl", block("json"))
        self.daemon = subprocess.Popen(
            [SPURD, "--embedded", str(self.root / "data"), "--catalog", str(self.catalog), "--clock", "events",
             "--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0"],
            stderr=subprocess.PIPE, text=True, env={k: v for k, v in os.environ.items() if not k.startswith("SPUR_")})
        self.addCleanup(self.stop)
        self.address = self.wait_for("listening")["grpc"]
        self.wait_for("ready")

    def stop(self):
        if self.daemon.poll() is None:
            self.daemon.kill()
        self.daemon.communicate()

    def wait_for(self, message):
        """The next line of the daemon's log with that message."""
        for line in self.daemon.stderr:
            entry = json.loads(line)
            if entry["message"] == message:
                return entry
        self.fail(f"the daemon ended without saying `{message}`")

    def write(self, name, text):
        path = self.root / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def spur(self, *arguments, given=None):
        done = subprocess.run([SPUR, *arguments, "--address", self.address], input=given, capture_output=True,
                              text=True, timeout=PATIENCE, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_the_live_example_of_the_readme_sends_the_mail(self):
        self.assertEqual(self.spur("publish", self.events)[0], 0)
        noon = re.search(r"^echo '(.*)' \| spur publish -$", block("sh", 1), re.M).group(1)
        code, out, said = self.spur("publish", "-", given=noon + "\n")
        self.assertEqual((code, out.split(" in ")[0]), (0, "1 events"), said)
        code, out, said = self.spur("subscribe", "email", "--count", "1", "--for", str(PATIENCE / 2))
        self.assertEqual(code, 0, said)
        self.assertIn("user_id:ann  cart-abandoned [k1]  your-cart", out)
        code, out, said = self.spur("explain", "ann")
        self.assertEqual(code, 0, said)
        self.assertIn("cart-abandoned [k1]  email your-cart  sent", out)
        self.assertIn("to fire and go out: there has to be Product Added", out)
        code, out, said = self.spur("explain", "ann", "--trigger", "cart-abandoned", "--at", "2026-03-01T08:30:00Z")
        self.assertEqual(code, 0, said)
        self.assertIn("as of 2026-03-01T08:30:00.000Z, from the journal", out)
        self.assertIn("the wait [k1] is over at 2026-03-01T09:00:00Z (in 30m)", out)

    def test_a_customer_is_named_by_the_card_that_the_catalog_maps(self):
        club = self.root / "club"
        club.mkdir()
        (club / "catalog.yaml").write_text(block("yaml") + """
---
apiVersion: spur/v1
kind: Source
metadata: {name: club}
spec:
  format: json
  map: {name: "'Product Added'", time: body.at, identities: {loyalty_id: body.card}, properties: {cart_id: body.cart}}
""", encoding="utf-8")
        self.assertEqual(self.spur("apply", str(club))[0], 0)
        for at in "08:00", "12:00":
            bill = f'{{"card":4711,"cart":"k1","at":"2026-03-01T{at}:00Z"}}\n'
            code, _, said = self.spur("publish", "--source", "club", "-", given=bill)
            self.assertEqual(code, 0, said)
        code, out, said = self.spur("subscribe", "email", "--count", "1", "--for", str(PATIENCE / 2))
        self.assertEqual(code, 0, said)
        self.assertIn("loyalty_id:4711  cart-abandoned [k1]  your-cart", out)
        for command in "get", "explain":
            code, out, said = self.spur(command, "loyalty_id:4711", "--json")
            self.assertEqual(code, 0, said)
            self.assertIn('"customer":"loyalty_id:4711"', out)
            self.assertIn("never seen", self.spur(command, "4711")[2])

    def test_a_misspelt_source_is_told_before_anything_is_sent(self):
        code, out, said = self.spur("publish", "--source", "evnets", self.events)
        self.assertEqual((code, out), (2, ""))
        self.assertIn("the catalog in force has no Source `evnets`; it has events", said)
        self.assertEqual(self.spur("publish", "--source", "events", self.events)[0], 0)

    def test_a_dead_letter_is_told_with_line_reason_and_detail(self):
        bad = self.write("bad.jsonl", '{"type":"track","userId":"u","event":"E","timestamp":"2026-03-01T08:00:00Z"}\n'
                                      '{"type":"track","userId":"u","event":"E","timestamp":"yesterday"}\n')
        code, _, said = self.spur("publish", bad)
        self.assertEqual(code, 1)
        self.assertIn(f"{bad}:2: BAD_TIMESTAMP: `yesterday` is not like", said)

    def test_where_to_go_on_is_told_only_where_there_was_something(self):
        code, out, said = self.spur("publish", str(self.root / "nothing.jsonl"))
        self.assertEqual((code, out), (2, ""))
        self.assertIn("cannot be opened", said)
        code, _, said = self.spur("subscribe", "email", "--cursor", "AAAA")
        self.assertEqual(code, 2)
        self.assertIn("CURSOR_INVALID", said)
        self.assertNotIn("go on with", said)

    def test_an_action_that_could_not_be_printed_is_given_again(self):
        noon = re.search(r"^echo '(.*)' \| spur publish -$", block("sh", 1), re.M).group(1)
        self.spur("publish", "-", given=block("json") + noon + "\n")
        command = [SPUR, "subscribe", "email", "--name", "mailer", "--count", "1", "--address", self.address]
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn("could not be written: No space left", done.stderr)
        code, out, said = self.spur(*command[1:-2], "--for", str(PATIENCE / 2))
        self.assertEqual(code, 0, said)
        self.assertIn("user_id:ann", out)

    def test_a_folder_without_catalog_files_ends_nothing(self):
        empty = self.root / "empty"
        empty.mkdir()
        code, _, said = self.spur("apply", str(empty))
        self.assertEqual(code, 2)
        self.assertIn("no catalog files here", said)
        self.assertIn("is in force already", self.spur("apply", str(self.catalog))[1])

    def test_the_demo_does_not_take_another_daemon_for_its_own(self):
        environment = {**os.environ, "SPUR_BIN": str(pathlib.Path(SPURD).parent), "TMPDIR": str(self.root),
                       "SPUR_DEMO_GRPC": self.address, "SPUR_DEMO_HTTP": "127.0.0.1:0"}
        demo = subprocess.run([ROOT / "scripts/demo"], env=environment, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        self.assertEqual((demo.returncode, demo.stdout), (3, ""))
        self.assertIn("another process has the port", demo.stderr)

    def test_a_signal_that_comes_twice_at_once_is_one(self):
        # As `timeout` sends it: to the process, and to its group.
        self.daemon.send_signal(signal.SIGTERM)
        self.wait_for("stopping")
        self.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.wait_for("stopped")["exit_code"], 0)
        self.assertEqual(self.daemon.wait(PATIENCE), 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
