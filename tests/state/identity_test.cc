// What a customer is known by: who an event's customer is, how that is written, and that no two
// meet.
#include "state/identity.h"

#include <gtest/gtest.h>

#include <set>

#include "state/codec/customer_codec.h"
#include "state/codec/keys.h"
#include "state/event.h"
#include "state/layout.h"

namespace spur {
namespace {

constexpr Identity kUser{IdentityKind::kUserId, "4711"};
constexpr Identity kVisitor{IdentityKind::kAnonymousId, "4711"};
constexpr Identity kCard{IdentityKind::kNamed, "loyalty_id:4711"};
constexpr Identity kMail{IdentityKind::kNamed, "email:4711"};
constexpr Identity kUserLikeACard{IdentityKind::kUserId, "loyalty_id:4711"};
constexpr Identity kAll[] = {kUser, kVisitor, kCard, kMail, kUserLikeACard};

TEST(IdentityTest, ACustomerIsTheUserIdElseTheNamedIdElseTheAnonymousId) {
  Event event;
  EXPECT_TRUE(event.customer().value.empty());
  event.anonymous_id = "4711";
  EXPECT_EQ(event.customer(), kVisitor);
  event.named_id = "loyalty_id:4711";
  EXPECT_EQ(event.customer(), kCard);
  event.user_id = "4711";
  EXPECT_EQ(event.customer(), kUser);
}

TEST(IdentityTest, NoTwoIdentitiesHaveTheSameTextOrTheSameRows) {
  std::set<std::string> texts, rows, wakes;
  for (const Identity& identity : kAll) {
    texts.insert(to_text(identity));
    rows.insert(customer_key(identity));
    wakes.insert(wake_key(Instant{7}, identity));
  }
  EXPECT_EQ(texts, (std::set<std::string>{"anonymous_id:4711", "email:4711", "loyalty_id:4711",
                                          "user_id:4711", "user_id:loyalty_id:4711"}));
  EXPECT_EQ(rows.size(), std::size(kAll));
  EXPECT_EQ(wakes.size(), std::size(kAll));
}

TEST(IdentityTest, TheKeyIsTheValueWithoutItsKindAlsoOfTheText) {
  for (const Identity& identity : {kUser, kVisitor, kCard, kMail})
    EXPECT_EQ(identity.key(), "4711");
  for (const Identity& identity : kAll) EXPECT_EQ(key_of(to_text(identity)), identity.key());
  EXPECT_EQ(kUserLikeACard.key(), "loyalty_id:4711");
  constexpr Identity kColons{IdentityKind::kNamed, "email:a:b"};
  EXPECT_EQ(kColons.key(), "a:b") << "a value may have colons, a kind's name has none";
}

TEST(IdentityTest, RowsOfEachKindComeBack) {
  for (const Identity& identity : kAll) {
    const std::string row = customer_key(identity), wake = wake_key(Instant{-7}, identity);
    Identity read;
    ASSERT_TRUE(parse_customer_key(row, read));
    EXPECT_EQ(read, identity);
    WakeKey woken;
    ASSERT_TRUE(parse_wake_key(wake, woken));
    EXPECT_EQ(woken.identity, identity);
    Customer customer, again;
    customer.kind = identity.kind;
    customer.identity = identity.value;
    const Layout layout;
    ASSERT_TRUE(decode_customer(encode_customer(customer, layout), layout, again));
    EXPECT_EQ(again.id(), identity);
  }
}

TEST(IdentityTest, AKindThatIsNotKnownAndANamedIdWithoutItsNameAreRefused) {
  EXPECT_FALSE(stored_kind(0, "4711"));
  EXPECT_FALSE(stored_kind(4, "4711"));
  for (const char* value : {"", "4711", ":4711", "loyalty_id:"}) {
    EXPECT_FALSE(stored_kind(3, value)) << value;
    Identity read;
    EXPECT_FALSE(parse_customer_key(customer_key({IdentityKind::kNamed, value}), read)) << value;
    Customer customer, again;
    customer.kind = IdentityKind::kNamed;
    customer.identity = std::string_view(value);
    const Layout layout;
    EXPECT_FALSE(decode_customer(encode_customer(customer, layout), layout, again)) << value;
  }
}

}  // namespace
}  // namespace spur
