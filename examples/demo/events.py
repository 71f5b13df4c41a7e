#!/usr/bin/env python3
"""events.py PART.csv.gz SPLIT HISTORY.jsonl LIVE.jsonl: invoices of the Online Retail part as Segment calls.

Calls before SPLIT (a date) go to HISTORY, the others to LIVE, each in time order. Which calls are real and which are
derived is said in README.md beside this file. Deterministic: the same part gives the same bytes.
"""
import csv
import datetime
import gzip
import json
import sys
import zlib

MINUTE = 60
DAY = 24 * 60 * MINUTE
FUNNEL = {"Product Viewed": 0, "Product Added": 1, "Order Completed": 2, "Order Refunded": 3}


def read_invoices(path):
    """(customer, invoice) -> [unix seconds, lines], in the order of the file."""
    invoices = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            at = datetime.datetime.strptime(row["InvoiceDate"], "%Y-%m-%d %H:%M")
            at = int(at.replace(tzinfo=datetime.timezone.utc).timestamp())
            product = {
                "product_id": row["StockCode"],
                "category": "range " + row["StockCode"][:2],
                "price": float(row["UnitPrice"]),
                "quantity": int(row["Quantity"]),
            }
            entry = invoices.setdefault((row["CustomerID"], row["InvoiceNo"]), [at, []])
            entry[0] = min(entry[0], at)
            entry[1].append(product)
    return invoices


def call(at, customer, name, message_id, properties):
    return (at, customer, FUNNEL[name], message_id, name, properties)


def calls_of(customer, invoice, at, lines):
    total = round(sum(round(line["price"] * 1000) * line["quantity"] for line in lines) / 1000, 3)
    if invoice.startswith("C"):
        yield call(at, customer, "Order Refunded", invoice, {"order_id": invoice, "total": total, "products": lines})
        return
    # Derived: the visit in which it was bought, in the quarter of an hour before.
    for n, line in enumerate(lines[:3]):
        clicked = {"cart_id": invoice, "product_id": line["product_id"], "category": line["category"], "price": line["price"]}
        yield call(at - (14 - 4 * n) * MINUTE, customer, "Product Viewed", f"{invoice}-v{n}", clicked)
        yield call(at - (13 - 4 * n) * MINUTE, customer, "Product Added", f"{invoice}-a{n}", {**clicked, "quantity": line["quantity"]})
    # Derived: a cart that was left two days earlier.
    if zlib.crc32(invoice.encode()) % 4 == 0:
        for n in range(5):
            line = lines[n % len(lines)]
            clicked = {"cart_id": invoice + "-left", "product_id": f"{line['product_id']}.{n}", "category": line["category"], "price": line["price"]}
            left = at - 2 * DAY + 2 * n * MINUTE
            yield call(left, customer, "Product Viewed", f"{invoice}-lv{n}", clicked)
            if n >= 3:
                yield call(left + MINUTE // 2, customer, "Product Added", f"{invoice}-la{n}", {**clicked, "quantity": 1})
    properties = {"order_id": invoice, "cart_id": invoice, "total": total, "products": lines}
    yield call(at, customer, "Order Completed", invoice, properties)


def main():
    part, split, history, live = sys.argv[1:]
    split = int(datetime.datetime.strptime(split, "%Y-%m-%d").replace(tzinfo=datetime.timezone.utc).timestamp())
    calls = [c for (customer, invoice), (at, lines) in read_invoices(part).items() for c in calls_of(customer, invoice, at, lines)]
    calls.sort(key=lambda c: c[:4])
    with open(history, "w", encoding="utf-8") as before, open(live, "w", encoding="utf-8") as after:
        known = set()
        for at, customer, _, message_id, name, properties in calls:
            stamp = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            event = {"type": "track", "messageId": message_id, "userId": customer, "event": name, "timestamp": stamp, "properties": properties}
            if customer not in known:  # the shop has everybody's address, derived too
                known.add(customer)
                event["context"] = {"traits": {"email": f"customer{customer}@example.com"}}
            (before if at < split else after).write(json.dumps(event, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
