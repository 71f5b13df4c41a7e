#!/usr/bin/env python3
"""Two daemons are killed (-9) again and again while they work off a topic, and sometimes lose their disk with it: nothing is
lost, nothing comes twice.

    kill_daemons.py BUILD        SPUR_ROUNDS=N (default 6), SPUR_SEED=S; even seeds keep snapshots
"""
import sys
import time

import deployment


def run(d, rounds, rng):
    d.make_topics()
    d.load()
    for number in (1, 2):
        d.start(number)
    for _ in range(rounds):
        time.sleep(rng.uniform(0.3, 2))
        number = rng.choice((1, 2))
        d.kill(number)
        d.count("kills")
        if rng.random() < 0.3:
            d.lose_disk(number)
            d.count("disks lost")
        time.sleep(rng.choice((0, 0.3)))
        d.start(number)
    return d.verdict()


if __name__ == "__main__":
    sys.exit(deployment.main(run, rounds=6, transactional=True))
