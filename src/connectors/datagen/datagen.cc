// SPDX-License-Identifier: Apache-2.0
// The connector 'datagen': rows made up by fixed rules, with the options of Flink's connector of
// that name. One split; rows depend on the options alone (times: also on the clock).

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "connectors/datagen/generator.h"
#include "connectors/projected_schema.h"
#include "dataflow/connector.h"
#include "formats/column_builder.h"

namespace tidegate {

namespace {

constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

struct DataGeneration {
  std::vector<LogicalType> types;
  std::vector<ValueGenerator> generators;
  std::int64_t num_rows = kUnlimited;
  std::int64_t rows_per_second = kUnlimited;
};

Result<std::int64_t> row_number(const std::string& text) {
  std::int64_t row = 0;
  const char* const end = text.data() + text.size();
  if (std::from_chars(text.data(), end, row).ptr != end || row < 0)
    return error(ErrorCode::kStateCorrupt, "'{}' is not a row of datagen", text);
  return row;
}

class DatagenReader final : public SplitReader {
 public:
  DatagenReader(std::shared_ptr<const DataGeneration> what, std::int64_t first_row,
                SourceContext& context)
      : what_(std::move(what)),
        clock_(context.clock()),
        executor_(context.executor()),
        waker_(context.waker()),
        next_row_(first_row),
        first_row_(first_row),
        started_ns_(clock_.monotonic_ns()) {
    for (const LogicalType& type : what_->types) builders_.emplace_back(type);
  }

  std::string position() const override { return std::to_string(next_row_); }

  Status read_until(const std::string& end) override {
    limit_ = kUnlimited;
    if (!end.empty()) {
      TG_ASSIGN_OR_RETURN(limit_, row_number(end));
    }
    return Status::ok();
  }

  Result<Polled> poll(std::int64_t max_rows) override {
    Polled polled;
    if (next_row_ >= limit_) {
      polled.state = Polled::State::kLimit;
      return polled;
    }
    if (next_row_ >= what_->num_rows) {
      polled.state = Polled::State::kEnd;
      return polled;
    }
    const std::int64_t allowed = rows_allowed();
    if (allowed == 0) {
      executor_.submit_at(next_row_due_ns(), [waker = waker_] { waker.wake(); });
      return polled;
    }
    const std::int64_t block = next_row_ / ValueGenerator::kBlockRows;
    if (block != block_) make_block(block);
    const std::int64_t in_block = next_row_ % ValueGenerator::kBlockRows;
    const std::int64_t count = std::min({rows_.num_rows() - in_block, allowed, limit_ - next_row_,
                                         std::max<std::int64_t>(1, max_rows)});
    polled.state = Polled::State::kRows;
    polled.batch = rows_.slice(in_block, count);
    next_row_ += count;
    return polled;
  }

 private:
  // Rows that the rate lets go now. A second's rows may be caught up at once, not more.
  std::int64_t rows_allowed() {
    if (what_->rows_per_second == kUnlimited) return kUnlimited;
    const std::int64_t now = clock_.monotonic_ns();
    if (now - next_row_due_ns() > kNanosPerSecond) {
      first_row_ = next_row_;
      started_ns_ = now - kNanosPerSecond;
    }
    const double seconds = static_cast<double>(now - started_ns_) / kNanosPerSecond;
    const auto due =
        static_cast<std::int64_t>(seconds * static_cast<double>(what_->rows_per_second)) + 1;
    return std::max<std::int64_t>(0, first_row_ + due - next_row_);
  }

  std::int64_t next_row_due_ns() const {
    const double seconds =
        static_cast<double>(next_row_ - first_row_) / static_cast<double>(what_->rows_per_second);
    return started_ns_ + static_cast<std::int64_t>(seconds * kNanosPerSecond) + 1;
  }

  void make_block(std::int64_t block) {
    const std::int64_t begin = block * ValueGenerator::kBlockRows;
    const std::int64_t count = std::min(ValueGenerator::kBlockRows, what_->num_rows - begin);
    const std::int64_t now_ms = clock_.wall_ms();
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (std::size_t i = 0; i < builders_.size(); ++i) {
      what_->generators[i].append_block(builders_[i], block, count, now_ms);
      columns.push_back(builders_[i].take());
    }
    rows_ = Batch(count, std::move(columns));
    block_ = block;
  }

  const std::shared_ptr<const DataGeneration> what_;
  const Clock& clock_;
  Executor& executor_;
  const Waker waker_;
  std::vector<ColumnBuilder> builders_;
  Batch rows_;  // of block_
  std::int64_t block_ = -1;
  std::int64_t next_row_;
  std::int64_t first_row_;   // the rate counts rows from here
  std::int64_t started_ns_;  // and time from here
  std::int64_t limit_ = kUnlimited;
};

class DatagenSource final : public Source {
 public:
  DatagenSource(SchemaPtr schema, std::shared_ptr<const DataGeneration> what)
      : schema_(std::move(schema)), what_(std::move(what)) {}

