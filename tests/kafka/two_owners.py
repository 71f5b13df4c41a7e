#!/usr/bin/env python3
"""Two daemons are each told by a group of their own that every shard is theirs, so that they claim each shard from one another
for as long as both run: what leaves is still what the reference says, once.

    two_owners.py BUILD          SPUR_ROUNDS=N (default 2), SPUR_SEED=S
"""
import sys
import time

import deployment


def run(d, rounds, rng):
    d.make_topics()
    d.start(1, kafka_group=f"{d.prefix}-a")
    d.load()
    for _ in range(rounds):
        time.sleep(rng.uniform(0.5, 1.5))
        d.start(2, kafka_group=f"{d.prefix}-b")
        d.await_ready(1)  # of its ports at least: both are at work
        time.sleep(rng.uniform(2, 4))
        d.kill(2) if rng.random() < 0.5 else d.stop(2)
        d.count("times with two owners")
    wrong = d.verdict()
    # Starts and ends alone make this many claims: the first daemon's, and a round the second's and the first's again.
    if not wrong and d.did["epochs"] <= d.partitions * (1 + 2 * rounds):
        wrong.append(f"nobody claimed a shard from another: {d.did['epochs']} epochs")
    return wrong


if __name__ == "__main__":
    sys.exit(deployment.main(run, rounds=2, transactional=True, rate=10_000))
