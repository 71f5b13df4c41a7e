#!/usr/bin/env python3
"""The only broker is killed (-9) and started again, again and again, while two daemons work and events come in: nothing is lost,
nothing comes twice.

    kill_broker.py BUILD         SPUR_ROUNDS=N (default 2), SPUR_SEED=S

With SPUR_TRANSACTIONAL=1 it is away, every second time, for longer than a transactional producer keeps a record: those transactions
fail with records in them.
"""
import sys
import time

import brokers
import deployment

LONGER = 26  # seconds: daemon/log/kafka/handle.h, kTransactionalDeliveryMax and what the machine may be late


def run(d, rounds, rng):
    d.put_two_to_work()
    for number in range(rounds):
        time.sleep(rng.uniform(0.5, 3))
        d.brokers.kill()
        d.count("brokers killed")
        time.sleep(LONGER if d.transactional and number % 2 == 0 else rng.choice((0, 0, 1)))
        d.brokers.restart()
    return d.verdict()


if __name__ == "__main__":
    sys.exit(deployment.main(run, rounds=2, own_brokers=brokers.Brokers, events=100_000, rate=8_000))
