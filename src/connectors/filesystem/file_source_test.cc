// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/file_source.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "connectors/filesystem/test_compression.h"
#include "connectors/filesystem/test_reading.h"

namespace tidegate {
namespace {

using Texts = std::vector<std::string>;
using OptionMap = FileReading::OptionMap;

OptionMap json_at(const std::string& path, OptionMap more = {}) {
  more.insert({{"path", path}, {"format", "json"}});
  return more;
}

std::string json_lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += "{\"a\":" + std::to_string(i) + ",\"s\":\"" +
            std::string(static_cast<std::size_t>(i * 37 % 90), 'x') + "\"}\n";
  }
  return text;
}

const std::vector<std::string> kColumns = {"a INT", "s STRING"};

TEST(FileSource, ReadsAFolderInOrderOfTime) {
  FileReading reading;
  reading.write("/in/b.json", "{\"a\":1}\n");
  reading.write("/in/deeper/a.json", "{\"a\":2}");
  reading.write("/in/empty.json", "");
  reading.write("/in/.hidden.json", "no\n");
  reading.write("/in/a.json", "{\"a\":3}\n\n{\"a\":4}\n");
  const auto rows = reading.read_all(reading.request({"a INT"}, json_at("/in")));
  EXPECT_TRUE(rows.ended) << rows.status.to_string();
  EXPECT_EQ(rows.texts, (Texts{"+I[1]", "+I[2]", "+I[3]", "+I[4]"}));
  EXPECT_EQ(reading.read_all(reading.request({"a INT"}, json_at("/in/*.json"))).texts,
            (Texts{"+I[1]", "+I[3]", "+I[4]"}));
  EXPECT_EQ(reading.read_all(reading.request({"a INT"}, json_at("file:///in/b.json"))).texts,
            (Texts{"+I[1]"}));
  EXPECT_EQ(reading
                .read_all(reading.request(
                    {"a INT"}, json_at("/in", {{"source.path.regex-pattern", ".*/deeper/.*"}})))
                .texts,
            (Texts{"+I[2]"}));
}

// Rows must come in the file's order however it was cut and whoever decoded which block when.
TEST(FileSource, CutsAndWorkersDoNotMatter) {
  const std::string text = json_lines(300);
  FileReading whole;
  whole.write("/in/a.json", text);
  const auto expected = whole.read_all(whole.request(kColumns, json_at("/in")));
  ASSERT_EQ(expected.texts.size(), 300u);
  for (const int parallelism : {1, 2, 4}) {
    for (const char* block : {"1 b", "7 b", "50 b", "64 b", "1000 b", "100 kb"}) {
      FileReading reading(parallelism, static_cast<std::uint64_t>(parallelism) * 7 + block[0]);
      reading.write("/in/a.json", text);
      reading.write("/in/b.json.gz", compress(Compression::kGzip, text));
      const auto rows = reading.read_all(
          reading.request(kColumns, json_at("/in", {{"source.block-size", block}})), 13);
      ASSERT_TRUE(rows.ended) << rows.status.to_string();
      Texts twice = expected.texts;
      twice.insert(twice.end(), expected.texts.begin(), expected.texts.end());
      EXPECT_EQ(rows.texts, twice) << block;
      EXPECT_EQ(reading.metric("bytes_in"), static_cast<std::int64_t>(2 * text.size()));
    }
  }
}

