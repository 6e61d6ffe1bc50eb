// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sql/syntax.h"

namespace tidegate::sql {

/// A syntax tree as SQL text in one canonical form: keywords in upper case, names in back quotes
/// only where they need them, brackets around operators among operators, clauses in their defaults
/// left out. Parsing the text gives an equal tree. Secrets are printed as they are.
std::string print(const Expression& expression);
std::string print(const Query& query);
std::string print(const Relation& relation);
std::string print(const Statement& statement);

/// A name, in back quotes when it would not be read as a name without.
std::string print_name(const std::string& name);
std::string print_name(const QualifiedName& name);
/// 'text', with quotes doubled.
std::string print_string(const std::string& text);

}  // namespace tidegate::sql
