#!/usr/bin/env python3
"""The disk that a daemon keeps its state on is full while it works off a topic: it says so and ends, another takes its shards over,
and with room again it goes on. Needs the right to mount a small tmpfs; exit code 77 without (in CI 1).

    full_disk.py BUILD           SPUR_SEED=S
"""
import pathlib
import subprocess
import sys
import time

import deployment


def mount(folder, size):
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False)
    return done.returncode == 0


ROOM = 1 << 20  # enough to start in, and not for the customers that the topic brings


def fill(path, but):
    """Until no more than `but` bytes fit."""
    with open(path, "wb", buffering=0) as out:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    out.write(bytes(size))
            except OSError:
                pass
        out.truncate(out.tell() - but)


def run(d, _rounds, rng):  # one: once all is folded nothing more is written
    disk = d.folder / "disk"
    if not mount(disk, "64m"):
        sys.exit(deployment.not_here("no right to mount a tmpfs here"))
    try:
        d.make_topics()
        d.load()
        ballast = disk / "ballast"
        fill(ballast, but=ROOM)
        d.start(1, state_dir=disk / "state")
        d.start(2)
        try:
            code = d.daemons.pop(1).wait(deployment.PATIENCE)
        except subprocess.TimeoutExpired:
            return ["a daemon with a full disk goes on as if nothing were wrong"]
        d.count("disks full")
        if code != 3 or "full" not in d.log_of(1):
            return [f"a daemon with a full disk ended with {code} and did not say why: {d.log_of(1)[-2000:]}"]
        ballast.unlink()
        time.sleep(rng.uniform(0, 1))
        d.start(1, state_dir=disk / "state")
        d.await_ready(1)
        return d.verdict()
    finally:
        d.end()
        subprocess.run(["umount", pathlib.Path(disk)], check=False)


if __name__ == "__main__":
    sys.exit(deployment.main(run, rounds=1, snapshots=False, events=200_000, customers=40_000))