// From every position that a reader has named, another one must return just the rest.
TEST(FileSource, GoesOnAtEveryRow) {
  std::string csv = "name,number\n";
  for (int i = 0; i < 60; ++i)
    csv += "\"line\n" + std::to_string(i) + "\"," + std::to_string(i) + "\n";
  const std::string json = "\n{\"a\":-1}\nbad\n" + json_lines(60);
  std::string changes;
  for (int i = 0; i < 20; ++i) {
    const std::string row = "{\"a\":" + std::to_string(i) + "}";
    changes += "{\"before\":" + row + ",\"after\":" + row + ",\"op\":\"" + "cud"[i % 3] + "\"}\n";
  }
  struct Case {
    const char* path;
    std::string content;
    const char* format;
    std::size_t rows;
  };
  const Case cases[] = {{"/in/a.json", json, "json", 61},
                        {"/in/a.json.gz", compress(Compression::kGzip, json), "json", 61},
                        {"/in/a.json.zst", compress(Compression::kZstd, json), "json", 61},
                        {"/in/a.changes", changes, "debezium-json", 27},
                        {"/in/a.csv", csv, "csv", 60},
                        {"/in/a.csv.gz", compress(Compression::kGzip, csv), "csv", 60}};
  for (const Case& test : cases) {
    for (const int parallelism : {1, 3}) {
      FileReading reading(parallelism, 5);
      reading.write(test.path, test.content);
      const bool is_json = std::string(test.format) != "csv";
      const auto request =
          reading.request(is_json ? Texts{"a INT", "s STRING"} : Texts{"s STRING", "a INT"},
                          {{"path", "/in"},
                           {"format", test.format},
                           {"csv.header", "true"},
                           {"error-policy", "skip"},
                           {"source.block-size", "150 b"}});
      Result<std::shared_ptr<Source>> source = make_file_source(request);
      ASSERT_TRUE(source.is_ok()) << source.status().to_string();
      const Split split{test.path, ""};
      auto all = (*source)->open_split(split, {}, reading);
      ASSERT_TRUE(all.is_ok());
      const std::string at_start = (*all)->position();
      const auto expected = reading.read(**source, **all, 1);
      ASSERT_EQ(expected.texts.size(), test.rows) << expected.status.to_string();
      for (std::size_t row = 0; row <= expected.texts.size(); ++row) {
        auto first = (*source)->open_split(split, at_start, reading);
        ASSERT_TRUE(first.is_ok());
        ASSERT_EQ(reading.read(**source, **first, 4, row).texts.size(), row);
        auto second = (*source)->open_split(split, (*first)->position(), reading);
        ASSERT_TRUE(second.is_ok()) << second.status().to_string();
        const auto rest = reading.read(**source, **second, 4);
        ASSERT_TRUE(rest.ended) << rest.status.to_string();
        EXPECT_EQ(rest.texts, Texts(expected.texts.begin() + static_cast<std::ptrdiff_t>(row),
                                    expected.texts.end()));
      }
    }
  }
}

TEST(FileSource, NamesFileLineAndReasonOfABadRecord) {
  for (const int parallelism : {1, 2}) {
    for (const char* block : {"10 b", "100 b", "1 mb"}) {
      FileReading reading(parallelism);
      reading.write("/in/a.json", json_lines(20) + "\n\n{\"a\":\"x\"}\n" + json_lines(20));
      const auto rows = reading.read_all(
          reading.request(kColumns, json_at("/in", {{"source.block-size", block}})));
      EXPECT_EQ(rows.status.code(), ErrorCode::kWrongFieldType);
      EXPECT_EQ(rows.status.message(), "file '/in/a.json', line 23 (byte " +
                                           std::to_string(json_lines(20).size() + 2) +
                                           "): field 'a': INT expected, got 'x'");
    }
  }
}

TEST(FileSource, SkipsAndCountsBadRecords) {
  FileReading reading(2);
  reading.write("/in/a.json", "x\n{\"a\":1}\ny\n{\"a\":2}\n\xff\n");
  const auto rows = reading.read_all(reading.request(
      {"a INT"}, json_at("/in", {{"error-policy", "skip"}, {"source.block-size", "3 b"}})));
  EXPECT_TRUE(rows.ended);
  EXPECT_EQ(rows.texts, (Texts{"+I[1]", "+I[2]"}));
  EXPECT_EQ(reading.metric("rows_bad"), 3);
  FileReading ignoring;
  ignoring.write("/in/a.json", "x\n{\"a\":\"b\"}\n");
  EXPECT_EQ(ignoring
                .read_all(ignoring.request({"a INT"},
                                           json_at("/in", {{"json.ignore-parse-errors", "true"}})))
                .texts,
            (Texts{"+I[null]"}));
}

