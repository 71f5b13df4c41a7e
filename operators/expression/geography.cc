#include "operators/expression/geography.h"

#include <algorithm>
#include <cmath>

namespace spur::expression {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kEarthRadiusM = 6'371'008.8;

// The Taylor series of sine for |x| <= pi/4: the first term left out is below 1e-18.
double small_sine(double x) {
  const double s = x * x;
  double term = x;
  double sum = x;
  for (int n = 1; n <= 9; ++n) {
    term *= -s / ((2.0 * n) * (2.0 * n + 1));
    sum += term;
  }
  return sum;
}
double small_cosine(double x) {
  const double s = x * x;
  double term = 1;
  double sum = 1;
  for (int n = 1; n <= 9; ++n) {
    term *= -s / ((2.0 * n - 1) * (2.0 * n));
    sum += term;
  }
  return sum;
}

// For |x| <= pi, which is all that degrees in range give.
double sine(double x) {
  if (x < 0) return -sine(-x);
  if (x > kPi / 2) x = kPi - x;
  return x <= kPi / 4 ? small_sine(x) : small_cosine(kPi / 2 - x);
}
double cosine(double x) {
  x = std::fabs(x);
  if (x > kPi / 2) return -cosine(kPi - x);
  return x <= kPi / 4 ? small_cosine(x) : small_sine(kPi / 2 - x);
}

// For x >= 0: halves the angle until the series is short, atan x = 2 atan(x / (1 + sqrt(1 + x²))).
double arc_tangent(double x) {
  double scale = 1;
  while (x > 0.125) {
    x = x / (1 + std::sqrt(1 + x * x));
    scale *= 2;
  }
  const double s = x * x;
  double power = x;
  double sum = 0;
  for (int n = 0; n <= 9; ++n) {  // 0.125^21 / 21 is below 1e-20
    sum += (n % 2 == 0 ? power : -power) / (2.0 * n + 1);
    power *= s;
  }
  return scale * sum;
}

double arc_sine(double x) {
  if (x >= 1) return kPi / 2;
  return arc_tangent(x / std::sqrt((1 - x) * (1 + x)));
}

double radians(double degrees) { return degrees * (kPi / 180); }

bool in_range(Place place) {
  return std::fabs(place.latitude) <= 90 && std::fabs(place.longitude) <= 180;  // false for NaN
}

}  // namespace

std::optional<double> distance_m(Place a, Place b) {
  if (!in_range(a) || !in_range(b)) return std::nullopt;
  const double north = sine(radians(b.latitude - a.latitude) / 2);
  const double east = sine(radians(b.longitude - a.longitude) / 2);
  const double haversine =
      north * north + cosine(radians(a.latitude)) * cosine(radians(b.latitude)) * east * east;
  return 2 * kEarthRadiusM * arc_sine(std::sqrt(std::min(1.0, haversine)));
}

}  // namespace spur::expression
