// Shoppers: whose events they are. Half of them go to a tenth of the customers, as shops have them;
// each customer has one in `rhythm` on average, so that however many there are an event finds the
// same work to do.
#pragma once

#include "drive.h"

namespace spur {

class Shoppers {
 public:
  static constexpr Instant kStart{1'767'614'400'000};  // 2026-01-05T12:00:00Z

  Shoppers(std::uint64_t customers, Millis rhythm) : customers_(customers), rhythm_(rhythm) {}

  void make(Drive& drive) {
    for (Made& message : drive.messages()) {
      const std::uint64_t who =
          random_.below(2) == 0 ? random_.below(customers_ / 10 + 1) : random_.below(customers_);
      make_event(random_, who, next(), message);
    }
  }
  // An event of everybody, so that all are there before anything is measured.
  void introduce(Drive& drive) {
    for (std::uint64_t who = 0; who < customers_;) {
      for (Made& message : drive.messages())
        make_event(random_, who++ % customers_, "Product Added", next(), message);
      drive.decode();
      drive.apply();
    }
  }

 private:
  Instant next() {
    return kStart + Millis{static_cast<std::int64_t>(
                        n_++ * static_cast<std::uint64_t>(rhythm_.count) / customers_)};
  }

  const std::uint64_t customers_;
  const Millis rhythm_;
  SplitMix random_{1};
  std::uint64_t n_ = 0;
};

}  // namespace spur
