// Customers over a store: the wake index gives the same customers in the same order whoever is in memory, and hints
// change nothing.
#include "state/customers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "state/layout.h"
#include "state/memory_store.h"

namespace spur {
namespace {

class CustomersTest : public ::testing::Test {
 protected:
  CustomersTest() { customers_.set_layout(1, std::make_shared<Layout>()); }

  static std::string name(int i) { return "somebody with a long name " + std::to_string(i); }
  Customer& touch(int i) {
    bool created = false;
    return customers_.touch({IdentityKind::kUserId, name(i)}, created);
  }
  void write_behind() {
    customers_.begin_cut();
    ASSERT_TRUE(customers_.encode_cut(1'000'000));
    ASSERT_TRUE(store_.write(customers_.take_cut()).ok());
    customers_.cut_written();
  }
  // All that are clean leave, since the limit is one byte; evict() looks only after enough has been touched.
  void evict_all() {
    for (int i = 0; i < 4096; ++i) touch(0);
    write_behind();
    customers_.evict();
    ASSERT_EQ(customers_.in_memory(), 0u);
  }
  std::vector<std::pair<std::int64_t, std::string>> pop_all() {
    std::vector<std::pair<std::int64_t, std::string>> order;
    while (customers_.next_wake() != Instant::never()) {
      const Instant wake = customers_.next_wake();
      Customer* const customer = customers_.pop_wake();
      if (customer == nullptr) break;
      EXPECT_EQ(customer->wake, Instant::never());
      order.emplace_back(wake.ms, customer->identity.str());
    }
    return order;
  }

  MemoryStore store_;
  Customers customers_{store_, 1};
};

TEST_F(CustomersTest, WakesInTheOrderOfInstantAndIdentityWhoeverIsInMemory) {
  std::vector<std::pair<std::int64_t, std::string>> expected;
  const auto plan = [&](int i) {
    const std::int64_t wake = 1000 + i * 7919 % 13;  // many of one instant
    customers_.schedule(touch(i), Instant{wake});
    expected.emplace_back(wake, name(i));
  };
  for (int i = 0; i < 100; ++i) plan(i);
  evict_all();
  for (int i = 0; i < 30; ++i) touch(i);  // back in memory, with the plans they had
  for (int i = 100; i < 200; ++i) plan(i);
  EXPECT_EQ(customers_.planned(), 200u);
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(pop_all(), expected);
}

TEST_F(CustomersTest, APlanIsReplacedAndTakenBackWhereverItStands) {
  for (int i = 0; i < 3; ++i) customers_.schedule(touch(i), Instant{1000});
  evict_all();
  customers_.schedule(touch(0), Instant{500});
  customers_.schedule(touch(1), Instant::never());
  customers_.schedule(touch(2), Instant{2000});
  customers_.schedule(touch(2), Instant{3000});
  EXPECT_EQ(customers_.planned(), 2u);
  EXPECT_EQ(pop_all(), (std::vector<std::pair<std::int64_t, std::string>>{{500, name(0)}, {3000, name(2)}}));
}

TEST_F(CustomersTest, ALookAtEverybodyIsOneLookEach) {
  for (int i = 0; i < 20; ++i) customers_.schedule(touch(i), Instant{5000});
  evict_all();
  for (int i = 0; i < 10; ++i) touch(i);
  customers_.schedule_all(Instant{1000});
  // One who was away comes back and plans a look at that very instant.
  customers_.schedule(touch(15), Instant{1000});
  std::vector<std::string> first;
  while (customers_.next_wake() == Instant{1000}) first.push_back(customers_.pop_wake()->identity.str());
  EXPECT_EQ(first.size(), 20u);
  std::sort(first.begin(), first.end());
  EXPECT_EQ(std::unique(first.begin(), first.end()), first.end());
}

TEST_F(CustomersTest, HintsChangeNothingNotEvenOfCustomersThatAreGone) {
  for (int i = 0; i < 64; ++i) {
    customers_.expect(name(i));  // not there yet
    customers_.schedule(touch(i), Instant{1000 + i});
  }
  for (int i = 0; i < 64; ++i) customers_.expect(name(i));
  evict_all();
  for (int i = 0; i < 64; ++i) customers_.expect(name(i));
  customers_.expect("");
  EXPECT_EQ(customers_.in_memory(), 0u);
  EXPECT_EQ(customers_.planned(), 64u);
  EXPECT_EQ(pop_all().size(), 64u);
}

TEST_F(CustomersTest, CustomersOfOneKeyAndSeveralKindsStaySeveralThroughWritingOutAndARestart) {
  const std::vector<std::pair<IdentityKind, std::string>> all = {
      {IdentityKind::kUserId, "4711"},
      {IdentityKind::kUserId, "loyalty_id:4711"},
      {IdentityKind::kAnonymousId, "4711"},
      {IdentityKind::kNamed, "email:4711"},
      {IdentityKind::kNamed, "loyalty_id:4711"}};
  bool created = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& [kind, value] = all[i];
    Customer& customer = customers_.touch({kind, value}, created);
    EXPECT_TRUE(created) << value;
    customer.first_seen = Instant{static_cast<std::int64_t>(i)};
    customers_.schedule(customer, Instant{1000});
  }
  write_behind();
  Customers again(store_);
  again.set_layout(1, std::make_shared<Layout>());
  ASSERT_TRUE(again.load().ok());
  for (std::size_t i = 0; i < 2 * all.size(); ++i) {  // read back, then in memory
    const auto& [kind, value] = all[i % all.size()];
    const Customer& customer = again.touch({kind, value}, created);
    EXPECT_FALSE(created) << value;
    EXPECT_EQ(customer.first_seen.ms, static_cast<std::int64_t>(i % all.size()));
  }
  for (const auto& [kind, value] : all) {
    const Customer* const woken = again.pop_wake();
    ASSERT_NE(woken, nullptr);
    EXPECT_EQ(woken->id(), (Identity{kind, value})) << "by kind, then by value";
  }
}

// A disk that gives nothing back from some time on.
class FailingStore final : public Store {
 public:
  absl::StatusOr<std::optional<std::string>> get(std::string_view key) const override {
    if (fails) return absl::UnavailableError("the disk");
    return rows_.get(key);
  }
  absl::Status write(const StoreBatch& batch) override { return rows_.write(batch); }
  absl::Status scan(
      std::string_view prefix,
      const std::function<bool(std::string_view, std::string_view)>& row) const override {
    return rows_.scan(prefix, row);
  }
  absl::Status scan_from(
      std::string_view prefix, std::string_view from,
      const std::function<bool(std::string_view, std::string_view)>& row) const override {
    return rows_.scan_from(prefix, from, row);
  }
  absl::Status flush() override { return absl::OkStatus(); }

