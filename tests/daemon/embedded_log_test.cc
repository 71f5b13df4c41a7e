#include "daemon/log/embedded_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <optional>

#include "absl/strings/str_cat.h"
#include "daemon/reason.h"
#include "spur/v1/catalog.pb.h"
#include "tests/daemon/faulty_file_system.h"
#include "tests/daemon/temporary_folder.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EmbeddedLogTest : public ::testing::Test {
 protected:
  EmbeddedLogTest() {
    options_.path = folder_.path() + "/log";
    options_.shards = 2;
    open();
  }
  void open() {
    auto log = EmbeddedLog::open(options_, shared_, clock_);
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
  }
  absl::Status refusal(EmbeddedLog::Options options) {
    return EmbeddedLog::open(options, shared_, clock_).status();
  }
  // As a killed process leaves it.
  void crash_and_reopen() {
    log_->abandon();
    log_.reset();
    open();
  }

  absl::Status publish(std::uint32_t shard, std::vector<std::string> values) {
    std::vector<InputAppend> inputs;
    for (const std::string& value : values) inputs.push_back({shard, "shop", "key", value});
    std::promise<absl::Status> durable;
    const auto offsets =
        log_->append_inputs(inputs, [&](absl::Status status) { durable.set_value(status); });
    return offsets.ok() ? durable.get_future().get() : offsets.status();
  }
  absl::StatusOr<Offset> commit(std::uint32_t shard, std::uint64_t seq, RunEffects effects = {}) {
    std::promise<absl::StatusOr<Offset>> durable;
    log_->append({shard, 1, seq, "entry " + std::to_string(seq), std::move(effects),
                  [&](absl::StatusOr<Offset> offset) { durable.set_value(std::move(offset)); }});
    return durable.get_future().get();
  }
  static RunEffects action(std::uint64_t spurseq, std::string topic = "actions.email") {
    RunEffects effects;
    effects.actions.push_back(
        {std::move(topic), spurseq, "ann", "action " + std::to_string(spurseq)});
    effects.decisions.push_back({"user_id:ann", "decision " + std::to_string(spurseq)});
    return effects;
  }
  std::vector<std::string> inputs(std::uint32_t shard, Offset from, PollLimits limits = {}) {
    InputBatch batch;
    EXPECT_TRUE(log_->poll(shard, kInputSource, from, limits, batch).ok());
    std::vector<std::string> values;
    for (const InputRecord& record : batch.records) {
      EXPECT_EQ(record.offset, from + values.size());
      values.emplace_back(record.value);
    }
    return values;
  }
  std::vector<std::string> journal(std::uint32_t shard) {
    std::vector<std::string> entries;
    EXPECT_TRUE(log_->read_journal(shard, *log_->journal_begin(shard), *log_->journal_end(shard),
                                   [&](Offset, std::string_view bytes) {
                                     entries.emplace_back(bytes);
                                     return true;
                                   })
                    .ok());
    return entries;
  }
  std::vector<std::string> actions(std::uint32_t shard, std::uint64_t from = 1,
                                   std::uint32_t max = 100) {
    auto stored = log_->read_actions("actions.email", shard, from, max);
    EXPECT_TRUE(stored.ok()) << stored.status();
    std::vector<std::string> result;
    for (const StoredAction& stored_action : *stored) result.push_back(stored_action.bytes);
    return result;
  }

  TemporaryFolder folder_;
  FaultyEnv faulty_;
  RocksShared shared_{8 << 20, 16 << 20, faulty_.env.get()};
  ManualClock clock_{Instant{1'772'366'400'000}};
  EmbeddedLog::Options options_;
  std::unique_ptr<EmbeddedLog> log_;
};

TEST_F(EmbeddedLogTest, WhatWasAcknowledgedIsThereAfterACrash) {
  ASSERT_TRUE(publish(0, {"a", "b"}).ok());
  ASSERT_TRUE(publish(1, {"c"}).ok());
  ASSERT_EQ(*commit(0, 1, action(1)), 0u);
  ASSERT_EQ(*commit(0, 2, action(2)), 1u);
  const DeploymentId deployment = log_->deployment();
  crash_and_reopen();
  EXPECT_EQ(log_->deployment(), deployment);
  EXPECT_THAT(inputs(0, 0), ElementsAre("a", "b"));
  EXPECT_THAT(inputs(1, 0), ElementsAre("c"));
  EXPECT_THAT(journal(0), ElementsAre("entry 1", "entry 2"));
  EXPECT_THAT(journal(1), IsEmpty());
  EXPECT_THAT(actions(0), ElementsAre("action 1", "action 2"));
  EXPECT_EQ(*commit(0, 3), 2u);
  EXPECT_THAT(inputs(0, 1), ElementsAre("b"));
}

