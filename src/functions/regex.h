// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tidegate/status.h"

namespace tidegate {

/// A compiled regular expression in Perl's syntax (nearly Java's), over UTF-8. Immutable.
class Regex {
 public:
  /// kInvalidSyntax with the place when the pattern is not one.
  static Result<std::shared_ptr<const Regex>> compile(std::string_view pattern);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  int num_groups() const { return num_groups_; }

 private:
  friend class RegexMatcher;
  struct Code;
  Regex(std::unique_ptr<Code> code, int num_groups);

  std::unique_ptr<Code> code_;
  int num_groups_;
};

/// Looks for matches; keeps what that needs between texts. One per thread and batch.
class RegexMatcher {
 public:
  explicit RegexMatcher(std::shared_ptr<const Regex> regex);
  ~RegexMatcher();
  RegexMatcher(RegexMatcher&&) noexcept;
  RegexMatcher& operator=(RegexMatcher&&) noexcept;

  /// True when there is a match at `from` or behind; group() then tells where. kLimitExceeded when
  /// the search takes more steps than is reasonable.
  Result<bool> find(std::string_view text, std::size_t from = 0);
  int num_groups() const { return regex_->num_groups(); }
  /// What group `index` (0: the whole match) matched; its data is null when it took no part.
  std::string_view group(int index) const;

 private:
  struct Scratch;
  std::shared_ptr<const Regex> regex_;
  std::unique_ptr<Scratch> scratch_;
  std::string_view text_;
};

}  // namespace tidegate
