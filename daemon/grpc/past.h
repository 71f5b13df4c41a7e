// Explain about the past: one customer, as a fold of the journal finds it at a time, and what led
// there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "daemon/engine.h"
#include "daemon/explain/recording.h"
#include "daemon/grpc/customer_reader.h"
#include "spur/v1/service.pb.h"

namespace spur::services {

inline constexpr std::size_t kMomentsMax = 200;  // of an answer: the newest

class Past {
 public:
  // `cancelled`: nobody waits for the answer any more. `out` outlives it.
  Past(CustomerName name, const spur::v1::ExplainRequest& request, std::function<bool()> cancelled,
       spur::v1::ExplainResponse& out);

  // Names this.
  HistoryQuestion question(std::uint32_t shard);
  // Once the question is answered: adds what was recorded. False: the customer was not known by
  // then.
  bool finish();

 private:
  bool go_on(const HistoryView& view);
  // Whether everything about the time asked for is decided.
  bool is_past(Shard& shard);
  void stand(const Customer& customer);
  spur::v1::Catalog definitions() const;

  const CustomerName name_;
  const std::string trigger_;
  const Instant at_;
  const std::function<bool()> cancelled_;
  spur::v1::ExplainResponse& out_;
  explain::Recording recording_;
  Shard* shard_ = nullptr;  // of the fold
  const std::string* catalog_ = nullptr;
  std::shared_ptr<const catalog::Compiled> compiled_;  // that patience_ is of
  Millis patience_{0};
  bool stood_ = false;
};

}  // namespace spur::services