TEST_F(EmbeddedLogTest, AnInputIsSeenBeforeItIsDurable) {
  // Held up by nobody: what a publisher waits for is later than what the shard sees.
  std::promise<void> durable;
  const InputAppend input{0, "shop", "key", "early"};
  ASSERT_TRUE(log_->append_inputs({&input, 1}, [&](absl::Status) { durable.set_value(); }).ok());
  EXPECT_THAT(inputs(0, 0), ElementsAre("early"));
  durable.get_future().wait();
}

TEST_F(EmbeddedLogTest, AnInputOfAnIdleShardAndItsRunShareOneSync) {
  log_->folded(0, kInputSource, 0);  // somebody folds shard 0
  std::optional<absl::StatusOr<Offset>> committed;
  std::promise<void> both;
  Log::Watcher watcher;
  watcher.inputs = [&](std::uint32_t) {
    log_->append({0, 1, 1, "entry", {}, [&](absl::StatusOr<Offset> offset) {
                    committed = offset;
                    both.set_value();
                  }});
  };
  log_->watch(std::move(watcher));
  const std::uint64_t before = log_->commits();
  const InputAppend input{0, "shop", "key", "a"};
  ASSERT_TRUE(log_->append_inputs({&input, 1}, [](absl::Status) {}).ok());
  both.get_future().wait();
  EXPECT_EQ(log_->commits(), before + 1);
}

TEST_F(EmbeddedLogTest, EffectsAreUnseenUntilTheirRunIsReleased) {
  ASSERT_TRUE(commit(0, 1, action(1)).ok());
  ASSERT_TRUE(commit(0, 2, action(2)).ok());
  EXPECT_THAT(actions(0), IsEmpty());
  EXPECT_THAT(*log_->decisions_of("user_id:ann", 10), IsEmpty());
  EXPECT_THAT(*log_->decisions(0, 0, 10), IsEmpty());
  std::vector<std::string> told;
  Log::Watcher watcher;
  watcher.actions = [&](const std::string& topic) { told.push_back(topic); };
  log_->watch(std::move(watcher));
  log_->release(0, 1);
  EXPECT_THAT(actions(0), ElementsAre("action 1"));
  EXPECT_THAT(*log_->decisions_of("user_id:ann", 10), ElementsAre("decision 1"));
  log_->release(0, 2);
  EXPECT_THAT(actions(0), ElementsAre("action 1", "action 2"));
  EXPECT_THAT(*log_->decisions_of("user_id:ann", 10), ElementsAre("decision 2", "decision 1"));
  EXPECT_THAT(told, ElementsAre("actions.email", "actions.email"));
}

TEST_F(EmbeddedLogTest, ARunWithSeveralTopicsKeepsEachInOrder) {
  RunEffects effects;
  effects.actions.push_back({"actions.email", 1, "ann", "action 1"});
  effects.actions.push_back({"actions.sms", 1, "ann", "sms 1"});
  effects.actions.push_back({"actions.email", 2, "ann", "action 2"});
  ASSERT_TRUE(commit(0, 1, std::move(effects)).ok());
  log_->release(0, 1);
  EXPECT_THAT(actions(0), ElementsAre("action 1", "action 2"));
  EXPECT_THAT(actions(0, 2), ElementsAre("action 2"));
  EXPECT_THAT(actions(0, 1, 1), ElementsAre("action 1"));
  EXPECT_EQ((*log_->read_actions("actions.sms", 0, 1, 10))[0].bytes, "sms 1");
}

TEST_F(EmbeddedLogTest, PollsAreBoundedAndGoOnWhereTheyStopped) {
  ASSERT_TRUE(publish(0, {"a", "b", "c"}).ok());
  ASSERT_TRUE(publish(0, {"d"}).ok());
  EXPECT_THAT(inputs(0, 0, {2, 1000}), ElementsAre("a", "b"));
  EXPECT_THAT(inputs(0, 2, {2, 1000}), ElementsAre("c", "d"));
  EXPECT_THAT(inputs(0, 1, {10, 1}), ElementsAre("b"));
  EXPECT_THAT(inputs(0, 4), IsEmpty());
  log_->folded(0, kInputSource, 4);  // now they come from disk
  EXPECT_THAT(inputs(0, 0, {3, 1000}), ElementsAre("a", "b", "c"));
  EXPECT_THAT(inputs(0, 3), ElementsAre("d"));
}

