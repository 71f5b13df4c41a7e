#!/usr/bin/env python3
"""The broker answers producers late, by 50 to 1,000 milliseconds for each piece of an answer, while it hands out inputs as fast as
ever: they wait where they are durable, no daemon gives up or takes more memory for them than may wait in a client, and nothing is
lost or done twice.

    slow_broker.py BUILD         SPUR_ROUNDS=N (default 6), SPUR_SEED=S
"""
import sys
import time

import brokers
import dead_topic
import deployment

# What may wait in a daemon that has two of four shards: inputs that the client has fetched, 16 MiB a partition. More than three times as
# many bytes of inputs come in for it meanwhile.
MORE = 32 << 20
DELAYS = (0.05, 0.2, 1)  # seconds


def folded(d):
    return int(sum(d.metrics(number)["spur_events_folded_total"] for number in d.daemons))


def run(d, rounds, rng):
    peak = dead_topic.peak_when_all_is_well(d, (1, 2))
    d.make_topics()
    d.load()
    memory = deployment.Memory(d)
    memory.start()
    for number in (1, 2):
        d.start(number, **dead_topic.OPTIONS)
    for number in (1, 2):
        d.await_ready(number)
    begun = folded(d)
    for round_ in range(rounds):
        d.brokers.wire.delay = DELAYS[round_ % len(DELAYS)]
        time.sleep(rng.uniform(1, 3))
        d.count("times slow")
        if any(daemon.poll() is not None for daemon in d.daemons.values()):
            return ["a daemon gave up, only because the broker was slow"]
    slow, done = memory.peak, folded(d)
    d.brokers.wire.delay = 0.0
    wrong = d.verdict()
    memory.ended.set()
    d.did |= {"events before": begun, "events while slow": done - begun, "MiB while slow": slow >> 20,
              "MiB at most": memory.peak >> 20, "MiB where all is well": peak >> 20}
    if done - begun < d.events / 100:
        wrong.append(f"{begun} events were folded before and {done} in the end: nothing was tried")
    if memory.peak > peak + MORE:
        wrong.append(f"a daemon took {memory.peak >> 20} MiB, and {peak >> 20} where the broker is not slow")
    return wrong


if __name__ == "__main__":
    sys.exit(deployment.main(run, rounds=6, own_brokers=brokers.Wired, events=800_000, rate=40_000))
