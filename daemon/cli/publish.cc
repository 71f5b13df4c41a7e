// spur publish: events of a file to a running daemon, over one stream, several requests on their
// way at once.
//
// An answer means that the daemon has the events durably. What is unanswered when the stream breaks
// may be published again: events with a messageId are recognised.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "daemon/cli/command.h"
#include "daemon/cli/progress.h"
#include "daemon/cli/remote.h"
#include "daemon/clock.h"
#include "daemon/inputs/event_file.h"
#include "daemon/inputs/segment.h"
#include "fmt/format.h"
#include "spur/v1/service.grpc.pb.h"

namespace spur::cli {
namespace {

using Stream = grpc::ClientReaderWriter<spur::v1::PublishRequest, spur::v1::PublishResponse>;

constexpr std::size_t kRequestBytesMax = 1u << 20;  // the daemon takes 4 MiB; less is smoother
constexpr std::size_t kUnansweredMax = 32;
constexpr std::size_t kSamplesMax = 10;  // dead letters shown
constexpr std::chrono::hours kStreamMax(24);

struct Arguments {
  std::vector<std::string> files;
  std::string source;
  double rate = 0;
  int batch = 500;
  std::uint64_t from_line = 1;
  bool quiet = false;
  bool json = false;
  Remote remote;
};

// What was sent, by place; the answers come in the same order.
struct Sent {
  std::string file;
  std::vector<std::uint64_t> lines;
  spur::v1::PublishRequest request;
};

// "events.jsonl:3: BAD_TIMESTAMP: `yesterday` is not like …". The daemon tells the reason only; the
// rest is found by decoding the line once more, here, if a Segment call would be refused for it
// too.
std::string dead_letter_text(const Sent& sent, std::size_t place, const std::string& reason) {
  SegmentDecoder decoder;
  const EventSchema nothing;
  Arena arena;
  const Decoded decoded =
      decoder.decode(sent.request.events(static_cast<int>(place)).json(), nothing, 0, arena);
  const Malformed* malformed = std::get_if<Malformed>(&decoded);
  if (malformed != nullptr && to_text(malformed->reason) != reason) malformed = nullptr;
  return fmt::format("{}:{}: {}{}{}", sent.file, sent.lines[place], reason,
                     malformed == nullptr ? "" : ": ",
                     malformed == nullptr ? "" : malformed->detail);
}

// One stream: the caller writes, a thread of its own reads the answers, another sees that they keep
// coming.
class Publishing {
 public:
  Publishing(const std::shared_ptr<grpc::Channel>& channel,
             std::chrono::milliseconds answer_timeout)
      : answer_timeout_(answer_timeout), stub_(spur::v1::EventService::NewStub(channel)) {
    services::set_deadline(context_, kStreamMax);
    stream_ = stub_->PublishStream(&context_);
    moved_ = clock_.read().steady;
    reader_ = std::thread([this] { read(); });
    watcher_ = std::thread([this] { watch(); });
  }
  ~Publishing() {
    if (reader_.joinable()) finish();
  }

