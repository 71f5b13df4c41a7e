#!/usr/bin/env python3
"""The broker answers late, by ten to a thousand milliseconds for each piece of an answer: inputs wait where they are durable, no
daemon gives up or takes more memory than for the same work otherwise, and nothing is lost or done twice.

    slow_broker.py BUILD         SPUR_ROUNDS=N (default 3), SPUR_SEED=S
"""
import sys
import time

import brokers
import dead_topic
import deployment

# Of memory that is the same work's, from run to run.
ABOUT = 1.25


def folded(d):
    return int(sum(d.metrics(number)["spur_events_folded_total"] for number in d.daemons))


def run(d, rounds, rng):
    peak = dead_topic.peak_when_all_is_well(d)
    d.make_topics()
    d.load()
    wire = d.brokers.wire
    memory = deployment.Memory(d)
    memory.start()
    for number in (1, 2):
        d.start(number, **dead_topic.OPTIONS)
    wire.delay = 0.05
    for number in (1, 2):
        d.await_ready(number)
    begun = folded(d)
    for _ in range(rounds):
        wire.delay = rng.choice((0.05, 0.2, 1))
        time.sleep(rng.uniform(1, 3))
        d.count("times slow")
    slow, done = memory.peak, folded(d)
    wire.delay = 0.0
    wrong = d.verdict()
    memory.ended.set()
    d.did |= {"events before": begun, "events while slow": done - begun, "MiB while slow": slow >> 20,
              "MiB where all is well": peak >> 20}
    if done in (begun, d.expected["events"]):
        wrong.append(f"{begun} events were folded before and {done} in the end: nothing was tried")
    if slow > peak * ABOUT:
        wrong.append(f"a daemon took {slow >> 20} MiB while the broker was slow, and {peak >> 20} where it is not")
    if d.did.get("started again"):
        wrong.append("a daemon gave up, only because the broker was slow")
    return wrong


if __name__ == "__main__":
    sys.exit(deployment.main(run, rounds=3, own_brokers=brokers.Wired, events=200_000))
