// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "sql/syntax_printer.h"

namespace tidegate::sql {

namespace {

bool is_bare(const Query& query) {
  return query.with.empty() && query.order_by.empty() && query.limit == nullptr &&
         query.offset == nullptr;
}

}  // namespace

std::string print(const Query& query) {
  SyntaxPrinter printer;
  printer.query(query);
  return printer.take();
}

std::string print(const Relation& relation) {
  SyntaxPrinter printer;
  printer.relation(relation);
  return printer.take();
}

void SyntaxPrinter::query(const Query& query) {
  if (!query.with.empty()) {
    text("WITH ");
    list(query.with, [&](const CommonTable& table) {
      name(table.name);
      if (!table.columns.empty()) {
        text(" ");
        names(table.columns);
      }
      text(" AS (");
      this->query(*table.query);
      text(")");
    });
    text(" ");
  }
  if (const auto* body = std::get_if<Select>(&query.body)) {
    select(*body);
  } else if (const auto* rows = std::get_if<Values>(&query.body)) {
    values(*rows);
  } else {
    const auto& operation = std::get<SetOperation>(query.body);
    constexpr const char* kSigns[] = {"UNION", "INTERSECT", "EXCEPT"};
    // Brackets on the left would only make a long chain a deep one.
    const auto* left = std::get_if<SetOperation>(&operation.left->body);
    const bool chain = left != nullptr && is_bare(*operation.left) &&
                       (left->kind == SetOperation::Kind::kIntersect) ==
                           (operation.kind == SetOperation::Kind::kIntersect);
    if (chain) {
      this->query(*operation.left);
    } else {
      set_operand(*operation.left);
    }
    text(fmt::format(" {}{} ", kSigns[static_cast<int>(operation.kind)],
                     operation.all ? " ALL" : ""));
    set_operand(*operation.right);
  }
  if (!query.order_by.empty()) {
    text(" ");
    order_by(query.order_by);
  }
  if (query.limit != nullptr) {
    text(" LIMIT ");
    expression(*query.limit);
  }
  if (query.offset != nullptr) {
    text(" OFFSET ");
    expression(*query.offset);
  }
}

void SyntaxPrinter::set_operand(const Query& query) {
  const bool brackets = std::holds_alternative<SetOperation>(query.body) || !is_bare(query);
  if (brackets) text("(");
  this->query(query);
  if (brackets) text(")");
}

void SyntaxPrinter::values(const Values& values) {
  text("VALUES ");
  list(values.rows, [&](const std::vector<ExpressionPtr>& row) {
    text("(");
    expressions(row);
    text(")");
  });
}

void SyntaxPrinter::select(const Select& select) {
  text("SELECT ");
  if (!select.hints.empty()) {
    hints(select.hints);
    text(" ");
  }
  if (select.distinct) text("DISTINCT ");
  list(select.items, [&](const SelectItem& item) { select_item(item); });
  if (select.from != nullptr) {
    text(" FROM ");
    relation(*select.from);
  }
  select_clauses(select);
}

void SyntaxPrinter::select_item(const SelectItem& item) {
  expression(*item.value);
  if (!item.alias) return;
  text(" AS ");
  name(*item.alias);
}

void SyntaxPrinter::select_clauses(const Select& select) {
  const auto clause = [&](std::string_view word, const ExpressionPtr& value) {
    if (value == nullptr) return;
    text(word);
    expression(*value);
  };
  clause(" WHERE ", select.where);
  if (select.group_by) {
    text(select.group_by->distinct ? " GROUP BY DISTINCT " : " GROUP BY ");
    list(select.group_by->elements, [&](const GroupBy::Element& e) { group_element(e); });
  }
  clause(" HAVING ", select.having);
  if (!select.windows.empty()) {
    text(" WINDOW ");
    list(select.windows, [&](const auto& entry) {
      name(entry.first);
      text(" AS (");
      window_content(*entry.second);
      text(")");
    });
  }
  clause(" QUALIFY ", select.qualify);
}

void SyntaxPrinter::hints(const std::vector<Select::Hint>& hints) {
  text("/*+ ");
  list(hints, [&](const Select::Hint& hint) {
    text(hint.name);
    if (hint.options.empty()) return;
    text("(");
    list(hint.options, [&](const auto& option) {
      if (option.second.empty()) return text(print_name(option.first));
      string(option.first);
      text(" = ");
      string(option.second);
    });
    text(")");
  });
  text(" */");
}

void SyntaxPrinter::option_hint(const OptionList& options) {
  if (options.empty()) return;
  text(" ");
  hints({{"OPTIONS", options}});
}

void SyntaxPrinter::group_element(const GroupBy::Element& element) {
  using Kind = GroupBy::Element::Kind;
  const auto set = [&](const std::vector<ExpressionPtr>& values) {
    const bool brackets = values.size() != 1;
    if (brackets) text("(");
    expressions(values);
    if (brackets) text(")");
  };
  if (element.kind == Kind::kPlain) return set(element.sets.at(0));
  text(element.kind == Kind::kRollup ? "ROLLUP("
       : element.kind == Kind::kCube ? "CUBE("
                                     : "GROUPING SETS (");
  list(element.sets, set);
  if (!element.sets.empty() && !element.nested.empty()) text(", ");
  list(element.nested, [&](const GroupBy::Element& nested) { group_element(nested); });
  text(")");
}

// --- relations -----------------------------------------------------------------------------------

void SyntaxPrinter::relation(const Relation& relation) {
  if (const auto* table = std::get_if<TableName>(&relation.node)) {
    name(table->name);
    option_hint(table->options);
    if (table->as_of != nullptr) {
      text(" FOR SYSTEM_TIME AS OF ");
      operand(*table->as_of);
    }
  } else if (const auto* derived = std::get_if<DerivedTable>(&relation.node)) {
    text(derived->lateral ? "LATERAL (" : "(");
    query(*derived->query);
    text(")");
  } else if (const auto* function = std::get_if<TableFunction>(&relation.node)) {
    table_function(*function);
  } else if (const auto* unnest = std::get_if<Unnest>(&relation.node)) {
    text("UNNEST(");
    expressions(unnest->values);
    text(unnest->with_ordinality ? ") WITH ORDINALITY" : ")");
  } else if (const auto* joined = std::get_if<Join>(&relation.node)) {
    if (relation.alias.name) text("(");
    join(*joined);
    if (relation.alias.name) text(")");
  } else {
    match(std::get<MatchRecognize>(relation.node));
  }
  alias(relation.alias);
}

void SyntaxPrinter::alias(const TableAlias& alias) {
  if (!alias.name) return;
  text(" AS ");
  name(*alias.name);
  if (alias.columns.empty()) return;
  text(" ");
  names(alias.columns);
}

void SyntaxPrinter::join_operand(const Relation& relation, bool right) {
  const bool brackets =
      right && std::holds_alternative<Join>(relation.node) && !relation.alias.name;
  if (brackets) text("(");
  this->relation(relation);
  if (brackets) text(")");
}

void SyntaxPrinter::join(const Join& join) {
  constexpr const char* kWords[] = {" JOIN ",          " LEFT JOIN ",  " RIGHT JOIN ",
                                    " FULL JOIN ",     " CROSS JOIN ", " LEFT SEMI JOIN ",
                                    " LEFT ANTI JOIN "};
  join_operand(*join.left, false);
  if (join.natural) text(" NATURAL");
  text(kWords[static_cast<int>(join.kind)]);
  join_operand(*join.right, true);
  if (join.on != nullptr) {
    text(" ON ");
    expression(*join.on);
  }
  if (!join.columns.empty()) {
    text(" USING ");
    names(join.columns);
  }
}

void SyntaxPrinter::table_function(const TableFunction& function) {
  text(function.lateral ? "LATERAL TABLE(" : "TABLE(");
  name(function.function);
  text("(");
  list(function.arguments,
       [&](const TableFunction::Argument& argument) { table_argument(argument); });
  text("))");
}

void SyntaxPrinter::table_argument(const TableFunction::Argument& argument) {
  if (argument.name) {
    name(*argument.name);
    text(" => ");
  }
  if (argument.is_descriptor) {
    text("DESCRIPTOR");
    return names(argument.descriptor);
  }
  if (!argument.model.empty()) {
    text("MODEL ");
    return name(argument.model);
  }
  if (argument.value != nullptr) return expression(*argument.value);
  const bool query = std::holds_alternative<DerivedTable>(argument.table->node);
  if (!query || argument.table->alias.name) text("TABLE ");
  const bool joined = std::holds_alternative<TableFunction>(argument.table->node);
  if (joined) text("(");
  relation(*argument.table);
  if (joined) text(")");
  if (!argument.partition_by.empty()) {
    text(" PARTITION BY (");
    expressions(argument.partition_by);
    text(")");
  }
  if (argument.order_by.empty()) return;
  text(" ORDER BY (");
  list(argument.order_by, [&](const SortItem& item) { sort_item(item); });
  text(")");
}

void SyntaxPrinter::match(const MatchRecognize& match) {
  relation(*match.table);
  text(" MATCH_RECOGNIZE (");
  if (!match.partition_by.empty()) {
    text("PARTITION BY ");
    expressions(match.partition_by);
    text(" ");
  }
  if (!match.order_by.empty()) {
    order_by(match.order_by);
    text(" ");
  }
  if (!match.measures.empty()) {
    text("MEASURES ");
    list(match.measures, [&](const SelectItem& item) { select_item(item); });
    text(" ");
  }
  text(match.all_rows ? "ALL ROWS PER MATCH" : "ONE ROW PER MATCH");
  text(" AFTER MATCH SKIP ");
  switch (match.after) {
    case MatchRecognize::After::kPastLastRow:
      text("PAST LAST ROW");
      break;
    case MatchRecognize::After::kToNextRow:
      text("TO NEXT ROW");
      break;
    case MatchRecognize::After::kToFirst:
    case MatchRecognize::After::kToLast:
      text(match.after == MatchRecognize::After::kToFirst ? "TO FIRST " : "TO LAST ");
      name(match.after_variable);
      break;
  }
  text(" PATTERN (");
  pattern(*match.pattern);
  text(")");
  if (match.within != nullptr) {
    text(" WITHIN ");
    expression(*match.within);
  }
  if (!match.subsets.empty()) {
    text(" SUBSET ");
    list(match.subsets, [&](const auto& subset) {
      name(subset.first);
      text(" = ");
      names(subset.second);
    });
  }
  text(" DEFINE ");
  list(match.define, [&](const auto& definition) {
    name(definition.first);
    text(" AS ");
    expression(*definition.second);
  });
  text(")");
}

void SyntaxPrinter::pattern(const RowPattern& pattern) {
  using Kind = RowPattern::Kind;
  const bool once = pattern.least == 1 && pattern.most == 1;
  const bool group = (pattern.kind == Kind::kSequence || pattern.kind == Kind::kAlternation);
  const auto part = [&](const RowPattern& inner) {
    const bool plain = inner.least == 1 && inner.most == 1 &&
                       (inner.kind == Kind::kSequence || inner.kind == Kind::kAlternation);
    if (plain) text("(");
    this->pattern(inner);
    if (plain) text(")");
  };
  if (group && !once) text("(");
  switch (pattern.kind) {
    case Kind::kVariable:
      name(pattern.variable);
      break;
    case Kind::kSequence:
    case Kind::kAlternation:
      for (std::size_t i = 0; i < pattern.parts.size(); ++i) {
        if (i > 0) text(pattern.kind == Kind::kSequence ? " " : " | ");
        part(*pattern.parts[i]);
      }
      break;
    case Kind::kPermute:
      text("PERMUTE(");
      list(pattern.parts, [&](const RowPatternPtr& inner) { this->pattern(*inner); });
      text(")");
      break;
    case Kind::kExclusion:
      text("{- ");
      this->pattern(*pattern.parts.at(0));
      text(" -}");
      break;
    case Kind::kEmpty:
      text("()");
      break;
  }
  if (group && !once) text(")");
  if (once) return;
  if (pattern.most == -1 && pattern.least <= 1) {
    text(pattern.least == 0 ? "*" : "+");
  } else if (pattern.least == 0 && pattern.most == 1) {
    text("?");
  } else if (pattern.least == pattern.most) {
    text(fmt::format("{{{}}}", pattern.least));
  } else {
    text(fmt::format("{{{},{}}}", pattern.least,
                     pattern.most < 0 ? std::string() : std::to_string(pattern.most)));
  }
  if (pattern.reluctant) text("?");
}

}  // namespace tidegate::sql