  // Waits while too much is unanswered. False: the stream is over; finish() tells why.
  bool write(Sent sent) {
    const spur::v1::PublishRequest* request = nullptr;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return ended_ || unanswered_.size() < kUnansweredMax; });
      if (ended_) return false;
      if (unanswered_.empty()) moved_ = clock_.read().steady;
      request = &unanswered_.emplace_back(std::move(sent))
                     .request;  // stays: it is not answered before it is sent
    }
    return stream_->Write(*request);
  }

  // Waits for the last answers.
  grpc::Status finish() {
    stream_->WritesDone();
    reader_.join();
    const grpc::Status status = stream_->Finish();
    {
      const std::lock_guard lock(mutex_);
      finished_ = true;
    }
    changed_.notify_all();
    watcher_.join();
    if (stalled_) return {grpc::StatusCode::DEADLINE_EXCEEDED, "no answer"};
    return status;
  }

  // Of use after finish(), and `answered` any time.
  std::uint64_t answered() const { return answered_; }
  std::map<std::string, std::uint64_t> dead_letters;  // by reason
  std::vector<std::string> samples;
  const Sent* first_unanswered() const {
    return unanswered_.empty() ? nullptr : &unanswered_.front();
  }

 private:
  void read() {
    spur::v1::PublishResponse response;
    while (stream_->Read(&response)) {
      const std::lock_guard lock(mutex_);
      moved_ = clock_.read().steady;
      if (unanswered_.empty()) break;
      const Sent& sent = unanswered_.front();
      for (int i = 0; i < response.results_size(); ++i) {
        const std::string& reason = response.results(i).dead_letter_reason();
        if (reason.empty()) continue;
        ++dead_letters[reason];
        const auto place = static_cast<std::size_t>(i);
        if (samples.size() < kSamplesMax && place < sent.lines.size()) {
          samples.push_back(dead_letter_text(sent, place, reason));
        }
      }
      answered_ += static_cast<std::uint64_t>(response.results_size());
      unanswered_.pop_front();
      changed_.notify_all();
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  void watch() {
    std::unique_lock lock(mutex_);
    while (!finished_) {
      changed_.wait_for(lock, std::chrono::milliseconds(200));
      if (finished_ || unanswered_.empty() || clock_.read().steady - moved_ < answer_timeout_)
        continue;
      stalled_ = true;
      context_.TryCancel();
      return;
    }
  }

  const std::chrono::milliseconds answer_timeout_;
  const SystemClock clock_;
  grpc::ClientContext context_;
  std::unique_ptr<spur::v1::EventService::Stub> stub_;
  std::unique_ptr<Stream> stream_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Sent> unanswered_;
  std::atomic<std::uint64_t> answered_{0};
  std::chrono::nanoseconds moved_{
      0};  // when the last answer came, or the first request after quiet went
  bool ended_ = false;
  bool finished_ = false;
  std::atomic<bool> stalled_{false};
  std::thread reader_, watcher_;
};

struct Totals {
  std::uint64_t sent = 0, too_long = 0;
};

// Holds the sender to so many events a second.
class Pace {
 public:
  explicit Pace(double per_second) : per_second_(per_second), start_(clock_.read().steady) {}
  void wait_for(std::uint64_t events) const {
    if (per_second_ <= 0) return;
    const auto due = std::chrono::duration<double>(static_cast<double>(events) / per_second_);
    const auto passed = clock_.read().steady - start_;
    if (due > passed) std::this_thread::sleep_for(due - passed);
  }

 private:
  const double per_second_;
  const SystemClock clock_;
  const std::chrono::nanoseconds start_;
};

// False: the stream is over, or the file cannot be read (then `error` says why).
bool publish_file(const std::string& path, const Arguments& a, const Pace& pace,
                  Publishing& publishing, Progress& progress, Totals& totals, std::string& error) {
  absl::StatusOr<EventFile> file = EventFile::open(path);
  if (!file.ok()) {
    error = std::string(file.status().message());
    return false;
  }
  Sent sent{path, {}, {}};
  std::size_t bytes = 0;
  // Held to a rate, ten requests a second are smoother than one.
  const auto batch = static_cast<int>(
      a.rate > 0 ? std::clamp(a.rate / 10, 1.0, static_cast<double>(a.batch)) : a.batch);
  const auto flush = [&] {
    if (sent.lines.empty()) return true;
    pace.wait_for(totals.sent);
    totals.sent += sent.lines.size();
    const bool written = publishing.write(std::move(sent));
    sent = {path, {}, {}};
    bytes = 0;
    progress.show(path, file->consumed_bytes(), file->total_bytes(), publishing.answered());
    return written;
  };
  while (const std::optional<EventFile::Line> line = file->next()) {
    if (line->number < a.from_line) continue;
    if (line->too_long) {
      ++totals.too_long;
      continue;
    }
    if (bytes + line->bytes.size() > kRequestBytesMax && !flush()) return false;
    spur::v1::Event& event = *sent.request.add_events();
    event.set_json(std::string(line->bytes));
    event.set_source(a.source);
    sent.lines.push_back(line->number);
    bytes += line->bytes.size();
    if (sent.request.events_size() >= batch && !flush()) return false;
  }
  if (!file->status().ok()) {
    error = std::string(file->status().message());
    return false;
  }
  return flush();
}

void report(const Arguments& a, const Publishing& publishing, const Totals& totals,
            double seconds) {
  std::uint64_t dead = totals.too_long;
  for (const auto& [reason, count] : publishing.dead_letters) dead += count;
  if (a.json) {
    std::string reasons;
    for (const auto& [reason, count] : publishing.dead_letters)
      reasons += fmt::format("{}\"{}\":{}", reasons.empty() ? "" : ",", reason, count);
    fmt::print("{{\"answered\":{},\"dead_letters\":{{{}}},\"too_long\":{},\"seconds\":{:.3f}}}\n",
               publishing.answered(), reasons, totals.too_long, seconds);
    return;
  }
  if (!a.quiet && totals.sent + totals.too_long > 0) {
    fmt::print("{} events in {:.2f} s ({:.0f} events/s), {} dead letters\n", publishing.answered(),
               seconds, static_cast<double>(publishing.answered()) / std::max(seconds, 1e-9), dead);
  }
  for (const auto& [reason, count] : publishing.dead_letters)
    fmt::print(stderr, "dead letters {}: {}\n", reason, count);
  for (const std::string& sample : publishing.samples) fmt::print(stderr, "  {}\n", sample);
  if (totals.too_long > 0)
    fmt::print(stderr, "lines of more than 1 MiB, not sent: {}\n", totals.too_long);
}

// An event of a Source that the catalog does not have is taken all the same, and becomes a dead
// letter when its turn comes: too late for the one who misspelt it. So this asks first.
int check_source(const std::shared_ptr<grpc::Channel>& channel, const Arguments& a) {
  if (a.source.empty()) return kFine;
  grpc::ClientContext context;
  a.remote.set_deadline(context);
  spur::v1::GetCatalogResponse response;
  const grpc::Status status =
      spur::v1::CatalogService::NewStub(channel)->Get(&context, {}, &response);
  if (!status.ok()) return a.remote.failed("publish", status);
  std::vector<std::string> names;
  for (const spur::v1::Source& source : response.catalog().sources())
    names.push_back(source.name());
  if (names.empty()) names.emplace_back("events");  // what a catalog without a Source has
  for (const spur::v1::Reference& reference : response.catalog().references())
    names.push_back(reference.name());
  if (std::find(names.begin(), names.end(), a.source) != names.end()) return kFine;
  fmt::print(stderr, "spur publish: --source: the catalog in force has no Source `{}`; it has {}\n",
             a.source, fmt::join(names, ", "));
  return kBadUse;
}

int run(Arguments& a) {
  const std::shared_ptr<grpc::Channel> channel = a.remote.connect("publish");
  if (channel == nullptr) return a.remote.exit_code();
  if (const int code = check_source(channel, a); code != kFine) return code;
  const SystemClock clock;
  const std::chrono::nanoseconds start = clock.read().steady;
  Progress progress(!a.quiet && !a.json && isatty(STDERR_FILENO) != 0);
  const Pace pace(a.rate);
  Publishing publishing(channel, a.remote.timeout());
  Totals totals;
  std::string error;
  for (const std::string& path : a.files) {
    if (!publish_file(path, a, pace, publishing, progress, totals, error)) break;
  }
  const grpc::Status status = publishing.finish();
  progress.done();
  report(a, publishing, totals, std::chrono::duration<double>(clock.read().steady - start).count());
  if (!status.ok()) {
    const int code = a.remote.failed("publish", status);
    const Sent* const next = publishing.first_unanswered();
    if (next != nullptr && publishing.answered() > 0) {
      // --from-line is of each file, so the rest of this one is a command of its own.
      fmt::print(
          stderr,
          "all before {0}:{1} is in the log; go on with `spur publish {0} --from-line {1}`{2}\n",
          next->file, next->lines.front(),
          next->file == a.files.back() ? "" : ", then with the files behind it");
    }
    return code;
  }
  if (!error.empty()) {
    fmt::print(stderr, "spur publish: {}\n", error);
    return kBadUse;
  }
  return publishing.dead_letters.empty() && totals.too_long == 0 ? kFine : kNo;
}

}  // namespace

