#include "daemon/authoring/starter.h"

#include "daemon/authoring/schema.h"

namespace spur::authoring {
namespace {

constexpr char kCatalog[] = R"(# yaml-language-server: $schema=spur.schema.json
#
# A first catalog. `spur validate` checks it, `spur test` runs the tests beside it, `spur fmt` lays it out.
#
# A feature is a number kept for each customer: here, orders of the last 30 days.
apiVersion: spur/v1
kind: Feature
metadata: {name: orders_30d}
spec: {on: Order Completed, aggregate: count, window: 30d}
---
# A channel is where actions go: whoever sends e-mails subscribes to it.
apiVersion: spur/v1
kind: Channel
metadata: {name: email}
spec:
  format: json
  reach: has(traits.email)  # without an address there is nobody to write to
  quiet_hours: {from: "21:00", to: "08:00", zone: customer, then: defer}
  caps: [{max: 1, per: 1d}]
---
# A trigger fires on what a customer does, or, as here, does not do.
apiVersion: spur/v1
kind: Trigger
metadata: {name: cart-abandoned}
spec:
  absence:
    key: event.properties.cart_id
    opens: {on: Product Added}
    closes: {on: Order Completed}
    after: 1h
  while: features.orders_30d == 0  # first orders only
  cooldown: 7d
  actions:
    - {channel: email, template: cart-reminder, data: {cart: instance.key}}
    - {channel: email, template: cart-last-call, after: 2d}
)";

constexpr char kTests[] =
    R"(# What the catalog beside this file is to decide, on a clock of its own. `at` counts from `start`.
catalog: .
start: 2026-03-02T09:00:00Z
tests:
  - name: a forgotten cart is followed up twice
    events:
      - {at: 0m, customer: ann, type: identify, traits: {email: ann@example.com}}
      - {at: 0m, event: Product Added, properties: {cart_id: k1}}
    run_until: 4d
    expect:
      - {at: 1h, trigger: cart-abandoned, template: cart-reminder, verdict: sent, data: {cart: k1}}
      - {at: 49h, trigger: cart-abandoned, template: cart-last-call, verdict: sent}
  - name: an order in time stops both
    events:
      - {at: 0m, customer: ann, type: identify, traits: {email: ann@example.com}}
      - {at: 0m, event: Product Added, properties: {cart_id: k1}}
      - {at: 60m, event: Order Completed, properties: {cart_id: k1, total: 20}}
    run_until: 4d
    expect: []
  - name: who bought another cart meanwhile is not reminded
    events:
      - {at: 0m, customer: ann, type: identify, traits: {email: ann@example.com}}
      - {at: 0m, event: Product Added, properties: {cart_id: k1}}
      - {at: 5m, event: Order Completed, properties: {cart_id: k2, total: 20}}
    run_until: 1d
    expect:
      - {at: 1h, trigger: cart-abandoned, template: cart-reminder, verdict: suppressed, reason: while}
  - name: without an address nothing is sent
    events: [{at: 0m, customer: bob, event: Product Added, properties: {cart_id: k3}}]
    run_until: 1d
    expect:
      - {at: 1h, trigger: cart-abandoned, template: cart-reminder, verdict: suppressed, reason: reachable}
)";

}  // namespace

std::vector<StarterFile> starter_files() {
  return {{"catalog.yaml", kCatalog},
          {"catalog_test.yaml", kTests},
          {"spur.schema.json", catalog_schema()}};
}

}  // namespace spur::authoring
