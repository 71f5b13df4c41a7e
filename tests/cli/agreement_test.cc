// Random histories through the catalogs of examples/: on one shard and on four, with and without
// restarts and a clock that moves in between, and in every order of arrival within the lateness,
// the decisions must be the same. Times lie on a coarse grid, so that ties and exact deadlines are
// common.
#include <filesystem>
#include <random>

#include "tests/cli/trigger_test_fixture.h"

namespace spur::trigger_test {
namespace {

struct Setting {
  std::string example;
  Millis lateness;
  Millis grace;
  bool in_order;  // else events come late, beyond any lateness
};

std::string name_of(const testing::TestParamInfo<Setting>& info) {
  std::string name = info.param.example + "_late_" + std::to_string(info.param.lateness.count) +
                     "_grace_" + std::to_string(info.param.grace.count) +
                     (info.param.in_order ? "" : "_disordered");
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); },
      '_');
  return name;
}

std::vector<Setting> settings() {
  std::vector<Setting> all;
  for (const char* example :
       {"r1-cart-abandonment", "r2-browse-abandonment", "r3-frequency-drop", "r4-new-category",
        "r5-new-store", "r6-churn-risk", "r11-win-back", "r12-invoice-due", "mid-session-drop-off",
        "hot-lead", "birthday", "abandonment-ladder"}) {
    all.push_back({example, {0}, {0}, true});
    all.push_back({example, {0}, {0}, false});
    all.push_back({example, kHour * 2, {0}, true});
    all.push_back({example, {0}, kMinute * 10, true});
    all.push_back({example, {0}, kMinute * 10, false});
    all.push_back({example, kHour * 2, kMinute * 10, true});
  }
  for (const char* story : {"worked_time_line"}) {
    all.push_back({story, {0}, {0}, true});
    all.push_back({story, {0}, {0}, false});
    all.push_back({story, kHour * 2, {0}, true});
    all.push_back({story, {0}, kMinute * 10, true});
    all.push_back({story, {0}, kMinute * 10, false});
    all.push_back({story, kHour * 2, kMinute * 10, true});
  }
  return all;
}

std::shared_ptr<const catalog::Compiled> changed_catalog(const Setting& setting) {
  const std::string example = "examples/" + setting.example;
  const std::string folder =
      std::filesystem::exists(example) ? example : "tests/cli/" + setting.example;
  catalog::Loaded loaded = catalog::load_directory(folder);
  EXPECT_EQ(catalog::to_text(loaded.errors), "");
  spur::v1::Catalog& catalog = loaded.catalog;
  if (catalog.policies_size() == 0) catalog.add_policies()->set_name("everything");
  catalog.mutable_policies(0)->set_lateness_ms(setting.lateness.count);
  for (auto& trigger : *catalog.mutable_triggers()) {
    if (trigger.has_absence()) trigger.mutable_absence()->set_grace_ms(setting.grace.count);
    if (trigger.has_session()) trigger.mutable_session()->set_grace_ms(setting.grace.count);
  }
  catalog::CompileResult result = catalog::compile(catalog);
  EXPECT_EQ(catalog::to_text(result.errors), "");
  return result.compiled;
}

// What the catalog listens to, the opening more often.
std::vector<std::string> names_of(const std::string& example) {
  if (example.starts_with("r12"))
    return {"Invoice Issued", "Invoice Issued", "Invoice Paid",
            "Payment Failed", "Payment Failed", "Payment Succeeded"};
  if (example.starts_with("r2"))
    return {"Product Viewed", "Product Viewed", "Product Viewed",
            "Product Viewed", "Product Viewed", "Order Completed"};
  if (example.starts_with("r1-") || example.starts_with("worked"))
    return {"Product Added",   "Product Added",    "Product Added",
            "Product Removed", "Checkout Started", "Order Completed"};
  if (example.starts_with("mid-"))
    return {"Loan Form Started", "Loan Form Started",   "Income Entered",
            "Income Entered",    "Loan Form Submitted", "Network Failed"};
  if (example.starts_with("hot-"))
    return {"Product Added", "Product Added",  "Product Added",
            "Product Added", "Product Viewed", "Order Completed"};
  if (example.starts_with("abandonment-"))
    return {"Checkout Started", "Product Added",         "Product Added",  "Product Viewed",
            "Order Completed",  "Newsletter Subscribed", "Product Viewed", "Unsubscribed"};
  return {"Order Completed", "Order Completed", "Order Completed",
          "Order Completed", "Order Refunded",  "Store Entered"};
}

