// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "state/state_schema.h"
#include "tidegate/status.h"

namespace tidegate {

/// What the values of a state table look like: `size_bytes` in place in the row, aligned to 8. They
/// may own memory beyond that, which destroy() gives back. Stateless; shared by the rows of a
/// table.
class ValueLayout {
 public:
  virtual ~ValueLayout() = default;

  /// Tells layouts apart that cannot read each other's bytes; stored with the state.
  virtual std::string fingerprint() const = 0;
  virtual std::int32_t size_bytes() const = 0;

  /// The columns that values hold, for an operator with such inputs; none: only their owner knows.
  virtual std::vector<StateColumn> columns(const StateContext& context) const {
    (void)context;
    return {};
  }
  /// How values of the schema `old` become those of `now`, which is this layout's. kStateMismatch
  /// names what cannot be kept; always, unless overridden.
  virtual Result<ValueMigration> migration(const StateSchema& old, const StateSchema& now,
                                           bool may_drop) const;

  /// Makes an empty value in zeroed memory; zeroed memory is one unless needs_create().
  virtual void create(std::byte* value) const { (void)value; }
  virtual bool needs_create() const { return false; }
  virtual void destroy(std::byte* value) const { (void)value; }
  virtual bool needs_destroy() const { return false; }
  /// True when a value may be moved by copying its bytes. Others move through serialize().
  virtual bool is_relocatable() const { return !needs_destroy(); }
  /// Memory that the value owns beyond size_bytes(), for budgets.
  virtual std::int64_t owned_bytes(const std::byte* value) const {
    (void)value;
    return 0;
  }

  /// The value as bytes for deltas, and back. The default copies size_bytes().
  virtual void serialize(const std::byte* value, std::string& out) const;
  /// Reads into a created value and consumes its bytes from the front of `in`; kStateCorrupt when
  /// they are not what serialize() wrote.
  virtual Status deserialize(std::string_view& in, std::byte* value) const;
};

/// Values of a fixed number of bytes (0: the key alone is the state).
class FixedLayout final : public ValueLayout {
 public:
  explicit FixedLayout(std::int32_t size_bytes) : size_bytes_(size_bytes) {}
  std::string fingerprint() const override;
  std::int32_t size_bytes() const override { return size_bytes_; }

 private:
  std::int32_t size_bytes_;
};

/// A byte string of any length up to 4 GiB.
class BytesLayout : public ValueLayout {
 public:
  /// `form` says what the bytes are, with a version: "list/2".
  explicit BytesLayout(std::string form = "bytes") : form_(std::move(form)) {}
  static std::string_view view(const std::byte* value);
  static void assign(std::byte* value, std::string_view bytes);
  /// Amortised constant time per byte.
  static void append(std::byte* value, std::string_view bytes);

  std::string fingerprint() const override { return form_; }
  std::int32_t size_bytes() const override { return 16; }
  void destroy(std::byte* value) const override;
  bool needs_destroy() const override { return true; }
  bool is_relocatable() const override { return true; }
  std::int64_t owned_bytes(const std::byte* value) const override;
  void serialize(const std::byte* value, std::string& out) const override;
  Status deserialize(std::string_view& in, std::byte* value) const override;

 private:
  std::string form_;
};

}  // namespace tidegate
