// SPDX-License-Identifier: Apache-2.0
//
// The syntax tree: statements of Flink's SQL dialect as they were written, nothing resolved yet.
// Values that never change once parsed, so that a view's query can be bound again and again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "types/logical_type.h"

namespace tidegate::sql {

/// Where something stands in a script: bytes from its beginning. Lines and columns are counted when
/// an error is shown (source_text.h).
struct Place {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// A name as it was written, without back quotes.
struct Identifier {
  std::string text;
  Place place;
};

/// catalog.database.table, or alias.column.field.
using QualifiedName = std::vector<Identifier>;
/// "a.b.c", for people.
std::string to_string(const QualifiedName& name);

struct Expression;
struct Query;
struct Relation;
using ExpressionPtr = std::shared_ptr<const Expression>;
using QueryPtr = std::shared_ptr<const Query>;
using RelationPtr = std::shared_ptr<const Relation>;

// --- expressions
// ----------------------------------------------------------------------------------

struct ColumnName {
  QualifiedName name;
};

/// * or alias.*: in a select list and in COUNT(*); `value` for composite.* of an expression.
struct Star {
  QualifiedName qualifier;
  ExpressionPtr value;
};

/// A constant. `text` is what stands between the quotes ('' undone), or the digits as written.
struct Literal {
  enum class Kind : std::uint8_t {
    kNull,
    kTrue,
    kFalse,
    kNumber,     ///< 12, 1.50, 1e3: exact without an exponent
    kString,     ///< 'abc'; also _UTF8'..' and U&'..' once decoded
    kBinary,     ///< X'0a'; text holds the hexadecimal digits
    kDate,       ///< DATE '2020-01-01'
    kTime,       ///< TIME '10:00:00'
    kTimestamp,  ///< TIMESTAMP '2020-01-01 00:00:00.5'
    kInterval,   ///< INTERVAL '1:30' MINUTE TO SECOND
    kDefault,    ///< DEFAULT in VALUES and function arguments
    kSymbol,     ///< a keyword argument: the unit of EXTRACT, written as a string for functions
  };
  Kind kind = Kind::kNull;
  std::string text;
  /// kInterval: months of a year-month interval or milliseconds of a day-time one, sign included,
  /// and which of the two.
  std::int64_t interval = 0;
  bool interval_in_months = false;
};

/// How rows are sorted.
struct SortItem {
  ExpressionPtr value;
  bool descending = false;
  std::optional<bool> nulls_first;
};

struct FrameBound {
  enum class Kind : std::uint8_t {
    kUnboundedPreceding,
    kPreceding,
    kCurrentRow,
    kFollowing,
    kUnboundedFollowing,
  };
  Kind kind = Kind::kUnboundedPreceding;
  ExpressionPtr distance;  ///< kPreceding, kFollowing
};

/// What stands in OVER (...) or in the WINDOW clause.
struct WindowSpec {
  std::optional<Identifier> base;  ///< OVER w, or OVER (w ...)
  std::vector<ExpressionPtr> partition_by;
  std::vector<SortItem> order_by;
  struct Frame {
    bool rows = false;  ///< else RANGE
    FrameBound from;
    FrameBound to{FrameBound::Kind::kCurrentRow, nullptr};
  };
  std::optional<Frame> frame;
  Place place;
};

/// A function, or an operator by its sign or words: "+", "=", "NOT", "IS NULL", "LIKE", "IN",
/// "BETWEEN", "||", "%". Negated forms are "NOT" around the plain one ("IS NOT NULL" and
/// "IS NOT DISTINCT FROM" and the like have names of their own). "AND" and "OR" have two arguments
/// or more. Special syntax becomes plain calls with kSymbol literals (parser_calls.cc lists them):
/// EXTRACT('YEAR', x), TRIM('BOTH', ' ', x).
struct Call {
  std::string function;  ///< as written for functions, upper case for operators
  std::vector<ExpressionPtr> args;
  /// Per argument its name in f(name => value); empty when no argument is named.
  std::vector<std::optional<Identifier>> names;
  bool is_operator = false;
  bool distinct = false;
  bool ignore_nulls = false;
  ExpressionPtr filter;                ///< FILTER (WHERE ...)
  std::vector<SortItem> within_group;  ///< WITHIN GROUP (ORDER BY ...)
  std::shared_ptr<const WindowSpec> over;
  /// FINAL / RUNNING in MATCH_RECOGNIZE.
  std::string match_semantics;
};

struct Cast {
  ExpressionPtr value;
  LogicalType type;
  bool or_null = false;  ///< TRY_CAST
};

struct Case {
  ExpressionPtr operand;  ///< CASE x WHEN ...; null for CASE WHEN
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> branches;
  ExpressionPtr otherwise;
};

/// x[1], map['key'].
struct ElementAccess {
  ExpressionPtr value;
  ExpressionPtr index;
};

/// (expression).field; a.b.c without parentheses is a ColumnName.
struct FieldAccess {
  ExpressionPtr value;
  Identifier field;
};

/// A query among expressions.
struct Subquery {
  enum class Kind : std::uint8_t {
    kScalar,
    kExists,
    kIn,          ///< value IN (query); value is a call of "ROW" for several columns
    kQuantified,  ///< value <comparison> ANY | ALL (query)
    kArray,       ///< ARRAY(query)
  };
  Kind kind = Kind::kScalar;
  ExpressionPtr value;
  std::string comparison;  ///< kQuantified: "=", "<"...
  bool all = false;        ///< kQuantified: ALL, else ANY
  QueryPtr query;
};

struct Expression {
  std::variant<ColumnName, Star, Literal, Call, Cast, Case, ElementAccess, FieldAccess, Subquery>
      node;
  Place place;
};

// --- queries
// --------------------------------------------------------------------------------------

struct SelectItem {
  ExpressionPtr value;  ///< may be a Star
  std::optional<Identifier> alias;
};

/// GROUP BY: expressions, or grouping sets over them.
struct GroupBy {
  /// An element: a plain expression is one set of one; (a, b) in ROLLUP is one entry of two.
  struct Element {
    enum class Kind : std::uint8_t { kPlain, kRollup, kCube, kGroupingSets };
    Kind kind = Kind::kPlain;
    std::vector<std::vector<ExpressionPtr>> sets;
    /// kGroupingSets may nest ROLLUP and CUBE.
    std::vector<Element> nested;
  };
  std::vector<Element> elements;
  bool distinct = false;
  Place place;
};

struct Select {
  bool distinct = false;
  std::vector<SelectItem> items;
  RelationPtr from;  ///< null: one row without columns
  ExpressionPtr where;
  std::optional<GroupBy> group_by;
  ExpressionPtr having;
  std::vector<std::pair<Identifier, std::shared_ptr<const WindowSpec>>> windows;
  ExpressionPtr qualify;
  /// Names of hints and their arguments: /*+ STATE_TTL('a' = '1d') */.
  struct Hint {
    std::string name;
    std::vector<std::pair<std::string, std::string>> options;
  };
  std::vector<Hint> hints;
};

struct Values {
  std::vector<std::vector<ExpressionPtr>> rows;
};

struct SetOperation {
  enum class Kind : std::uint8_t { kUnion, kIntersect, kExcept };
  Kind kind = Kind::kUnion;
  bool all = false;
  QueryPtr left;
  QueryPtr right;
};

struct CommonTable {
  Identifier name;
  std::vector<Identifier> columns;
  QueryPtr query;
};

struct Query {
  std::vector<CommonTable> with;
  std::variant<Select, Values, SetOperation> body;
  std::vector<SortItem> order_by;
  ExpressionPtr offset;
  ExpressionPtr limit;  ///< also FETCH FIRST n ROWS ONLY
  Place place;
};

// --- relations (what stands in FROM)
// --------------------------------------------------------------

struct TableAlias {
  std::optional<Identifier> name;
  std::vector<Identifier> columns;
};

struct TableName {
  QualifiedName name;
  std::vector<std::pair<std::string, std::string>> options;  ///< /*+ OPTIONS('a' = 'b') */
  ExpressionPtr as_of;                                       ///< FOR SYSTEM_TIME AS OF
};

struct DerivedTable {
  QueryPtr query;
  bool lateral = false;
};

/// TABLE(f(...)), LATERAL TABLE(f(...)) or f(...) in FROM: window functions and user functions.
struct TableFunction {
  /// An argument: a table, DESCRIPTOR(columns) or an expression.
  struct Argument {
    std::optional<Identifier> name;
    RelationPtr table;
    std::vector<ExpressionPtr> partition_by;
    std::vector<SortItem> order_by;
    std::vector<Identifier> descriptor;
    bool is_descriptor = false;
    QualifiedName model;  ///< MODEL m, of ML_PREDICT
    ExpressionPtr value;
  };
  QualifiedName function;
  std::vector<Argument> arguments;
  bool lateral = false;
};

struct Unnest {
  std::vector<ExpressionPtr> values;
  bool with_ordinality = false;
};

struct Join {
  enum class Kind : std::uint8_t { kInner, kLeft, kRight, kFull, kCross, kSemi, kAnti };
  Kind kind = Kind::kInner;
  bool natural = false;
  RelationPtr left;
  RelationPtr right;
  ExpressionPtr on;
  std::vector<Identifier> columns;  ///< USING
};

/// Pattern of MATCH_RECOGNIZE.
struct RowPattern;
using RowPatternPtr = std::shared_ptr<const RowPattern>;
struct RowPattern {
  enum class Kind : std::uint8_t {
    kVariable,
    kSequence,
    kAlternation,
    kPermute,
    kExclusion,  ///< {- ... -}
    kEmpty,
  };
  Kind kind = Kind::kVariable;
  Identifier variable;
  std::vector<RowPatternPtr> parts;
  std::int64_t least = 1;
  std::int64_t most = 1;  ///< -1: no limit
  bool reluctant = false;
};

struct MatchRecognize {
  RelationPtr table;
  std::vector<ExpressionPtr> partition_by;
  std::vector<SortItem> order_by;
  std::vector<SelectItem> measures;
  bool all_rows = false;
  enum class After : std::uint8_t { kPastLastRow, kToNextRow, kToFirst, kToLast };
  After after = After::kPastLastRow;
  Identifier after_variable;
  RowPatternPtr pattern;
  ExpressionPtr within;
  std::vector<std::pair<Identifier, std::vector<Identifier>>> subsets;
  std::vector<std::pair<Identifier, ExpressionPtr>> define;
};

struct Relation {
  std::variant<TableName, DerivedTable, TableFunction, Unnest, Join, MatchRecognize> node;
  TableAlias alias;
  Place place;
};

// --- statements
// -----------------------------------------------------------------------------------

using OptionList = std::vector<std::pair<std::string, std::string>>;

struct ColumnDefinition {
  Identifier name;
  std::optional<LogicalType> type;  ///< none for computed columns
  ExpressionPtr computed;
  bool metadata = false;
  std::optional<std::string> metadata_key;
  bool is_virtual = false;
  bool primary_key = false;
  std::string comment;
};

struct WatermarkDefinition {
  QualifiedName column;
  ExpressionPtr value;
  Place place;
};

/// LIKE source (INCLUDING ALL, EXCLUDING OPTIONS, ...).
struct LikeClause {
  QualifiedName table;
  struct Feature {
    std::string what;  ///< "ALL", "CONSTRAINTS", "GENERATED", "METADATA", "OPTIONS", ...
    std::string how;   ///< "INCLUDING", "EXCLUDING", "OVERWRITING"
  };
  std::vector<Feature> features;
};

struct CreateTable {
  QualifiedName name;
  bool temporary = false;
  bool if_not_exists = false;
  bool or_replace = false;
  std::vector<ColumnDefinition> columns;
  std::vector<WatermarkDefinition> watermarks;
  std::vector<Identifier> primary_key;
  std::vector<Identifier> partitioned_by;
  std::string comment;
  OptionList options;
  std::optional<LikeClause> like;
  QueryPtr as;
};

struct CreateView {
  QualifiedName name;
  bool temporary = false;
  bool if_not_exists = false;
  bool or_replace = false;
  std::vector<Identifier> columns;
  std::string comment;
  QueryPtr query;
  std::string text;  ///< of the query, for SHOW CREATE VIEW
};

/// CREATE FUNCTION, CREATE MODEL, CREATE CATALOG, CREATE DATABASE.
struct CreateOther {
  std::string kind;  ///< "FUNCTION", "MODEL", "CATALOG", "DATABASE"
  QualifiedName name;
  bool temporary = false;
  bool or_replace = false;
  bool if_not_exists = false;
  std::string value;  ///< function: class name
  std::string language;
  std::string comment;
  std::vector<ColumnDefinition> inputs;   ///< model: INPUT (...)
  std::vector<ColumnDefinition> outputs;  ///< model: OUTPUT (...)
  OptionList options;
};

struct AlterTable {
  QualifiedName name;
  bool view = false;
  bool model = false;  ///< ALTER MODEL: Rename, SetOptions, ResetOptions
  bool if_exists = false;
  struct Rename {
    QualifiedName to;
  };
  struct SetOptions {
    OptionList options;
  };
  struct ResetOptions {
    std::vector<std::string> keys;
  };
  struct AddColumns {
    std::vector<ColumnDefinition> columns;
    std::vector<WatermarkDefinition> watermarks;
    std::vector<Identifier> primary_key;
    bool modify = false;  ///< MODIFY: they exist and get these definitions
    /// Per column where it goes: FIRST, or AFTER a column; neither: last (ADD) or where it was.
    struct Position {
      bool first = false;
      std::optional<Identifier> after;
    };
    std::vector<Position> positions;
  };
  struct DropColumns {
    std::vector<Identifier> columns;
    bool primary_key = false;
    bool watermark = false;
  };
  struct RenameColumn {
    Identifier from;
    Identifier to;
  };
  /// ALTER VIEW ... AS.
  struct NewQuery {
    QueryPtr query;
  };
  std::variant<Rename, SetOptions, ResetOptions, AddColumns, DropColumns, RenameColumn, NewQuery>
      action;
};

struct Drop {
  std::string kind;  ///< "TABLE", "VIEW", "FUNCTION", "CATALOG", "DATABASE", "MODEL"
  QualifiedName name;
  bool if_exists = false;
  bool temporary = false;
  bool cascade = false;  ///< database: with its tables
};

struct Insert {
  QualifiedName table;
  std::vector<Identifier> columns;
  bool overwrite = false;
  std::vector<std::pair<Identifier, ExpressionPtr>> partition;
  OptionList options;  ///< /*+ OPTIONS(...) */
  QueryPtr query;
};

/// EXECUTE STATEMENT SET BEGIN ... END, or BEGIN STATEMENT SET; ... END;
struct StatementSet {
  std::vector<Insert> inserts;
};

/// A bare query.
struct SelectStatement {
  QueryPtr query;
};

struct SetOption {
  std::string key;    ///< empty: SET; shows all
  std::string value;  ///< used when has_value
  bool has_value = false;
  Place key_place;
};
struct ResetOption {
  std::string key;  ///< empty: all
};

struct Show {
  std::string
      what;  ///< "TABLES", "VIEWS", "FUNCTIONS", "CREATE TABLE", "COLUMNS", "DATABASES", ...
  QualifiedName name;
  std::optional<std::string> like;
  bool not_like = false;
  bool ignore_case = false;  ///< ILIKE
};
struct Describe {
  QualifiedName name;
  bool model = false;
};
struct Use {
  std::string what;    ///< "", "CATALOG", "MODULES"
  QualifiedName name;  ///< MODULES: a list of names
};

struct Statement;
struct Explain {
  std::vector<std::string> details;  ///< "CHANGELOG_MODE", "JSON_EXECUTION_PLAN", ...
  std::shared_ptr<const Statement> statement;
};

struct Statement {
  std::variant<CreateTable, CreateView, CreateOther, AlterTable, Drop, Insert, StatementSet,
               SelectStatement, SetOption, ResetOption, Show, Describe, Use, Explain>
      node;
  Place place;
};

}  // namespace tidegate::sql