TEST_F(EmbeddedLogTest, APublisherIsRefusedWhileTheQueueOfAShardIsFull) {
  options_.queue_events_max = 3;
  crash_and_reopen();
  log_->folded(0, kInputSource, 0);
  EXPECT_TRUE(publish(0, {"a", "b"}).ok());
  EXPECT_EQ(publish(0, {"c", "d"}).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(publish(1, {"other"}).ok());  // another shard's queue
  EXPECT_TRUE(publish(0, {"c"}).ok());
  EXPECT_THAT(inputs(0, 0), ElementsAre("a", "b", "c"));  // nothing of the refused one
  log_->folded(0, kInputSource, 3);
  EXPECT_TRUE(publish(0, {"a", "b", "c", "d"}).ok());  // an empty queue takes anything
}

TEST_F(EmbeddedLogTest, TheQueueIsBoundedInBytesToo) {
  options_.queue_bytes_max = 1000;
  crash_and_reopen();
  log_->folded(0, kInputSource, 0);
  EXPECT_TRUE(publish(0, {std::string(900, 'x')}).ok());
  EXPECT_EQ(publish(0, {std::string(900, 'x')}).code(), absl::StatusCode::kResourceExhausted);
  log_->folded(0, kInputSource, 1);
  EXPECT_TRUE(publish(0, {std::string(900, 'x')}).ok());
}

TEST_F(EmbeddedLogTest, CatalogsHaveOneOrder) {
  std::promise<Offset> durable;
  log_->append_catalog("v1", "first", [](absl::StatusOr<Offset>) {});
  log_->append_catalog("v2", "",
                       [&](absl::StatusOr<Offset> offset) { durable.set_value(*offset); });
  EXPECT_EQ(log_->catalog_end(), 2u);
  auto seen = log_->poll_catalogs(0, 10);  // before the sync, like inputs
  ASSERT_EQ(seen->size(), 2u);
  EXPECT_EQ(durable.get_future().get(), 1u);
  crash_and_reopen();
  seen = log_->poll_catalogs(1, 10);
  ASSERT_EQ(seen->size(), 1u);
  EXPECT_EQ((*seen)[0].catalog, "v2");
  EXPECT_EQ((*log_->poll_catalogs(0, 1))[0].comment, "first");
}

TEST_F(EmbeddedLogTest, CursorsOfSubscribersAreKept) {
  std::promise<absl::Status> durable;
  log_->store_cursor("mailer", "email", "bytes",
                     [&](absl::Status status) { durable.set_value(status); });
  ASSERT_TRUE(durable.get_future().get().ok());
  crash_and_reopen();
  EXPECT_EQ(*log_->stored_cursor("mailer", "email"), "bytes");
  EXPECT_EQ(*log_->stored_cursor("mailer", "sms"), "");
}

TEST_F(EmbeddedLogTest, ATornEndLosesOnlyTheEnd) {
  ASSERT_TRUE(commit(0, 1, action(1)).ok());
  ASSERT_TRUE(commit(0, 2, action(2)).ok());
  log_->abandon();
  log_.reset();
  for (const auto& file : std::filesystem::directory_iterator(options_.path)) {
    if (file.path().extension() != ".log") continue;
    if (file.file_size() > 0) std::filesystem::resize_file(file.path(), file.file_size() - 3);
  }
  open();
  EXPECT_THAT(journal(0), ElementsAre("entry 1"));
  EXPECT_THAT(actions(0), ElementsAre("action 1"));  // an entry and its effects go together
}

TEST_F(EmbeddedLogTest, WhatNoRecoveryNeedsIsTrimmedAndTheEndIsNot) {
  log_.reset();
  options_.history_inputs = 2;
  open();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(publish(0, {std::to_string(i)}).ok());
    ASSERT_TRUE(commit(0, i + 1).ok());
  }
  log_->folded(0, kInputSource, 10);
  ASSERT_TRUE(log_->trim(0, {10, 10, 0}).ok());
  EXPECT_EQ(log_->input_begin(0, {}).value(), 8u);
  EXPECT_EQ(*log_->journal_begin(0), 8u);
  InputBatch batch;
  EXPECT_EQ(log_->poll(0, kInputSource, 7, {}, batch).code(), absl::StatusCode::kOutOfRange);
  crash_and_reopen();
  EXPECT_EQ(log_->input_begin(0, {}).value(), 8u);
  EXPECT_EQ(log_->input_end(0, {}).value(), 10u);
  EXPECT_EQ(*log_->journal_end(0), 10u);
  EXPECT_THAT(inputs(0, 8), ElementsAre("8", "9"));
  EXPECT_EQ(log_->read_journal(0, 0, 10, [](Offset, std::string_view) { return true; }).code(),
            absl::StatusCode::kOutOfRange);
}

