// SPDX-License-Identifier: Apache-2.0
// The connector 'nexmark': the events of the Nexmark benchmark (people, auctions, bids), made in
// the process. The stream is a pure function of the options, so every run and every cut into splits
// reads the same events.

#include <algorithm>
#include <charconv>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "connectors/nexmark/columns.h"
#include "connectors/nexmark/event_stream.h"
#include "connectors/projected_schema.h"
#include "dataflow/connector.h"
#include "formats/column_builder.h"

namespace tidegate {

namespace {

using nexmark::EventColumn;
using nexmark::EventKind;
using nexmark::EventStream;
using nexmark::kind_of;
using nexmark::StreamSettings;

using Events = std::span<const std::uint64_t>;

constexpr EventKind kKinds[] = {EventKind::kPerson, EventKind::kAuction, EventKind::kBid};
constexpr std::int64_t kMaxSplits = 1024;
constexpr std::int64_t kMaxRows = 1 << 16;  // of a batch

/// A column that somebody reads.
struct MadeColumn {
  LogicalType type;
  const EventColumn* column = nullptr;  ///< of the table's kind of event
  // Of the table 'combined': a ROW of one kind of event, null for the others; else event_type.
  std::optional<EventKind> row_of;
  std::vector<const EventColumn*> fields;
};

/// What a table says; shared by its splits.
struct EventTable {
  StreamSettings settings;
  std::int64_t num_events = nexmark::kMaxEvents;
  bool bounded = false;
  std::int64_t num_splits = 1;
  std::optional<EventKind> kind;  ///< none: 'combined'
  std::vector<MadeColumn> columns;
  unsigned stream_tables = 0;
};

Result<std::int64_t> event_number(const std::string& text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [read, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc() || read != end || number < 0)
    return error(ErrorCode::kStateCorrupt, "'{}' is not the number of an event of nexmark", text);
  return number;
}

/// Reads events number split, split + num_splits and so on. The position is the next one's number.
class NexmarkReader final : public SplitReader {
 public:
  NexmarkReader(std::shared_ptr<const EventTable> table, std::shared_ptr<const EventStream> stream,
                std::int64_t next_event)
      : table_(std::move(table)), stream_(std::move(stream)), next_(next_event) {
    for (const MadeColumn& column : table_->columns) builders_.emplace_back(column.type);
  }

  std::string position() const override { return std::to_string(next_); }

  Status read_until(const std::string& end) override {
    limit_ = std::numeric_limits<std::int64_t>::max();
    if (!end.empty()) {
      TG_ASSIGN_OR_RETURN(limit_, event_number(end));
    }
    return Status::ok();
  }

  Result<Polled> poll(std::int64_t max_rows) override {
    Polled polled;
    if (next_ >= limit_) {
      polled.state = Polled::State::kLimit;
      return polled;
    }
    if (next_ >= table_->num_events) {
      polled.state = Polled::State::kEnd;
      return polled;
    }
    choose_events(std::clamp<std::int64_t>(max_rows, 1, kMaxRows));
    std::vector<std::shared_ptr<arrow::Array>> columns;
    columns.reserve(builders_.size());
    for (std::size_t i = 0; i < builders_.size(); ++i) {
      const MadeColumn& made = table_->columns[i];
      if (made.column != nullptr) {
        made.column->append(*stream_, events_, builders_[i]);
      } else if (made.row_of) {
        append_rows(made, builders_[i]);
      } else {
        for (const std::uint64_t event : events_)
          builders_[i].append(static_cast<std::int32_t>(kind_of(event)));
      }
      columns.push_back(builders_[i].take());
    }
    polled.state = Polled::State::kRows;
    polled.batch = Batch(static_cast<std::int64_t>(events_.size()), std::move(columns));
    return polled;
  }

 private:
  // The next rows' events. Looks at a limited number of events: there may be none of the kind in
  // this split, and a source without an end must return all the same.
  void choose_events(std::int64_t max_rows) {
    events_.clear();
    const std::int64_t step = table_->num_splits;
    const std::int64_t end = std::min(table_->num_events, limit_);
    const std::int64_t most = std::min(max_rows, (end - next_ + step - 1) / step);
    if (!table_->kind) {
      for (std::int64_t i = 0; i < most; ++i, next_ += step)
        events_.push_back(stream_->event_at(next_));
      return;
    }
    std::int64_t looks = max_rows * nexmark::kEventsPerEpoch;
    const EventKind kind = *table_->kind;
    for (; looks > 0 && next_ < end; --looks, next_ += step) {
      const std::uint64_t event = stream_->event_at(next_);
      if (kind_of(event) != kind) continue;
      events_.push_back(event);
      if (static_cast<std::int64_t>(events_.size()) < max_rows) continue;
      next_ += step;
      return;
    }
  }

