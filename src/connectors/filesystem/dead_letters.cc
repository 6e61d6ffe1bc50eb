// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/dead_letters.h"

#include <iterator>
#include <utility>

#include "base/check.h"
#include "formats/base64.h"
#include "formats/json_writer.h"
#include "formats/utf8.h"

namespace tidegate {

namespace {

// FNV-1a: must be the same everywhere and for ever, since names are made of it.
std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace

std::string dead_letter_lines(std::string_view file, std::int64_t first_line,
                              std::span<const KeptRecord> records) {
  std::string out;
  for (const KeptRecord& record : records) {
    const bool text = is_valid_utf8(record.bytes);
    out += "{\"file\":";
    append_json_string(file, out);
    fmt::format_to(std::back_inserter(out),
                   ",\"line\":{},\"offset\":{},\"code\":\"TG{}\",\"label\":\"{}\",\"reason\":",
                   first_line + record.line + 1, record.offset,
                   static_cast<int>(record.reason.code()), error_info(record.reason.code()).label);
    append_json_string(record.reason.message(), out);
    out += text ? ",\"encoding\":\"utf-8\",\"bytes\":" : ",\"encoding\":\"base64\",\"bytes\":\"";
    if (text) {
      append_json_string(record.bytes, out);
    } else {
      append_base64(record.bytes, out);
      out += '"';
    }
    out += "}\n";
  }
  return out;
}

std::string dead_letter_path(std::string_view folder, std::string_view file, std::int64_t offset) {
  const std::string_view name = file.substr(file.rfind('/') + 1);  // npos + 1 is 0
  return fmt::format("{}/{}-{:016x}-{:016}.json", folder, name, stable_hash(file), offset);
}

Status at_record(Status reason, std::string_view file, std::int64_t line, std::int64_t offset) {
  return std::move(reason).with_context(
      fmt::format("file '{}', line {} (byte {})", file, line, offset));
}

}  // namespace tidegate
