// SPDX-License-Identifier: Apache-2.0
//
// Click events from JSON lines to columns: the decoder on bytes in memory, against a bare simdjson
// loop over the same bytes that looks at the same fields and keeps nothing; the file source, which
// reads the file besides; and the way back to JSON.
//
//   json_decode [--json] [--events N]

#include <simdjson.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/file_system.h"
#include "base/metrics.h"
#include "click_file.h"
#include "connectors/filesystem/file_source.h"
#include "formats/format.h"
#include "measured_child.h"

namespace tidegate::bench {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

std::uint64_t bare_simdjson(const std::string& bytes, std::size_t size) {
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document_stream lines;
  if (parser.iterate_many(bytes.data(), size, kBlockBytes).get(lines)) return 0;
  std::uint64_t sum = 0;
  std::uint64_t rows = 0;
  for (auto line : lines) {
    simdjson::ondemand::object object;
    std::int64_t user = 0;
    std::int64_t ts = 0;
    std::string_view url;
    if (line.get_object().get(object) || object.find_field("user_id").get(user) ||
        object.find_field("url").get(url) || object.find_field("ts").get(ts))
      return 0;
    sum += static_cast<std::uint64_t>(user + ts) + url.size();
    ++rows;
  }
  return sum == 0 ? 0 : rows;
}

SchemaPtr click_schema() {
  const LogicalType bigint(TypeKind::kBigInt);
  return std::make_shared<Schema>(
      std::vector<Field>{{"user_id", bigint}, {"url", LogicalType::string()}, {"ts", bigint}});
}

std::uint64_t decode(const Format& json, const std::string& bytes, std::size_t size,
                     const std::vector<int>& columns) {
  Result<std::unique_ptr<Decoder>> decoder = json.make_decoder({click_schema(), columns, {}});
  if (!decoder.is_ok()) return 0;
  std::uint64_t rows = 0;
  for (std::size_t begin = 0; begin < size;) {
    const std::size_t end = bytes.rfind('\n', std::min(size, begin + kBlockBytes) - 1) + 1;
    const Status decoded = (*decoder)->decode(std::string_view(bytes).substr(begin, end - begin),
                                              [](const BadRecord& bad) { return bad.reason; });
    Result<Batch> batch = (*decoder)->take();
    if (!decoded.is_ok() || !batch.is_ok()) return 0;
    rows += static_cast<std::uint64_t>(batch->num_rows());
    begin = end;
  }
  return rows;
}

class Context final : public SourceContext {
 public:
  const std::string& source_name() const override { return name_; }
  const Clock& clock() const override { return system_clock(); }
  Executor& executor() override { return *executor_; }
  MetricGroup& metrics() override { return metrics_->group(name_, 0); }
  Waker waker() override { return {}; }

 private:
  const std::string name_ = "clicks";
  std::unique_ptr<Executor> executor_ = make_thread_executor(1);
  std::unique_ptr<MetricRegistry> metrics_ = make_metric_registry();
};

std::uint64_t read_file_source(const FormatRegistry& formats, const std::string& path) {
  ConnectorRequest request;
  request.schema = click_schema();
  request.projection = {0, 1, 2};
  request.options.set("path", path);
  request.options.set("format", "json");
  request.files = &local_file_system();
  request.formats = &formats;
  Context context;
  Result<std::shared_ptr<Source>> source = make_file_source(request);
  if (!source.is_ok()) return 0;
  auto reader = (*source)->open_split({path, ""}, {}, context);
  if (!reader.is_ok()) return 0;
  std::uint64_t rows = 0;
  for (;;) {
    Result<Polled> polled = (*reader)->poll(8192);
    if (!polled.is_ok()) return 0;
    if (polled->state == Polled::State::kEnd) return rows;
    rows += static_cast<std::uint64_t>(polled->batch.num_rows());
  }
}

std::uint64_t encode(const Format& json, const Batch& batch, std::int64_t events) {
  Result<std::unique_ptr<Encoder>> encoder = json.make_encoder(click_schema(), Options());
  if (!encoder.is_ok()) return 0;
  std::uint64_t rows = 0;
  std::string out;
  while (rows < static_cast<std::uint64_t>(events)) {
    out.clear();
    if (!(*encoder)->encode(batch, out).is_ok()) return 0;
    rows += static_cast<std::uint64_t>(batch.num_rows());
  }
  return rows;
}

Result<Batch> some_clicks(const Format& json, const std::string& bytes) {
  Result<std::unique_ptr<Decoder>> decoder = json.make_decoder({click_schema(), {0, 1, 2}, {}});
  if (!decoder.is_ok()) return decoder.status();
  const std::size_t end = bytes.rfind('\n', std::min(bytes.size(), kBlockBytes) - 1) + 1;
  const Status decoded = (*decoder)->decode(std::string_view(bytes).substr(0, end),
                                            [](const BadRecord& bad) { return bad.reason; });
  return decoded.is_ok() ? (*decoder)->take() : decoded;
}

int run(int argc, char** argv) {
  bool json_lines = false;
  std::int64_t events = 10'000'000;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--json") json_lines = true;
    if (std::string_view(argv[i]) == "--events" && i + 1 < argc) events = std::atoll(argv[++i]);
  }
  const std::string path = click_file(events);
  Result<std::string> content = read_file(local_file_system(), path, std::int64_t{1} << 40);
  if (!content.is_ok()) return 1;
  const std::size_t size = content->size();
  const std::string bytes = *std::move(content) + std::string(Decoder::kPadding, ' ');
  FormatRegistry formats;
  register_all_formats(formats);
  const Format& json = **formats.find("json");
  const Result<Batch> clicks = some_clicks(json, bytes);
  if (!clicks.is_ok()) return 1;

  bool wrong = false;
  const auto run_case = [&](const std::string& name, const Cost* against,
                            const std::function<std::uint64_t()>& work) {
    const Cost cost = measure(work);
    wrong |= cost.failed || cost.answer < static_cast<std::uint64_t>(events);
    report(json_lines, "json_decode", name, events, cost, against == nullptr ? "" : "simdjson",
           against == nullptr ? 0 : against->cpu_s / cost.cpu_s);
    return cost;
  };
  const Cost limit = run_case("simdjson", nullptr, [&] { return bare_simdjson(bytes, size); });
  run_case("decoder", &limit, [&] { return decode(json, bytes, size, {0, 1, 2}); });
  run_case("decoder-1-of-3-columns", &limit, [&] { return decode(json, bytes, size, {1}); });
  run_case("file-source", &limit, [&] { return read_file_source(formats, path); });
  run_case("encoder", &limit, [&] { return encode(json, *clicks, events); });
  if (wrong) std::fprintf(stderr, "a case failed\n");
  return wrong ? 1 : 0;
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) { return tidegate::bench::run(argc, argv); }