  bool fails = false;

 private:
  MemoryStore rows_;
};

TEST_F(CustomersTest, WhoIsTouchedWhileACutSettlesIsInTheNextOne) {
  constexpr int kMany = 10;
  for (int i = 0; i < kMany; ++i) touch(i);
  customers_.begin_cut();
  ASSERT_TRUE(customers_.encode_cut(kMany));
  ASSERT_TRUE(store_.write(customers_.take_cut()).ok());
  for (int i = 0; i < kMany; ++i) {
    touch(i);  // of some the row has settled, of the others it has not
    EXPECT_EQ(customers_.settle_cut(1), i == kMany - 1);
    EXPECT_EQ(customers_.cut_in_progress(), i < kMany - 1);
  }
  EXPECT_EQ(customers_.dirty_count(), static_cast<std::size_t>(kMany));
  customers_.begin_cut();
  ASSERT_TRUE(customers_.encode_cut(kMany));
  EXPECT_EQ(customers_.take_cut().puts.size(), static_cast<std::size_t>(kMany));
}

TEST(CustomersOfAFailingStoreTest, WhoCannotBeReadIsNotWokenAsSomebodyNew) {
  FailingStore store;
  const Identity ann{IdentityKind::kUserId, "ann"};
  bool created = false;
  {
    Customers before(store, 1);
    before.set_layout(1, std::make_shared<Layout>());
    before.schedule(before.touch(ann, created), Instant{1000});
    before.begin_cut();
    ASSERT_TRUE(before.encode_cut(1));
    ASSERT_TRUE(store.write(before.take_cut()).ok());
  }
  Customers customers(store, 1);
  customers.set_layout(1, std::make_shared<Layout>());
  ASSERT_TRUE(customers.load().ok());
  store.fails = true;
  customers.touch(ann, created);  // an empty one; the run ends in an error
  EXPECT_EQ(customers.next_wake(), Instant{1000});
  EXPECT_EQ(customers.pop_wake(), nullptr);
  EXPECT_FALSE(customers.status().ok());
}

}  // namespace
}  // namespace spur
