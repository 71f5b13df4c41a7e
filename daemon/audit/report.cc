#include "daemon/audit/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "operators/expression/text.h"

namespace spur::audit {
namespace {

struct Totals {
  std::uint64_t entries = 0, bytes = 0, inputs = 0, records = 0;
  std::uint64_t expected = 0, matched = 0, repeats = 0, waiting = 0, expired = 0, findings = 0;
  std::uint64_t unverified = 0;  // shards
};

Totals sum(const std::vector<ShardReport>& shards) {
  Totals t;
  for (const ShardReport& shard : shards) {
    t.entries += shard.counts.entries;
    t.bytes += shard.counts.bytes;
    t.inputs += shard.inputs;
    t.records += shard.messages;
    t.findings += shard.findings.total();
    t.unverified += shard.not_verified.empty() ? 0 : 1;
    for (const OutputCounts& output : shard.outputs) {
      t.records += output.records;
      t.expected += output.expected;
      t.matched += output.matched;
      t.repeats += output.repeats;
      t.waiting += output.waiting;
      t.expired += output.expired;
    }
  }
  return t;
}

// A JSON object under construction.
class Object {
 public:
  explicit Object(std::string& out) : out_(out) { out_ += '{'; }
  ~Object() { out_ += '}'; }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  std::string& value(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    fmt::format_to(std::back_inserter(out_), "\"{}\":", name);
    return out_;
  }
  void number(std::string_view name, std::uint64_t n) { value(name) += std::to_string(n); }
  void text(std::string_view name, std::string_view t) {
    expression::append_json_string(&value(name), t);
  }
  void yes_no(std::string_view name, bool yes) { value(name) += yes ? "true" : "false"; }

