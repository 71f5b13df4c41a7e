#include "state/codec/event_codec.h"

#include <gtest/gtest.h>

namespace spur {
namespace {

class EventCodecTest : public ::testing::Test {
 protected:
  EventCodecTest() {
    ordered_ = schema_.add_name("Order Completed");
    total_ = schema_.add_field({"properties", "total"});
    currency_ = schema_.add_field({"properties", "currency"});
    absent_ = schema_.add_field({"context", "page", "url"});
    fields_ = arena_.array<Value>(schema_.field_count());
    fields_[total_] = Value::real(19.99);
    fields_[currency_] = Value::string("SEK");
    traits_[0] = {Value::string("email"), Value::string("ann@example.com")};
    event_.name_index = ordered_;
    event_.name = "order_completed";
    event_.id = "m-1";
    event_.user_id = "ann";
    event_.time = {1'767'225'600'123};
    event_.fields = fields_;
    event_.traits = Value::map(traits_);
    event_.content_hash = 42;
    encode_event(event_, schema_, 7, bytes_);
  }

  Arena arena_;
  EventSchema schema_;
  EventSchema::NameIndex ordered_;
  EventSchema::FieldIndex total_, currency_, absent_;
  std::span<Value> fields_;
  MapEntry traits_[1];
  Event event_;
  std::string bytes_;
};

TEST_F(EventCodecTest, AnEventComesBack) {
  const auto stored = decode_event(bytes_, schema_, arena_);
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->source_key, 7u);
  const Event& event = stored->event;
  EXPECT_EQ(event.type, CallType::kTrack);
  EXPECT_EQ(event.name_index, ordered_);
  EXPECT_EQ(event.name, "order_completed");
  EXPECT_EQ(event.id, "m-1");
  EXPECT_EQ(event.user_id, "ann");
  EXPECT_EQ(event.anonymous_id, "");
  EXPECT_EQ(event.time, event_.time);
  EXPECT_EQ(event.content_hash, 42u);
  EXPECT_EQ(event.fields[total_].as_double(), 19.99);
  EXPECT_EQ(event.fields[currency_].as_text(), "SEK");
  EXPECT_TRUE(event.fields[absent_].is_absent());
  EXPECT_EQ(field(event.traits, "email").as_text(), "ann@example.com");
}

TEST_F(EventCodecTest, AnotherCatalogSeesWhatItAlsoReads) {
  EventSchema other;
  const auto unseen = other.add_field({"properties", "coupon"});
  const auto currency = other.add_field({"properties", "currency"});
  const auto stored = decode_event(bytes_, other, arena_);
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->event.name_index, EventSchema::kOther);
  EXPECT_TRUE(stored->event.fields[unseen].is_absent());
  EXPECT_EQ(stored->event.fields[currency].as_text(), "SEK");
}

TEST_F(EventCodecTest, WhatAnInstanceKeepsIsOnlyWhatWasAskedFor) {
  std::string kept;
  const EventSchema::FieldIndex only[] = {total_, absent_};
  encode_brief(event_, schema_, only, kept);
  const auto stored = decode_event(kept, schema_, arena_);
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->event.fields[total_].as_double(), 19.99);
  EXPECT_TRUE(stored->event.fields[currency_].is_absent());
  EXPECT_EQ(stored->event.id, event_.id);
  EXPECT_EQ(stored->event.name, event_.name);
  EXPECT_EQ(stored->event.time, event_.time);
  EXPECT_TRUE(stored->event.user_id.empty());
  EXPECT_TRUE(stored->event.traits.is_absent());
  EXPECT_FALSE(decode_event(kept + '\0', schema_, arena_).has_value());
  kept.pop_back();
  EXPECT_FALSE(decode_event(kept, schema_, arena_).has_value());
}

TEST_F(EventCodecTest, AnIdentityOfAnotherKindComesBackAndCostsTheOthersNothing) {
  event_.user_id = {};
  event_.named_id = "loyalty_id:4711";
  std::string named;
  encode_event(event_, schema_, 7, named);
  const auto stored = decode_event(named, schema_, arena_);
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->event.customer(), event_.customer());
  EXPECT_EQ(stored->event.fields[total_].as_double(), 19.99);
  EXPECT_EQ(named.size(), bytes_.size() - std::string_view("ann").size() + 1 +
                              std::string_view("loyalty_id:4711").size());
  event_.named_id = "4711";
  std::string nameless;
  encode_event(event_, schema_, 7, nameless);
  EXPECT_FALSE(decode_event(nameless, schema_, arena_).has_value());
}

TEST_F(EventCodecTest, EveryPrefixAndAnythingBehindIsRefused) {
  event_.named_id = "loyalty_id:4711";
  std::string named;
  encode_event(event_, schema_, 7, named);
  for (const std::string& bytes : {bytes_, named}) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(
          decode_event(std::string_view(bytes).substr(0, size), schema_, arena_).has_value())
          << size;
    }
    EXPECT_FALSE(decode_event(bytes + '\0', schema_, arena_).has_value());
  }
}

}  // namespace
}  // namespace spur
