#!/usr/bin/env python3
"""The disk of a daemon is lost with all of its state: how long until it is ready again, from the newest snapshot and the journal
behind it. The state is made by folding a topic of many customers first, which takes longer than all the rest.

    restore.py BUILD             SPUR_EVENTS=N and SPUR_CUSTOMERS=N: 6,500,000 and 3,400,000 make a gigabyte (default
                                 200,000 and 100,000); SPUR_BUDGET_S=S until ready (default 60)

What is asked: a gigabyte within a minute. The verdict is the audit's alone: every shard replayed from its snapshot, nothing lost,
nothing twice.
"""
import os
import sys
import time

import deployment

BUDGET = float(os.environ.get("SPUR_BUDGET_S", "60"))
CUSTOMERS = int(os.environ.get("SPUR_CUSTOMERS", "100000"))
SNAPSHOTS = 15  # seconds from one to the next


# What a shop keeps of each customer beside what four triggers ask for.
LAST = ("properties.cart_id", "properties.product_id", "properties.category", "properties.store_id", "properties.currency",
        "context.ip", "context.locale", "context.page.path", "context.library.name", "context.library.version")
MORE = "".join(f"""---
apiVersion: spur/v1
kind: Feature
metadata: {{name: last_{path.replace('.', '_')}}}
spec: {{on: "*", aggregate: last, of: "event.{path}"}}
""" for path in LAST) + "".join(f"""---
apiVersion: spur/v1
kind: Feature
metadata: {{name: seen_{days}d}}
spec: {{on: "*", aggregate: count, window: {days}d}}
""" for days in (1, 7, 30, 90))


def bytes_in(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def await_folded(d):
    """Until the daemon has taken all that is in the topic."""
    until = time.monotonic() + 10 * deployment.PATIENCE
    while time.monotonic() < until:
        said = d.metrics(1)
        if said["spur_consumer_lag_records"] == 0 and said["spur_run_inputs_sum"] >= d.events:
            return
        if d.daemons[1].poll() is not None:
            raise AssertionError(f"the daemon ended: {d.log_of(1)[-2000:]}")
        time.sleep(0.5)
    raise AssertionError("the topic is not folded")


def run(d, rounds, rng):
    d.customers, d.more = CUSTOMERS, MORE
    d.make_topics()
    d.load(wait=False)
    if d.producer.wait(10 * deployment.PATIENCE) != 0:
        return ["the load could not be written"]
    begun = time.monotonic()
    d.start(1, state_snapshot_interval=f"{SNAPSHOTS}s")
    d.await_ready(1)
    await_folded(d)
    d.did["seconds to fold it"] = round(time.monotonic() - begun, 1)
    for number in range(rounds):
        # At first what was folded since the last snapshot has to be replayed too; later there is nothing more.
        time.sleep(2 * SNAPSHOTS if number else rng.uniform(0, 2))
        d.kill(1)
        size = bytes_in(d.folder / "state-1")
        d.did["MiB of state"] = size >> 20
        d.lose_disk(1)
        begun = time.monotonic()
        d.start(1, state_snapshot_interval=f"{SNAPSHOTS}s")
        d.await_ready(1)
        took = round(time.monotonic() - begun, 1)
        d.did.setdefault("seconds until ready", []).append(took)
        if took > BUDGET:
            return [f"{size >> 20} MiB of state were there again after {took} s, and should be after {BUDGET}"]
    d.stop(1)
    begun = time.monotonic()
    code, report = d.audit("--settled", "--whole")
    d.did["seconds to audit it"] = round(time.monotonic() - begun, 1)
    d.did["events"] = d.events
    if any(d.codes):
        return [f"a daemon did not stop cleanly: {d.codes}"]
    if code != 0:
        return [f"spur audit answered {code}: {str(report)[:3000]}"]
    d.did["effects audited"] = report["matched"]
    return []


if __name__ == "__main__":
    sys.exit(deployment.main(run, rounds=1, events=200_000, snapshots=True))
