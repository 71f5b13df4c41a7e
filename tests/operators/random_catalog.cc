#include "tests/operators/random_catalog.h"

#include <functional>
#include <vector>

#include "fmt/format.h"

namespace spur::testing {
namespace {

class Wide {
 public:
  explicit Wide(Random& random) : random_(random) {}

  std::string run(const std::string& policy) {
    const int count = 2 + random_.below(8);
    std::string yaml = this->policy(count, policy) + channels() + features();
    for (int i = 0; i < count; ++i)
      yaml += fmt::format("Trigger t{}:\n{}{}", i, operation(), settings());
    return yaml;
  }

 private:
  std::string minutes() { return fmt::format("{}m", 10 * (1 + random_.below(9))); }
  std::string one_of(const std::vector<std::string>& all) {
    return all[static_cast<std::size_t>(random_.below(static_cast<int>(all.size())))];
  }
  std::string maybe(int n, const std::string& text) { return random_.one_in(n) ? text : ""; }

  std::string policy(int triggers, const std::string& more) {
    std::string text =
        "Policy all:\n  zone: " + one_of({"Europe/Stockholm", "UTC", "America/New_York"}) + "\n";
    if (!more.empty()) text += "  " + more + "\n";
    text +=
        maybe(3, fmt::format("  caps: [{{max: {}, per: {}}}]\n", 1 + random_.below(5), minutes()));
    text += maybe(4, "  holdout: {percent: 40, salt: s}\n");
    text += maybe(3, "  arbitration: " + one_of({"channel", "customer"}) + "\n");
    text += maybe(3, fmt::format("  ladders: {{l: {{order: [t{}, t{}], for: {}}}}}\n", 0,
                                 triggers - 1, minutes()));
    if (random_.one_in(2)) {
      text +=
          "  consent:\n"
          "    granted: {on: Viewed, key: \"'mail'\"}\n"
          "    withdrawn: {on: Removed, where: event.properties.v >= 4, key: \"'mail'\"}\n";
      purpose_ = ", purpose: mail";
    }
    return text + maybe(6, "  erasure: {on: Removed, where: event.properties.v == 5}\n");
  }

  std::string channels() {
    return fmt::format(
        "Channel email: {{topic: e, caps: [{{max: {}, per: {}}}]{}}}\n"
        "Channel sms: {{topic: s, quiet_hours: {{from: \"1{}:00\", to: \"0{}:00\", zone: customer, "
        "then: {}}}}}\n"
        "Channel web: {{topic: w, reach: features.orders < 4}}\n",
        1 + random_.below(4), minutes(), purpose_, random_.below(8), random_.below(10),
        one_of({"drop", "defer"}));
  }

  std::string features() {
    std::string text =
        "Reference products: {topic: products, key: body.id}\n"
        "Feature orders: {on: Ordered, aggregate: count}\n";
    const auto window = [&] {
      return maybe(2, ", window: " + minutes() + maybe(3, ", offset: " + minutes()));
    };
    for (const char* kind : {"count", "distinct", "sum", "mean", "min", "max", "first", "last"}) {
      const bool counts = std::string(kind) == "count";
      text += fmt::format("Feature f_{}: {{on: {}, aggregate: {}{}{}}}\n", kind,
                          one_of({"Added", "Viewed", "[Added, Removed]", "\"*\""}), kind,
                          counts ? "" : ", of: event.properties.v", window());
    }
    text += fmt::format("Feature f_gaps: {{on: {}, aggregate: gaps{}}}\n",
                        one_of({"Added", "Viewed"}), window());
    text += fmt::format("Feature f_decayed: {{on: Viewed, aggregate: decayed, half_life: {}}}\n",
                        minutes());
    text += fmt::format(
        "Feature f_key: {{on: Added, by: event.properties.k, aggregate: count{}}}\n", window());
    text += "Feature first_added: {on: Added, aggregate: first, of: event.time}\n";
    text += fmt::format("Session visit: {{keeps: {{on: \"*\"}}, idle: {}}}\n", minutes());
    text += fmt::format(
        "Session cart: {{key: event.properties.k, opens: {{on: Added}}, keeps: {{on: [Added, "
        "Removed]}}, closes: {{on: "
        "Ordered}}, idle: {}}}\n",
        minutes());
    text += "Feature in_cart: {on: [Added, Removed], within: cart, aggregate: count}\n";
    text += "Segment busy: {when: " + quoted(condition()) + "}\n";
    return text +
           "Model churn:\n  bg_nbd: {on: Ordered, horizon: 39w}\n  parameters: {r: 0.25, alpha: 4, "
           "a: 0.8, b: 2.4, "
           "unit: 1h}\n";
  }

  // Of what time alone can make true, at instants that can be computed.
  std::string condition() {
    const int n = 1 + random_.below(5);
    return one_of(
        {fmt::format("features.f_count >= {}", n), fmt::format("features.f_distinct >= {}", n),
         fmt::format("features.f_sum >= {}", 2 * n), fmt::format("features.f_mean < {}", n),
         fmt::format("features.f_min <= {}", n), fmt::format("features.f_max > {}", n),
         fmt::format("features.f_first == {}", n), fmt::format("features.f_last >= {}", n),
         fmt::format("features.f_gaps.count >= {}", n),
         "features.f_gaps.count > 0 && features.f_gaps.mean > duration('5m')",
         fmt::format("features.f_key['1'] >= {}", n), "features.orders % 2 == 1",
         fmt::format("features.f_sum > {} || features.f_count == {}", 3 * n, n)});
  }

