// SPDX-License-Identifier: Apache-2.0
#include "microbatch/batch_log.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "base/crc32c.h"
#include "microbatch/json.h"

namespace tidegate {
namespace {

constexpr std::string_view kVersion = "v1";
constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;

std::string offsets_name(BatchId batch) { return fmt::format("offsets/{}", batch); }
std::string commits_name(BatchId batch) { return fmt::format("commits/{}", batch); }

Status corrupt(std::string_view name, std::string_view what) {
  return Status(ErrorCode::kStateCorrupt, fmt::format("'{}' is damaged: {}", name, what),
                "Restore the file, or start anew with --fresh.");
}

json::object encode_range(const SplitRange& range) {
  json::object object;
  object["split"] = json_bytes(range.split.id);
  if (!range.split.payload.empty()) object["payload"] = json_bytes(range.split.payload);
  if (range.end) object["end"] = json_bytes(*range.end);
  return object;
}

json::object encode_source(const SourceRange& source) {
  json::array ranges;
  for (const SplitRange& range : source.splits) ranges.push_back(encode_range(range));
  json::object object;
  object["source"] = json_bytes(source.uid);
  object["ranges"] = std::move(ranges);
  return object;
}

Result<std::string> read_bytes(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  std::optional<std::string> bytes = value == nullptr ? std::nullopt : bytes_of(*value);
  if (!bytes) return error(ErrorCode::kStateCorrupt, "it has no text '{}'", name);
  return *std::move(bytes);
}

Result<std::int64_t> read_number(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_int64())
    return error(ErrorCode::kStateCorrupt, "it has no number '{}'", name);
  return value->get_int64();
}

/// Texts by name; those that are there.
std::map<std::string, std::string> read_texts(const json::object& object, std::string_view name) {
  std::map<std::string, std::string> texts;
  const json::value* found = object.if_contains(name);
  if (found == nullptr || !found->is_object()) return texts;
  for (const auto& [key, value] : found->get_object()) {
    if (auto bytes = bytes_of(value)) texts[key] = *std::move(bytes);
  }
  return texts;
}

Result<const json::array*> read_list(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_array())
    return error(ErrorCode::kStateCorrupt, "it has no list '{}'", name);
  return &value->get_array();
}

Result<SplitRange> decode_range(const json::value& value) {
  if (!value.is_object()) return error(ErrorCode::kStateCorrupt, "a range is no object");
  const json::object& object = value.get_object();
  SplitRange range;
  TG_ASSIGN_OR_RETURN(range.split.id, read_bytes(object, "split"));
  if (object.contains("payload")) {
    TG_ASSIGN_OR_RETURN(range.split.payload, read_bytes(object, "payload"));
  }
  if (object.contains("end")) {
    TG_ASSIGN_OR_RETURN(range.end, read_bytes(object, "end"));
  }
  return range;
}

Result<SourceRange> decode_source(const json::value& value) {
  if (!value.is_object()) return error(ErrorCode::kStateCorrupt, "a source is no object");
  SourceRange source;
  TG_ASSIGN_OR_RETURN(source.uid, read_bytes(value.get_object(), "source"));
  TG_ASSIGN_OR_RETURN(const json::array* ranges, read_list(value.get_object(), "ranges"));
  for (const json::value& each : *ranges) {
    TG_ASSIGN_OR_RETURN(SplitRange range, decode_range(each));
    source.splits.push_back(std::move(range));
  }
  return source;
}

std::optional<BatchId> batch_in(std::string_view name) {
  name.remove_prefix(std::min(name.rfind('/') + 1, name.size()));
  BatchId batch = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), batch);
  if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) return std::nullopt;
  return batch;
}

}  // namespace

std::string encode_plan(const BatchPlan& plan) {
  json::object settings;
  for (const auto& [name, value] : plan.settings) settings[name] = json_bytes(value);
  json::array sources;
  for (const SourceRange& source : plan.epoch.sources) sources.push_back(encode_source(source));
  json::object object;
  object["batchId"] = plan.batch;
  object["batchTimestampMs"] = plan.time_ms;
  // As text: readers of JSON keep 53 bits of a number.
  object["seed"] = std::to_string(plan.seed);
  object["previousWatermarkMs"] = plan.epoch.watermark_before;
  object["batchWatermarkMs"] = plan.epoch.watermark;
  object["endsInput"] = plan.epoch.ends_input;
  object["conf"] = std::move(settings);
  if (!plan.versions.empty()) {
    json::object versions;
    for (const auto& [uid, version] : plan.versions) versions[uid] = json_bytes(version);
    object["modelVersions"] = std::move(versions);
  }
  object["sources"] = std::move(sources);
  return json::serialize(object);
}

