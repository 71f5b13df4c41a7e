#!/usr/bin/env python3
"""A topic of actions takes nothing, for the broker finds every record too large: the other channels get all of theirs, what waits for
it is on disk and not in memory, and once the topic takes records it gets them all, once and in order.

What a daemon takes anyway is what it takes for the same work where all topics are well, measured first.

    dead_topic.py BUILD          SPUR_ROUNDS=N (default 1): in each the daemon is killed and recovers while the topic is dead
"""
import sys
import time

import deployment

WAITING = 4 << 20   # bytes in memory that may wait for topics, of a shard: all of a limit that is below what one shard has alone


def await_outbox(d, least):
    until = time.monotonic() + deployment.PATIENCE
    while time.monotonic() < until:
        bytes_on_disk = d.metrics(1)["spur_outbox_size_bytes"]
        if bytes_on_disk >= least:
            return bytes_on_disk
        time.sleep(0.2)
    return d.metrics(1)["spur_outbox_size_bytes"]


OPTIONS = {"kafka_waiting_bytes_max": f"{WAITING >> 20}MiB", "state_cache_bytes_max": "16MiB", "state_memory_bytes_max": "32MiB"}


def peak_when_all_is_well(d, daemons=(1,)):
    well = deployment.Deployment(d.programs, d.bootstrap, d.folder / "well")
    well.folder.mkdir()
    well.events, well.customers, well.padded, well.rate = d.events, d.customers, d.padded, d.rate
    well.make_topics()
    well.load()
    memory = deployment.Memory(well)
    memory.start()
    for number in daemons:
        well.start(number, **OPTIONS)
    try:
        if not well.await_all():
            raise AssertionError("where all topics are well, actions are missing")
    finally:
        memory.ended.set()
        well.end()
    return memory.peak


def run(d, rounds, rng):
    peak = peak_when_all_is_well(d)
    d.make_topics()
    d.topics("config", d.heavy, "max.message.bytes=300", "retention.ms=-1")
    d.load()
    memory = deployment.Memory(d)
    memory.start()
    d.start(1, **OPTIONS)
    if not d.await_all([topic for topic in d.outputs() if topic != d.heavy]):
        return ["a dead topic holds up the others"]
    waits = d.expected["actions"] * d.padded
    on_disk = await_outbox(d, waits)
    for _ in range(rounds):
        d.kill(1)
        d.count("kills")
        d.start(1, **OPTIONS)
        d.await_ready(1)
        time.sleep(rng.uniform(0, 1))
    dead_peak = memory.peak
    wrong = []
    if on_disk < waits:
        wrong.append(f"{on_disk:.0f} bytes are in the outbox, and {waits} wait at least")
    # The rest of the difference is the outbox's own: rows on their way to disk, and back.
    if dead_peak - peak > waits / 2:
        wrong.append(f"the daemon took {dead_peak >> 20} MiB while {waits >> 20} MiB waited, and {peak >> 20} where nothing does")
    d.topics("config", d.heavy, "max.message.bytes=1048588", "retention.ms=-1")
    wrong += d.verdict()
    memory.ended.set()
    d.did |= {"MiB that waited": waits >> 20, "MiB on disk": int(on_disk) >> 20, "MiB at most while dead": dead_peak >> 20,
              "MiB where all is well": peak >> 20, "MiB at most": memory.peak >> 20}
    return wrong


if __name__ == "__main__":
    sys.exit(deployment.main(run, rounds=1, padded=8000))