void add_publish(CLI::App& app, Chosen& chosen) {
  CLI::App* const command =
      app.add_subcommand("publish", "send events of files to a running daemon");
  auto a = std::make_shared<Arguments>();
  command
      ->add_option("file", a->files,
                   "lines of what the Source takes: Segment calls, or JSON of its format; .gz and "
                   ".zst too; - is standard input")
      ->required();
  command->add_option("--source", a->source,
                      "the Source of the catalog that they belong to, by default the first; or a "
                      "Reference, whose records they are then");
  command
      ->add_option("--rate", a->rate,
                   "events a second at most; 0: as fast as the daemon takes them")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_option("--batch", a->batch, "events in one request")
      ->capture_default_str()
      ->check(CLI::Range(1, 2500));
  command
      ->add_option("--from-line", a->from_line, "pass over the lines before this one, of each file")
      ->capture_default_str();
  command->add_flag("--quiet,-q", a->quiet,
                    "no summary and no progress; dead letters are told all the same");
  command->add_flag("--json", a->json, "the summary as one line of JSON");
  a->remote.add_options(*command);
  command->footer(
      "Exit code 1: some events became dead letters. The timeout is for each answer, not for the "
      "whole.\n\n"
      "Examples:\n  spur publish history.jsonl.gz\n  producer | spur publish - --rate 1000");
  command->callback([&chosen, a] { chosen.run = [a] { return run(*a); }; });
}

}  // namespace spur::cli
