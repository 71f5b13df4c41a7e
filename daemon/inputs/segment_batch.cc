#include "daemon/inputs/segment_batch.h"

#include <fmt/core.h>

#include <algorithm>

namespace spur {
namespace {

// An object without its braces and the white space inside; nullopt if it is none.
std::optional<std::string_view> inside(std::string_view value) {
  if (value.empty() || value.front() != '{') return std::nullopt;
  std::string_view members = value.substr(1, value.size() - 2);
  const std::size_t first = members.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? std::string_view() : members.substr(first);
}

// What stands for nothing where an object should be: null, and [] as PHP writes an empty map. And
// an empty text where a time should be.
bool is_nothing(std::string_view value, bool time) {
  if (value == "null") return true;
  if (time) return value == R"("")";
  return value.front() == '[' && value.find_first_not_of(" \t\r\n", 1) == value.size() - 1;
}

}  // namespace

std::optional<SegmentBatch::Shared> SegmentBatch::shared_of(std::string_view key) {
  for (std::size_t i = 0; i < kSharedCount; ++i) {
    if (key == kSharedNames[i]) return static_cast<Shared>(i);
  }
  return std::nullopt;
}

SegmentBatch::Outcome SegmentBatch::open(std::string_view bytes) {
  calls_.clear();
  arena_.reset();
  std::fill(std::begin(shared_), std::end(shared_), std::string_view());
  bool has_calls = false, has_type = false;
  Token at = reader_.open_object(bytes, "a batch");
  if (at == nullptr) return Outcome::kNone;
  at = reader_.object(at, arena_, [&](std::string_view key, Token value) {
    if (key == "batch" && !has_calls && reader_.peek(value) == '[') {
      has_calls = true;
      return calls(value);
    }
    const Token behind = reader_.skip(value);
    has_type = has_type || key == "type";
    const std::optional<Shared> shared = shared_of(key);
    if (shared && behind != nullptr && shared_[*shared].empty())
      shared_[*shared] = reader_.between(value, behind);
    return behind;
  });
  if (at == nullptr || !reader_.finish(at) || !has_calls || has_type) return Outcome::kNone;
  if (calls_.empty()) return refuse(Reason::kEmptyBatch, "`batch` holds no call");
  if (calls_.size() > limits_.batch_calls_max) {
    return refuse(Reason::kTooManyElements,
                  fmt::format("more than {} calls in one batch", limits_.batch_calls_max));
  }
  std::size_t size = 0;
  for (const std::string_view shared : shared_) size += shared.size();
  if (size * calls_.size() <= limits_.batch_shared_bytes_max) return Outcome::kBatch;
  // Without a bound a record could grow by a thousand times.
  return refuse(Reason::kTooLarge,
                fmt::format("{} bytes of `context`, `integrations` and times for each of {} calls; "
                            "at most {} together are taken",
                            size, calls_.size(), limits_.batch_shared_bytes_max));
}

bool SegmentBatch::is_batch(std::string_view call) const {
  SegmentBatch inner(limits_);
  return inner.open(call) != Outcome::kNone;
}

std::string SegmentBatch::alone(std::string_view call) {
  return R"({"batch":[)" + std::string(call) + "]}";
}

SegmentBatch::Outcome SegmentBatch::refuse(Reason reason, std::string detail) {
  failure_ = {reason, std::move(detail)};
  return Outcome::kMalformed;
}

SegmentBatch::Token SegmentBatch::calls(Token at) {
  return reader_.list(at, [&](Token element) {
    const Token behind = reader_.pass(element);
    // One more than may be, which is enough to tell.
    if (behind != nullptr && calls_.size() <= limits_.batch_calls_max)
      calls_.push_back(reader_.between(element, behind));
    return behind;
  });
}

bool SegmentBatch::read(Call& call) {
  if (call.bytes.front() != '{') return false;
  Token at = reader_.open(call.bytes);
  if (at != nullptr) {
    at = reader_.object(at, arena_, [&](std::string_view key, Token value) {
      call.empty = false;
      const Token behind = reader_.skip(value);
      const std::optional<Shared> shared = shared_of(key);
      if (shared && behind != nullptr && call.own[*shared].empty())
        call.own[*shared] = reader_.between(value, behind);
      return behind;
    });
  }
  return at != nullptr && reader_.finish(at);
}

SegmentBatch::How SegmentBatch::how(const Call& call, std::size_t i) const {
  const bool time = i == kSentAt || i == kReceivedAt;
  if (shared_[i].empty() || is_nothing(shared_[i], time)) return How::kNot;
  if (call.own[i].empty() || is_nothing(call.own[i], time)) return How::kBefore;
  return inside(call.own[i]) && inside(shared_[i]) ? How::kInto : How::kNot;
}

std::string_view SegmentBatch::call(std::size_t index) {
  Call call{calls_[index], {}, true};
  const auto said = [](std::string_view shared) { return !shared.empty(); };
  if (std::none_of(std::begin(shared_), std::end(shared_), said)) return call.bytes;
  arena_.reset();  // keys with escapes, of the call before
  if (!read(call)) return call.bytes;
  for (std::size_t i = 0; i < kSharedCount; ++i) {
    if (how(call, i) != How::kNot) {
      write(call);
      return written_;
    }
  }
  return call.bytes;
}

// Of a key given twice the first counts: what the call does not say goes to its front, and before
// its null; what is merged goes to the end of its own object.
void SegmentBatch::write(const Call& call) {
  written_.assign(1, '{');
  std::vector<std::pair<std::size_t, std::string_view>> merged;  // where, and which members
  for (std::size_t i = 0; i < kSharedCount; ++i) {
    if (how(call, i) == How::kBefore) {
      if (written_.size() > 1) written_ += ',';
      written_ += '"';
      written_ += kSharedNames[i];
      written_ += R"(":)";
      written_ += shared_[i];
    } else if (how(call, i) == How::kInto) {
      const std::string_view own = call.own[i];
      merged.emplace_back(own.data() + own.size() - 1 - call.bytes.data(), *inside(shared_[i]));
    }
  }
  std::sort(merged.begin(), merged.end());
  if (!call.empty && written_.size() > 1) written_ += ',';
  std::size_t done = 1;  // behind the call's {
  for (const auto& [end, members] : merged) {
    written_ += call.bytes.substr(done, end - done);
    const bool first = written_.find_last_not_of(" \t\r\n") == written_.rfind('{');
    if (!first && !members.empty()) written_ += ',';
    written_ += members;
    done = end;
  }
  written_ += call.bytes.substr(done);
}

}  // namespace spur
