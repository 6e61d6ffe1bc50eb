// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "sql/source_text.h"
#include "sql/syntax.h"
#include "tidegate/status.h"

namespace tidegate::sql {

/// Statements of a script, separated by ';'. kInvalidSyntax with line, column, a caret and what was
/// expected.
Result<std::vector<Statement>> parse_script(const SourceText& source);

/// One expression that is the whole text; for tests and for computed values.
Result<ExpressionPtr> parse_expression(const SourceText& source);

}  // namespace tidegate::sql
