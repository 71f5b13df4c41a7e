#include "daemon/snapshot.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "state/codec/keys.h"
#include "state/digest.h"
#include "state/rocks_store.h"

namespace spur {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCopyBytes = 4u << 20;
constexpr std::string_view kManifest = ".manifest";

// One that a manifest names; whether it is whole shows when it is opened.
struct Named {
  std::uint64_t epoch = 0, seq = 0;
  fs::path folder;
  auto order() const { return std::pair(epoch, seq); }
};

std::optional<std::uint64_t> number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The newest first.
std::vector<Named> list(const fs::path& shard) {
  std::vector<Named> all;
  std::error_code error;
  for (const fs::directory_entry& epoch : fs::directory_iterator(shard, error)) {
    const auto e = number(epoch.path().filename().string());
    if (!e) continue;
    for (const fs::directory_entry& file : fs::directory_iterator(epoch.path(), error)) {
      if (file.path().extension() != kManifest) continue;
      const auto seq = number(file.path().stem().string());
      if (seq) all.push_back({*e, *seq, epoch.path() / file.path().stem()});
    }
  }
  std::sort(all.begin(), all.end(),
            [](const Named& a, const Named& b) { return a.order() > b.order(); });
  return all;
}

fs::path manifest_of(const fs::path& folder) {
  return folder.parent_path() / (folder.filename().string() + std::string(kManifest));
}

absl::StatusOr<std::optional<spur::v1::Position>> position_in(const Store& store) {
  const auto row = store.get(position_key());
  if (!row.ok()) return row.status();
  spur::v1::Position position;
  if (!row->has_value() || !position.ParseFromString(**row))
    return std::optional<spur::v1::Position>();
  return std::optional<spur::v1::Position>(std::move(position));
}

// Opened and checked against its manifest; nullptr if it is not whole.
std::unique_ptr<RocksStore> open_whole(const Named& named, const RocksShared& shared) {
  std::ifstream in(manifest_of(named.folder));
  RowsSum expected;
  if (!(in >> expected.rows >> expected.sum)) return nullptr;
  auto store = RocksStore::open_to_read(named.folder.string(), shared);
  if (!store.ok()) return nullptr;
  const auto found = sum_rows(**store);
  if (!found.ok() || *found != expected) return nullptr;
  return *std::move(store);
}

absl::Status io_error(const std::error_code& error, const fs::path& path) {
  return absl::UnavailableError(
      absl::StrCat("writing the snapshot ", path.string(), ": ", error.message()));
}

}  // namespace

absl::StatusOr<RowsSum> sum_rows(const Store& store) {
  RowsSum sum;
  const absl::Status scanned = store.scan("", [&](std::string_view key, std::string_view value) {
    Digest row;
    row.add(1, key);
    row.add(2, value);
    ++sum.rows;
    sum.sum += row.value();
    return true;
  });
  if (!scanned.ok()) return scanned;
  return sum;
}

absl::Status copy_rows(const Store& from, Store& to) {
  // Without a position nothing of what is there counts.
  if (absl::Status written = to.write({{}, {position_key()}}); !written.ok()) return written;
  StoreBatch batch;
  std::size_t bytes = 0;
  absl::Status trouble;
  const auto write = [&] {
    trouble = to.write(std::exchange(batch, {}));
    bytes = 0;
    return trouble.ok();
  };
  std::vector<std::string> old;
  absl::Status scanned = to.scan("", [&](std::string_view key, std::string_view) {
    old.emplace_back(key);
    return true;
  });
  if (!scanned.ok()) return scanned;
  batch.deletes = std::move(old);
  if (!write()) return trouble;
  std::optional<std::string> position;
  scanned = from.scan("", [&](std::string_view key, std::string_view value) {
    if (key == position_key()) {
      position = std::string(value);
      return true;
    }
    bytes += key.size() + value.size();
    batch.puts.emplace_back(key, value);
    return bytes < kCopyBytes || write();
  });
  if (!trouble.ok()) return trouble;
  if (!scanned.ok()) return scanned;
  if (position) batch.puts.emplace_back(position_key(), *std::move(position));
  if (!write()) return trouble;
  return to.flush();
}

Log::Trim trim_below(const spur::v1::Position& position) {
  Log::Trim below;
  below.journal_below = position.journal_offset() + 1;
  for (const spur::v1::SourcePosition& source : position.sources()) {
    if (source.source() == kInputSource) below.inputs_below = source.next_offset();
    if (source.source() == kMessageSource) below.messages_below = source.next_offset();
  }
  return below;
}

absl::StatusOr<std::optional<Log::Trim>> FolderSnapshots::take(std::uint32_t shard, Store& store) {
  auto* const rocks = dynamic_cast<RocksStore*>(&store);
  if (rocks == nullptr) return absl::UnimplementedError("only a RocksDB can be copied");
  const auto position = position_in(store);
  if (!position.ok()) return position.status();
  if (!position->has_value()) return std::optional<Log::Trim>();
  const fs::path root = fs::path(directory_) / absl::StrCat(shard);
  const std::uint64_t epoch = (*position)->epoch();
  const fs::path folder = root / absl::StrCat(epoch) / absl::StrCat((*position)->seq());
  std::error_code error;
  fs::create_directories(folder.parent_path(), error);
  if (error) return io_error(error, folder);
  fs::remove(manifest_of(folder), error);
  fs::remove_all(folder, error);
  if (absl::Status copied = rocks->checkpoint(folder.string()); !copied.ok()) return copied;

  // It counts once it was opened and read to its end.
  auto copy = RocksStore::open_to_read(folder.string(), shared_);
  if (!copy.ok()) return copy.status();
  const auto sum = sum_rows(**copy);
  if (!sum.ok()) return sum.status();
  const fs::path manifest = manifest_of(folder), fresh = manifest.string() + ".new";
  {
    std::ofstream out(fresh, std::ios::trunc);
    out << sum->rows << ' ' << sum->sum << '\n';
    if (!out.flush()) return absl::UnavailableError("a snapshot's manifest cannot be written");
  }
  fs::rename(fresh, manifest, error);
  if (error) return io_error(error, manifest);

  std::optional<Log::Trim> below;
  std::size_t whole = 0;
  for (const Named& named : list(root)) {
    if (whole == kKept) {
      if (named.epoch > epoch) continue;
      fs::remove(manifest_of(named.folder), error);
      fs::remove_all(named.folder, error);
      continue;
    }
    const auto kept = open_whole(named, shared_);
    if (kept == nullptr) continue;
    const auto where = position_in(*kept);
    if (where.ok() && where->has_value() && ++whole == kKept) below = trim_below(**where);
  }
  return below;
}

absl::StatusOr<bool> FolderSnapshots::restore(std::uint32_t shard, Store& store) {
  for (const Named& named : list(fs::path(directory_) / absl::StrCat(shard))) {
    const auto whole = open_whole(named, shared_);
    if (whole == nullptr) continue;
    if (absl::Status copied = copy_rows(*whole, store); !copied.ok()) return copied;
    return true;
  }
  return false;
}

}  // namespace spur
