#!/usr/bin/env python3
"""The wire between the daemons and the broker swallows what the broker answers, for a moment or for longer than a request may
take, and is then cut: what was acknowledged and never heard of is neither lost nor done twice.

    lose_acks.py BUILD           SPUR_ROUNDS=N (default 6), SPUR_SEED=S
"""
import sys
import time

import brokers
import deployment


def run(d, rounds, rng):
    d.put_two_to_work()
    wire = d.brokers.wire
    for _ in range(rounds):
        time.sleep(rng.uniform(0.3, 1.5))
        wire.swallow(rng.choice((0.05, 0.3, 1, 4)))
        d.count("times swallowed")
    d.count("connections cut", wire.cuts)
    d.count("bytes swallowed", wire.swallowed)
    return d.verdict() + ([] if wire.swallowed > 0 else ["no answer was swallowed: nothing was tried"])


if __name__ == "__main__":
    sys.exit(deployment.main(run, rounds=6, own_brokers=brokers.Wired, events=100_000, rate=8_000))
