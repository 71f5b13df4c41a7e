#include "operators/models/bg_nbd.h"

#include <algorithm>
#include <cmath>

namespace spur::models {
namespace {

// The Gauss hypergeometric function 2F1(a, b; c; z) for 0 <= z < 1 and positive parameters, by its series; near 1 after
// Euler's transform 2F1(a,b;c;z) = (1−z)^(c−a−b) 2F1(c−a, c−b; c; z) where that converges faster (DLMF 15.8.1).
double hyp2f1_series(double a, double b, double c, double z) {
  double term = 1;
  double sum = 1;
  for (int n = 0; n < 200'000; ++n) {
    term *= (a + n) * (b + n) / ((c + n) * (1 + n)) * z;
    sum += term;
    if (std::abs(term) < 1e-16 * std::abs(sum)) break;
  }
  return sum;
}

double hyp2f1(double a, double b, double c, double z) {
  if (z > 0.7 && c - a - b < 0) return std::pow(1 - z, c - a - b) * hyp2f1_series(c - a, c - b, c, z);
  return hyp2f1_series(a, b, c, z);
}

double units(Millis length, Millis unit) {
  return static_cast<double>(length.count) / static_cast<double>(unit.count);
}

}  // namespace

double p_alive(const BgNbd& m, const History& h) {
  if (h.x <= 0) return 1;
  const double log_odds_dead =
      (m.r + h.x) * std::log((m.alpha + h.T) / (m.alpha + h.t_x)) + std::log(m.a / (m.b + h.x - 1));
  return 1 / (1 + std::exp(log_odds_dead));
}

double expected_purchases(const BgNbd& m, const History& h, double t) {
  const double z = t / (m.alpha + h.T + t);
  const double f = hyp2f1(m.r + h.x, m.b + h.x, m.a + m.b + h.x - 1, z);
  const double alive_part =
      1 - std::pow((m.alpha + h.T) / (m.alpha + h.T + t), m.r + h.x) * f;
  const double expected = (m.a + m.b + h.x - 1) / (m.a - 1) * alive_part;
  return std::max(0.0, expected * p_alive(m, h));
}

History history_of(const catalog::Model& model, const ModelState& state, Instant now) {
  const auto age = [&](Instant at) {
    if (!model.distinct_days) return units(at - state.first, model.unit);
    return units(kDay * (utc_day(at) - utc_day(state.first)), model.unit);
  };
  return {static_cast<double>(state.purchases - 1), age(state.last), age(std::max(now, state.last))};
}

std::int64_t bg_nbd_p_alive(const catalog::Model& model, const ModelState& state, Instant now) {
  const double p = p_alive({model.r, model.alpha, model.a, model.b}, history_of(model, state, now));
  return std::llround(p * static_cast<double>(kMillion));
}

std::int64_t bg_nbd_expected(const catalog::Model& model, const ModelState& state, Instant now) {
  const double e = expected_purchases({model.r, model.alpha, model.a, model.b}, history_of(model, state, now),
                                      units(model.horizon, model.unit));
  // Beyond any use, and short of overflow.
  return std::llround(std::min(e, 1e9) * static_cast<double>(kMillion));
}

}  // namespace spur::models
