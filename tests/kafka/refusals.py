#!/usr/bin/env python3
"""A deployment on Kafka that is set up wrongly is refused at its start, with what to do; a shard of which something was taken away
parks with a name; and the audit sees what was done behind a deployment's back.

    refusals.py BUILD [NAME…]     as python3 -m unittest
"""
import pathlib
import re
import shutil
import socket
import sys
import tempfile
import unittest
import warnings

import brokers
import deployment
import old_broker

PROGRAMS = None
CODE_BAD_USE, CODE_WORLD = 2, 3


class OnABroker(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)  # a producer's pipe, read to its end
        folder = tempfile.mkdtemp(prefix="spur-refusals-")
        self.addCleanup(shutil.rmtree, folder, True)
        self.d = deployment.Deployment(PROGRAMS, brokers.shared(), folder)
        self.addCleanup(self.d.end)
        self.d.events, self.d.customers = 5_000, 500
        self.d.write_catalog()

    def assert_refused(self, *patterns, **options):
        code, said = self.d.refused(9, **options)
        self.assertEqual(code, CODE_WORLD, said)
        for pattern in patterns:
            self.assertRegex(said, pattern)

    def work_off(self):
        """Topics, load, and a daemon that has worked it off and stopped."""
        self.d.make_topics()
        self.d.load()
        self.d.start(1)
        self.d.await_all()
        self.d.stop(1)
        self.assertEqual(self.d.codes, [0])


class AStartIsRefused(OnABroker):
    def test_without_the_input_topic(self):
        self.d.topics("create", self.d.output, 4)
        self.assert_refused(re.escape(f"there is no topic {self.d.input}"))

    def test_on_one_broker_unless_that_is_wanted(self):
        self.d.make_topics()
        self.assert_refused("kafka.dev", kafka_dev=None)

    def test_with_another_number_of_shards_than_recorded(self):
        self.work_off()
        self.assert_refused("has 4 shards, for life.*says 2", shards=2)

    def test_with_fewer_partitions_of_the_journal_than_shards(self):
        self.d.make_topics()
        self.d.topics("create", f"{self.d.prefix}.journal", 2, "retention.ms=-1", "message.timestamp.type=LogAppendTime")
        self.assert_refused(r"\.journal has 2 partitions")

    def test_with_a_journal_that_is_compacted(self):
        self.d.make_topics()
        self.d.topics("create", f"{self.d.prefix}.journal", 4, "cleanup.policy=compact")
        self.assert_refused(r"\.journal.*cleanup\.policy")

    def test_with_a_journal_that_ages_out(self):
        self.d.make_topics()
        self.d.topics("create", f"{self.d.prefix}.journal", 4, "retention.ms=1000", "message.timestamp.type=LogAppendTime")
        self.assert_refused(r"\.journal.*retention\.ms")

    def test_when_the_catalogs_topic_was_deleted(self):
        self.work_off()
        self.d.topics("delete", f"{self.d.prefix}.catalog")
        self.assert_refused(r"holds records, but .*\.catalog does not say whose")

    def test_when_the_journal_was_deleted(self):
        self.work_off()
        self.d.topics("delete", f"{self.d.prefix}.journal")
        self.assert_refused("the journal was re-created")

    def test_with_a_property_that_the_protocol_rests_on(self):
        self.d.make_topics()
        code, said = self.d.refused(9, kafka_properties="acks=1")
        self.assertIn(code, (CODE_BAD_USE, CODE_WORLD), said)
        self.assertRegex(said, "acks")

    def test_on_a_broker_that_is_too_old(self):
        with old_broker.OldBroker() as old:
            self.assert_refused("not supported by broker.*the broker is too old, Spur needs what docs/kafka.md lists",
                                kafka_brokers=old.bootstrap)

    def test_when_no_broker_answers(self):
        with socket.socket() as nobody:  # bound, so that nobody else's broker comes to listen there
            nobody.bind(("127.0.0.1", 0))
            self.assert_refused("is the cluster up", kafka_brokers=f"127.0.0.1:{nobody.getsockname()[1]}")


