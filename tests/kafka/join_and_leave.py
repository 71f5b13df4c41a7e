#!/usr/bin/env python3
"""Daemons without a lasting name join and leave, by a stop or by kill -9, as fast as they can start: shards are moved all the
time, and nothing is lost, nothing comes twice.

    join_and_leave.py BUILD      SPUR_ROUNDS=N (default 8), SPUR_SEED=S
"""
import sys
import time

import deployment


def run(d, rounds, rng):
    d.make_topics()
    d.start(0, kafka_instance=None)
    d.load()
    for _ in range(rounds):
        time.sleep(rng.uniform(0.1, 1.0))
        running = [n for n in d.daemons if n != 0]
        if len(running) < 3 and (not running or rng.random() < 0.6):
            d.start(min(set(range(1, 5)) - set(running)), kafka_instance=None)
            d.count("joins")
        elif rng.random() < 0.5:
            d.stop(rng.choice(running))
            d.count("leaves")
        else:
            d.kill(rng.choice(running))
            d.count("kills")
    return d.verdict()


if __name__ == "__main__":
    sys.exit(deployment.main(run, rounds=8, rate=10_000, business=True))
