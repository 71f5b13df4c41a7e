// Story: a test tells what happens to whom and when, and reads what was decided.
//
//     Story story(R"(…a catalog…)");
//     story.at("09:30", "ann", "Order Completed", R"({"total":300})");
//     story.run_until("12:00");
//     EXPECT_THAT(story.decisions(), ElementsAre("09:30 thanks sent"));
//
// One shard on the records' clock, as in a backtest, unless it is put on a wall clock. An instant is "09:30",
// "09:30:00.250" (of 2026-03-01) or "03-31 10:00" (of 2026), UTC.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/inputs/record.h"
#include "daemon/inputs/segment.h"
#include "operators/catalog/compiled.h"
#include "operators/shard.h"
#include "spur/v1/catalog.pb.h"
#include "state/memory_store.h"

namespace spur::testing {

Instant instant(std::string_view text);
// The same, back to text: the day is left out on 2026-03-01, seconds where they are zero.
std::string text_of(Instant t);

// The catalog of `yaml`, with a Channel `email` unless it has channels of its own. Errors fail the test.
std::shared_ptr<const catalog::Compiled> catalog_from(std::string_view yaml);
// The same in two steps, so that a version can carry on what it replaces.
spur::v1::Catalog definitions_from(std::string_view yaml);
std::shared_ptr<const catalog::Compiled> compiled(const spur::v1::Catalog& definitions);

class Story {
 public:
  explicit Story(std::string_view yaml, std::uint32_t shards = 1, std::uint32_t shard = 0);
  ~Story();

  // A track. The first character of `event` being `$`, the call of that name, e.g. $identify.
  void at(std::string_view when, std::string_view customer, std::string_view event, std::string_view properties = "{}",
          std::string_view traits = "");
  // The same with a message id of its own; without one each event has a new one.
  void at_with_id(std::string_view id, std::string_view when, std::string_view customer, std::string_view event,
                  std::string_view properties = "{}");
  void feed(std::string_view json);
  // A record of business data that holds from `when` on; it moves the clock.
  void record(std::string_view when, std::string_view reference, std::string_view json);
  // The record of `key` is deleted at `when`.
  void no_record(std::string_view when, std::string_view reference, std::string_view key);
  // The Source, by its place, that the next events belong to.
  void source(std::uint32_t index) { source_ = index; }
  // The clock moves on its own and all that is due fires.
  void tick(std::string_view when);
  void tick(Instant when);
  // Decides all that is due up to and including `when`.
  void run_until(std::string_view when);
  void run_until(Instant when);
  // From now on the clock is the wall's, and stands at `when`.
  void wall(std::string_view when);
  // From now on a history is read: the clock is the records', and the wall's stands at `when`.
  void reading_history_at(std::string_view when);
  void change_catalog(std::string_view yaml);
  // A question about `customer`, a user's id. False: never seen.
  bool look(std::string_view customer);
  // All leaves memory and is read back.
  void restart();
  void restart_after_each_input() { restarts_ = true; }

  // "09:30 trigger[key] channel/template verdict reason {data}" without what is empty or the default: channel `email`,
  // no data. In the documented order; what was asked for already is not given again.
  std::vector<std::string> decisions();
  // Those in full.
  std::vector<Decision> take();
  const std::vector<DeadLetter>& dead_letters() const { return dead_letters_; }
  const Shard::Counters& counters() const;
  std::uint64_t digest() const { return digest_; }
  std::vector<std::string> rows();
  Shard& shard() { return *shard_; }
  Customers& customers() { return *customers_; }

 private:
  void begin(Instant clock);
  void end();
  void take_record(std::string_view when, std::string_view reference, std::string_view key, const Value& body);

  spur::v1::Catalog definitions_;
  std::shared_ptr<const catalog::Compiled> catalog_;
  MemoryStore store_;
  std::uint32_t shards_, index_;
  std::unique_ptr<Customers> customers_;
  std::unique_ptr<Shard> shard_;
  ScoreTape scores_;
  SegmentDecoder decoder_;
  RecordDecoder records_;
  Arena arena_;
  Effects effects_;
  std::vector<Decision> decisions_;
  std::vector<DeadLetter> dead_letters_;
  std::uint32_t source_ = 0;
  std::uint64_t run_ = 0, next_id_ = 0, digest_ = 0;
  Instant clock_ = Instant::distant_past();
  Instant history_read_at_ = Instant::never();
  bool wall_ = false, restarts_ = false;
};

}  // namespace spur::testing
