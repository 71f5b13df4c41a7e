// Code: what a program is made of. A flat list of instructions over numbered registers, with the
// constants they name.
//
// Each node of the tree has a register for its value and uses those above it for what it computes
// on the way, so a frame is as large as the tree is wide. A jump goes forward, but for a
// comprehension's. A comparison of a slot with a constant, the commonest predicate, is one
// instruction with its jump: `a == "x" && b > 1` is two of them, and an instruction to combine
// errors that is reached only when both sides were evaluated.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "operators/expression/functions.h"
#include "operators/expression/patterns.h"
#include "operators/expression/program.h"

namespace spur::expression {

enum class Op : std::uint8_t {
  kReturn,               // the value of dst
  kConstant,             // dst = constants[a]
  kSlot,                 // dst = slot a; the error constants[b] if it is absent
  kHasSlot,              // dst = whether slot a is there
  kOptionalSlot,         // dst = slot a as an optional
  kMove,                 // dst = a
  kField,                // dst = a.(constants[b])
  kHasField,             // dst = has(a.(constants[b]))
  kOptionalField,        // dst = a.?(constants[b])
  kIndex,                // dst = a[b]
  kOptionalIndex,        // dst = a[?b]
  kCompare,              // dst = a (comparison) b
  kCompareSlotConstant,  // dst = slot a (comparison) constants[b], then perhaps a jump to c
  kAdd,                  // dst = a + b, and so on
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kNegate,       // dst = -a
  kNot,          // dst = !a
  kIn,           // dst = a in b
  kInSet,        // dst = a in sets[b]
  kMatches,      // dst = a.matches(patterns[b])
  kCall,         // dst = calls[a] of the b registers from dst
  kAnd,          // dst = a && b, where a is known not to be false
  kOr,           // dst = a || b, where a is known not to be true
  kJump,         // to c
  kJumpIfFalse,  // to c if dst is false
  kJumpIfTrue,   // to c if dst is true
  kBranch,       // to c if a is false; if it is no bool, dst = an error and to b
  kMakeList,     // dst = the list of b registers from a; c - 1: its entry of optional_entries
  kMakeMap,      // dst = the map of b pairs of registers from a; c as above
  kLoopBegin,    // dst: a loop's frame, the range in it; c: its end, if the range is none
  kLoopNext,  // dst: a loop's frame; sets its variables, or goes to c after the last; costs b steps
  kLoopAll,   // dst: frame; a: the condition here; to c if that decides
  kLoopExists,
  kLoopOne,
  kLoopWhere,        // dst: frame; a: the condition; to c if false, to b with its error
  kLoopAppend,       // dst: frame; appends a, or goes to c with its error
  kLoopPut,          // dst: frame; adds the key a with the value b, or goes to c with an error
  kLoopPutAll,       // dst: frame; adds the entries of the map a, or goes to c with an error
  kOnlyOne,          // dst: frame; its result = whether exactly one was counted
  kOpenOptional,     // dst = what the optional a holds; to c if none or no optional (then a is an
                     // error)
  kWrapOptional,     // dst = optional.of(a), or a if it is an error
  kRequireOptional,  // dst = a, or an error if it is no optional
};

enum class Comparison : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual
};
enum class JumpIf : std::uint8_t { kNever, kFalse, kTrue };
enum class LoopResult : std::uint8_t { kTrue, kFalse, kCount, kList, kMap };

struct Instruction {
  Op op = Op::kReturn;
  Comparison comparison = Comparison::kEqual;
  JumpIf jump = JumpIf::kNever;
  LoopResult loop = LoopResult::kTrue;
  std::uint16_t dst = 0;
  bool two_variables = false;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t c = 0;
};
static_assert(sizeof(Instruction) == 20);

// The registers of a loop's frame, from its first.
inline constexpr std::uint16_t kLoopRange = 0;
inline constexpr std::uint16_t kLoopIndex = 1;
inline constexpr std::uint16_t kLoopAccumulator = 2;
inline constexpr std::uint16_t kLoopFirst = 3;  // the variables
inline constexpr std::uint16_t kLoopSecond = 4;
inline constexpr std::uint16_t kLoopKeys = 5;  // of a computed map: its keys as a list
inline constexpr std::uint16_t kLoopRegisters = 6;

// A call site: which overloads the checker left possible.
struct Call {
  std::vector<const Overload*> overloads;
  Value mismatch;  // the error if none takes the arguments' kinds
};

// The members of a list of literals, sorted, for `in`.
struct LiteralSet {
  std::vector<std::string_view> strings;
  std::vector<std::int64_t> ints;
  bool contains(const Value& value) const;
};

struct Code {
  std::vector<Instruction> instructions;
  std::vector<Value> constants;
  std::vector<Call> calls;
  std::vector<LiteralSet> sets;
  std::vector<Pattern> patterns;
  std::vector<std::vector<bool>> optional_entries;
  std::size_t registers = 1;
  std::vector<std::uint32_t> slots;
  Type type;
  Limits limits;
  bool strict = false;
  Arena arena;  // holds the constants' texts
};

// Runs `code` from its start. Steps as the code's limits say.
Value run(const Code& code, Slots& slots, Arena& arena);

}  // namespace spur::expression
