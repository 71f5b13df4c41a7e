#!/usr/bin/env python3
"""Of three brokers, with three replicas of everything and two in sync, one at a time is killed (-9) or stopped for a while and
comes back, while two daemons work and events come in: nothing is lost, nothing comes twice, and nobody waits for it to return.

    lose_broker_of_three.py BUILD          SPUR_ROUNDS=N (default 1), SPUR_SEED=S
"""
import sys
import time

import brokers
import deployment


def run(d, rounds, rng):
    d.put_two_to_work(replicas=3, kafka_dev=None)
    for _ in range(rounds):
        time.sleep(rng.uniform(0.5, 2))
        broker = rng.choice((1, 2, 3))
        if rng.random() < 0.6:
            d.brokers.kill(broker)
            d.count("brokers killed")
            time.sleep(rng.uniform(0, 4))
            d.brokers.restart(broker)
        else:
            d.brokers.pause(broker)
            d.count("brokers paused")
            time.sleep(rng.uniform(1, 12))
            d.brokers.resume(broker)
        time.sleep(3)  # until it is in sync again: two at once would be another fault
    return d.verdict()


def three(folder):
    return brokers.Brokers(folder, count=3, heap="384m")


if __name__ == "__main__":
    sys.exit(deployment.main(run, rounds=1, transactional=True, own_brokers=three, events=40_000, rate=5_000))
