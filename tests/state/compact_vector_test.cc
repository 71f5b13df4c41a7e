// CompactVector against std::vector, and what it promises beyond it.
#include "state/compact_vector.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "state/digest.h"

namespace spur {
namespace {

using Texts = CompactVector<std::string>;

TEST(CompactVector, AnEmptyOneTakesEightBytesAndNoBlock) {
  static_assert(sizeof(Texts) == 8);
  Texts none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.begin(), none.end());
  EXPECT_EQ(none.heap_bytes(), 0u);
  none.clear();
  EXPECT_EQ(none.block(), nullptr);
}

TEST(CompactVector, GrowsByOnePlaceAtFirstAndByAQuarterLater) {
  CompactVector<int> numbers;
  for (int i = 0; i < 4; ++i) {
    numbers.push_back(i);
    EXPECT_EQ(numbers.capacity(), numbers.size());
  }
  std::size_t blocks = 0;
  for (int i = 4; i < 10'000; ++i) {
    const std::size_t before = numbers.capacity();
    numbers.push_back(i);
    blocks += numbers.capacity() != before ? 1 : 0;
  }
  EXPECT_LT(blocks, 50u);
  EXPECT_LE(numbers.capacity(), numbers.size() * 5 / 4 + 1);
}

TEST(CompactVector, AgreesWithAVectorThroughAnyChanges) {
  std::mt19937 random(1);
  Texts ours;
  std::vector<std::string> theirs;
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t at = theirs.empty() ? 0 : random() % theirs.size();
    const std::string text = "a text that is too long to stand inside " + std::to_string(step);
    switch (random() % 8) {
      case 0:
      case 1:
      case 2:
        ours.push_back(text);
        theirs.push_back(text);
        break;
      case 3:
        EXPECT_EQ(*ours.insert(ours.begin() + at, text), text);
        theirs.insert(theirs.begin() + static_cast<std::ptrdiff_t>(at), text);
        break;
      case 4:
        if (theirs.empty()) break;
        ours.erase(ours.begin() + at);
        theirs.erase(theirs.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 5: {
        const std::size_t end = at + (theirs.empty() ? 0 : random() % (theirs.size() - at + 1));
        ours.erase(ours.begin() + at, ours.begin() + end);
        theirs.erase(theirs.begin() + static_cast<std::ptrdiff_t>(at), theirs.begin() + static_cast<std::ptrdiff_t>(end));
        break;
      }
      case 6:
        ours.resize(at);
        theirs.resize(at);
        break;
      case 7: {
        Texts moved(std::move(ours));
        EXPECT_TRUE(ours.empty());
        ours = std::move(moved);
        break;
      }
    }
    ASSERT_EQ(std::vector<std::string>(ours.begin(), ours.end()), theirs) << step;
  }
}

TEST(CompactVector, OwnsWhatItHolds) {
  const auto shared = std::make_shared<int>(7);
  {
    CompactVector<std::shared_ptr<int>> owners;
    for (int i = 0; i < 5; ++i) owners.push_back(shared);
    owners.erase(owners.begin());
    EXPECT_EQ(shared.use_count(), 5);
    CompactVector<std::shared_ptr<int>> other = {shared};
    other = std::move(owners);
    EXPECT_EQ(shared.use_count(), 6);  // an assignment swaps
  }
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(Hash64, OfNothingIsWhatTheFunctionSays) {
  EXPECT_EQ(hash64(""), kHash64OfNothing);
  EXPECT_EQ(hash64_of_some(""), kHash64OfNothing);
}

}  // namespace
}  // namespace spur