Result<BatchPlan> decode_plan(std::string_view text) {
  TG_ASSIGN_OR_RETURN(const json::object object, parse_json_object(text));
  BatchPlan plan;
  TG_ASSIGN_OR_RETURN(const std::int64_t batch, read_number(object, "batchId"));
  plan.batch = static_cast<BatchId>(batch);
  TG_ASSIGN_OR_RETURN(plan.time_ms, read_number(object, "batchTimestampMs"));
  TG_ASSIGN_OR_RETURN(const std::string seed, read_bytes(object, "seed"));
  if (std::from_chars(seed.data(), seed.data() + seed.size(), plan.seed).ec != std::errc())
    return error(ErrorCode::kStateCorrupt, "its seed is '{}'", seed);
  TG_ASSIGN_OR_RETURN(plan.epoch.watermark_before, read_number(object, "previousWatermarkMs"));
  TG_ASSIGN_OR_RETURN(plan.epoch.watermark, read_number(object, "batchWatermarkMs"));
  const json::value* ends = object.if_contains("endsInput");
  plan.epoch.ends_input = ends != nullptr && ends->is_bool() && ends->get_bool();
  plan.settings = read_texts(object, "conf");
  plan.versions = read_texts(object, "modelVersions");
  TG_ASSIGN_OR_RETURN(const json::array* sources, read_list(object, "sources"));
  for (const json::value& each : *sources) {
    TG_ASSIGN_OR_RETURN(SourceRange source, decode_source(each));
    plan.epoch.sources.push_back(std::move(source));
  }
  return plan;
}

Status BatchLog::put(const std::string& name, std::string_view text) {
  return blobs_->put(name, fmt::format("{}\n{}\n{:08x}\n", kVersion, text, crc32c(text)));
}

Result<std::optional<std::string>> BatchLog::get(const std::string& name) const {
  Result<std::string> read = blobs_->get(name, kMostBytes);
  if (!read.is_ok()) {
    if (read.status().code() == ErrorCode::kFileNotFound) return std::optional<std::string>();
    return std::move(read).status();
  }
  const std::string place = blobs_->place_of(name);
  const std::string_view bytes = *read;
  const std::size_t first = bytes.find('\n');
  const std::size_t second = bytes.find('\n', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos)
    return corrupt(place, "it is cut off");
  if (bytes.substr(0, first) != kVersion) {
    return error(ErrorCode::kStateVersion, "'{}' has version '{}'; '{}' is known", place,
                 bytes.substr(0, first), kVersion);
  }
  const std::string_view text = bytes.substr(first + 1, second - first - 1);
  if (bytes.substr(second + 1) != fmt::format("{:08x}\n", crc32c(text)))
    return corrupt(place, "its checksum is wrong");
  return std::optional<std::string>(text);
}

Result<std::string> BatchLog::query_id(const std::string& new_id) {
  TG_ASSIGN_OR_RETURN(const std::optional<std::string> found, get("metadata"));
  if (found) {
    TG_ASSIGN_OR_RETURN(const json::object object, parse_json_object(*found));
    return read_bytes(object, "id");
  }
  json::object object;
  object["id"] = new_id;
  TG_RETURN_IF_ERROR(put("metadata", json::serialize(object)));
  return new_id;
}

Status BatchLog::plan(const BatchPlan& plan) {
  return put(offsets_name(plan.batch), encode_plan(plan));
}

Status BatchLog::commit(BatchId batch, EventTime next_watermark) {
  json::object object;
  object["nextBatchWatermarkMs"] = next_watermark;
  return put(commits_name(batch), json::serialize(object));
}

Result<std::optional<BatchPlan>> BatchLog::planned(BatchId batch) const {
  const std::string name = offsets_name(batch);
  TG_ASSIGN_OR_RETURN(const std::optional<std::string> text, get(name));
  if (!text) return std::optional<BatchPlan>();
  Result<BatchPlan> plan = decode_plan(*text);
  if (!plan.is_ok()) return corrupt(blobs_->place_of(name), plan.status().message());
  if (plan->batch != batch)
    return corrupt(blobs_->place_of(name), fmt::format("it holds batch {}", plan->batch));
  return std::optional<BatchPlan>(*std::move(plan));
}

Result<bool> BatchLog::is_committed(BatchId batch) const {
  TG_ASSIGN_OR_RETURN(const std::optional<std::string> text, get(commits_name(batch)));
  return text.has_value();
}

Result<std::optional<BatchId>> BatchLog::last_committed() const {
  TG_ASSIGN_OR_RETURN(const std::vector<BlobInfo> blobs, blobs_->list("commits"));
  std::optional<BatchId> last;
  for (const BlobInfo& blob : blobs) {
    const std::optional<BatchId> batch = batch_in(blob.name);
    if (batch && (!last || *batch > *last)) last = batch;
  }
  return last;
}

Status BatchLog::trim(BatchId batch, std::int64_t retained) {
  if (!oldest_) {
    oldest_ = batch;
    for (const char* folder : {"offsets", "commits"}) {
      TG_ASSIGN_OR_RETURN(const std::vector<BlobInfo> blobs, blobs_->list(folder));
      for (const BlobInfo& blob : blobs) {
        if (const auto found = batch_in(blob.name)) oldest_ = std::min(*oldest_, *found);
      }
    }
  }
  for (; *oldest_ + static_cast<BatchId>(retained) <= batch; ++*oldest_) {
    TG_RETURN_IF_ERROR(blobs_->remove(offsets_name(*oldest_)));
    TG_RETURN_IF_ERROR(blobs_->remove(commits_name(*oldest_)));
  }
  return Status::ok();
}

}  // namespace tidegate