class WithoutARight(unittest.TestCase):
    """On a broker that lets everybody do everything but what a test has taken away."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="spur-rights-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.brokers = brokers.Brokers(cls.folder, properties=[
            ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
            ("super.users", "User:nobody"), ("allow.everyone.if.no.acl.found", "true")])
        cls.addClassCleanup(cls.brokers.stop)
        cls.brokers.rights("--add", "--allow-principal", "User:*", "--operation", "All", "--topic", "*", "--group", "*",
                           "--cluster", "--transactional-id", "*")

    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)
        self.d = deployment.Deployment(PROGRAMS, self.brokers.bootstrap, tempfile.mkdtemp(dir=self.folder))
        self.addCleanup(self.d.end)
        self.d.write_catalog()
        self.d.make_topics()

    def assert_refused_without(self, operation, resource, name):
        self.brokers.rights("--add", "--deny-principal", "User:*", "--operation", operation, f"--{resource}", name)
        code, said = self.d.refused(9)
        self.assertEqual(code, CODE_WORLD, said)
        self.assertRegex(said, re.escape(name) + r".*grant it, docs/kafka\.md lists what Spur needs")

    def test_to_write_an_action_topic_its_actions_wait_until_it_is_given(self):
        denied = ("--deny-principal", "User:*", "--operation", "Write", "--topic", self.d.output)
        self.brokers.rights("--add", *denied)
        self.d.events, self.d.customers = 5_000, 500
        self.d.load()
        self.d.start(1)
        self.d.await_said(1, re.escape(self.d.output) + r".*grant it, docs/kafka\.md lists what Spur needs")
        self.assertEqual(self.d.sent(self.d.output)["actions"], 0)
        self.brokers.rights("--remove", "--force", *denied)
        self.assertEqual(self.d.verdict(), [])

    def test_to_read_the_input_topic_a_start_is_refused(self):
        self.assert_refused_without("Read", "topic", self.d.input)

    def test_to_write_the_journal_a_start_is_refused(self):
        self.assert_refused_without("Write", "topic", f"{self.d.prefix}.journal")

    def test_to_look_how_the_journal_is_set_up_a_start_is_refused(self):
        self.assert_refused_without("DescribeConfigs", "topic", f"{self.d.prefix}.journal")

    def test_to_found_a_deployment_a_start_is_refused(self):
        self.assert_refused_without("Write", "topic", f"{self.d.prefix}.catalog")

    def test_to_be_of_the_group_a_start_is_refused(self):
        self.assert_refused_without("Read", "group", self.d.prefix)


class AnActionTopicOfAnotherDeployment(OnABroker):
    def test_is_left_alone_and_named(self):
        self.work_off()
        before = self.d.topics("ends", self.d.output).stdout
        other = deployment.Deployment(PROGRAMS, brokers.shared(), pathlib.Path(tempfile.mkdtemp(dir=self.d.folder)))
        self.addCleanup(other.end)
        other.input, other.output = self.d.input, self.d.output
        other.write_catalog()
        code, said = other.refused(1)
        self.assertEqual(code, CODE_WORLD, said)
        self.assertRegex(said, re.escape(self.d.output) + r"\[.\] is written by .* too.*give this deployment another topic")
        self.assertEqual(self.d.topics("ends", self.d.output).stdout, before)


class AShardParks(OnABroker):
    def test_on_an_input_topic_that_was_made_again(self):
        self.work_off()
        self.d.topics("delete", self.d.input)
        self.d.topics("create", self.d.input, 4, "retention.ms=-1")
        self.d.start(1)
        self.assertRegex(self.d.await_parked(1, "parked"), "RECREATED|LOST_RUNS")

    def test_without_its_disk_when_the_inputs_are_gone(self):
        self.work_off()
        for partition in range(4):
            self.d.topics("trim", self.d.input, partition)
        self.d.lose_disk(1)
        self.d.start(1)
        self.d.await_parked(1, "TRIMMED")


class TheAudit(OnABroker):
    def findings(self, *flags):
        code, report = self.d.audit("--settled", *flags)
        found = {}
        for shard in report["shards"]:
            for kind, count in shard["findings"].items():
                found[kind] = found.get(kind, 0) + count
        return code, found, report

    def test_is_clean_where_nothing_was_done(self):
        self.work_off()
        self.assertEqual(self.findings("--whole")[:2], (0, {}))

    def test_sees_a_record_of_somebody_else(self):
        self.work_off()
        self.d.topics("write", self.d.output, 1, "not Spur's")
        self.assertEqual(self.findings()[:2], (1, {"FOREIGN": 1}))

    def test_sees_a_topic_that_was_deleted(self):
        self.work_off()
        self.d.topics("delete", self.d.output)
        self.assertEqual(self.findings()[:2], (1, {"TOPIC_MISSING": 4}))

    def test_sees_actions_that_are_gone_with_their_topic(self):
        self.work_off()
        self.d.topics("delete", self.d.output)
        self.d.topics("create", self.d.output, 4)
        code, found, report = self.findings()
        self.assertEqual((code, set(found)), (1, {"MISSING"}))
        self.assertEqual(found["MISSING"], self.d.expected["actions"], report)

    def test_takes_what_was_trimmed_for_aged_out(self):
        self.work_off()
        for partition in range(4):
            self.d.topics("trim", self.d.output, partition)
        code, found, report = self.findings("--whole")
        self.assertEqual((code, found), (0, {}))
        self.assertEqual(report["expired"], self.d.expected["actions"])

    def test_sees_inputs_that_are_not_those_that_were_folded(self):
        self.work_off()
        self.d.topics("delete", self.d.input)
        self.d.topics("create", self.d.input, 4, "retention.ms=-1")
        self.d.events += 1000  # others, as many at least
        self.d.load()
        code, found, _ = self.findings()
        self.assertEqual(code, 1)
        self.assertIn("INPUT_CHANGED", found)

    def test_says_that_it_cannot_replay_without_the_inputs(self):
        self.work_off()
        for partition in range(4):
            self.d.topics("trim", self.d.input, partition)
        code, found, report = self.findings()
        self.assertEqual((code, found, report["unverified_shards"]), (0, {}, 4))
        self.assertEqual(self.findings("--whole")[:2], (1, {"NOT_VERIFIED": 4}))

    def test_compares_a_sample(self):
        self.work_off()
        code, found, report = self.findings("--last", "1", "--shard", "2")
        self.assertEqual((code, found, len(report["shards"])), (0, {}, 1))


def main():
    global PROGRAMS  # what a test case cannot be handed
    PROGRAMS = deployment.Programs(sys.argv[1])
    if not brokers.shared():
        return deployment.no_broker()
    return 0 if unittest.main(argv=sys.argv[:1] + sys.argv[2:], exit=False, verbosity=2).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
