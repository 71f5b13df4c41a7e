// BG/NBD: is this customer still alive, and how many purchases are to be expected.
//
// Fader, Hardie, Lee, "Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD Model, Marketing Science
// 24(2), 2005: P(alive) is their equation for 1/(1 + …) with x repeat purchases, the last at t_x, observed for T; the
// conditional expectation is their equation (10). Uses the platform's math library, so a result may enter the fold only
// through a ScoreTape. All results are in whole millionths, rounded half away from zero.
#pragma once

#include <cstdint>

#include "operators/catalog/compiled.h"
#include "state/customer.h"
#include "state/time.h"

namespace spur::models {

inline constexpr std::int64_t kMillion = 1'000'000;

// The parameters and a customer's history in one unit of time.
struct BgNbd {
  double r = 0, alpha = 0, a = 0, b = 0;
};
struct History {
  double x = 0;    // repeat purchases
  double t_x = 0;  // age at the last
  double T = 0;    // age now, >= t_x
};

// In [0, 1]; 1 without a repeat purchase.
double p_alive(const BgNbd& parameters, const History& history);
// Purchases expected in the next `t` units; >= 0.
double expected_purchases(const BgNbd& parameters, const History& history, double t);

// Of a customer as of `now`. With distinct_days the ages are whole UTC days apart.
History history_of(const catalog::Model& model, const ModelState& state, Instant now);
std::int64_t bg_nbd_p_alive(const catalog::Model& model, const ModelState& state, Instant now);
std::int64_t bg_nbd_expected(const catalog::Model& model, const ModelState& state, Instant now);

}  // namespace spur::models