TEST(FileSource, KeepsDeadLetters) {
  for (const int parallelism : {1, 2}) {
    FileReading reading(parallelism);
    reading.write("/in/a.json", "{\"a\":1}\nbad \"one\"\n{\"a\":2}\n{\"a\":\"\xff\"}\n{\"a\":3}\n");
    const auto request = reading.request(
        {"a INT"},
        json_at("/in", {{"error-policy", "dead-letter"}, {"dead-letter.path", "/dead/letters"}}));
    const auto rows = reading.read_all(request);
    EXPECT_TRUE(rows.ended) << rows.status.to_string();
    EXPECT_EQ(rows.texts, (Texts{"+I[1]", "+I[2]", "+I[3]"}));
    EXPECT_EQ(reading.metric("rows_bad"), 2);
    const Texts names = reading.names_in("/dead/letters");
    ASSERT_EQ(names.size(), 1u);
    const std::string expected =
        "{\"file\":\"/in/a.json\",\"line\":2,\"offset\":8,\"code\":\"TG2005\",\"label\":"
        "\"malformed-record\",\"reason\":\"an object expected, got 'bad \\\"one\\\"'\","
        "\"encoding\":\"utf-8\",\"bytes\":\"bad \\\"one\\\"\"}\n"
        "{\"file\":\"/in/a.json\",\"line\":4,\"offset\":26,\"code\":\"TG2009\",\"label\":"
        "\"invalid-utf8\",\"reason\":\"not valid UTF-8\",\"encoding\":\"base64\",\"bytes\":"
        "\"eyJhIjoi/yJ9\"}\n";
    EXPECT_EQ(reading.read("/dead/letters/" + names[0]), expected);
    // Reading again, as after a failure, writes the same file again and no other.
    EXPECT_TRUE(reading.read_all(request).ended);
    EXPECT_EQ(reading.names_in("/dead/letters"), names);
    EXPECT_EQ(reading.read("/dead/letters/" + names[0]), expected);
  }
}

// A position must never be behind letters that are not on the disk, nor make any come twice.
TEST(FileSource, LettersAreNeitherLostNorDoubledByAFailure) {
  std::string text;
  for (int i = 0; i < 40; ++i)
    text += (i % 5 == 2 ? "bad " + std::to_string(i) : "{\"a\":" + std::to_string(i) + "}") + "\n";
  for (const int parallelism : {1, 2}) {
    FileReading reading(parallelism);
    reading.write("/in/a.json", text);
    const auto request =
        reading.request({"a INT"}, json_at("/in", {{"error-policy", "dead-letter"},
                                                   {"dead-letter.path", "/dead"},
                                                   {"source.block-size", "30 b"}}));
    Result<std::shared_ptr<Source>> source = make_file_source(request);
    const auto letters = [&] {
      std::string all;
      for (const std::string& name : reading.names_in("/dead"))
        all += reading.read("/dead/" + name);
      return all;
    };
    auto whole = (*source)->open_split({"/in/a.json", ""}, {}, reading);
    const auto expected = reading.read(**source, **whole, 3);
    ASSERT_EQ(expected.texts.size(), 32u);
    const std::string expected_letters = letters();
    EXPECT_EQ(std::count(expected_letters.begin(), expected_letters.end(), '\n'), 8);
    for (std::size_t row = 0; row <= 32; ++row) {
      // A failure takes what was not written with it.
      ASSERT_TRUE(reading.files().remove_all("/dead").is_ok());
      auto first = (*source)->open_split({"/in/a.json", ""}, {}, reading);
      reading.read(**source, **first, 3, row);
      auto second = (*source)->open_split({"/in/a.json", ""}, (*first)->position(), reading);
      const auto rest = reading.read(**source, **second, 4);
      ASSERT_TRUE(rest.ended) << rest.status.to_string();
      EXPECT_EQ(rest.texts, Texts(expected.texts.begin() + static_cast<std::ptrdiff_t>(row),
                                  expected.texts.end()));
      EXPECT_EQ(letters(), expected_letters) << row;
    }
  }
}

TEST(FileSource, LettersThatCannotBeWrittenFailTheJob) {
  FileReading reading(2);
  reading.write("/in/a.json", "{\"a\":1}\nbad\n{\"a\":2}\n");
  reading.files().set_fault([](FileOperation operation, std::string_view) {
    return operation == FileOperation::kSync ? Status(ErrorCode::kDiskFull, "no space left")
                                             : Status::ok();
  });
  Result<std::shared_ptr<Source>> source = make_file_source(reading.request(
      {"a INT"}, json_at("/in", {{"error-policy", "dead-letter"}, {"dead-letter.path", "/dead"}})));
  auto reader = (*source)->open_split({"/in/a.json", ""}, {}, reading);
  const auto rows = reading.read(**source, **reader);
  EXPECT_EQ(rows.status.code(), ErrorCode::kDiskFull);
  EXPECT_EQ((*reader)->position(), "0:2:0");
}

