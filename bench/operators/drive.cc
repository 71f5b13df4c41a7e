#include "drive.h"

#include <cstdlib>

#include "benchmark/benchmark.h"
#include "fmt/format.h"
#include "operators/catalog/compile.h"
#include "operators/catalog/load.h"
#include "state/check.h"

namespace spur {

std::shared_ptr<const catalog::Compiled> compiled(std::string_view lines) {
  std::string text =
      "---\napiVersion: spur/v1\nkind: Channel\nmetadata: {name: email}\nspec: {topic: e}\n"
      "---\napiVersion: spur/v1\nkind: Source\nmetadata: {name: events}\nspec: {topic: events, format: segment, "
      "deduplicate: 0s}\n";
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', begin), lines.size());
    const std::string_view line = lines.substr(begin, end - begin);
    begin = end + 1;
    if (line.empty()) continue;
    const std::size_t space = line.find(' '), colon = line.find(':');
    text += fmt::format("---\napiVersion: spur/v1\nkind: {}\nmetadata: {{name: {}}}\nspec:{}\n", line.substr(0, space),
                        line.substr(space + 1, colon - space - 1), line.substr(colon + 1));
  }
  const catalog::Loaded loaded = catalog::load_text("catalog.yaml", text);
  catalog::CompileResult result = catalog::compile(loaded.catalog, loaded.positions);
  for (const std::vector<catalog::Error>* errors :
       {&loaded.errors, static_cast<const std::vector<catalog::Error>*>(&result.errors)}) {
    for (const catalog::Error& error : *errors) fmt::print(stderr, "{}\n", error.to_text());
  }
  SPUR_CHECK(result.compiled != nullptr);
  return result.compiled;
}

void make_event(SplitMix& random, std::uint64_t customer, Instant time, Made& made) {
  const std::uint64_t dice = random.below(100);
  make_event(random, customer,
             dice < 55   ? "Product Viewed"
             : dice < 80 ? "Product Added"
             : dice < 88 ? "Product Removed"
             : dice < 95 ? "Checkout Started"
                         : "Order Completed",
             time, made);
}

void make_event(SplitMix& random, std::uint64_t customer, std::string_view name, Instant time, Made& made) {
  const std::uint64_t product = random.below(5000), dice = random.below(100), price = 100 + random.below(9900);
  const std::uint64_t quantity = dice < 90 ? 1 : dice < 98 ? 2 : 3;
  made.user.clear();
  fmt::format_to(std::back_inserter(made.user), "user-{:08}", customer);
  // Within a day, so that the text of an instant is arithmetic.
  constexpr std::int64_t kDay = 86'400'000;
  const std::int64_t of_day = time.ms % kDay;
  const std::int64_t day = time.ms / kDay;
  // The civil date of a day (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
  const std::int64_t z = day + 719'468, era = z / 146'097, doe = z - era * 146'097;
  const std::int64_t yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
  const std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
  const std::int64_t month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  made.json.clear();
  fmt::format_to(
      std::back_inserter(made.json),
      R"({{"type":"track","messageId":"{:08x}-{:04x}-4000-8000-{:012x}","userId":"{}","event":"{}","timestamp":"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",)"
      R"("context":{{"library":{{"name":"analytics.js","version":"4.1.0"}},"page":{{"url":"https://shop.example/p/{}"}}}},)"
      R"("properties":{{"product_id":"p{}","category":"category-{:02}","quantity":{},"price":{}.{:02})",
      random.next() & 0xffffffff, random.next() & 0xffff, random.next() & 0xffffffffffff, made.user, name, year, month,
      doy - (153 * mp + 2) / 5 + 1, of_day / 3'600'000, of_day / 60'000 % 60, of_day / 1000 % 60, of_day % 1000,
      product, product, product % 40, quantity, price / 100, price % 100);
  if (name == "Order Completed") {
    fmt::format_to(std::back_inserter(made.json), R"(,"revenue":{}.{:02},"order_id":"o{}")", price * quantity / 100,
                   price * quantity % 100, random.below(1'000'000'000));
  }
  made.json += "}}";
}

Drive::Drive(std::shared_ptr<const catalog::Compiled> catalog, Store& store, std::size_t memory_limit_bytes)
    : catalog_(std::move(catalog)), store_(store), customers_(store, memory_limit_bytes), shard_(0, 1, customers_) {
  shard_.begin_run({++run_, kInstantMin, Instant::never(), ClockMode::kRecords}, tape_);
  shard_.apply_catalog(catalog_);
  events_.reserve(kRun);
}

void Drive::decode() {
  arena_.reset();
  events_.clear();
  for (const Made& message : messages_) {
    Decoded decoded = decoder_.decode(message.json, catalog_->schema, 0, arena_);
    SPUR_CHECK(std::holds_alternative<Event>(decoded));
    events_.push_back(std::get<Event>(decoded));
  }
}

std::size_t Drive::apply() {
  tape_.clear();
  shard_.begin_run({++run_, shard_.clock(), Instant::never(), ClockMode::kRecords}, tape_);
  const Origin origin;
  for (std::size_t i = 0; i < kHintsAhead; ++i) shard_.expect(messages_[i].user);
  for (std::size_t i = 0; i < kRun; ++i) {
    if (i + kHintsAhead < kRun) shard_.expect(messages_[i + kHintsAhead].user);
    shard_.apply(events_[i], origin, effects_);
  }
  std::size_t woken = 0;
  for (std::uint32_t now = kTimersPerRun; now == kTimersPerRun; woken += now) {
    now = shard_.fire_due({}, effects_).all;
    decisions_ += effects_.decisions.size();
    effects_.clear();
  }
  benchmark::DoNotOptimize(shard_.end_run());
  return woken;
}

void Drive::write_behind() {
  customers_.begin_cut();
  SPUR_CHECK(customers_.encode_cut(~std::size_t{0}));
  SPUR_CHECK(store_.write(customers_.take_cut()).ok());
  customers_.cut_written();
  customers_.evict();
  SPUR_CHECK(customers_.status().ok());
}

}  // namespace spur