  // Events of a kind come in runs, and so do the values of a ROW and its nulls.
  void append_rows(const MadeColumn& made, ColumnBuilder& rows) {
    const Events events = events_;
    for (std::size_t begin = 0; begin < events.size();) {
      const EventKind kind = kind_of(events[begin]);
      std::size_t end = begin + 1;
      while (end < events.size() && kind_of(events[end]) == kind) ++end;
      if (kind != *made.row_of) {
        for (std::size_t i = begin; i < end; ++i) rows.append_null();
      } else {
        for (std::size_t i = 0; i < made.fields.size(); ++i)
          made.fields[i]->append(*stream_, events.subspan(begin, end - begin), rows.child(i));
        for (std::size_t i = begin; i < end; ++i) rows.end_row();
      }
      begin = end;
    }
  }

  const std::shared_ptr<const EventTable> table_;
  const std::shared_ptr<const EventStream> stream_;
  std::vector<ColumnBuilder> builders_;
  std::vector<std::uint64_t> events_;  // of the batch that is being made
  std::int64_t next_;
  std::int64_t limit_ = std::numeric_limits<std::int64_t>::max();
};

class NexmarkSource final : public Source {
 public:
  NexmarkSource(SchemaPtr schema, std::shared_ptr<const EventTable> table)
      : schema_(std::move(schema)), table_(std::move(table)) {}

  const SchemaPtr& schema() const override { return schema_; }
  bool is_bounded() const override { return table_->bounded; }

  Status open(SourceContext&) override {
    stream_ = std::make_shared<const EventStream>(table_->settings, table_->stream_tables);
    return Status::ok();
  }

  Result<Discovery> discover(const std::vector<std::string>& known) override {
    Discovery discovery;
    for (std::int64_t i = 0; i < table_->num_splits; ++i) {
      std::string id = std::to_string(i);
      if (std::find(known.begin(), known.end(), id) != known.end()) continue;
      discovery.splits.push_back({std::move(id), ""});
    }
    return discovery;
  }

  Result<std::unique_ptr<SplitReader>> open_split(const Split& split,
                                                  const std::optional<std::string>& position,
                                                  SourceContext&) override {
    TG_ASSIGN_OR_RETURN(const std::int64_t number, event_number(split.id));
    std::int64_t next = number;
    if (position) {
      TG_ASSIGN_OR_RETURN(next, event_number(*position));
    }
    if (number >= table_->num_splits || next % table_->num_splits != number)
      return error(ErrorCode::kStateCorrupt, "event {} is not of split {} of {} of nexmark", next,
                   split.id, table_->num_splits);
    return std::make_unique<NexmarkReader>(table_, stream_, next);
  }

  // All events are there from the beginning. A stream without an end is cut into batches of a
  // sensible size.
  Result<BatchEnd> plan_end(const Split& split, const std::optional<std::string>& position,
                            std::int64_t max_rows) override {
    constexpr std::int64_t kBatchEvents = 100'000;
    TG_ASSIGN_OR_RETURN(const std::int64_t next, event_number(position.value_or(split.id)));
    if (max_rows == 0 && table_->bounded) return BatchEnd{};
    const std::int64_t events = max_rows > 0 ? max_rows : kBatchEvents;
    const std::int64_t end = next + events * table_->num_splits;
    if (end >= table_->num_events) return BatchEnd{};
    return BatchEnd{std::to_string(end), events};
  }