TEST(FileSource, OverlongLinesAreBadRecords) {
  const std::string good = "{\"a\":1}\n";
  const std::string longest = "{\"s\":\"" + std::string(992, 'x') + "\"}";  // 1000 bytes
  const std::string too_long = "{\"s\":\"" + std::string(100'000, 'y') + "\"}\n";
  const std::string text = good + longest + "\n" + good + too_long + good + too_long + "{\"a\":2}";
  ASSERT_EQ(longest.size(), 1000u);
  for (const bool zipped : {false, true}) {
    for (const char* block : {"5 b", "999 b", "5000 b", "1 mb"}) {
      FileReading reading(2);
      reading.write(zipped ? "/in/a.gz" : "/in/a",
                    zipped ? compress(Compression::kGzip, text) : text);
      const auto rows = reading.read_all(
          reading.request({"a INT"}, json_at("/in", {{"error-policy", "dead-letter"},
                                                     {"dead-letter.path", "/dead"},
                                                     {"max-record-size", "1000 b"},
                                                     {"source.block-size", block}})));
      EXPECT_TRUE(rows.ended) << rows.status.to_string();
      EXPECT_EQ(rows.texts, (Texts{"+I[1]", "+I[null]", "+I[1]", "+I[1]", "+I[2]"})) << block;
      EXPECT_EQ(reading.metric("rows_bad"), 2);
      std::string letters;
      for (const std::string& name : reading.names_in("/dead"))
        letters += reading.read("/dead/" + name);
      EXPECT_NE(letters.find("\"line\":4,\"offset\":1017,\"code\":\"TG2008\""), std::string::npos);
      EXPECT_NE(letters.find("\"line\":6,"), std::string::npos);
    }
  }
}

TEST(FileSource, AQuoteThatIsNeverClosedCostsOneLine) {
  std::string text = "1,a\n2,\"never closed\n";
  for (int i = 3; i < 200; ++i) text += std::to_string(i) + ",x\n";
  for (const char* block : {"10 b", "100 b", "1 mb"}) {
    FileReading reading(2);
    reading.write("/in/a.csv", text);
    const auto rows =
        reading.read_all(reading.request({"a INT", "s STRING"}, {{"path", "/in"},
                                                                 {"format", "csv"},
                                                                 {"error-policy", "skip"},
                                                                 {"max-record-size", "300 b"},
                                                                 {"source.block-size", block}}));
    EXPECT_TRUE(rows.ended) << rows.status.to_string();
    EXPECT_EQ(rows.texts.size(), 198u);
    EXPECT_EQ(reading.metric("rows_bad"), 1);
  }
}

TEST(FileSource, TruncatedAndDamagedFilesAreErrorsWithTheirName) {
  const std::string zipped = compress(Compression::kGzip, json_lines(1000));
  FileReading reading(2);
  const auto error_of = [&](const std::string& path, const std::string& content) {
    reading.write(path, content);
    const auto rows = reading.read_all(
        reading.request(kColumns, json_at(path, {{"source.block-size", "1000 b"}})));
    EXPECT_FALSE(rows.ended);
    EXPECT_NE(rows.status.message().find("'" + path + "'"), std::string::npos)
        << rows.status.message();
    return rows.status.code();
  };
  EXPECT_EQ(error_of("/cut.gz", zipped.substr(0, zipped.size() / 2)), ErrorCode::kFileTruncated);
  EXPECT_EQ(error_of("/tail.gz", zipped.substr(0, zipped.size() - 3)), ErrorCode::kFileTruncated);
  EXPECT_EQ(error_of("/none.gz", ""), ErrorCode::kFileTruncated);
  EXPECT_EQ(error_of("/plain.gz", "{\"a\":1}\n"), ErrorCode::kMalformedFile);
  std::string damaged = zipped;
  damaged[zipped.size() / 2] = static_cast<char>(damaged[zipped.size() / 2] ^ 0x55);
  const ErrorCode code = error_of("/damaged.gz", damaged);
  EXPECT_TRUE(code == ErrorCode::kMalformedFile || code == ErrorCode::kMalformedRecord);
  EXPECT_EQ(error_of("/a.xz", "\xfd\x37zXZ"), ErrorCode::kNotSupported);
}

TEST(FileSource, MissingAndVanishingFiles) {
  FileReading reading;
  EXPECT_EQ(reading.read_all(reading.request({"a INT"}, json_at("/nowhere"))).status.code(),
            ErrorCode::kFileNotFound);
  EXPECT_EQ(reading.read_all(reading.request({"a INT"}, json_at("/no*"))).status.code(),
            ErrorCode::kFileNotFound);
  reading.write("/in/a.json", "{\"a\":1}\n");
  Result<std::shared_ptr<Source>> source =
      make_file_source(reading.request({"a INT"}, json_at("/in")));
  ASSERT_TRUE(source.is_ok());
  Result<Discovery> found = (*source)->discover({});
  ASSERT_TRUE(reading.files().remove("/in/a.json").is_ok());
  const Status gone = (*source)->open_split(found->splits[0], {}, reading).status();
  EXPECT_EQ(gone.code(), ErrorCode::kFileVanished);
  EXPECT_EQ(gone.message(), "table 't': file '/in/a.json' was there and is gone");
  // Shorter than what was read before.
  reading.write("/in/a.json", "{\"a\":1}\n");
  EXPECT_EQ((*source)->open_split(found->splits[0], "100:0:3", reading).status().code(),
            ErrorCode::kFileTruncated);
  EXPECT_EQ((*source)->open_split(found->splits[0], "nonsense", reading).status().code(),
            ErrorCode::kStateCorrupt);
}

TEST(FileSource, ReportsReadErrors) {
  for (const int parallelism : {1, 2}) {
    FileReading reading(parallelism);
    reading.write("/in/a.json", json_lines(100));
    int reads = 0;
    reading.files().set_fault([&](FileOperation operation, std::string_view) {
      return operation == FileOperation::kRead && ++reads == 4
                 ? Status(ErrorCode::kFileIo, "bad sector")
                 : Status::ok();
    });
    const auto rows = reading.read_all(
        reading.request(kColumns, json_at("/in", {{"source.block-size", "500 b"}})));
    EXPECT_EQ(rows.status.code(), ErrorCode::kFileIo);
    EXPECT_EQ(rows.status.message(), "file '/in/a.json': bad sector");
  }
}

TEST(FileSource, WatchesForNewFiles) {
  FileReading reading;
  reading.write("/in/a.json", "{\"a\":1}\n");
  Result<std::shared_ptr<Source>> source = make_file_source(
      reading.request({"a INT"}, json_at("/in", {{"source.monitor-interval", "3 s"}})));
  ASSERT_TRUE(source.is_ok());
  EXPECT_FALSE((*source)->is_bounded());
  EXPECT_TRUE((*source)->splits_end());
  EXPECT_EQ((*source)->discovery_interval_ms(), 3000);
  Result<Discovery> found = (*source)->discover({});
  ASSERT_TRUE(found.is_ok());
  EXPECT_FALSE(found->complete);
  ASSERT_EQ(found->splits.size(), 1u);
  EXPECT_EQ((*source)->discover({})->splits.size(), 0u);
  reading.write("/in/c.json", "{\"a\":3}\n");
  reading.write("/in/b.json", "{\"a\":2}\n");
  found = (*source)->discover({"/in/c.json"});
  ASSERT_EQ(found->splits.size(), 1u);
  EXPECT_EQ(found->splits[0].id, "/in/b.json");
}

TEST(FileSource, ReadsParquetAndGoesOnAtEveryRow) {
  FileReading reading(2);
  const SchemaPtr schema = schema_of({"a INT", "s STRING"});
  FormatRegistry formats;
  register_all_formats(formats);
  auto encoder =
      (*formats.find("parquet"))
          ->make_file_encoder(schema, Options(), *reading.files().create("/in/a.parquet"));
  ASSERT_TRUE(encoder.is_ok());
  Texts expected;
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(
        (*encoder)->write(batch_of(*schema, "[[" + std::to_string(i) + ", \"x\"]]")).is_ok());
    expected.push_back("+I[x, " + std::to_string(i) + "]");
  }
  ASSERT_TRUE((*encoder)->close().is_ok());
  Result<std::shared_ptr<Source>> source = make_file_source(reading.request(
      {"a INT", "s STRING"}, {{"path", "/in"}, {"format", "parquet"}}, std::vector<int>{1, 0}));
  ASSERT_TRUE(source.is_ok());
  for (std::size_t row = 0; row <= 30; ++row) {
    auto first = (*source)->open_split({"/in/a.parquet", ""}, {}, reading);
    ASSERT_TRUE(first.is_ok());
    ASSERT_EQ(reading.read(**source, **first, 4, row).texts.size(), row);
    auto second = (*source)->open_split({"/in/a.parquet", ""}, (*first)->position(), reading);
    const auto rest = reading.read(**source, **second, 7);
    ASSERT_TRUE(rest.ended) << rest.status.to_string();
    EXPECT_EQ(rest.texts,
              Texts(expected.begin() + static_cast<std::ptrdiff_t>(row), expected.end()));
  }
  const std::string content = reading.read("/in/a.parquet");
  reading.write("/in/a.parquet", content.substr(0, content.size() / 2));
  auto cut = (*source)->open_split({"/in/a.parquet", ""}, {}, reading);
  ASSERT_TRUE(cut.is_ok());
  const Status truncated = reading.read(**source, **cut).status;
  EXPECT_EQ(truncated.code(), ErrorCode::kFileTruncated);
  EXPECT_EQ(truncated.message(),
            "file '/in/a.parquet': begins as a Parquet file but lacks its footer");
}