 private:
  std::string& out_;
};

template <typename Items, typename Write>
void list(Object& in, std::string_view name, const Items& items, const Write& write) {
  std::string& out = in.value(name);
  out += '[';
  for (const auto& item : items) {
    if (out.back() != '[') out += ',';
    Object object(out);
    write(object, item);
  }
  out += ']';
}

void write_output(Object& o, const OutputCounts& output) {
  o.text("partition", output.place);
  o.number("expected", output.expected);
  o.number("records", output.records);
  o.number("matched", output.matched);
  o.number("repeats", output.repeats);
  o.number("waiting", output.waiting);
  o.number("expired", output.expired);
  o.number("newer", output.newer);
}

void write_findings(Object& o, const Findings& findings) {
  {
    Object counts(o.value("findings"));
    for (std::size_t i = 0; i < kKinds; ++i) {
      const auto kind = static_cast<Kind>(i);
      if (findings.count(kind) > 0) counts.number(to_text(kind), findings.count(kind));
    }
  }
  list(o, "samples", findings.samples(), [](Object& sample, const Finding& finding) {
    sample.text("kind", to_text(finding.kind));
    sample.text("place", finding.place);
    sample.text("detail", finding.detail);
  });
}

void write_shard(Object& o, const ShardReport& shard) {
  o.number("shard", shard.shard);
  {
    Object j(o.value("journal"));
    j.number("begin", shard.journal.begin);
    j.number("end", shard.journal.end);
    j.number("bytes", shard.counts.bytes);
    j.number("entries", shard.counts.entries);
    j.number("counted", shard.counts.counted);
    j.number("runs", shard.counts.runs);
    j.number("owners", shard.counts.owners);
    j.number("late", shard.counts.late);
    j.number("repeated", shard.counts.repeated);
    j.number("claims_lost", shard.counts.claims_lost);
    j.number("epoch", shard.stand.epoch);
    j.number("seq", shard.stand.seq);
    j.number("acked_through", shard.acked_through);
    j.yes_no("sealed", shard.sealed);
  }
  o.text("base", shard.base);
  o.number("run_first", shard.run_first);
  o.number("run_last", shard.run_last);
  o.text("not_verified", shard.not_verified);
  o.number("inputs", shard.inputs);
  o.number("inputs_left", shard.inputs_left);
  o.number("messages", shard.messages);
  o.number("messages_repeated", shard.messages_repeated);
  list(o, "outputs", shard.outputs, write_output);
  write_findings(o, shard.findings);
}

void text_of(const ShardReport& shard, std::string& out) {
  const auto say = [&](const std::string& line) { out += line + '\n'; };
  const JournalCounts& c = shard.counts;
  say(
      fmt::format("shard {}: journal [{}, {}): {} entries count ({} runs, {} owners); skipped: {} "
                  "late, {} repeated, {} lost claims",
                  shard.shard, shard.journal.begin, shard.journal.end, c.counted, c.runs, c.owners,
                  c.late, c.repeated, c.claims_lost));
  if (!shard.base.empty())
    say(fmt::format(
        "  replayed from {} to run {} of {}, {} inputs ({} more wait); effects compared "
        "from run {}",
        shard.base, shard.run_last, shard.stand.seq, shard.inputs, shard.inputs_left,
        shard.run_first));
  if (!shard.not_verified.empty()) say("  NOT VERIFIED: " + shard.not_verified);
  for (const OutputCounts& o : shard.outputs) {
    if (o.records == 0 && o.expected == 0) continue;
    say(fmt::format("  {}: {} records; {} of {} expected are there, {} repeats{}{}{}", o.place,
                    o.records, o.matched, o.expected, o.repeats,
                    o.waiting == 0 ? "" : fmt::format(", {} on their way", o.waiting),
                    o.expired == 0 ? "" : fmt::format(", {} no longer kept", o.expired),
                    o.newer == 0 ? "" : fmt::format(", {} newer", o.newer)));
  }
  if (shard.messages > 0)
    say(fmt::format("  messages: {} records, {} repeats", shard.messages, shard.messages_repeated));
  for (const Finding& finding : shard.findings.samples())
    say(fmt::format("  WRONG {} in {}: {}", to_text(finding.kind), finding.place, finding.detail));
  for (std::size_t i = 0; i < kKinds; ++i) {
    const std::uint64_t count = shard.findings.count(static_cast<Kind>(i));
    if (count > Findings::kSamplesMax)
      say(fmt::format("  WRONG {}: {} in all, the first {} are listed",
                      to_text(static_cast<Kind>(i)), count, Findings::kSamplesMax));
  }
}

}  // namespace

bool clean(const std::vector<ShardReport>& shards) {
  return std::all_of(shards.begin(), shards.end(),
                     [](const ShardReport& shard) { return shard.findings.total() == 0; });
}

std::string to_text(const std::vector<ShardReport>& shards) {
  std::string out;
  for (const ShardReport& shard : shards) text_of(shard, out);
  const Totals t = sum(shards);
  out += fmt::format("read {} journal entries ({} bytes), {} inputs and {} records of topics\n",
                     t.entries, t.bytes, t.inputs, t.records);
  if (t.unverified > 0)
    out += fmt::format("{} of {} shards could not be replayed to the end\n", t.unverified,
                       shards.size());
  if (t.findings > 0) {
    out += fmt::format("WRONG: {} findings\n", t.findings);
  } else {
    out += fmt::format(
        "clean: {} of {} expected effects are there once, {} repeats that channels "
        "drop, {} on their way, {} no longer kept\n",
        t.matched, t.expected, t.repeats, t.waiting, t.expired);
  }
  return out;
}

std::string to_json(const std::vector<ShardReport>& shards) {
  std::string out;
  {
    Object o(out);
    const Totals t = sum(shards);
    o.yes_no("clean", clean(shards));
    o.number("findings", t.findings);
    o.number("unverified_shards", t.unverified);
    o.number("journal_entries", t.entries);
    o.number("journal_bytes", t.bytes);
    o.number("inputs", t.inputs);
    o.number("records", t.records);
    o.number("expected", t.expected);
    o.number("matched", t.matched);
    o.number("repeats", t.repeats);
    o.number("waiting", t.waiting);
    o.number("expired", t.expired);
    list(o, "shards", shards, write_shard);
  }
  out += '\n';
  return out;
}

}  // namespace spur::audit
