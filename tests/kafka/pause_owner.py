#!/usr/bin/env python3
"""An owner is stopped (SIGSTOP) for longer than its session, so that another takes its shards over, and wakes up again believing
to be the owner: nothing of it is accepted twice, nothing is lost. Sometimes for less than its session, and nothing moves.

    pause_owner.py BUILD         SPUR_ROUNDS=N (default 2), SPUR_SEED=S
"""
import signal
import sys
import time

import deployment


def run(d, rounds, rng):
    d.put_two_to_work()
    before = d.epochs()
    for _ in range(rounds):
        time.sleep(rng.uniform(0.2, 1.5))
        number = rng.choice((1, 2))
        long = rng.random() < 0.8
        d.signal(number, signal.SIGSTOP)
        d.count("owners paused beyond their session" if long else "owners paused")
        time.sleep(deployment.SESSION + rng.uniform(1, 3) if long else rng.uniform(0.5, 3))
        d.signal(number, signal.SIGCONT)
    wrong = d.verdict()
    if not wrong and "owners paused beyond their session" in d.did and d.did["epochs"] <= before:
        wrong.append("an owner was paused beyond its session, and nobody claimed its shards")
    return wrong


if __name__ == "__main__":
    sys.exit(deployment.main(run, rounds=2, transactional=True, rate=8_000))