 private:
  const SchemaPtr schema_;
  const std::shared_ptr<const EventTable> table_;
  std::shared_ptr<const EventStream> stream_;
};

Status check_type(const std::string& name, const LogicalType& type, TypeKind kind) {
  bool fits = type.kind() == kind;
  std::string wanted = LogicalType(kind).to_string();
  if (kind == TypeKind::kTimestamp) {
    fits = type.is_timestamp() && type.precision() == 3;
    wanted = "TIMESTAMP(3)";
  } else if (kind == TypeKind::kVarchar) {
    fits = fits && type.length() == LogicalType::kMaxLength;
  }
  if (fits) return Status::ok();
  return error(ErrorCode::kTypeMismatch, "nexmark: column '{}' is {}; it must be {}", name,
               type.to_string(), wanted);
}

Result<const EventColumn*> find_column(EventKind kind, const std::string& name,
                                       const LogicalType& type) {
  std::vector<std::string> names;
  for (const EventColumn& column : nexmark::columns_of(kind)) {
    if (column.name == name) {
      TG_RETURN_IF_ERROR(check_type(name, type, column.kind));
      return &column;
    }
    names.emplace_back(column.name);
  }
  const std::string nearest = nearest_name(name, names);
  return error(ErrorCode::kUnknownName, "nexmark: there is no column '{}' of {}{}", name,
               nexmark::name_of(kind), nearest.empty() ? "" : "; did you mean '" + nearest + "'?");
}

/// A column of the table 'combined'.
Result<MadeColumn> find_combined_column(const Field& field) {
  MadeColumn made;
  made.type = field.type;
  if (field.name == "event_type") {
    TG_RETURN_IF_ERROR(check_type(field.name, field.type, TypeKind::kInt));
    return made;
  }
  for (const EventKind kind : kKinds) {
    if (field.name == nexmark::name_of(kind)) made.row_of = kind;
  }
  if (!made.row_of)
    return error(ErrorCode::kUnknownName,
                 "nexmark: there is no column '{}'; the columns of 'combined' are event_type, "
                 "person, auction and bid",
                 field.name);
  if (field.type.kind() != TypeKind::kRow || !field.type.nullable())
    return error(ErrorCode::kTypeMismatch, "nexmark: column '{}' is {}; it must be a nullable ROW",
                 field.name, field.type.to_string());
  for (const LogicalType::Child& child : field.type.children()) {
    TG_ASSIGN_OR_RETURN(const EventColumn* column,
                        find_column(*made.row_of, child.name, child.type));
    made.fields.push_back(column);
  }
  return made;
}

Result<MadeColumn> find_made_column(const EventTable& table, const Field& field) {
  if (!table.kind) return find_combined_column(field);
  MadeColumn made;
  made.type = field.type;
  TG_ASSIGN_OR_RETURN(made.column, find_column(*table.kind, field.name, field.type));
  return made;
}

Result<std::int64_t> get_int_within(const Options& options, const std::string& name,
                                    std::int64_t fallback, std::int64_t min, std::int64_t max) {
  TG_ASSIGN_OR_RETURN(const std::int64_t value, options.get_int_or(name, fallback));
  if (value < min || value > max)
    return error(ErrorCode::kInvalidOption, "option '{}' is {}; it must be {} to {}", name, value,
                 min, max);
  return value;
}

Status read_options(const Options& options, EventTable& table) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  TG_ASSIGN_OR_RETURN(table.num_events, get_int_within(options, "events", nexmark::kMaxEvents, 0,
                                                       nexmark::kMaxEvents));
  table.bounded = options.has("events");
  TG_ASSIGN_OR_RETURN(const std::int64_t seed, options.get_int_or("seed", 42));
  StreamSettings& settings = table.settings;
  settings.seed = static_cast<std::uint64_t>(seed);
  TG_ASSIGN_OR_RETURN(settings.rate, get_int_within(options, "rate", settings.rate, 1, kMost));
  // Far from where milliseconds end.
  TG_ASSIGN_OR_RETURN(settings.base_time_ms,
                      get_int_within(options, "base-time", settings.base_time_ms,
                                     -nexmark::kMaxEvents, nexmark::kMaxEvents));
  TG_ASSIGN_OR_RETURN(settings.group,
                      get_int_within(options, "out-of-order", settings.group, 1, kMost));
  if (std::gcd(settings.group, std::int64_t{953}) != 1)
    return error(ErrorCode::kInvalidOption,
                 "option 'out-of-order' is {}; a multiple of 953 cannot be shuffled",
                 settings.group);
  TG_ASSIGN_OR_RETURN(table.num_splits, get_int_within(options, "splits", 1, 1, kMaxSplits));
  TG_ASSIGN_OR_RETURN(const std::string kind,
                      options.get_choice_or("table", "person|auction|bid|combined", "combined"));
  for (const EventKind each : kKinds) {
    if (kind == nexmark::name_of(each)) table.kind = each;
  }
  return Status::ok();
}

Result<std::shared_ptr<Source>> make_source(const ConnectorRequest& request) {
  auto table = std::make_shared<EventTable>();
  TG_RETURN_IF_ERROR(read_options(request.options, *table));
  for (const Field& field : request.schema->fields()) {
    // Those that nobody reads must be there too.
    TG_RETURN_IF_ERROR(find_made_column(*table, field).status());
  }
  for (const int column : request.projection) {
    TG_ASSIGN_OR_RETURN(MadeColumn made, find_made_column(*table, request.schema->field(column)));
    if (made.column != nullptr) table->stream_tables |= made.column->tables;
    for (const EventColumn* field : made.fields) table->stream_tables |= field->tables;
    table->columns.push_back(std::move(made));
  }
  return std::make_shared<NexmarkSource>(projected_schema(*request.schema, request.projection),
                                         std::move(table));
}

}  // namespace

void register_connector_nexmark(ConnectorRegistry& registry) {
  Connector connector;
  connector.name = "nexmark";
  connector.description =
      "Events of the Nexmark benchmark (people, auctions, bids), made in the process; the same in "
      "every run.";
  connector.options = {
      {"table", "person|auction|bid|combined", "combined",
       "Which events; combined: all, in columns event_type (0, 1, 2), person, auction and bid."},
      {"events", "integer", "", "Events of all kinds together; default: without end."},
      {"seed", "integer", "42", "Another seed makes other events."},
      {"rate", "integer", "1000", "Events a second of event time."},
      {"base-time", "integer", "1700000000000", "Event time of the first event, in ms."},
      {"out-of-order", "integer", "1",
       "Events are shuffled within groups of so many; 1: they are in order."},
      {"splits", "integer", "1", "Event i is of split i modulo this; splits are read in parallel."},
  };
  connector.make_source = make_source;
  registry.add(std::move(connector));
}

}  // namespace tidegate
