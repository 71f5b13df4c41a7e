#include "tests/operators/brute_business.h"

#include <map>

#include "fmt/format.h"

namespace spur::testing {
namespace {

// The newest of the product's records that hold at `t`, of those that had come when `come` came;
// nullptr: none, or it is deleted.
const RandomRecord* at(const std::vector<RandomRecord>& all, int key, Instant t, Instant come) {
  const RandomRecord* newest = nullptr;
  for (const RandomRecord& record : all) {
    if (record.key != key || record.since > t || record.comes > come) continue;
    if (newest == nullptr || record.since > newest->since) newest = &record;
  }
  return newest == nullptr || newest->deleted ? nullptr : newest;
}

// When the customer has begun to care about the product, as of `t`, and has seen it last.
struct Interest {
  bool open = false;
  Instant opened, seen;
};
Interest interest_of(const std::vector<RandomEvent>& history, const std::string& customer, int key,
                     Instant t, const BusinessRules& rules) {
  Interest found;
  for (const RandomEvent& e : history) {
    if (e.customer != customer || e.key != key || e.time >= t) continue;
    if (found.open && found.seen + rules.within < e.time) found.open = false;
    if (rules.closes && e.name == "Ordered") found.open = false;
    if (e.name != "Viewed") continue;
    if (!found.open) found.opened = e.time;
    found.open = true;
    found.seen = e.time;
  }
  if (found.open && found.seen + rules.within < t) found.open = false;
  return found;
}

std::string price(const RandomRecord* record) {
  return record == nullptr ? "null" : std::to_string(record->price);
}

}  // namespace

std::multiset<std::string> brute_business(const std::vector<RandomEvent>& history,
                                          const std::vector<RandomRecord>& records,
                                          const BusinessRules& rules, Instant until) {
  std::multiset<std::string> sent;
  std::set<std::string> customers;
  for (const RandomEvent& e : history) {
    customers.insert(e.customer);
    if (e.name != "Ordered" || e.time > until) continue;
    // All that came until it is decided counts.
    const RandomRecord* record = at(records, e.key, e.time, e.time + rules.lateness);
    sent.insert(fmt::format(R"({} {} joined  {{"known":{},"price":{}}})", e.time.ms, e.customer,
                            record != nullptr, price(record)));
  }
  const auto tell = [&](const RandomRecord& now, const RandomRecord& before, const char* trigger,
                        std::map<std::pair<std::string, int>, Instant>& told) {
    for (const std::string& customer : customers) {
      const Interest interest = interest_of(history, customer, now.key, now.since, rules);
      if (!interest.open) continue;
      const auto last = told.find({customer, now.key});
      const bool again = last != told.end() && last->second >= interest.opened;
      if (rules.once_a_view && again && last->second >= interest.seen) continue;
      told[{customer, now.key}] = now.since;
      sent.insert(fmt::format(R"({} {} {} {} {{"price":{},"was":{}}})", now.since.ms, customer,
                              trigger, now.key, now.price, before.price));
    }
  };
  std::map<std::pair<std::string, int>, Instant> told_cheaper, told_back;
  for (const RandomRecord& record : records) {
    if (record.comes != record.since || record.deleted || record.since > until) continue;
    // What was known just before it; a late one is no change.
    const RandomRecord* before =
        at(records, record.key, record.since - Millis{1}, record.since - Millis{1});
    if (before == nullptr) continue;
    if (record.price < before->price) tell(record, *before, "cheaper", told_cheaper);
    if (record.stock > 0 && before->stock == 0) tell(record, *before, "back", told_back);
  }
  return sent;
}

std::string catalog_of(const BusinessRules& rules) {
  const auto trigger = [&](const char* name, const char* when) {
    return fmt::format(
        R"(Trigger {}:
  class: service
  business:
    reference: products
    interest: {{on: Viewed, key: event.properties.k, within: {}ms}}
    when: {}
{}{}  actions: [{{channel: email, template: t, data: {{price: record.price, was: previous.price}}}}]
)",
        name, rules.within.count, when,
        rules.closes ? "    closes: {on: Ordered, key: event.properties.k}\n" : "",
        rules.once_a_view
            ? "  if: \"!has(instance.last) || instance.last.at < instance.opened.time\"\n"
            : "");
  };
  return fmt::format(R"(
Policy all: {{lateness: {}ms}}
Reference products: {{topic: products, key: body.id, time: timestamp(body.since)}}
Trigger joined:
  class: service
  event: {{on: Ordered}}
  actions:
    - channel: email
      template: t
      data:
        known: "string(event.properties.?k.orValue(0)) in reference.products"
        price: "reference.products[string(event.properties.?k.orValue(0))].price"
)",
                     rules.lateness.count) +
         trigger("cheaper", "has(previous.price) && record.price < previous.price") +
         trigger("back", "has(previous.stock) && previous.stock == 0 && record.stock > 0");
}

}  // namespace spur::testing
