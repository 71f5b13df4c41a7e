// What leaves of a run: an action, or the retraction of one, for its channel; a decision for all.
#include "daemon/log/effect_records.h"

#include <gtest/gtest.h>

#include "daemon/inputs/headers.h"
#include "spur/v1/action.pb.h"
#include "spur/v1/decision.pb.h"
#include "spur/v1/event.pb.h"

namespace spur {
namespace {

Decision decision_of(Verdict verdict) {
  Decision decision;
  decision.id = {1, 20, 3, 4};
  decision.retracts = {1, 7, 0, 2};
  decision.customer = "user_id:ann";
  decision.trigger = "left";
  decision.channel = "email";
  decision.topic = "actions.email";
  decision.spurseq = decision.leaves() ? 5 : 0;
  decision.verdict = verdict;
  return decision;
}

RunEffects records_of(Verdict verdict) {
  Effects effects;
  effects.decisions.push_back(decision_of(verdict));
  return to_records(1, effects, DeploymentId{}, "hash");
}

TEST(EffectRecords, ARetractionGoesToTheChannelAndNamesTheAction) {
  const RunEffects records = records_of(Verdict::kRetracted);
  ASSERT_EQ(records.actions.size(), 1u);
  EXPECT_EQ(records.actions[0].topic, "actions.email");
  EXPECT_EQ(records.actions[0].key, "ann");
  EXPECT_EQ(records.actions[0].spurseq, 5u);
  spur::v1::Action action;
  ASSERT_TRUE(action.ParseFromString(records.actions[0].bytes));
  ASSERT_TRUE(action.has_retracts());
  EXPECT_EQ(action.id().run(), 20u);
  EXPECT_EQ(action.retracts().run(), 7u);
  EXPECT_EQ(action.retracts().ordinal(), 2u);
  spur::v1::Decision decision;
  ASSERT_TRUE(decision.ParseFromString(records.decisions[0].bytes));
  EXPECT_EQ(decision.verdict(), spur::v1::VERDICT_RETRACTED);
  EXPECT_EQ(decision.retracts().run(), 7u);
}

TEST(EffectRecords, AnActionBehindARetractionRetractsNothing) {
  Effects effects;
  effects.decisions = {decision_of(Verdict::kRetracted), decision_of(Verdict::kSent)};
  const RunEffects records = to_records(1, effects, DeploymentId{}, "hash");
  spur::v1::Action action;
  ASSERT_TRUE(action.ParseFromString(records.actions.at(1).bytes));
  EXPECT_FALSE(action.has_retracts());
}

TEST(EffectRecords, AnActionRetractsNothing) {
  const RunEffects records = records_of(Verdict::kSent);
  spur::v1::Action action;
  ASSERT_TRUE(action.ParseFromString(records.actions.at(0).bytes));
  EXPECT_FALSE(action.has_retracts());
}

TEST(EffectRecords, WhatIsHeldOutOrSuppressedIsADecisionOnly) {
  for (const Verdict verdict : {Verdict::kHeldOut, Verdict::kSuppressed, Verdict::kDeferred}) {
    const RunEffects records = records_of(verdict);
    EXPECT_TRUE(records.actions.empty());
    EXPECT_EQ(records.decisions.size(), 1u);
  }
}

TEST(EffectRecords, ADeadLetterHasTheHeadersForWhichThereIsRoom) {
  Effects effects;
  DeadLetter& letter = effects.dead_letters.emplace_back();
  pack_header("ce_id", "1", letter.headers);
  pack_header("large", std::string(kDeadLetterHeadersMax - 11, 'x'), letter.headers);
  pack_header("more", "y", letter.headers);
  spur::v1::DeadLetter kept;
  ASSERT_TRUE(
      kept.ParseFromString(to_records(1, effects, DeploymentId{}, "hash").dead_letters.at(0)));
  ASSERT_EQ(kept.headers_size(), 2);  // 16 KiB to the byte
  EXPECT_EQ(kept.headers(0).name() + kept.headers(0).value(), "ce_id1");
  EXPECT_EQ(kept.headers(1).name(), "large");
}

TEST(EffectRecords, AnyBytesOfAnInputCanBeReadBackFromItsDeadLetter) {
  Effects effects;
  DeadLetter& letter = effects.dead_letters.emplace_back();
  letter.key = letter.value = "\xff\xfe";
  pack_header("\xff", "\xfe", letter.headers);
  // Cut within its last character.
  letter.detail = "a";
  while (letter.detail.size() <= kDeadLetterTextMax) letter.detail += "\u00e4";
  spur::v1::DeadLetter kept;
  ASSERT_TRUE(
      kept.ParseFromString(to_records(1, effects, DeploymentId{}, "hash").dead_letters.at(0)));
  EXPECT_EQ(kept.key(), "\xff\xfe");
  EXPECT_EQ(kept.headers(0).name(), "\xff");
  EXPECT_EQ(kept.detail().size(), kDeadLetterTextMax - 1);
}

}  // namespace
}  // namespace spur
