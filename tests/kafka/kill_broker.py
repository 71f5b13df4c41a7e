#!/usr/bin/env python3
"""The only broker is killed (-9) and started again, again and again, while two daemons work and events come in: nothing is lost,
nothing comes twice.

    kill_broker.py BUILD         SPUR_ROUNDS=N (default 2), SPUR_SEED=S
"""
import sys
import time

import brokers
import deployment


def run(d, rounds, rng):
    d.put_two_to_work()
    for _ in range(rounds):
        time.sleep(rng.uniform(0.5, 3))
        d.brokers.kill()
        d.count("brokers killed")
        time.sleep(rng.choice((0, 0, 1)))
        d.brokers.restart()
    return d.verdict()


if __name__ == "__main__":
    sys.exit(deployment.main(run, rounds=2, transactional=True, own_brokers=brokers.Brokers, events=100_000, rate=8_000))
