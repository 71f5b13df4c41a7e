#!/usr/bin/env python3
"""Business data against a second opinion: random histories of views, orders and records, decided by `spur backtest` and by
the few lines below, which go through all customers at each record. The two must agree line by line.

    business_oracle.py SPUR [HISTORIES]
"""
import json
import random
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

START = 1_772_323_200_000  # 2026-03-01T00:00:00Z
MINUTE, HOUR = 60_000, 3_600_000
WITHIN = {"drop": 12 * HOUR, "stock": 20 * HOUR, "slow": 30 * HOUR}
RATE_MAX, RATE_PER = 3, 2 * HOUR

CATALOG = """
apiVersion: spur/v1
kind: Reference
metadata: {name: products}
spec: {topic: products, format: json, key: body.id, time: timestamp(body.at)}
---
apiVersion: spur/v1
kind: Channel
metadata: {name: app}
spec: {format: json}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: drop}
spec:
  class: transactional
  business:
    reference: products
    interest: {on: Viewed, key: event.properties.id, within: 12h}
    closes: {on: Bought, key: event.properties.id}
  if: record.price <= 0.9 * instance.opened.properties.price && (!has(instance.last) || record.price < instance.last.data.price)
  actions: [{channel: app, template: t, data: {price: record.price, views: instance.count}}]
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: stock}
spec:
  class: transactional
  business:
    reference: products
    interest: {on: Viewed, where: "reference.products[event.properties.id].stock == 0", key: event.properties.id, within: 20h}
    closes: {on: Bought, key: event.properties.id}
    when: previous.stock == 0 && record.stock > 0
  if: "!has(instance.last) || instance.last.at < instance.opened.time"
  actions: [{channel: app, template: t, data: {stock: record.stock}}]
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: slow}
spec:
  class: transactional
  business:
    reference: products
    interest: {on: Viewed, key: event.properties.id, within: 30h}
    when: previous.stock == 0 && record.stock > 0
    rate: {max: 3, per: 2h}
  if: record.stock > 0
  actions: [{channel: app, template: t, data: {stock: record.stock}}]
"""


