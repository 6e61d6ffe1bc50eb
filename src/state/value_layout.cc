// SPDX-License-Identifier: Apache-2.0
#include "state/value_layout.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "state/binary_codec.h"

namespace tidegate {
namespace {

/// A BytesLayout value in place.
struct OwnedBytes {
  char* data;
  std::uint32_t size;
  std::uint32_t capacity;
};
static_assert(sizeof(OwnedBytes) == 16);

OwnedBytes& owned(std::byte* value) { return *reinterpret_cast<OwnedBytes*>(value); }
const OwnedBytes& owned(const std::byte* value) {
  return *reinterpret_cast<const OwnedBytes*>(value);
}

void reserve(OwnedBytes& bytes, std::size_t capacity) {
  if (capacity <= bytes.capacity) return;
  TG_CHECK(capacity <= UINT32_MAX, "a state value of {} bytes passes 4 GiB", capacity);
  void* data = std::realloc(bytes.data, capacity);
  TG_CHECK(data != nullptr, "no memory for a state value of {} bytes", capacity);
  bytes.data = static_cast<char*>(data);
  bytes.capacity = static_cast<std::uint32_t>(capacity);
}

}  // namespace

void ValueLayout::serialize(const std::byte* value, std::string& out) const {
  out.append(reinterpret_cast<const char*>(value), static_cast<std::size_t>(size_bytes()));
}

Status ValueLayout::deserialize(std::string_view& in, std::byte* value) const {
  const auto size = static_cast<std::size_t>(size_bytes());
  if (in.size() < size) {
    return error(ErrorCode::kStateCorrupt, "a state value has {} bytes where {} are needed",
                 in.size(), size);
  }
  if (size > 0) std::memcpy(value, in.data(), size);
  in.remove_prefix(size);
  return Status::ok();
}

Result<ValueMigration> ValueLayout::migration(const StateSchema& old, const StateSchema& now,
                                              bool) const {
  return error(ErrorCode::kStateMismatch, "{}, and state of this form cannot be migrated",
               describe_change(old, now));
}

std::string FixedLayout::fingerprint() const { return fmt::format("fixed:{}", size_bytes_); }

std::string_view BytesLayout::view(const std::byte* value) {
  const OwnedBytes& bytes = owned(value);
  return {bytes.data, bytes.size};
}

void BytesLayout::assign(std::byte* value, std::string_view bytes) {
  OwnedBytes& target = owned(value);
  reserve(target, bytes.size());
  if (!bytes.empty()) std::memmove(target.data, bytes.data(), bytes.size());
  target.size = static_cast<std::uint32_t>(bytes.size());
}

void BytesLayout::append(std::byte* value, std::string_view bytes) {
  if (bytes.empty()) return;
  OwnedBytes& target = owned(value);
  const std::size_t size = target.size + bytes.size();
  if (size > target.capacity) {
    // By half and not by all of it: there are many, and most of them have grown for the last time.
    const std::size_t grown =
        std::min<std::size_t>(target.capacity + target.capacity / 2, UINT32_MAX);
    reserve(target, std::max(size, grown));
  }
  std::memcpy(target.data + target.size, bytes.data(), bytes.size());
  target.size = static_cast<std::uint32_t>(size);
}

void BytesLayout::destroy(std::byte* value) const { std::free(owned(value).data); }

std::int64_t BytesLayout::owned_bytes(const std::byte* value) const {
  return owned(value).capacity;
}

void BytesLayout::serialize(const std::byte* value, std::string& out) const {
  write_bytes(out, view(value));
}

Status BytesLayout::deserialize(std::string_view& in, std::byte* value) const {
  std::string_view bytes;
  if (!read_bytes(in, bytes)) {
    return error(ErrorCode::kStateCorrupt, "a state value of bytes ends too early");
  }
  assign(value, bytes);
  return Status::ok();
}

}  // namespace tidegate