TEST_F(EmbeddedLogTest, ActionsPastTheirTimeExpireAndAnOlderCursorIsToldSo) {
  ASSERT_TRUE(commit(0, 1, action(1)).ok());
  ASSERT_TRUE(commit(0, 2, action(2)).ok());
  log_->release(0, 2);
  clock_.advance(kDay * 8);
  ASSERT_TRUE(commit(0, 3, action(3)).ok());
  log_->release(0, 3);
  ASSERT_TRUE(log_->trim(0, {}).ok());
  EXPECT_EQ(log_->read_actions("actions.email", 0, 1, 10).status().code(),
            absl::StatusCode::kOutOfRange);
  EXPECT_THAT(actions(0, 3), ElementsAre("action 3"));
  EXPECT_THAT(*log_->decisions_of("user_id:ann", 10), ElementsAre("decision 3"));
  crash_and_reopen();
  EXPECT_EQ(log_->action_range("actions.email", 0)->first, 3u);
  EXPECT_EQ(log_->action_range("actions.email", 0)->next, 4u);
}

TEST_F(EmbeddedLogTest, TheLastActionsStayHoweverOldForTheySayWhereTheSequenceStands) {
  ASSERT_TRUE(commit(0, 1, action(1)).ok());
  log_->release(0, 1);
  clock_.advance(kDay * 30);
  ASSERT_TRUE(log_->trim(0, {}).ok());
  crash_and_reopen();
  EXPECT_EQ(log_->action_range("actions.email", 0)->next, 2u);
}

TEST_F(EmbeddedLogTest, TooManyActionsExpireOldestFirst) {
  log_.reset();
  options_.actions_bytes_max = 20'000;
  open();
  for (std::uint64_t i = 1; i <= 50; ++i) {
    RunEffects effects;
    effects.actions.push_back({"actions.email", i, "ann", std::string(1000, 'x')});
    ASSERT_TRUE(commit(0, i, std::move(effects)).ok());
  }
  log_->release(0, 50);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(log_->trim(0, {}).ok());
  const ActionRange range = log_->action_range("actions.email", 0).value();
  EXPECT_NEAR(static_cast<double>(range.next - range.first), 20, 2);
}

TEST_F(EmbeddedLogTest, AllThatIsPastItsTimeGoesAtOnceHoweverMuchItIs) {
  for (std::uint64_t i = 1; i <= 400; ++i) {
    RunEffects effects;
    for (int k = 0; k < 60; ++k) effects.decisions.push_back({"user_id:ann", "decision"});
    effects.dead_letters.emplace_back("a dead letter");
    ASSERT_TRUE(commit(0, i, std::move(effects)).ok());
  }
  log_->release(0, 400);
  EXPECT_THAT(*log_->decisions(0, 400, 100), ::testing::SizeIs(60));
  clock_.advance(kDay * 8);
  ASSERT_TRUE(log_->trim(0, {}).ok());
  EXPECT_THAT(*log_->decisions(0, 0, 10), IsEmpty());
  EXPECT_THAT(*log_->dead_letters(0, 10), IsEmpty());
}

TEST_F(EmbeddedLogTest, TooManyDecisionsAndDeadLettersExpireOldestFirstEachOnItsOwn) {
  log_.reset();
  options_.actions_bytes_max = 20'000;
  open();
  const auto run = [&](std::uint64_t seq) {
    RunEffects effects;
    effects.decisions.push_back({"user_id:ann", std::string(1000, 'd')});
    effects.dead_letters.push_back(std::string(1000, 'l'));
    return commit(0, seq, std::move(effects)).ok();
  };
  for (std::uint64_t i = 1; i <= 50; ++i) ASSERT_TRUE(run(i));
  log_->release(0, 50);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(log_->trim(0, {}).ok());
  EXPECT_NEAR(static_cast<double>(log_->decisions(0, 0, 1000)->size()), 20, 2);
  EXPECT_NEAR(static_cast<double>(log_->dead_letters(0, 1000)->size()), 20, 2);
}

