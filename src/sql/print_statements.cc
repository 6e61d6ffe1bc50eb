// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "sql/syntax_printer.h"

namespace tidegate::sql {

std::string print(const Statement& statement) {
  SyntaxPrinter printer;
  printer.statement(statement);
  return printer.take();
}

void SyntaxPrinter::statement(const Statement& statement) {
  const auto& node = statement.node;
  if (const auto* table = std::get_if<CreateTable>(&node)) return create_table(*table);
  if (const auto* view = std::get_if<CreateView>(&node)) return create_view(*view);
  if (const auto* other = std::get_if<CreateOther>(&node)) return create_other(*other);
  if (const auto* altered = std::get_if<AlterTable>(&node)) return alter(*altered);
  if (const auto* target = std::get_if<Insert>(&node)) return insert(*target);
  if (const auto* set = std::get_if<StatementSet>(&node)) return statement_set(*set);
  if (const auto* rows = std::get_if<SelectStatement>(&node)) return query(*rows->query);
  if (const auto* option = std::get_if<SetOption>(&node)) return set_option(*option);
  if (const auto* shown = std::get_if<Show>(&node)) return show(*shown);
  if (const auto* explained = std::get_if<Explain>(&node)) return explain(*explained);
  if (const auto* drop = std::get_if<Drop>(&node)) {
    text(fmt::format("DROP {}{}{} ", drop->temporary ? "TEMPORARY " : "", drop->kind,
                     drop->if_exists ? " IF EXISTS" : ""));
    name(drop->name);
    return text(drop->cascade ? " CASCADE" : "");
  }
  if (const auto* reset = std::get_if<ResetOption>(&node)) {
    text("RESET");
    if (reset->key.empty()) return;
    text(" ");
    return string(reset->key);
  }
  if (const auto* described = std::get_if<Describe>(&node)) {
    text(described->model ? "DESCRIBE MODEL " : "DESCRIBE ");
    return name(described->name);
  }
  const auto& use = std::get<Use>(node);
  text("USE ");
  if (use.what != "MODULES") {
    text(use.what.empty() ? "" : use.what + " ");
    return name(use.name);
  }
  text("MODULES ");
  list(use.name, [&](const Identifier& module) { name(module); });
}

void SyntaxPrinter::set_option(const SetOption& set) {
  text("SET");
  if (set.key.empty()) return;
  text(" ");
  string(set.key);
  text(" = ");
  string(set.value);
}

void SyntaxPrinter::options(const OptionList& options) {
  text("(");
  list(options, [&](const auto& option) {
    string(option.first);
    text(" = ");
    string(option.second);
  });
  text(")");
}

void SyntaxPrinter::create_table(const CreateTable& table) {
  text(fmt::format("CREATE {}{}TABLE {}", table.or_replace ? "OR REPLACE " : "",
                   table.temporary ? "TEMPORARY " : "",
                   table.if_not_exists ? "IF NOT EXISTS " : ""));
  name(table.name);
  const std::size_t before = out_.size();
  const auto next = [&] { text(out_.size() == before ? " (" : ", "); };
  for (const ColumnDefinition& definition : table.columns) {
    next();
    column(definition);
  }
  for (const WatermarkDefinition& definition : table.watermarks) {
    next();
    watermark(definition);
  }
  if (!table.primary_key.empty()) {
    next();
    text("PRIMARY KEY ");
    names(table.primary_key);
    text(" NOT ENFORCED");
  }
  if (out_.size() > before) text(")");
  if (!table.comment.empty()) {
    text(" COMMENT ");
    string(table.comment);
  }
  if (!table.partitioned_by.empty()) {
    text(" PARTITIONED BY ");
    names(table.partitioned_by);
  }
  if (!table.options.empty() || out_.size() == before) {
    text(" WITH ");
    options(table.options);
  }
  if (table.like) like(*table.like);
  if (table.as == nullptr) return;
  text(" AS ");
  query(*table.as);
}

void SyntaxPrinter::column(const ColumnDefinition& column) {
  name(column.name);
  if (column.type) text(" " + column.type->to_string());
  if (column.computed != nullptr) {
    text(" AS ");
    expression(*column.computed);
  }
  if (column.metadata) text(" METADATA");
  if (column.metadata_key) {
    text(" FROM ");
    string(*column.metadata_key);
  }
  if (column.is_virtual) text(" VIRTUAL");
  if (column.comment.empty()) return;
  text(" COMMENT ");
  string(column.comment);
}

void SyntaxPrinter::watermark(const WatermarkDefinition& watermark) {
  text("WATERMARK FOR ");
  name(watermark.column);
  text(" AS ");
  expression(*watermark.value);
}

void SyntaxPrinter::like(const LikeClause& like) {
  text(" LIKE ");
  name(like.table);
  if (like.features.empty()) return;
  text(" (");
  for (std::size_t i = 0; i < like.features.size(); ++i) {
    text(fmt::format("{}{} {}", i > 0 ? " " : "", like.features[i].how, like.features[i].what));
  }
  text(")");
}

void SyntaxPrinter::create_view(const CreateView& view) {
  text(fmt::format("CREATE {}{}VIEW {}", view.or_replace ? "OR REPLACE " : "",
                   view.temporary ? "TEMPORARY " : "", view.if_not_exists ? "IF NOT EXISTS " : ""));
  name(view.name);
  if (!view.columns.empty()) {
    text(" ");
    names(view.columns);
  }
  if (!view.comment.empty()) {
    text(" COMMENT ");
    string(view.comment);
  }
  text(" AS ");
  query(*view.query);
}

void SyntaxPrinter::create_other(const CreateOther& other) {
  text(fmt::format("CREATE {}{}{} {}", other.or_replace ? "OR REPLACE " : "",
                   other.temporary ? "TEMPORARY " : "", other.kind,
                   other.if_not_exists ? "IF NOT EXISTS " : ""));
  name(other.name);
  if (!other.value.empty() || other.kind == "FUNCTION") {
    text(" AS ");
    string(other.value);
  }
  if (!other.language.empty()) text(" LANGUAGE " + other.language);
  const auto columns = [&](std::string_view word, const std::vector<ColumnDefinition>& list_of) {
    if (list_of.empty()) return;
    text(word);
    list(list_of, [&](const ColumnDefinition& definition) { column(definition); });
    text(")");
  };
  columns(" INPUT (", other.inputs);
  columns(" OUTPUT (", other.outputs);
  if (!other.comment.empty()) {
    text(" COMMENT ");
    string(other.comment);
  }
  if (other.options.empty()) return;
  text(" WITH ");
  options(other.options);
}

void SyntaxPrinter::alter(const AlterTable& alter) {
  text(fmt::format("ALTER {} {}",
                   alter.view    ? "VIEW"
                   : alter.model ? "MODEL"
                                 : "TABLE",
                   alter.if_exists ? "IF EXISTS " : ""));
  name(alter.name);
  const auto& action = alter.action;
  if (const auto* rename = std::get_if<AlterTable::Rename>(&action)) {
    text(" RENAME TO ");
    name(rename->to);
  } else if (const auto* set = std::get_if<AlterTable::SetOptions>(&action)) {
    text(" SET ");
    options(set->options);
  } else if (const auto* reset = std::get_if<AlterTable::ResetOptions>(&action)) {
    text(" RESET (");
    list(reset->keys, [&](const std::string& key) { string(key); });
    text(")");
  } else if (const auto* add = std::get_if<AlterTable::AddColumns>(&action)) {
    add_columns(*add);
  } else if (const auto* drop = std::get_if<AlterTable::DropColumns>(&action)) {
    drop_columns(*drop);
  } else if (const auto* field = std::get_if<AlterTable::RenameColumn>(&action)) {
    text(" RENAME ");
    name(field->from);
    text(" TO ");
    name(field->to);
  } else {
    text(" AS ");
    query(*std::get<AlterTable::NewQuery>(action).query);
  }
}

void SyntaxPrinter::add_columns(const AlterTable::AddColumns& add) {
  text(add.modify ? " MODIFY" : " ADD");
  const std::size_t before = out_.size();
  const auto next = [&] { text(out_.size() == before ? " (" : ", "); };
  for (std::size_t i = 0; i < add.columns.size(); ++i) {
    next();
    column(add.columns[i]);
    if (i >= add.positions.size()) continue;
    if (add.positions[i].first) text(" FIRST");
    if (!add.positions[i].after) continue;
    text(" AFTER ");
    name(*add.positions[i].after);
  }
  for (const WatermarkDefinition& definition : add.watermarks) {
    next();
    watermark(definition);
  }
  if (!add.primary_key.empty()) {
    next();
    text("PRIMARY KEY ");
    names(add.primary_key);
    text(" NOT ENFORCED");
  }
  text(")");
}

void SyntaxPrinter::drop_columns(const AlterTable::DropColumns& drop) {
  text(" DROP ");
  if (drop.primary_key) return text("PRIMARY KEY");
  if (drop.watermark) return text("WATERMARK");
  names(drop.columns);
}

void SyntaxPrinter::insert(const Insert& insert) {
  text(insert.overwrite ? "INSERT OVERWRITE " : "INSERT INTO ");
  name(insert.table);
  option_hint(insert.options);
  if (!insert.partition.empty()) {
    text(" PARTITION (");
    list(insert.partition, [&](const auto& part) {
      name(part.first);
      if (part.second == nullptr) return;
      text(" = ");
      expression(*part.second);
    });
    text(")");
  }
  if (!insert.columns.empty()) {
    text(" ");
    names(insert.columns);
  }
  text(" ");
  query(*insert.query);
}

void SyntaxPrinter::statement_set(const StatementSet& set) {
  text("EXECUTE STATEMENT SET BEGIN ");
  for (const Insert& one : set.inserts) {
    insert(one);
    text("; ");
  }
  text("END");
}

void SyntaxPrinter::show(const Show& show) {
  text("SHOW " + show.what);
  if (!show.name.empty()) {
    const bool of_name = show.what.starts_with("CREATE") || show.what == "PARTITIONS";
    text(of_name ? " " : " FROM ");
    name(show.name);
  }
  if (!show.like) return;
  text(fmt::format("{} {} ", show.not_like ? " NOT" : "", show.ignore_case ? "ILIKE" : "LIKE"));
  string(*show.like);
}

void SyntaxPrinter::explain(const Explain& explain) {
  text("EXPLAIN ");
  if (explain.details.empty()) {
    const bool set = std::holds_alternative<StatementSet>(explain.statement->node);
    text(set ? "" : "PLAN FOR ");
  } else {
    list(explain.details, [&](const std::string& detail) { text(detail); });
    text(" ");
  }
  statement(*explain.statement);
}

}  // namespace tidegate::sql