TEST(FileSource, AddsMetadataColumns) {
  FileReading reading;
  reading.write("/in/a.csv", "1,x\n2,y\n");
  ConnectorRequest request = reading.request(
      {"p STRING", "a INT", "n STRING", "z BIGINT", "s STRING", "m TIMESTAMP_LTZ(3)"},
      {{"path", "/in"}, {"format", "csv"}}, std::vector<int>{4, 3, 2, 5, 0});
  request.metadata = {
      {0, "file.path"}, {2, "file.name"}, {3, "file.size"}, {5, "file.modification-time"}};
  EXPECT_EQ(reading.read_all(request).texts,
            (Texts{"+I[x, 8, a.csv, 1970-01-01T00:00:01Z, /in/a.csv]",
                   "+I[y, 8, a.csv, 1970-01-01T00:00:01Z, /in/a.csv]"}));
  request.metadata = {{0, "file.pth"}};
  EXPECT_EQ(reading.read_all(request).status.code(), ErrorCode::kUnknownName);
  request.metadata = {{1, "file.path"}};
  EXPECT_EQ(reading.read_all(request).status.code(), ErrorCode::kTypeMismatch);
}

TEST(FileSource, ChecksItsOptions) {
  FileReading reading;
  reading.write("/in/a.json", "");
  const auto code = [&](const OptionMap& options) {
    return make_file_source(reading.request({"a INT"}, options)).status().code();
  };
  EXPECT_EQ(code({{"path", "/in"}}), ErrorCode::kMissingOption);
  EXPECT_EQ(code({{"format", "json"}}), ErrorCode::kMissingOption);
  EXPECT_EQ(code({{"path", "/in"}, {"format", "jsn"}}), ErrorCode::kUnknownName);
  EXPECT_EQ(code(json_at("/in", {{"error-policy", "dead-letter"}})), ErrorCode::kMissingOption);
  EXPECT_EQ(code(json_at("/in", {{"error-policy", "ignore"}})), ErrorCode::kInvalidOption);
  EXPECT_EQ(code(json_at("/in", {{"max-record-size", "0 b"}})), ErrorCode::kInvalidOption);
  EXPECT_EQ(code(json_at("/in", {{"source.path.regex-pattern", "("}})), ErrorCode::kInvalidOption);
  EXPECT_EQ(code({{"path", "/in"}, {"format", "csv"}, {"csv.field-delimiter", "ab"}}),
            ErrorCode::kInvalidOption);
}

}  // namespace
}  // namespace tidegate