TEST_F(EmbeddedLogTest, VersionsOfTheCatalogAndNamedCursorsHaveABound) {
  std::promise<void> last;
  for (std::uint64_t i = 0; i < kCatalogVersionsMax; ++i)
    log_->append_catalog("", "", [&, i](const absl::StatusOr<Offset>& offset) {
      EXPECT_TRUE(offset.ok()) << offset.status();
      if (i + 1 == kCatalogVersionsMax) last.set_value();
    });
  last.get_future().wait();
  absl::Status refused;
  log_->append_catalog("", "", [&](const absl::StatusOr<Offset>& o) { refused = o.status(); });
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(reason_of(refused), "CATALOGS_TOO_MANY");

  std::promise<void> stored_all;
  for (std::size_t i = 0; i < kCursorsMax; ++i)
    log_->store_cursor(absl::StrCat("subscriber ", i), "email", "c", [&, i](const absl::Status& status) {
      EXPECT_TRUE(status.ok()) << status;
      if (i + 1 == kCursorsMax) stored_all.set_value();
    });
  stored_all.get_future().wait();
  crash_and_reopen();
  EXPECT_EQ(log_->catalog_end(), kCatalogVersionsMax);
  const auto store = [&](const std::string& subscriber) {
    std::promise<absl::Status> stored;
    log_->store_cursor(subscriber, "email", "d",
                       [&](const absl::Status& status) { stored.set_value(status); });
    return stored.get_future().get();
  };
  EXPECT_EQ(reason_of(store("one more")), "SUBSCRIBERS_TOO_MANY");
  EXPECT_TRUE(store("subscriber 7").ok()) << "one that is known goes on";
}

