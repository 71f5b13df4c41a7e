// A catalog's hash sees what it says and not how it is written.
#include "operators/catalog/hash.h"

#include <gtest/gtest.h>

#include <string>

#include "operators/catalog/load.h"

namespace spur::catalog {
namespace {

Hash hash(const std::string& yaml) {
  const Loaded loaded = load_text("c.yaml", yaml);
  EXPECT_EQ(to_text(loaded.errors), "");
  return hash_of(loaded.catalog);
}

const std::string kHead = "apiVersion: spur/v1\n";
const std::string kVip =
    kHead + "kind: Segment\nmetadata: {name: vip}\nspec: {when: features.a >= 3}\n";
const std::string kRich =
    kHead + "kind: Segment\nmetadata: {name: rich}\nspec: {when: features.b >= 3}\n";
const std::string kEmail =
    kHead + "kind: Channel\nmetadata: {name: email}\nspec: {caps: [{max: 1, per: 7d}]}\n";

TEST(CatalogHashTest, DoesNotSeeTheOrderOfDocuments) {
  EXPECT_EQ(hash(kVip + "---\n" + kRich + "---\n" + kEmail),
            hash(kEmail + "---\n" + kRich + "---\n" + kVip));
}

TEST(CatalogHashTest, DoesNotSeeFormattingCommentsAndAliases) {
  EXPECT_EQ(hash(kVip),
            hash("# ours\nspec:\n  when: 'features.a >= 3'  # enough\nmetadata:\n  name: \"vip\"\n"
                 "kind: Segment\napiVersion: spur/v1\n"));
  EXPECT_EQ(
      hash(kEmail),
      hash(kHead + "kind: Channel\nmetadata: {name: &n email}\nspec: {caps: {max: 1, per: 1w}, "
                   "topic: actions.email}\n"));
}

TEST(CatalogHashTest, SeesEveryChangeOfMeaning) {
  EXPECT_NE(hash(kVip), hash(kRich));
  EXPECT_NE(hash(kVip), hash(kVip + "---\n" + kRich));
  EXPECT_NE(
      hash(kEmail),
      hash(kHead + "kind: Channel\nmetadata: {name: email}\nspec: {caps: [{max: 2, per: 7d}]}\n"));
}

TEST(CatalogHashTest, SeesTheOrderOfData) {
  const auto trigger = [](const std::string& data) {
    return kEmail + "---\n" + kHead +
           "kind: Trigger\nmetadata: {name: t}\nspec:\n  event: {on: Ping}\n  actions: [{channel: "
           "email, template: t, "
           "data: {" +
           data + "}}]\n";
  };
  EXPECT_NE(hash(trigger("a: 1, b: 2")), hash(trigger("b: 2, a: 1")));
}

TEST(CatalogHashTest, IsFrozen) {
  EXPECT_EQ(to_text(hash_of(spur::v1::Catalog())),
            "99aa06d3014798d86001c324468d497f");  // xxh3-128 of nothing
  EXPECT_EQ(to_text(hash(kVip)), "3091c1596a6b5c12a864e583ed54d961");
}

TEST(CatalogHashTest, CanonicalFormIsOrderedByName) {
  const Loaded loaded = load_text("c.yaml", kVip + "---\n" + kRich);
  ASSERT_EQ(loaded.catalog.segments_size(), 2);
  EXPECT_EQ(loaded.catalog.segments(0).name(), "rich");
  EXPECT_EQ(loaded.catalog.segments(1).name(), "vip");
}

}  // namespace
}  // namespace spur::catalog
