// SPDX-License-Identifier: Apache-2.0
#include "connectors/kafka/table_options.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "formats/record_errors.h"

namespace tidegate::kafka {

namespace {

using std::chrono::milliseconds;

constexpr std::string_view kDefaultBrokers = "localhost:9092";

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t first = part.find_first_not_of(' ');
    if (first == std::string_view::npos) continue;
    part = part.substr(first, part.find_last_not_of(' ') - first + 1);
    parts.emplace_back(part);
  }
  return parts;
}

bool take_number(std::string_view& text, std::int64_t& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_text(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

/// "partition:0,offset:42;partition:1,offset:300"
Result<std::map<std::int32_t, std::int64_t>> parse_offsets(const Options& options,
                                                           const std::string& name) {
  TG_ASSIGN_OR_RETURN(const std::string text, options.get_string(name));
  std::map<std::int32_t, std::int64_t> offsets;
  for (const std::string& part : split(text, ';')) {
    std::string_view rest = part;
    std::int64_t partition = 0, offset = 0;
    if (!take_text(rest, "partition:") || !take_number(rest, partition) ||
        !take_text(rest, ",offset:") || !take_number(rest, offset) || !rest.empty() ||
        partition < 0 || partition > INT32_MAX || offset < 0)
      return Status(ErrorCode::kInvalidOption,
                    fmt::format("option '{}': '{}' is not a partition with its offset", name, part),
                    "Write it as 'partition:0,offset:42;partition:1,offset:300'.");
    offsets[static_cast<std::int32_t>(partition)] = offset;
  }
  if (offsets.empty()) return error(ErrorCode::kInvalidOption, "option '{}' is empty", name);
  return offsets;
}

/// Reads '<prefix>.mode' and what belongs to it.
Result<OffsetRule> read_rule(const Options& options, const std::string& prefix,
                             std::string_view choices, std::string_view fallback) {
  using Kind = OffsetRule::Kind;
  TG_ASSIGN_OR_RETURN(const std::string mode,
                      options.get_choice_or(prefix + ".mode", choices, fallback));
  OffsetRule rule;
  if (mode == "earliest-offset") {
    rule.kind = Kind::kEarliest;
  } else if (mode == "latest-offset") {
    rule.kind = Kind::kLatest;
  } else if (mode == "group-offsets") {
    rule.kind = Kind::kGroup;
  } else if (mode == "unbounded") {
    rule.kind = Kind::kNone;
  } else if (mode == "timestamp") {
    rule.kind = Kind::kTimestamp;
    const std::string name = prefix + ".timestamp-millis";
    TG_RETURN_IF_ERROR(options.get_string(name).status());
    TG_ASSIGN_OR_RETURN(rule.timestamp_ms, options.get_int_or(name, 0));
    if (rule.timestamp_ms < 0)
      return error(ErrorCode::kInvalidOption, "option '{}' is {}, before 1970", name,
                   rule.timestamp_ms);
  } else {
    rule.kind = Kind::kSpecific;
    TG_ASSIGN_OR_RETURN(rule.offsets, parse_offsets(options, prefix + ".specific-offsets"));
  }
  return rule;
}

Result<ClientProperties> read_client(const ConnectorRequest& request) {
  return translate_properties(request.options,
                              request.options.get_string_or("brokers", kDefaultBrokers));
}

/// Both or neither, as in Flink.
Status read_buffer(const Options& options, SinkSettings& settings) {
  TG_ASSIGN_OR_RETURN(settings.flush_rows, options.get_int_or("sink.buffer-flush.max-rows", 0));
  TG_ASSIGN_OR_RETURN(settings.flush_interval,
                      options.get_duration_or("sink.buffer-flush.interval", milliseconds(0)));
  if (settings.flush_rows < 0)
    return error(ErrorCode::kInvalidOption, "option 'sink.buffer-flush.max-rows' is {}",
                 settings.flush_rows);
  if ((settings.flush_rows > 0) != (settings.flush_interval > milliseconds(0)))
    return error(ErrorCode::kInvalidOption,
                 "'sink.buffer-flush.max-rows' and 'sink.buffer-flush.interval' must be set to be "
                 "greater than zero together");
  return Status::ok();
}

Status read_key_partitioner(const Options& options, const MessageFormats& formats,
                            SourceSettings& settings) {
  TG_ASSIGN_OR_RETURN(const std::string name,
                      options.get_choice_or("scan.key-partitioner", "none|murmur2|any", "none"));
  if (name == "none") return Status::ok();
  if (formats.key == nullptr)
    return error(ErrorCode::kMissingOption, "option 'scan.key-partitioner' needs 'key.format'");
  settings.key_partitioner = name == "any" ? KeyPartitioner::kAny : KeyPartitioner::kMurmur2;
  if (settings.topics.size() != 1)
    return error(ErrorCode::kNotSupported, "'scan.key-partitioner' with several topics");
  return Status::ok();
}

Status check_group(const SourceSettings& settings) {
  const bool stops_by_group = settings.stop.kind == OffsetRule::Kind::kGroup;
  if (stops_by_group && settings.client.group.empty())
    return error(ErrorCode::kMissingOption,
                 "option 'properties.group.id' is needed for group-offsets");
  return Status::ok();
}

/// The table's options as the format knows them: "key.csv.x" is "csv.x" for the key's format, and
/// "csv.x" is not its business.
Options options_of_format(const Options& table, std::string_view part, const Format* format) {
  if (part.empty() || format == nullptr) return table;
  Options options;
  for (const auto& [name, value] : table.values()) {
    if (!name.starts_with(part) && !name.starts_with(format->name + ".")) options.set(name, value);
  }
  for (const auto& [name, value] : table.values()) {
    if (name.starts_with(part)) options.set(name.substr(part.size()), value);
  }
  return options;
}

/// Schemas of a topic are registered under its name where nothing else is said.
void set_subject(const ConnectorRequest& request, const Format* format, std::string_view part,
                 Options& options) {
  if (format == nullptr) return;
  const std::string name = format->name + ".subject";
  const bool takes = std::any_of(format->options.begin(), format->options.end(),
                                 [&](const OptionSpec& spec) { return spec.name == name; });
  if (takes && !options.has(name) && request.options.has("topic"))
    options.set(name, request.options.get_string_or("topic", "") + std::string(part));
}

/// The format that 'format', 'value.format' or 'key.format' names; null when there is none.
Result<const Format*> find_format(const ConnectorRequest& request, std::string_view option) {
  if (!request.options.has(option)) return nullptr;
  TG_CHECK(request.formats != nullptr, "table '{}': a request without formats", request.table);
  TG_ASSIGN_OR_RETURN(const std::string name, request.options.get_string(option));
  TG_ASSIGN_OR_RETURN(const Format* format, request.formats->find(name));
  if (!format->make_decoder && !format->make_encoder)
    return error(ErrorCode::kNotSupported,
                 "format '{}' is one of whole files; messages cannot hold it", name);
  return format;
}

SchemaPtr schema_of(const Schema& table, const std::vector<int>& columns, std::string_view prefix) {
  std::vector<Field> fields;
  for (int column : columns) {
    fields.push_back(table.field(column));
    fields.back().name.erase(0, prefix.size());
  }
  return std::make_shared<Schema>(std::move(fields));
}

Status read_key_columns(const ConnectorRequest& request, std::string_view prefix,
                        MessageFormats& formats) {
  TG_ASSIGN_OR_RETURN(const std::string names, request.options.get_string("key.fields"));
  for (const std::string& name : split(names, ';')) {
    const int column = request.schema->index_of(name);
    if (column < 0)
      return error(ErrorCode::kInvalidOption, "option 'key.fields': table '{}' has no column '{}'",
                   request.table, name);
    if (!name.starts_with(prefix))
      return error(ErrorCode::kInvalidOption,
                   "option 'key.fields': '{}' does not start with 'key.fields-prefix' ('{}')", name,
                   prefix);
    formats.key_columns.push_back(column);
  }
  if (formats.key_columns.empty())
    return error(ErrorCode::kInvalidOption, "option 'key.fields' names no column");
  formats.key_schema = schema_of(*request.schema, formats.key_columns, prefix);
  return Status::ok();
}

/// The key of an upsert table is the primary key.
Status read_upsert_key(const ConnectorRequest& request, std::string_view prefix,
                       MessageFormats& formats) {
  const std::vector<int>& key = request.schema->primary_key;
  if (key.empty())
    return error(ErrorCode::kInvalidPlan,
                 "table '{}' of connector 'upsert-kafka' needs a PRIMARY KEY", request.table);
  for (int column : key) {
    const std::string& name = request.schema->field(column).name;
    if (!name.starts_with(prefix))
      return error(ErrorCode::kInvalidOption,
                   "option 'key.fields-prefix': the column '{}' of the primary key does not start "
                   "with '{}'",
                   name, prefix);
  }
  formats.key_columns = key;
  formats.key_schema = schema_of(*request.schema, key, prefix);
  return Status::ok();
}

Status check_upsert_formats(const ConnectorRequest& request, const MessageFormats& formats) {
  for (const Format* format : {formats.key, formats.value}) {
    if (format == nullptr)
      return error(ErrorCode::kMissingOption,
                   "table '{}' needs the option 'key.format', for its primary key", request.table);
    if (format->changelog)
      return error(ErrorCode::kInvalidOption,
                   "connector 'upsert-kafka': format '{}' says itself what a row changes; here the "
                   "key does",
                   format->name);
  }
  return Status::ok();
}

Status validate_options(const ConnectorRequest& request, const MessageFormats& formats) {
  std::vector<OptionSpec> specs = option_specs(formats.kind);
  // The wildcards are for those who do not know the formats.
  std::erase_if(
      specs, [](const OptionSpec& spec) { return spec.name == "key.*" || spec.name == "value.*"; });
  const auto add = [&](const Format* format, std::string_view part) {
    if (format == nullptr) return;
    for (OptionSpec spec : format->options) {
      spec.name = std::string(part) + spec.name;
      specs.push_back(std::move(spec));
    }
  };
  add(formats.value, request.options.has("format") ? "" : "value.");
  add(formats.key, "key.");
  return request.options.validate(
      specs, formats.kind == TableKind::kUpsert ? "connector 'upsert-kafka'" : "connector 'kafka'");
}

}  // namespace

std::vector<OptionSpec> option_specs(TableKind kind) {
  const std::string start_modes =
      "earliest-offset|latest-offset|group-offsets|timestamp|specific-offsets";
  std::vector<OptionSpec> specs = {
      {"topic", "string", "", "Topics to read, separated by ';', or the topic to write."},
      {"topic-pattern", "string", "", "A regular expression; topics whose names match are read."},
      {"properties.*", "string", "",
       "Properties of the Kafka client, by the Java client's names: properties.bootstrap.servers, "
       "properties.group.id, properties.security.protocol."},
      {"brokers", "string", "localhost:9092",
       "HOST:PORT,... where properties.bootstrap.servers is not set; for a whole job as the "
       "setting kafka.brokers."},
      {"format", "string", "", "The format of message values."},
      {"value.format", "string", "", "The same as 'format'."},
      {"key.format", "string", "", "The format of message keys; needs 'key.fields'."},
      {"key.fields", "string", "", "Columns of the key, separated by ';'."},
      {"key.fields-prefix", "string", "",
       "What the names of key columns start with in the table but not in the key; needs "
       "'value.fields-include' = 'EXCEPT_KEY'."},
      {"value.fields-include", "ALL|EXCEPT_KEY", "ALL",
       "Whether the value holds the columns of the key as well."},
      {"key.*", "string", "", "Options of the key's format: key.csv.field-delimiter."},
      {"value.*", "string", "", "Options of the value's format, if set by 'value.format'."},
      {"scan.startup.mode", start_modes, "group-offsets",
       "Where to start in partitions that no checkpoint knows. Without a group, or with nothing "
       "committed: as properties.auto.offset.reset says, else at the earliest offset."},
      {"scan.startup.timestamp-millis", "integer", "", "For mode timestamp: ms since 1970."},
      {"scan.startup.specific-offsets", "string", "",
       "For mode specific-offsets: partition:0,offset:42;partition:1,offset:300. Partitions that "
       "are not named start where the group is."},
      {"scan.bounded.mode", "unbounded|latest-offset|group-offsets|timestamp|specific-offsets",
       "unbounded", "Where to end; everything but unbounded is fixed when the job starts."},
      {"scan.bounded.timestamp-millis", "integer", "", "For mode timestamp: ms since 1970."},
      {"scan.bounded.specific-offsets", "string", "",
       "For mode specific-offsets: the first offsets that are not read. Partitions that are not "
       "named are not read."},
      {"scan.topic-partition-discovery.interval", "duration", "5 min",
       "How often to look for new partitions and topics, which are read from their beginning; 0: "
       "never."},
      {"scan.key-partitioner", "none|murmur2|any", "none",
       "Promises that all messages of a key are in one partition: in library mode, what is grouped "
       "by all columns of the key then needs no repartition topic. murmur2: the one that Java's "
       "clients choose, and this connector; a message in another one fails the job. any: not "
       "checked."},
      {"dead-letter.topic", "string", "",
       "For error-policy dead-letter: where such messages go, with their origin and the reason in "
       "headers."},
      {"connect.timeout", "duration", "30 s",
       "How long brokers may be unreachable when the job starts."},
      {"outage.timeout", "duration", "5 min",
       "How long all brokers may be unreachable while the job reads before it fails."},
      {"sink.partitioner", "default|fixed|round-robin", "default",
       "default: by hash of the key as the Java client does, without a key at random; fixed: all "
       "rows of a task to one partition; round-robin: in turn."},
      {"sink.delivery-guarantee", "exactly-once|at-least-once|none", "at-least-once",
       "none: rows may be lost when the job fails; at-least-once: an epoch ends when its rows are "
       "acknowledged; exactly-once: the rows of an epoch become visible together, to readers with "
       "isolation.level read_committed, once the epoch is durable."},
      {"sink.transactional-id-prefix", "string", "",
       "For exactly-once: what transactional ids begin with; also the name of the group that marks "
       "how far the job came. No other job may use it."},
      {"sink.error-policy", "fail|skip", "fail",
       "What to do with a row that cannot be a message: its format does not know such values, the "
       "message is larger than properties.max.request.size, or there is no such partition. skip: "
       "it is left out and counted (rows_bad)."},
      {"sink.parallelism", "integer", "", "Number of tasks that write; the job's when not set."},
  };
  for (OptionSpec& spec : record_error_options()) specs.push_back(std::move(spec));
  if (kind == TableKind::kAppend) return specs;
  // It is read from its beginning, whole; its key is the table's.
  std::erase_if(specs, [](const OptionSpec& spec) {
    return spec.name == "format" || spec.name == "key.fields" ||
           spec.name.starts_with("scan.startup.") || spec.name == "sink.partitioner";
  });
  specs.push_back({"sink.buffer-flush.max-rows", "integer", "0",
                   "With 'sink.buffer-flush.interval': only the last change of a key is written, "
                   "once so many keys have changed, or the time is over, or the epoch ends."});
  specs.push_back({"sink.buffer-flush.interval", "duration", "0",
                   "See 'sink.buffer-flush.max-rows'; looked at when rows come."});
  return specs;
}

Options client_options(const Options& options) {
  Options client;
  for (const auto& [name, value] : options.values()) {
    if (name.starts_with("properties.")) client.set(name, value);
  }
  return client;
}

Result<SourceSettings> read_source_settings(const ConnectorRequest& request,
                                            const MessageFormats& formats) {
  const Options& options = request.options;
  SourceSettings settings;
  TG_ASSIGN_OR_RETURN(settings.client, read_client(request));
  settings.topics = split(options.get_string_or("topic", ""), ';');
  settings.topic_pattern = options.get_string_or("topic-pattern", "");
  if (settings.topics.empty() == settings.topic_pattern.empty())
    return error(settings.topics.empty() ? ErrorCode::kMissingOption : ErrorCode::kInvalidOption,
                 "table '{}' needs one of the options 'topic' and 'topic-pattern'", request.table);
  if (formats.kind == TableKind::kAppend) {
    TG_ASSIGN_OR_RETURN(
        settings.start,
        read_rule(options, "scan.startup",
                  "earliest-offset|latest-offset|group-offsets|timestamp|specific-offsets",
                  "group-offsets"));
  }
  TG_ASSIGN_OR_RETURN(
      settings.stop,
      read_rule(options, "scan.bounded",
                "unbounded|latest-offset|group-offsets|timestamp|specific-offsets", "unbounded"));
  TG_RETURN_IF_ERROR(check_group(settings));
  TG_RETURN_IF_ERROR(read_key_partitioner(options, formats, settings));
  TG_ASSIGN_OR_RETURN(
      settings.discovery_interval,
      options.get_duration_or("scan.topic-partition-discovery.interval", std::chrono::minutes(5)));
  // New partitions would have no end.
  if (settings.stop.kind != OffsetRule::Kind::kNone) settings.discovery_interval = milliseconds(0);
  TG_ASSIGN_OR_RETURN(settings.error_policy,
                      record_error_policy(formats.value_options, formats.value->name));
  if (settings.error_policy == RecordErrorPolicy::kDeadLetter) {
    TG_ASSIGN_OR_RETURN(settings.dead_letter_topic, options.get_string("dead-letter.topic"));
  }
  TG_ASSIGN_OR_RETURN(settings.connect_timeout,
                      options.get_duration_or("connect.timeout", std::chrono::seconds(30)));
  TG_ASSIGN_OR_RETURN(settings.outage_timeout,
                      options.get_duration_or("outage.timeout", std::chrono::minutes(5)));
  TG_ASSIGN_OR_RETURN(settings.commits_offsets,
                      options.get_bool_or("properties.commit.offsets.on.checkpoint", true));
  if (settings.client.group.empty()) settings.commits_offsets = false;
  return settings;
}

Result<SinkSettings> read_sink_settings(const ConnectorRequest& request, TableKind kind) {
  const Options& options = request.options;
  SinkSettings settings;
  TG_ASSIGN_OR_RETURN(settings.client, read_client(request));
  TG_ASSIGN_OR_RETURN(settings.topic, options.get_string("topic"));
  if (settings.topic.find(';') != std::string::npos)
    return error(ErrorCode::kNotSupported, "table '{}' is written to one topic, not to '{}'",
                 request.table, settings.topic);
  TG_ASSIGN_OR_RETURN(
      const std::string partitioner,
      options.get_choice_or("sink.partitioner", "default|fixed|round-robin", "default"));
  settings.partitioner = partitioner == "default" ? SinkSettings::Partitioner::kDefault
                         : partitioner == "fixed" ? SinkSettings::Partitioner::kFixed
                                                  : SinkSettings::Partitioner::kRoundRobin;
  TG_ASSIGN_OR_RETURN(const std::string guarantee,
                      options.get_choice_or("sink.delivery-guarantee",
                                            "exactly-once|at-least-once|none", "at-least-once"));
  settings.guarantee = guarantee == "none"            ? SinkSettings::Guarantee::kNone
                       : guarantee == "at-least-once" ? SinkSettings::Guarantee::kAtLeastOnce
                                                      : SinkSettings::Guarantee::kExactlyOnce;
  settings.transactional_id_prefix = options.get_string_or("sink.transactional-id-prefix", "");
  if (guarantee == "exactly-once" && settings.transactional_id_prefix.empty())
    return Status(ErrorCode::kMissingOption,
                  "option 'sink.delivery-guarantee' = 'exactly-once' needs "
                  "'sink.transactional-id-prefix'",
                  "Set it to a name that no other job on these brokers uses.");
  TG_ASSIGN_OR_RETURN(const std::string on_error,
                      options.get_choice_or("sink.error-policy", "fail|skip", "fail"));
  settings.skips_bad_rows = on_error == "skip";
  TG_ASSIGN_OR_RETURN(const std::int64_t parallelism, options.get_int_or("sink.parallelism", 0));
  if (parallelism < 0 || parallelism > INT32_MAX)
    return error(ErrorCode::kInvalidOption, "option 'sink.parallelism' is {}", parallelism);
  settings.parallelism = static_cast<int>(parallelism);
  TG_ASSIGN_OR_RETURN(settings.connect_timeout,
                      options.get_duration_or("connect.timeout", std::chrono::seconds(30)));
  if (kind == TableKind::kUpsert) TG_RETURN_IF_ERROR(read_buffer(options, settings));
  return settings;
}

Result<MessageFormats> read_formats(const ConnectorRequest& request, TableKind kind) {
  const Options& options = request.options;
  MessageFormats formats;
  formats.kind = kind;
  if (kind == TableKind::kUpsert && !options.has("value.format"))
    return error(ErrorCode::kMissingOption, "table '{}' needs the option 'value.format'",
                 request.table);
  if (kind == TableKind::kAppend && options.has("format") == options.has("value.format"))
    return error(options.has("format") ? ErrorCode::kInvalidOption : ErrorCode::kMissingOption,
                 "table '{}' needs one of the options 'format' and 'value.format'", request.table);
  const bool named_value = options.has("value.format");
  TG_ASSIGN_OR_RETURN(formats.value, find_format(request, named_value ? "value.format" : "format"));
  formats.value_options = options_of_format(options, named_value ? "value." : "", formats.value);
  TG_ASSIGN_OR_RETURN(formats.key, find_format(request, "key.format"));
  formats.key_options = options_of_format(options, "key.", formats.key);
  TG_RETURN_IF_ERROR(validate_options(request, formats));
  set_subject(request, formats.value, "-value", formats.value_options);
  set_subject(request, formats.key, "-key", formats.key_options);
  if (kind == TableKind::kUpsert) TG_RETURN_IF_ERROR(check_upsert_formats(request, formats));

  TG_ASSIGN_OR_RETURN(const std::string include,
                      options.get_choice_or("value.fields-include", "ALL|EXCEPT_KEY", "ALL"));
  formats.value_holds_key = include == "ALL";
  const std::string prefix = options.get_string_or("key.fields-prefix", "");
  if (formats.key == nullptr) {
    for (const char* name : {"key.fields", "key.fields-prefix"}) {
      if (options.has(name))
        return error(ErrorCode::kMissingOption, "option '{}' needs 'key.format'", name);
    }
  } else {
    if (!prefix.empty() && formats.value_holds_key)
      return Status(ErrorCode::kInvalidOption,
                    "option 'key.fields-prefix' cannot stand beside 'value.fields-include' = 'ALL'",
                    "Set 'value.fields-include' = 'EXCEPT_KEY'.");
    TG_RETURN_IF_ERROR(kind == TableKind::kUpsert ? read_upsert_key(request, prefix, formats)
                                                  : read_key_columns(request, prefix, formats));
  }

  const auto contains = [](const std::vector<int>& columns, int column) {
    return std::find(columns.begin(), columns.end(), column) != columns.end();
  };
  for (int i = 0; i < request.schema->num_fields(); ++i) {
    const bool beside = std::any_of(request.metadata.begin(), request.metadata.end(),
                                    [&](const MetadataColumn& m) { return m.column == i; });
    if (beside && contains(formats.key_columns, i))
      return error(ErrorCode::kInvalidOption, "option 'key.fields': '{}' is a metadata column",
                   request.schema->field(i).name);
    if (!beside && (formats.value_holds_key || !contains(formats.key_columns, i)))
      formats.value_columns.push_back(i);
  }
  formats.value_schema = schema_of(*request.schema, formats.value_columns, "");
  return formats;
}

}  // namespace tidegate::kafka
