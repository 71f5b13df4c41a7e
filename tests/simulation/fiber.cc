#include "tests/simulation/fiber.h"

#include <utility>

#include "state/check.h"

namespace spur::simulation {
namespace {

constexpr std::size_t kStackBytes = 512 * 1024;

Fiber* current = nullptr;
// Stacks are used again: fresh pages cost more than a run.
std::vector<std::unique_ptr<char[]>>& spare_stacks() {
  static std::vector<std::unique_ptr<char[]>> stacks;
  return stacks;
}

}  // namespace

Fiber::Fiber(std::function<void()> body) : body_(std::move(body)) {
  auto& spare = spare_stacks();
  if (spare.empty()) {
    stack_.reset(new char[kStackBytes]);
  } else {
    stack_ = std::move(spare.back());
    spare.pop_back();
  }
  SPUR_CHECK(getcontext(&context_) == 0);
  context_.uc_stack.ss_sp = stack_.get();
  context_.uc_stack.ss_size = kStackBytes;
  context_.uc_link = nullptr;
  makecontext(&context_, &Fiber::enter, 0);
}

Fiber::~Fiber() {
  SPUR_CHECK(ended_);  // what stands on its stack has been unwound
  spare_stacks().push_back(std::move(stack_));
}

void Fiber::enter() {
  Fiber* const self = current;
  self->body_();
  self->ended_ = true;
  swapcontext(&self->context_, &self->caller_);
}

void Fiber::resume() {
  SPUR_CHECK(!ended_ && current == nullptr);
  waiting_ = nullptr;
  current = this;
  swapcontext(&caller_, &context_);
  current = nullptr;
}

void Fiber::give_way() {
  if (current == nullptr) return;
  Fiber* const self = current;
  swapcontext(&self->context_, &self->caller_);
}

void Fiber::wait_until(std::function<bool()> ready) {
  SPUR_CHECK(current != nullptr);
  while (!ready()) {
    current->waiting_ = ready;
    give_way();
  }
}

}  // namespace spur::simulation
