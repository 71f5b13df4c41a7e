// Instances against a map of the same waits, and the shortened form of what they keep of an event.
#include "state/instances.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "state/codec/uuid_text.h"
#include "state/compact_text.h"

namespace spur {
namespace {

constexpr const char* kUuid = "0123abcd-4567-89ef-a0b1-c2d3e4f5a6b7";

struct Wait {
  std::uint32_t trigger = 0, count = 0;
  Instant opened_at, due;
  std::string key, opened;

  Instances::Fresh fresh() const { return {trigger, count, opened_at, due, key, opened}; }
};
using Model = std::map<std::pair<std::uint32_t, std::string>, Wait>;

void expect_same(const Instances& waits, const Model& model) {
  ASSERT_EQ(waits.size(), model.size());
  ASSERT_EQ(waits.empty(), model.empty());
  auto it = model.begin();
  Arena arena;
  for (const Instances::View& wait : waits) {
    const Wait& expected = (it++)->second;
    ASSERT_EQ(wait.trigger, expected.trigger);
    ASSERT_EQ(wait.key, expected.key);
    ASSERT_EQ(wait.count, expected.count);
    ASSERT_EQ(wait.opened_at, expected.opened_at);
    ASSERT_EQ(wait.due, expected.due);
    ASSERT_EQ(Instances::opened(wait, arena), expected.opened);
  }
}

std::string some_opened(std::mt19937_64& random) {
  std::string bytes(random() % 5, 'x');
  if (random() % 3 == 0) return bytes;
  bytes += '\x24';
  bytes += kUuid;
  return bytes + std::string(random() % 200, 'y');
}

TEST(Instances, StandInTheOrderOfTriggerAndKeyWhateverComesAndGoes) {
  std::mt19937_64 random(1);
  Instances waits;
  Model model;
  for (int n = 0; n < 4'000; ++n) {
    const auto trigger = static_cast<std::uint32_t>(random() % 4);
    const std::string key(random() % 3, static_cast<char>('a' + random() % 3));
    const bool there = model.contains({trigger, key});
    ASSERT_EQ(waits.contains(trigger, key), there);
    const Instances::Iterator at = waits.lower_bound(trigger, key);
    if (!there) {
      const Wait fresh{trigger, 1,   {static_cast<std::int64_t>(random() % 1000)},
                       {n},     key, some_opened(random)};
      model[{trigger, key}] = fresh;
      waits.insert(fresh.fresh());
    } else if (random() % 2 == 0) {
      const auto next = std::next(model.find({trigger, key}));
      const Instances::Iterator behind = waits.erase(at);
      ASSERT_EQ(behind == waits.end(), next == model.end());
      if (next != model.end()) {
        ASSERT_EQ((*behind).key, next->second.key);
      }
      model.erase({trigger, key});
    } else {
      Wait& restarted = model[{trigger, key}];
      restarted.due = {n};
      restarted.opened_at = {-n};
      waits.restart(at, ++restarted.count, restarted.opened_at, restarted.due);
    }
    ASSERT_NO_FATAL_FAILURE(expect_same(waits, model));
  }
}

TEST(Instances, MadeAtOnceOfWaitsInAnyOrderAreThoseInsertedOneByOne) {
  std::mt19937_64 random(2);
  Model model;
  for (int n = 0; n < 300; ++n) {
    const auto trigger = static_cast<std::uint32_t>(random() % 4);
    const std::string key = std::to_string(random() % 100);
    model[{trigger, key}] = {trigger, 1, {n}, {-n}, key, some_opened(random)};
  }
  std::vector<Instances::Fresh> fresh;
  for (const auto& [name, wait] : model) fresh.push_back(wait.fresh());
  std::shuffle(fresh.begin(), fresh.end(), random);
  const Instances waits = Instances::of(fresh);
  ASSERT_NO_FATAL_FAILURE(expect_same(waits, model));
  for (std::uint32_t trigger = 0; trigger < 5; ++trigger) {
    EXPECT_EQ(waits.count(trigger), static_cast<std::size_t>(std::count_if(
                                        model.begin(), model.end(), [&](const auto& named) {
                                          return named.first.first == trigger;
                                        })));
  }
  EXPECT_TRUE(Instances::of({}).empty());
}

TEST(Instances, TenThousandOfATriggerAreKept) {
  Instances waits;
  for (int n = 0; n < 10'000; ++n) {
    const std::string key = std::to_string(n), opened(64, 'x');
    waits.insert({7, 1, {n}, {n}, key, opened});
  }
  EXPECT_EQ(waits.size(), 10'000u);
  EXPECT_TRUE(waits.contains(7, "9999"));
  while (!waits.empty()) waits.erase(waits.begin());
  EXPECT_EQ(waits.heap_bytes(), 0u);
}

std::string shorten_uuid(std::string_view bytes) {
  const ShortenedUuid shortened(bytes);
  std::string out(shortened.size(), '\0');
  shortened.write(out.data());
  return out;
}

TEST(UuidText, ComesBackAsItWas) {
  Arena arena;
  const std::string uuid = std::string("\x24") + kUuid;
  std::string upper = uuid, dashes = uuid, letter = uuid;
  upper[9] = 'A';
  dashes[9] = '0';
  letter[3] = 'g';
  for (const std::string& bytes :
       {std::string(), std::string("a"), uuid, "front" + uuid, uuid + "behind", uuid + uuid,
        std::string(kUuid), "\x23" + std::string(kUuid), uuid.substr(0, 36),
        std::string(254, 'x') + uuid, std::string(255, 'x') + uuid, std::string(4000, 'x'), upper,
        dashes, letter, std::string(5, '\0') + uuid + '\0'}) {
    EXPECT_EQ(expand_uuid(shorten_uuid(bytes), arena), bytes);
  }
}

TEST(UuidText, TakesTwentyBytesLessAndOneMore) {
  const std::string uuid = std::string("\x24") + kUuid;
  EXPECT_EQ(shorten_uuid("front" + uuid + "behind").size(), 5 + uuid.size() + 6 - 20 + 1);
  EXPECT_EQ(shorten_uuid(kUuid).size(), 36u + 1u);  // no length in front of it
}

TEST(CompactText, KeepsShortAndLongTextsWithTheirSizeInFront) {
  for (const std::size_t size : {0u, 1u, 254u, 255u, 256u, 70'000u}) {
    const std::string text(size, 'x');
    const CompactText compact(text);
    EXPECT_EQ(compact.view(), text);
    EXPECT_EQ(compact.memory_bytes(), size == 0 ? 0 : size + (size < 255 ? 1 : 5));
  }
}

}  // namespace
}  // namespace spur
