// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sql/syntax.h"
#include "tidegate/error_code.h"
#include "tidegate/status.h"

namespace tidegate::sql {

/// A script that outlives the statements that were read from it: views point into theirs.
using SharedText = std::shared_ptr<const std::string>;

/// A script by name, so that errors can point into it.
struct SourceText {
  std::string name;  ///< of the file; empty: none
  std::string_view text;
  SharedText owner =
      {};  ///< of `text`, for plans that outlive their script; null: it outlives them
};

/// An error at a place of a script: the message, then "at line 3, column 14:", the line itself and
/// a caret under the place. Values of options whose names say that they are secret are not shown.
/// Columns count characters. Of a long line only the part around the place is shown.
/// A message must not repeat the text at a place that `is_secret`.
Status error_at(const SourceText& source, Place place, ErrorCode code, std::string message,
                std::string remedy = {});

/// True for the value of an option whose name says that it is secret.
bool is_secret(const SourceText& source, Place place);

}  // namespace tidegate::sql
