#!/usr/bin/env python3
"""Retention takes everything out of the topics of actions and decisions, and right then an owner is killed: its successor finds no
tail to begin behind, and neither sends again what is long gone nor leaves out what never arrived.

    lose_tail.py BUILD           SPUR_ROUNDS=N (default 3), SPUR_SEED=S
"""
import sys
import time

import deployment


def run(d, rounds, rng):
    d.put_two_to_work()
    for _ in range(rounds):
        time.sleep(rng.uniform(0.5, 2))
        number = rng.choice((1, 2))
        if rng.random() < 0.5:
            d.kill(number)
        for topic in (d.output, f"{d.prefix}.decisions"):
            for partition in range(d.partitions):
                d.topics("trim", topic, partition)
        d.count("times trimmed")
        if number in d.daemons:
            d.kill(number)
        d.start(number)
    return d.verdict_by_audit()


if __name__ == "__main__":
    sys.exit(deployment.main(run, rounds=3, snapshots=False, rate=10_000))
