// A file system with faults under a real one: a disk that is full, that may not be written, or that
// answers every write with an I/O error, or that answers none for a while. (Permissions by chmod
// would not hold a test back that runs as root.)
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

namespace spur::testing {

class FaultyFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  enum class Fault { kNone, kDiskFull, kIoError, kNotWritable };

  FaultyFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FaultyFileSystem"; }

  // From now on, for all files that were opened through this.
  void fail(Fault fault) { fault_ = fault; }
  // From now on writes wait, until let_go().
  void hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  // Makes `fail` and `hold` work only for files whose name contains this.
  void only(std::string part) { only_ = std::move(part); }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* context) override {
    if (rocksdb::IOStatus status = check(name); !status.ok()) return status;
    rocksdb::IOStatus status = target()->NewWritableFile(name, options, file, context);
    if (status.ok()) *file = std::make_unique<File>(std::move(*file), *this, name);
    return status;
  }

 private:
  class File final : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    File(std::unique_ptr<rocksdb::FSWritableFile>&& file, FaultyFileSystem& system,
         std::string name)
        : FSWritableFileOwnerWrapper(std::move(file)), system_(system), name_(std::move(name)) {}
    using FSWritableFileOwnerWrapper::Append;
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* context) override {
      if (rocksdb::IOStatus status = system_.check(name_); !status.ok()) return status;
      return FSWritableFileOwnerWrapper::Append(data, options, context);
    }
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* context) override {
      if (rocksdb::IOStatus status = system_.check(name_); !status.ok()) return status;
      return FSWritableFileOwnerWrapper::Sync(options, context);
    }

   private:
    FaultyFileSystem& system_;
    const std::string name_;
  };

  rocksdb::IOStatus check(const std::string& name) {
    if (name.find(only_) == std::string::npos) return rocksdb::IOStatus::OK();
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !held_; });
    }
    const Fault fault = fault_;
    if (fault == Fault::kNone) return rocksdb::IOStatus::OK();
    if (fault == Fault::kDiskFull) return rocksdb::IOStatus::NoSpace("No space left on device");
    if (fault == Fault::kNotWritable) return rocksdb::IOStatus::IOError(name, "Permission denied");
    return rocksdb::IOStatus::IOError("input/output error");
  }

  std::atomic<Fault> fault_{Fault::kNone};
  std::string only_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
};

// Gives RocksDB an Env over it.
struct FaultyEnv {
  std::shared_ptr<FaultyFileSystem> files = std::make_shared<FaultyFileSystem>();
  std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(files);
};

}  // namespace spur::testing