  const SchemaPtr& schema() const override { return schema_; }
  bool is_bounded() const override { return what_->num_rows != kUnlimited; }
  Status open(SourceContext& context) override {
    clock_ = &context.clock();
    return Status::ok();
  }
  Result<Discovery> discover(const std::vector<std::string>& known) override {
    Discovery discovery;
    if (known.empty()) discovery.splits.push_back({"rows", ""});
    return discovery;
  }
  Result<std::unique_ptr<SplitReader>> open_split(const Split&,
                                                  const std::optional<std::string>& position,
                                                  SourceContext& context) override {
    std::int64_t row = 0;
    if (position) {
      TG_ASSIGN_OR_RETURN(row, row_number(*position));
    }
    return std::make_unique<DatagenReader>(what_, row, context);
  }

  // A bounded table is there as a whole. Of one without an end, as much as its rate has made since
  // the first question; a batch's worth when it has no rate.
  Result<BatchEnd> plan_end(const Split&, const std::optional<std::string>& position,
                            std::int64_t max_rows) override {
    std::int64_t begin = 0;
    if (position) {
      TG_ASSIGN_OR_RETURN(begin, row_number(*position));
    }
    std::int64_t end = what_->num_rows;
    if (end == kUnlimited) end = rows_made(begin);
    if (max_rows > 0) end = std::min(end, begin + max_rows);
    const std::int64_t rows = std::max<std::int64_t>(end - begin, 0);
    if (end == what_->num_rows) return BatchEnd{std::nullopt, std::max<std::int64_t>(rows, 1)};
    return BatchEnd{std::to_string(begin + rows), rows};
  }

 private:
  std::int64_t rows_made(std::int64_t begin) {
    constexpr std::int64_t kBatchRows = 100'000;
    if (what_->rows_per_second == kUnlimited) return begin + kBatchRows;
    const std::int64_t now_ns = clock_->monotonic_ns();
    if (!asked_ns_) {
      asked_ns_ = now_ns;
      first_row_ = begin;
    }
    const double seconds = static_cast<double>(now_ns - *asked_ns_) / kNanosPerSecond;
    return first_row_ + 1 +
           static_cast<std::int64_t>(seconds * static_cast<double>(what_->rows_per_second));
  }

  SchemaPtr schema_;
  std::shared_ptr<const DataGeneration> what_;
  const Clock* clock_ = nullptr;
  std::optional<std::int64_t> asked_ns_;  // when the end was asked for first
  std::int64_t first_row_ = 0;            // and where the job stood then
};

// "fields.<column>.*" of columns that are not there would be taken for what they are not.
Status check_field_options(const ConnectorRequest& request) {
  constexpr std::string_view kPrefix = "fields.";
  std::vector<std::string> names;
  for (const Field& field : request.schema->fields()) names.push_back(field.name);
  for (const auto& [name, value] : request.options.values()) {
    if (!name.starts_with(kPrefix)) continue;
    const std::string_view path = std::string_view(name).substr(kPrefix.size());
    const bool known = std::any_of(names.begin(), names.end(), [&](const std::string& column) {
      return path.starts_with(column + '.');
    });
    if (known) continue;
    const std::string column(path.substr(0, path.find('.')));
    const std::string nearest = nearest_name(column, names);
    return error(ErrorCode::kUnknownOption, "option '{}': there is no column '{}'{}", name, column,
                 nearest.empty() ? "" : "; did you mean '" + nearest + "'?");
  }
  return Status::ok();
}

Result<std::shared_ptr<Source>> make_source(const ConnectorRequest& request) {
  TG_RETURN_IF_ERROR(check_field_options(request));
  auto what = std::make_shared<DataGeneration>();
  for (const Field& field : request.schema->fields()) {
    // Those that nobody reads count too: one may be the sequence that ends first.
    TG_ASSIGN_OR_RETURN(const ValueGenerator generator,
                        ValueGenerator::make(field.type, field.name, request.options));
    what->num_rows = std::min(what->num_rows, generator.num_rows());
  }
  for (const int column : request.projection) {
    const Field& field = request.schema->field(column);
    TG_ASSIGN_OR_RETURN(ValueGenerator generator,
                        ValueGenerator::make(field.type, field.name, request.options));
    what->types.push_back(field.type);
    what->generators.push_back(std::move(generator));
  }
  TG_ASSIGN_OR_RETURN(const std::int64_t num_rows,
                      request.options.get_int_or("number-of-rows", kUnlimited));
  TG_ASSIGN_OR_RETURN(const std::int64_t rate,
                      request.options.get_int_or("rows-per-second", 10'000));
  if (num_rows < 0)
    return error(ErrorCode::kInvalidOption, "option 'number-of-rows' is {}", num_rows);
  what->num_rows = std::min(what->num_rows, num_rows);
  what->rows_per_second = rate <= 0 ? kUnlimited : rate;

  return std::make_shared<DatagenSource>(projected_schema(*request.schema, request.projection),
                                         std::move(what));
}

}  // namespace

void register_connector_datagen(ConnectorRegistry& registry) {
  Connector connector;
  connector.name = "datagen";
  connector.description = "Rows made up by rules, the same in every run.";
  connector.options = {
      {"rows-per-second", "integer", "10000", "At most so many; 0: as many as possible."},
      {"number-of-rows", "integer", "", "The source ends after so many; default: never."},
      {"fields.*", "string", "",
       "Per column: fields.<column>.kind (random or sequence), .min, .max, .start, .end, .length, "
       ".var-len, .null-rate, .max-past, .seed."},
  };
  connector.make_source = make_source;
  registry.add(std::move(connector));
}

}  // namespace tidegate