  std::string operation() {
    const std::string grace = maybe(3, ", grace: 10s");
    const std::vector<std::function<std::string()>> all = {
        [&] {
          return fmt::format(
              "absence: {{key: event.properties.k, opens: {{on: Added}}, resets: {{on: [Added, "
              "Removed]}}, "
              "closes: {{on: Ordered}}, after: {}{}}}",
              minutes(), grace);
        },
        [&] {
          return fmt::format(
              "absence: {{opens: {{on: Viewed}}, closes: {{on: Added}}, until: event.time + "
              "duration('{}')}}",
              minutes());
        },
        [&] {
          return fmt::format("threshold: {{when: {}{}}}", quoted(condition()),
                             maybe(2, ", rearm: features.f_count == 0"));
        },
        [&] {
          return std::string("threshold: {when: \"'busy' in segments && features.orders >= 1\"}");
        },
        [&] {
          return fmt::format("threshold: {{when: features.f_decayed >= {}, every: {}}}",
                             1 + random_.below(4), minutes());
        },
        [&] { return std::string("event: {on: Viewed, key: event.properties.k}"); },
        [&] { return std::string("event: {on: \"*\", where: event.properties.v > 2}"); },
        [&] {
          return fmt::format("session: {{of: {}, on: {}{}}}", one_of({"visit", "cart"}),
                             one_of({"opened", "closed"}), "");
        },
        [&] {
          return fmt::format("session: {{of: {}, on: idle{}}}", one_of({"visit", "cart"}), grace);
        },
        [&] {
          return fmt::format(
              "novelty: {{on: [Viewed, Added], each: event.properties.items, of: item.v{}}}",
              one_of({"", ", after_first: true", ", kth: 3", ", limit: 2"}));
        },
        [&] {
          return fmt::format("schedule: {{cron: \"{} * * * *\", zone: customer, when: {}{}}}",
                             one_of({"*/20", "0"}), quoted(condition()),
                             maybe(2, ", edge: rising"));
        },
        [&] {
          return fmt::format("rhythm: {{on: {}{}, change: {}, factor: 2, gaps_min: {}{}{}}}",
                             one_of({"Added", "Viewed"}), maybe(3, ", key: event.properties.k"),
                             one_of({"drop", "rise"}), 2 + random_.below(2),
                             maybe(2, ", usual: " + one_of({"median", "p90"})),
                             maybe(4, ", distinct_days: true"));
        },
        [&] {
          return fmt::format(
              "sequence: {{{}steps: [{{on: Viewed}}, {{on: Added, within: {}}}]{}{}}}",
              maybe(2, "key: event.properties.k, "), minutes(),
              maybe(2, ", without: {on: Removed}"),
              maybe(2, ", then_silent: {on: Ordered, for: " + minutes() + grace + "}"));
        },
        [&] {
          return fmt::format(
              "intent: {{scores: [{{on: Viewed, add: 1}}, {{on: Added, add: event.properties.v}}, "
              "{{on: "
              "Removed, add: -2}}], half_life: {}, at_least: {}, rearm_below: 1}}",
              minutes(), 3 + random_.below(6));
        },
        [&] {
          return fmt::format(
              "date: {{of: features.first_added, {}offset: {}d, at: \"1{}:30\", zone: customer}}",
              maybe(2, "every: month, "), random_.below(3), random_.below(10));
        },
        [&] {
          return fmt::format(
              "business: {{reference: products, interest: {{on: Viewed, key: event.properties.k, "
              "within: {}}}{}}}",
              minutes(), maybe(2, ", closes: {on: Ordered}"));
        },
        [&] {
          return fmt::format("segment: {{of: busy, on: {}}}", one_of({"entered", "left"}));
        },
        [&] {
          return fmt::format(
              "prediction: {{model: churn, at_least: 0.{}, rearm_below: 0.2, every: {}}}",
              3 + random_.below(4), minutes());
        },
    };
    return "  " + all[static_cast<std::size_t>(random_.below(static_cast<int>(all.size())))]() +
           "\n";
  }

  static std::string quoted(const std::string& cel) { return "\"" + cel + "\""; }

  std::string channel() { return one_of({"email", "sms", "web"}); }

  std::string settings() {
    std::string text = maybe(3, "  class: " + one_of({"service", "transactional"}) + "\n");
    text += maybe(6, "  shadow: true\n");
    text += maybe(3, fmt::format("  priority: {}\n", random_.below(3)));
    text += maybe(3, "  if: " + condition() + "\n");
    text += maybe(4, "  while: " + condition() + "\n");
    if (random_.one_in(3))
      text += "  cooldown: " + one_of({minutes(), "{key: " + minutes() + "}"}) + "\n";
    else
      text += maybe(4, "  once: " + one_of({"key", "customer"}) + "\n");
    text += maybe(
        3, "  exit: " + one_of({"{on: Ordered}", "{on: Removed, key: event.properties.k}"}) + "\n");
    const std::string data =
        "{n: instance.count, k: instance.key, c: features.f_count, s: features.f_sum, g: "
        "features.in_cart}";
    text +=
        fmt::format("  actions:\n    - {{channel: {}, template: t, data: {}}}\n", channel(), data);
    text += maybe(2, fmt::format("    - {{channel: {}, template: u, after: {}, data: {}}}\n",
                                 channel(), minutes(), data));
    return text + maybe(4, fmt::format("    - {{channel: [{}, {}], template: x, after: 5h, "
                                       "expires: {}, if: features.f_count == 0}}\n",
                                       channel(), channel(), minutes()));
  }

  Random& random_;
  std::string purpose_;
};

}  // namespace

std::string wide_catalog(Random& random, const std::string& policy) {
  return Wide(random).run(policy);
}

}  // namespace spur::testing
