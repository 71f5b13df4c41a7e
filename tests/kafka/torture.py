#!/usr/bin/env python3
"""Every fault of this folder in turn, for as long as it is let, with a new seed each time. What was done and what came of it is
added up in a file, so that it can be stopped at any moment and goes on where it stood: `make torture`.

    torture.py BUILD [--seconds 600] [--rounds 10] [--state BUILD/torture/state.json] [--only FAULT…]

Ends with 1 at the first wrong, whose output stays beside the state; begins there again once that file is gone.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import brokers

HERE = pathlib.Path(__file__).resolve().parent
FAULTS = ("kill_daemons", "kill_broker", "lose_broker_of_three", "pause_owner", "join_and_leave", "lose_acks", "lose_tail",
          "two_owners", "same_name", "full_disk", "dead_topic", "slow_broker")
# Every second time with a transactional channel too (SPUR_TRANSACTIONAL): those whose verdict looks at what it holds.
BOTH = ("kill_daemons", "kill_broker", "lose_broker_of_three", "pause_owner", "join_and_leave", "lose_acks", "two_owners", "same_name",
        "slow_broker")


# What the faults count that takes shards from an owner, or a broker from all.
MOVES = ("joins", "leaves", "kills", "times with two owners", "owners paused beyond their session", "twins ended")
BROKERS = ("brokers killed",)


def read_state(path):
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    return {"next": 0, "seconds": 0, "runs": {}, "skipped": {}, "wrong": 0}


def write_state(path, state):
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
    fresh.rename(path)


def add(totals, figures):
    totals["runs"] = totals.get("runs", 0) + 1
    for name, value in figures.items():
        if name not in ("seed", "test") and isinstance(value, (int, float)):
            totals[name] = round(totals.get(name, 0) + value, 1)


def show(state):
    for fault, totals in sorted(state["runs"].items()):
        print(f"{fault}: " + ", ".join(f"{value} {name}" for name, value in totals.items()))
    for fault, times in state["skipped"].items():
        print(f"{fault}: skipped {times} times; it cannot be done on this machine")
    for what, names in (("brokers killed", BROKERS), ("forced moves", MOVES)):
        print(f"{what}: {sum(totals.get(name, 0) for totals in state['runs'].values() for name in names)}")
    print(f"{state['seconds']:.0f} s in all, {state['wrong']} wrong")


def one(fault, build, rounds, seed, folder, transactional):
    environment = os.environ | {"SPUR_ROUNDS": str(rounds), "SPUR_SEED": str(seed)}
    if transactional:
        environment["SPUR_TRANSACTIONAL"] = "1"
    log = folder / f"{fault}-{seed}.log"
    with open(log, "w", encoding="utf-8") as err:
        done = subprocess.run([sys.executable, "-B", HERE / f"{fault}.py", build], env=environment, stdout=subprocess.PIPE,
                              stderr=err, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode in (0, 77):
        log.unlink()
    return done.returncode, json.loads(lines[-1]) if lines else {}, log


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=600, help="no further run begins after these")
    parser.add_argument("--rounds", type=int, default=10, help="of each run")
    parser.add_argument("--state", type=pathlib.Path)
    parser.add_argument("--only", nargs="+", choices=FAULTS, default=FAULTS)
    arguments = parser.parse_args()
    path = arguments.state or arguments.build / "torture/state.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    state, until = read_state(path), time.monotonic() + arguments.seconds
    shared = None
    if not brokers.shared():
        try:
            shared = brokers.Brokers(path.parent)
        except brokers.Absent as why:
            print(why, file=sys.stderr)
            return 77
        os.environ["SPUR_TEST_KAFKA"] = shared.bootstrap
    try:
        while time.monotonic() < until:
            fault, seed = arguments.only[state["next"] % len(arguments.only)], state["next"] + 1
            begun = time.monotonic()
            transactional = fault in BOTH and state["next"] // len(arguments.only) % 2 == 1
            code, figures, log = one(fault, arguments.build, arguments.rounds, seed, path.parent, transactional)
            if figures and transactional:
                figures["runs by transactions too"] = 1
            state["seconds"] += round(time.monotonic() - begun, 1)
            state["next"] += 1
            if code == 77:
                state["skipped"][fault] = state["skipped"].get(fault, 0) + 1
            else:
                add(state["runs"].setdefault(fault, {}), figures)
            state["wrong"] += code not in (0, 77)
            write_state(path, state)
            print(json.dumps(figures), flush=True)
            if code not in (0, 77):
                print(f"torture: {fault} with seed {seed} and {arguments.rounds} rounds is wrong; see {log}", file=sys.stderr)
                return 1
        return 0
    finally:
        if shared:
            shared.stop()
        show(state)


if __name__ == "__main__":
    sys.exit(main())