def rfc(ms):
    return datetime.fromtimestamp(ms / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def history(seed):
    """Events and records, by time; one record of a key an instant, as a shop's would be."""
    dice = random.Random(seed)
    customers = [f"c{i}" for i in range(dice.choice([2, 8, 30]))]
    products = [f"p{i}" for i in range(dice.choice([1, 3]))]
    items, t, taken = [], START, set()
    for _ in range(400):
        t += dice.choice([0, 1, MINUTE, 20 * MINUTE, 3 * HOUR if dice.random() < 0.1 else MINUTE])
        product = dice.choice(products)
        if dice.random() < 0.2 and (t, product) not in taken:
            taken.add((t, product))
            items.append((t, 0, {"id": product, "at": rfc(t), "price": dice.choice([70, 80, 90, 100]),
                                 "stock": dice.choice([0, 0, 1, 5])}))
        else:
            name = "Bought" if dice.random() < 0.1 else "Viewed"
            items.append((t, 1, {"name": name, "customer": dice.choice(customers), "id": product,
                                 "price": dice.choice([70, 80, 90, 100])}))
    return sorted(items, key=lambda item: item[:2])  # what holds from t on comes before the events of t


class Opinion:
    def __init__(self):
        self.records = {}    # product: [(since, record)]
        self.interests = {}  # (trigger, product, customer): dict
        self.last = {}       # the same key: (at, data)
        self.passes, self.window = [], None
        self.lines = []

    def record(self, product, t):
        held = [r for since, r in self.records.get(product, []) if since <= t]
        return held[-1] if held else {}

    def show(self, trigger, t, event):
        key = (trigger, event["id"], event["customer"])
        interest = self.interests.get(key)
        if interest is None or interest["due"] < t:
            interest = self.interests[key] = {"opened_at": t, "count": 0}
        interest.update(due=t + WITHIN[trigger], price=event["price"], newest=t, count=interest["count"] + 1)

    def event(self, t, event):
        if event["name"] == "Bought":
            for trigger in ("drop", "stock"):
                self.interests.pop((trigger, event["id"], event["customer"]), None)
            return
        self.show("drop", t, event)
        self.show("slow", t, event)
        if self.record(event["id"], t).get("stock") == 0:
            self.show("stock", t, event)

    def caring(self, trigger, product, changed, now):
        """Who has cared since before the change and still does, the longest first."""
        found = [(i["opened_at"], c, i) for (tr, p, c), i in self.interests.items()
                 if tr == trigger and p == product and i["opened_at"] < changed and i["due"] >= now]
        return sorted(found, key=lambda one: one[:2])

    def fire(self, trigger, product, customer, t, data):
        self.last[(trigger, product, customer)] = (t, data)
        self.lines.append((rfc(t), "user_id:" + customer, trigger, product, json.dumps(data)))

    def change(self, t, record):
        product = record["id"]
        before = self.record(product, t)
        self.records.setdefault(product, []).append((t, record))
        for _, customer, interest in self.caring("drop", product, t, t):
            last = self.last.get(("drop", product, customer))
            if record["price"] <= 0.9 * interest["price"] and (last is None or record["price"] < last[1]["price"]):
                self.fire("drop", product, customer, t, {"price": record["price"], "views": interest["count"]})
        if before.get("stock") != 0 or record["stock"] == 0:
            return
        for _, customer, interest in self.caring("stock", product, t, t):
            last = self.last.get(("stock", product, customer))
            if last is None or last[0] < interest["newest"]:
                self.fire("stock", product, customer, t, {"stock": record["stock"]})
        self.passes.append({"at": t, "product": product, "told": (-1, "")})

    def slot(self, told):
        """When the next turn of the rated trigger is."""
        if self.window is None or told["at"] >= self.window[0] + RATE_PER:
            return told["at"]
        return max(told["at"], self.window[0]) if self.window[1] < RATE_MAX else self.window[0] + RATE_PER

    def turns(self, until):
        """All turns before `until`."""
        while self.passes:
            told = self.passes[0]
            at = self.slot(told)
            if at >= until:
                return
            rest = [one for one in self.caring("slow", told["product"], told["at"], at) if one[:2] > told["told"]]
            if not rest:
                self.passes.pop(0)
                continue
            opened_at, customer, _ = rest[0]
            told["told"] = (opened_at, customer)
            stock = self.record(told["product"], at)["stock"]
            if stock > 0:
                self.fire("slow", told["product"], customer, at, {"stock": stock})
                if self.window is None or at >= self.window[0] + RATE_PER:
                    self.window = [at, 0]
                self.window[1] += 1


def expected(items):
    opinion = Opinion()
    for t, kind, what in items:
        opinion.turns(t)
        opinion.change(t, what) if kind == 0 else opinion.event(t, what)
    opinion.turns(items[-1][0] + 1)
    return sorted(opinion.lines)


def decided(spur, folder, items, shards):
    events, records, out = folder / "events.jsonl", folder / "records.jsonl", folder / "decisions.jsonl"
    with events.open("w") as file:
        for n, (t, kind, e) in enumerate(items):
            if kind == 1:
                file.write(json.dumps({"type": "track", "event": e["name"], "messageId": f"m{n:05}", "userId": e["customer"],
                                       "timestamp": rfc(t), "properties": {"id": e["id"], "price": e["price"]}}) + "\n")
    records.write_text("".join(json.dumps(what) + "\n" for _, kind, what in items if kind == 0))
    subprocess.run([spur, "backtest", "--catalog", folder / "catalog", "--events", events, "--reference", f"products={records}",
                    "--until", rfc(items[-1][0]), "--decisions", out, "--shards", str(shards), "--quiet"], check=True)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert all(line["verdict"] == "sent" for line in lines), lines
    return sorted((d["time"], d["customer"], d["trigger"], d["instance"], json.dumps(d["data"])) for d in lines)


def main():
    spur, histories = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 60
    compared = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "catalog").mkdir()
        (folder / "catalog" / "catalog.yaml").write_text(CATALOG)
        for seed in range(histories):
            items = history(seed)
            want = expected(items)
            compared += len(want)
            for shards in (1, 4):
                got = decided(spur, folder, items, shards)
                if shards > 1:  # each has a part of the rate, rounded up
                    want = [line for line in want if line[2] != "slow"]
                    got = [line for line in got if line[2] != "slow"]
                if got == want:
                    continue
                print(f"history {seed} on {shards} shards:")
                print("\n".join(f"  only spur:   {line}" for line in got if line not in want))
                print("\n".join(f"  only oracle: {line}" for line in want if line not in got))
                return 1
    print(f"{histories} histories, {compared} decisions, the same")
    return 0 if compared > histories else 1  # a catalog that decides nothing agrees with everything


if __name__ == "__main__":
    sys.exit(main())
