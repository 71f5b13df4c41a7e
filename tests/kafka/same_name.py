#!/usr/bin/env python3
"""A second daemon is started under the name of one that runs (kafka.instance): one of the two goes on, the other ends and says why,
and nothing is lost, nothing comes twice.

    same_name.py BUILD           SPUR_ROUNDS=N (default 2), SPUR_SEED=S
"""
import sys
import time

import deployment


def one_ended(d):
    """Which of the two it was, taken out of those that run; None if both go on."""
    until = time.monotonic() + deployment.PATIENCE
    while time.monotonic() < until:
        for number, daemon in d.daemons.items():
            if daemon.poll() is not None:
                return number, d.daemons.pop(number).returncode
        time.sleep(0.1)
    return None, None


def run(d, rounds, rng):
    d.make_topics()
    d.start(1, kafka_instance="twin")
    d.load()
    for _ in range(rounds):
        (running,) = d.daemons
        d.await_ready(running)
        time.sleep(rng.uniform(0, 1))
        d.start(3 - running, kafka_instance="twin")
        number, code = one_ended(d)
        if number is None:
            return ["two daemons of one name both go on"]
        if code != 3 or "group.instance.id" not in d.log_of(number):
            return [f"a daemon ended with {code} and did not say why: {d.log_of(number)[-2000:]}"]
        d.count("twins ended")
    return d.verdict()


if __name__ == "__main__":
    sys.exit(deployment.main(run, rounds=2, rate=10_000))