TEST_F(EmbeddedLogTest, AFullDiskRefusesAndHarmsNothing) {
  ASSERT_TRUE(publish(0, {"a"}).ok());
  faulty_.files->fail(FaultyFileSystem::Fault::kDiskFull);
  EXPECT_EQ(publish(0, {"b"}).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(log_->status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(publish(0, {"c"}).ok());  // sticky: only a restart finds out what is there
  faulty_.files->fail(FaultyFileSystem::Fault::kNone);
  EXPECT_FALSE(commit(0, 1).ok());
  crash_and_reopen();
  EXPECT_THAT(inputs(0, 0), ElementsAre("a"));
  EXPECT_TRUE(publish(0, {"d"}).ok());
}

// --- a channel's rate: each of two shards has half of it ---

class PacedLogTest : public EmbeddedLogTest {
 protected:
  void rate(int max, Millis per) {
    spur::v1::Catalog catalog;
    spur::v1::Channel& channel = *catalog.add_channels();
    channel.set_topic("actions.email");
    channel.mutable_rate()->set_max(max);
    channel.mutable_rate()->set_per_ms(per.count);
    std::promise<absl::StatusOr<Offset>> durable;
    log_->append_catalog(catalog.SerializeAsString(), "", [&](absl::StatusOr<Offset> offset) {
      durable.set_value(std::move(offset));
    });
    ASSERT_TRUE(durable.get_future().get().ok());
  }
  void send(std::uint64_t seq, std::string topic = "actions.email") {
    ASSERT_TRUE(commit(0, seq, action(seq, std::move(topic))).ok());
    log_->release(0, seq);
  }
  // How many can be read.
  std::size_t shown() { return actions(0, *first_kept()).size(); }
  std::optional<std::uint64_t> first_kept() {
    return log_->action_range("actions.email", 0)->first;
  }
  void pass(Millis time) {
    clock_.advance(time);
    log_->show_due();
  }
};

TEST_F(PacedLogTest, ActionsAreShownEvenlyAndInOrder) {
  rate(2, Millis{10'000});  // each shard one in ten seconds
  for (std::uint64_t seq = 1; seq <= 4; ++seq) send(seq);
  EXPECT_THAT(actions(0), ElementsAre("action 1"));
  pass(Millis{9'994});
  EXPECT_EQ(shown(), 1u);
  pass(Millis{1});  // a wake-up's worth early
  EXPECT_THAT(actions(0), ElementsAre("action 1", "action 2"));
  pass(Millis{10'000});
  pass(Millis{10'000});
  EXPECT_THAT(actions(0), ElementsAre("action 1", "action 2", "action 3", "action 4"));
  pass(Millis{60'000});  // nothing is saved up
  send(5);
  send(6);
  EXPECT_EQ(shown(), 5u);
}

TEST_F(PacedLogTest, WhoReadsIsToldWhenOneIsShown) {
  rate(2, Millis{10'000});
  std::atomic<int> told{0};
  EmbeddedLog::Watcher watcher;
  watcher.actions = [&](const std::string& topic) {
    EXPECT_EQ(topic, "actions.email");
    ++told;
  };
  log_->watch(std::move(watcher));
  send(1);
  send(2);
  EXPECT_EQ(told, 1);
  pass(Millis{10'000});
  EXPECT_EQ(told, 2);
  log_->watch({});
}

TEST_F(PacedLogTest, OtherTopicsDoNotWait) {
  rate(2, Millis{10'000});
  send(1);
  for (std::uint64_t seq = 2; seq <= 4; ++seq) {
    ASSERT_TRUE(commit(0, seq, action(seq - 1, "actions.web")).ok());
    log_->release(0, seq);
  }
  EXPECT_EQ(log_->read_actions("actions.web", 0, 1, 100)->size(), 3u);
}

TEST_F(PacedLogTest, ARestartLosesNothingAndShowsNotAllAtOnce) {
  rate(2, Millis{10'000});
  for (std::uint64_t seq = 1; seq <= 5; ++seq) send(seq);
  log_->show_due();
  pass(Millis{10'000});
  ASSERT_EQ(shown(), 2u);
  for (const bool killed : {false, true}) {
    const std::size_t before = shown();
    if (killed) log_->abandon();
    if (!killed) {
      EXPECT_TRUE(log_->close().ok());
    }
    log_.reset();
    open();
    // The schedule begins anew, with one at once.
    pass(Millis{0});
    EXPECT_EQ(shown(), before + 1);
  }
  pass(Millis{10'000});
  EXPECT_THAT(actions(0), ElementsAre("action 1", "action 2", "action 3", "action 4", "action 5"));
}

TEST_F(PacedLogTest, WithoutARateAnyMoreAllIsShown) {
  rate(2, Millis{10'000});
  for (std::uint64_t seq = 1; seq <= 3; ++seq) send(seq);
  EXPECT_EQ(shown(), 1u);
  rate(0, Millis{0});
  pass(Millis{0});
  EXPECT_EQ(shown(), 3u);
  pass(Millis{1'000});  // and that it was held back is forgotten
  log_.reset();
  open();
  EXPECT_EQ(shown(), 3u);
}

// Whoever reads a stopped daemon's log reads all of it.
TEST_F(PacedLogTest, AReaderOfTheFolderSeesWhatIsHeldBack) {
  rate(2, Millis{10'000});
  for (std::uint64_t seq = 1; seq <= 3; ++seq) send(seq);
  log_.reset();
  auto reading = EmbeddedLog::open_to_read(options_, shared_, clock_);
  ASSERT_TRUE(reading.ok()) << reading.status();
  EXPECT_EQ((*reading)->read_actions("actions.email", 0, 1, 100)->size(), 3u);
}

TEST_F(EmbeddedLogTest, ASecondDaemonIsToldThatTheFolderIsInUse) {
  EXPECT_EQ(refusal(options_).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refusal(options_).message()), HasSubstr("in use by another daemon"));
}

TEST_F(EmbeddedLogTest, TheNumberOfShardsIsForLife) {
  log_.reset();
  EmbeddedLog::Options other = options_;
  other.shards = 3;
  EXPECT_EQ(refusal(other).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refusal(other).message()), HasSubstr("has 2 shards and 3 are asked for"));
  other.shards = 0;  // whatever it has
  EXPECT_EQ((*EmbeddedLog::open(other, shared_, clock_))->shards(), 2u);
}

TEST_F(EmbeddedLogTest, ManyPublishersShareSyncs) {
  constexpr int kThreads = 8, kEach = 50;
  std::atomic<int> durable{0};
  std::promise<void> all;
  std::vector<std::thread> publishers;
  for (int i = 0; i < kThreads; ++i) {
    publishers.emplace_back([&] {
      for (int j = 0; j < kEach; ++j) {
        const InputAppend input{0, "shop", "key", "value"};
        EXPECT_TRUE(log_->append_inputs({&input, 1},
                                        [&](absl::Status status) {
                                          EXPECT_TRUE(status.ok());
                                          if (++durable == kThreads * kEach) all.set_value();
                                        })
                        .ok());
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  all.get_future().wait();
  EXPECT_LT(log_->commits(), kThreads * kEach);
  EXPECT_EQ(inputs(0, 0).size(), static_cast<std::size_t>(kThreads * kEach));
}

}  // namespace
}  // namespace spur::testing