class History {
 public:
  History(std::uint64_t seed, std::vector<std::string> names)
      : random_(seed), names_(std::move(names)) {}

  // A file with one test without expectations.
  std::string yaml(bool in_order) {
    const std::int64_t steps[] = {60'000, 15 * 60'000, 3'600'000, 86'400'000, 7 * 86'400'000};
    const std::int64_t step = steps[below(std::size(steps))];
    std::vector<std::int64_t> times;
    for (std::uint64_t n = 6 + below(20), i = 0; i < n; ++i) {
      times.push_back(static_cast<std::int64_t>(below(30)) * step +
                      (below(6) == 0 ? static_cast<std::int64_t>(below(3)) - 1 : 0) + 1);
    }
    if (in_order) std::sort(times.begin(), times.end());
    std::string text =
        "start: 2026-03-20T08:00:00Z\ntests:\n  - name: random\n    run_until: 300d\n    expect: "
        "[]\n    events:\n";
    for (const std::int64_t t : times)
      text += "      - {at: " + std::to_string(t) + "ms, " + event() + "}\n";
    return text;
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  std::string one_of(std::initializer_list<const char*> all) {
    return *(all.begin() + below(all.size()));
  }

  std::string event() {
    const std::string name = names_[below(names_.size())];
    std::string text =
        "customer: " + one_of({"ann", "ann", "ann", "bob"}) + ", event: " + name +
        ", properties: {cart_id: " + one_of({"k1", "k2"}) + ", quantity: " + one_of({"1", "2"}) +
        ", product_id: p1, flow_id: " + one_of({"f1", "f2"}) +
        ", total: " + one_of({"150", "300"}) + ", store_id: " + one_of({"1", "2", "3"}) +
        ", invoice_id: " + one_of({"i1", "i2"}) + ", decline: " + one_of({"hard", "soft"}) +
        ", due: " + one_of({"2026-03-28T08:00:00Z", "2026-04-20T08:00:00Z"}) +
        ", products: [{category: " + one_of({"a", "b", "c"}) + ", price: " + one_of({"0", "5"}) +
        "}]}";
    if (below(3) == 0)
      text +=
          ", traits: {email: x, phone: y, push_token: z, device_token: d, birthday: 1990-04-01, "
          "contract_until: " +
          one_of({"2026-05-01", "2026-07-01"}) +
          ", timezone: " + one_of({"America/New_York", "Asia/Tokyo"}) + "}";
    if (below(12) == 0) text += ", id: twice";
    return text;
  }

  std::mt19937_64 random_;
  const std::vector<std::string> names_;  // as often as they are to come
};

class Agreement : public testing::TestWithParam<Setting> {};

TEST_P(Agreement, EveryRunOfARandomHistoryDecidesTheSame) {
  const auto catalog = changed_catalog(GetParam());
  constexpr std::uint64_t kHistories = 25;
  std::size_t decided = 0;
  for (std::uint64_t seed = 1; seed <= kHistories; ++seed) {
    const std::string yaml = History(seed, names_of(GetParam().example)).yaml(GetParam().in_order);
    const TestFile file = parse_test_file("random_test.yaml", yaml);
    ASSERT_EQ(catalog::to_text(file.errors), "");
    const Result result = run_test(catalog, file, file.tests.at(0));
    decided += result.decisions.size();
    const std::string said = text(result.lines);
    ASSERT_EQ(said.find("decides otherwise"), std::string::npos) << "seed " << seed << "\n"
                                                                 << said << yaml;
  }
  EXPECT_GT(decided, 0u) << "the histories miss the triggers";
}

INSTANTIATE_TEST_SUITE_P(Examples, Agreement, testing::ValuesIn(settings()), name_of);

}  // namespace
}  // namespace spur::trigger_test
