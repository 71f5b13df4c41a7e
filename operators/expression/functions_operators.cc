// The signatures of the operators. Their code is the instructions' (machine.cc, arithmetic.cc).

#include <vector>

#include "operators/expression/functions.h"

namespace spur::expression {
namespace {

// What can be ordered, for each of < <= > >=. Numbers of different kinds compare by what they are.
constexpr const char* kOrderings[] = {
    "(bool, bool) -> bool",           "(int, int) -> bool",           "(uint, uint) -> bool",
    "(double, double) -> bool",       "(string, string) -> bool",     "(bytes, bytes) -> bool",
    "(timestamp, timestamp) -> bool", "(duration, duration) -> bool", "(int, uint) -> bool",
    "(int, double) -> bool",          "(uint, int) -> bool",          "(uint, double) -> bool",
    "(double, int) -> bool",          "(double, uint) -> bool",
};

constexpr Dialect kSpur = Dialect::kSpur;

constexpr Row kRows[] = {
    {"_?_:_", "(bool, A, A) -> A"},
    {"_&&_", "(bool, bool) -> bool"},
    {"_||_", "(bool, bool) -> bool"},
    {"!_", "(bool) -> bool"},
    {"-_", "(int) -> int"},
    {"-_", "(double) -> double"},

    {"_+_", "(int, int) -> int"},
    {"_+_", "(uint, uint) -> uint"},
    {"_+_", "(double, double) -> double"},
    {"_+_", "(string, string) -> string"},
    {"_+_", "(bytes, bytes) -> bytes"},
    {"_+_", "(list(A), list(A)) -> list(A)"},
    {"_+_", "(timestamp, duration) -> timestamp"},
    {"_+_", "(duration, timestamp) -> timestamp"},
    {"_+_", "(duration, duration) -> duration"},
    {"_+_", "(int, double) -> double", nullptr, kSpur},
    {"_+_", "(double, int) -> double", nullptr, kSpur},
    {"_+_", "(uint, double) -> double", nullptr, kSpur},
    {"_+_", "(double, uint) -> double", nullptr, kSpur},

    {"_-_", "(int, int) -> int"},
    {"_-_", "(uint, uint) -> uint"},
    {"_-_", "(double, double) -> double"},
    {"_-_", "(timestamp, timestamp) -> duration"},
    {"_-_", "(timestamp, duration) -> timestamp"},
    {"_-_", "(duration, duration) -> duration"},
    {"_-_", "(int, double) -> double", nullptr, kSpur},
    {"_-_", "(double, int) -> double", nullptr, kSpur},
    {"_-_", "(uint, double) -> double", nullptr, kSpur},
    {"_-_", "(double, uint) -> double", nullptr, kSpur},

    {"_*_", "(int, int) -> int"},
    {"_*_", "(uint, uint) -> uint"},
    {"_*_", "(double, double) -> double"},
    {"_*_", "(int, double) -> double", nullptr, kSpur},
    {"_*_", "(double, int) -> double", nullptr, kSpur},
    {"_*_", "(uint, double) -> double", nullptr, kSpur},
    {"_*_", "(double, uint) -> double", nullptr, kSpur},
    {"_*_", "(duration, int) -> duration", nullptr, kSpur},
    {"_*_", "(duration, double) -> duration", nullptr, kSpur},
    {"_*_", "(int, duration) -> duration", nullptr, kSpur},
    {"_*_", "(double, duration) -> duration", nullptr, kSpur},

    {"_/_", "(int, int) -> int"},
    {"_/_", "(uint, uint) -> uint"},
    {"_/_", "(double, double) -> double"},
    {"_/_", "(int, double) -> double", nullptr, kSpur},
    {"_/_", "(double, int) -> double", nullptr, kSpur},
    {"_/_", "(uint, double) -> double", nullptr, kSpur},
    {"_/_", "(double, uint) -> double", nullptr, kSpur},
    {"_/_", "(duration, int) -> duration", nullptr, kSpur},
    {"_/_", "(duration, double) -> duration", nullptr, kSpur},
    {"_/_", "(duration, duration) -> double", nullptr, kSpur},

    {"_%_", "(int, int) -> int"},
    {"_%_", "(uint, uint) -> uint"},

    {"_==_", "(A, A) -> bool"},
    {"_!=_", "(A, A) -> bool"},
    {"_==_", "(int, double) -> bool", nullptr, kSpur},
    {"_==_", "(double, int) -> bool", nullptr, kSpur},
    {"_==_", "(uint, double) -> bool", nullptr, kSpur},
    {"_==_", "(double, uint) -> bool", nullptr, kSpur},
    {"_!=_", "(int, double) -> bool", nullptr, kSpur},
    {"_!=_", "(double, int) -> bool", nullptr, kSpur},
    {"_!=_", "(uint, double) -> bool", nullptr, kSpur},
    {"_!=_", "(double, uint) -> bool", nullptr, kSpur},

    {"@in", "(A, list(A)) -> bool"},
    {"@in", "(A, map(A, B)) -> bool"},
    {"@in", "(int, list(double)) -> bool", nullptr, kSpur},
    {"@in", "(double, list(int)) -> bool", nullptr, kSpur},
    {"@in", "(double, map(int, B)) -> bool", nullptr, kSpur},

    {"_[_]", "(list(A), int) -> A"},
    {"_[_]", "(map(A, B), A) -> B"},
    {"_[_]", "(optional(list(A)), int) -> optional(A)"},
    {"_[_]", "(optional(map(A, B)), A) -> optional(B)"},
    {"_[_]", "(list(A), double) -> A", nullptr, kSpur},
    {"_[_]", "(map(int, B), double) -> B", nullptr, kSpur},

    {"_[?_]", "(list(A), int) -> optional(A)"},
    {"_[?_]", "(map(A, B), A) -> optional(B)"},
    {"_[?_]", "(optional(list(A)), int) -> optional(A)"},
    {"_[?_]", "(optional(map(A, B)), A) -> optional(B)"},
    {"_[?_]", "(list(A), double) -> optional(A)", nullptr, kSpur},
    {"_[?_]", "(map(int, B), double) -> optional(B)", nullptr, kSpur},
};

std::vector<Row> all_rows() {
  std::vector<Row> rows(std::begin(kRows), std::end(kRows));
  for (const char* name : {"_<_", "_<=_", "_>_", "_>=_"}) {
    for (const char* signature : kOrderings) rows.push_back({name, signature});
  }
  return rows;
}

}  // namespace

std::span<const Row> operator_rows() {
  static const auto* const kAll = new std::vector<Row>(all_rows());
  return *kAll;
}

}  // namespace spur::expression
