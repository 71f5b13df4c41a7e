#include "daemon/log/kafka/instant_text.h"

#include <chrono>

#include "state/check.h"

namespace spur::kafka {
namespace {

void put_digits(char* to, unsigned value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::string_view InstantText::operator()(std::int64_t ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds(ms)};
  const sys_days midnight = floor<days>(at);
  if (const std::int64_t day = midnight.time_since_epoch().count(); day != day_) {
    const year_month_day date(midnight);
    const int year = static_cast<int>(date.year());
    SPUR_CHECK(year >= 0 && year <= 9999);
    put_digits(text_.data(), static_cast<unsigned>(year), 4);
    text_[4] = text_[7] = '-';
    put_digits(text_.data() + 5, static_cast<unsigned>(date.month()), 2);
    put_digits(text_.data() + 8, static_cast<unsigned>(date.day()), 2);
    text_[10] = 'T';
    text_[13] = text_[16] = ':';
    text_[19] = '.';
    text_[23] = 'Z';
    day_ = day;
  }
  const auto of_day = static_cast<unsigned>((at - midnight).count());
  put_digits(text_.data() + 11, of_day / 3'600'000, 2);
  put_digits(text_.data() + 14, of_day / 60'000 % 60, 2);
  put_digits(text_.data() + 17, of_day / 1'000 % 60, 2);
  put_digits(text_.data() + 20, of_day % 1'000, 3);
  return {text_.data(), text_.size()};
}

}  // namespace spur::kafka
