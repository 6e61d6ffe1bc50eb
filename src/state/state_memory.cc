// SPDX-License-Identifier: Apache-2.0
#include "state/state_memory.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "base/check.h"

namespace tidegate {
namespace {

/// The index of a page size in the lists of spare pages, or -1.
int page_index(std::size_t size) {
  if (!std::has_single_bit(size) || size < StateMemory::kSmallestPage ||
      size > StateMemory::kLargestPage) {
    return -1;
  }
  return std::countr_zero(size) - std::countr_zero(StateMemory::kSmallestPage);
}

}  // namespace

StateMemory::~StateMemory() {
  for (const std::vector<std::byte*>& pages : spare_) {
    for (std::byte* page : pages) std::free(page);
  }
}

std::byte* StateMemory::allocate(std::size_t size) {
  used_bytes_ += static_cast<std::int64_t>(size);
  if (const int index = page_index(size); index >= 0) {
    std::vector<std::byte*>& pages = spare_[static_cast<std::size_t>(index)];
    if (!pages.empty()) {
      std::byte* page = pages.back();
      pages.pop_back();
      spare_bytes_ -= static_cast<std::int64_t>(size);
      return page;
    }
  }
  void* page = std::malloc(size);
  TG_CHECK(page != nullptr, "no memory for a state page of {} bytes", size);
  return static_cast<std::byte*>(page);
}

void StateMemory::free(std::byte* page, std::size_t size) {
  const auto bytes = static_cast<std::int64_t>(size);
  used_bytes_ -= bytes;
  const int index = page_index(size);
  if (index < 0 || spare_bytes_ + bytes > std::max(always_spare_, used_bytes_ / 4)) {
    std::free(page);
    return;
  }
  spare_[static_cast<std::size_t>(index)].push_back(page);
  spare_bytes_ += bytes;
}

Status StateMemory::over_budget() const {
  return error(ErrorCode::kOutOfMemory, "keyed state takes {} MiB, its budget is {} MiB",
               used_bytes_ >> 20, budget_bytes_ >> 20);
}

}  // namespace tidegate
