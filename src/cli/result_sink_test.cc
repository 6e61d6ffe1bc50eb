// SPDX-License-Identifier: Apache-2.0
#include "cli/result_sink.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "tests/support/connector_harness.h"
#include "types/test_columns.h"

namespace tidegate {
namespace {

/// What is shown for changes that come in batches.
class Showing {
 public:
  explicit Showing(const std::vector<std::string>& columns, ResultSettings settings) {
    settings.schema = schema_ = schema_of(columns);
    sink_ = *ResultSink::make(std::move(settings), [this](std::string_view text) {
      out += text;
      return Status::ok();
    });
    harness_ = std::make_unique<SinkHarness>(sink_);
    EXPECT_TRUE(harness_->open().is_ok());
  }
  Status write(std::string_view changes) {
    return harness_->write(changelog_of(*schema_, changes));
  }
  std::string all(const std::vector<std::string>& batches) {
    for (const std::string& batch : batches) {
      const Status written = write(batch);
      if (!written.is_ok()) return written.to_string();
    }
    const Status finished = sink_->finish();
    return finished.is_ok() ? out : finished.to_string();
  }
  std::int64_t num_rows() const { return sink_->num_rows(); }
  void refresh() { EXPECT_TRUE(sink_->refresh().is_ok()); }
  std::string taken() { return std::exchange(out, {}); }

  std::string out;

 private:
  SchemaPtr schema_;
  std::shared_ptr<ResultSink> sink_;
  std::unique_ptr<SinkHarness> harness_;
};

ResultSettings settings(ResultForm form, bool insert_only = false, bool bounded = true) {
  ResultSettings settings;
  settings.form = form;
  settings.insert_only = insert_only;
  settings.bounded = bounded;
  return settings;
}

const std::vector<std::string> kColumns = {"name STRING", "cnt BIGINT"};
const std::vector<std::string> kChanges = {R"([["+I", "a", 1], ["+I", "b", 1], ["+I", null, 7]])",
                                           R"([["-U", "a", 1], ["+U", "a", 2], ["+I", "b", 1]])",
                                           R"([["-D", null, 7]])", "[]"};

TEST(ResultSink, ChangelogIsEveryChange) {
  Showing showing({"a STRING"}, settings(ResultForm::kChangelog));
  EXPECT_EQ(showing.all({R"([["+I", "x"], ["-U", "x"]])", R"([["+U", null], ["-D", null]])"}),
            "{\"op\":\"+I\",\"row\":{\"a\":\"x\"}}\n{\"op\":\"-U\",\"row\":{\"a\":\"x\"}}\n"
            "{\"op\":\"+U\",\"row\":{\"a\":null}}\n{\"op\":\"-D\",\"row\":{\"a\":null}}\n");
  EXPECT_EQ(showing.num_rows(), 4);
}

TEST(ResultSink, JsonIsTheFinalTable) {
  Showing showing(kColumns, settings(ResultForm::kJson));
  EXPECT_EQ(showing.all(kChanges),
            "{\"name\":\"b\",\"cnt\":1}\n{\"name\":\"a\",\"cnt\":2}\n{\"name\":\"b\",\"cnt\":1}\n");
  EXPECT_EQ(showing.num_rows(), 3);
}

TEST(ResultSink, RowsThatStayAreShownAtOnce) {
  Showing json({"a INT"}, settings(ResultForm::kJson, true));
  ASSERT_TRUE(json.write(R"([["+I", 1], ["+I", 1]])").is_ok());
  EXPECT_EQ(json.out, "{\"a\":1}\n{\"a\":1}\n");
  EXPECT_EQ(json.write(R"([["-D", 1]])").code(), ErrorCode::kInternal);
  Showing csv({"a INT"}, settings(ResultForm::kCsv, true));
  ASSERT_TRUE(csv.write(R"([["+I", 1]])").is_ok());
  EXPECT_EQ(csv.out, "a\n1\n");
  EXPECT_EQ(csv.all({R"([["+U", 2]])"}), "a\n1\n2\n");
}

TEST(ResultSink, CsvQuotesWhatNeedsIt) {
  const std::vector<std::string> columns = {"s STRING",         "a,b INT", "l ARRAY<STRING>",
                                            "m MAP<INT, DATE>", "y BYTES", "z TIMESTAMP_LTZ(3)"};
  for (const bool insert_only : {true, false}) {
    Showing showing(columns, settings(ResultForm::kCsv, insert_only));
    EXPECT_EQ(showing.all({R"([["+I", "say \"x\"", null, ["p", null], [[1, 18545]], "hi", 1500],
                               ["+I", "", 1, [], null, null, null],
                               ["+I", null, null, null, null, null, null]])"}),
              "s,\"a,b\",l,m,y,z\n"
              "\"say \"\"x\"\"\",,\"[\"\"p\"\",null]\",\"{\"\"1\"\":\"\"2020-10-10\"\"}\",aGk=,"
              "1970-01-01 00:00:01.5Z\n"
              "\"\",1,[],,,\n"
              ",,,,,\n");
    Showing empty({"a INT", "b INT"}, settings(ResultForm::kCsv, insert_only));
    EXPECT_EQ(empty.all({}), "a,b\n");
  }
}

TEST(ResultSink, FinalTableCanBeOrdered) {
  const std::vector<std::string> changes = {
      R"([["+I", "b", 2], ["+I", "a", 2], ["+I", null, 10], ["+I", "c", null], ["+I", "d", -1]])",
      R"([["-D", "d", -1], ["+I", "d", -2]])"};
  const auto shown = [&](std::vector<ResultOrder> order) {
    ResultSettings by = settings(ResultForm::kCsv);
    by.order = std::move(order);
    return Showing(kColumns, by).all(changes);
  };
  EXPECT_EQ(shown({{1}}), "name,cnt\nc,\nd,-2\nb,2\na,2\n,10\n");
  EXPECT_EQ(shown({{1, true}, {0}}), "name,cnt\nc,\n,10\na,2\nb,2\nd,-2\n");
  EXPECT_EQ(shown({{1, true, true}}), "name,cnt\n,10\nb,2\na,2\nd,-2\nc,\n");
  EXPECT_EQ(shown({{0, false, true}}), "name,cnt\na,2\nb,2\nc,\nd,-2\n,10\n");
}

TEST(ResultSink, TableIsDrawn) {
  Showing showing(kColumns, settings(ResultForm::kTable));
  EXPECT_EQ(showing.all(kChanges),
            "+--------+--------+\n"
            "| name   |    cnt |\n"
            "| STRING | BIGINT |\n"
            "+--------+--------+\n"
            "| b      |      1 |\n"
            "| a      |      2 |\n"
            "| b      |      1 |\n"
            "+--------+--------+\n"
            "3 rows\n");
  Showing empty({"a INT NOT NULL"}, settings(ResultForm::kTable));
  EXPECT_EQ(empty.all({}), "+-----+\n|   a |\n| INT |\n+-----+\n0 rows\n");
}

TEST(ResultSink, TableShowsValuesAsFlinksClient) {
  ResultSettings in_berlin = settings(ResultForm::kTable);
  in_berlin.zone = *TimeZone::find("Europe/Berlin");
  Showing showing({"b BOOLEAN", "z TIMESTAMP_LTZ(0)", "y BYTES", "r ROW<a INT, s STRING>"},
                  in_berlin);
  const std::string out = showing.all({R"([["+I", true, "2020-07-01 12:00:00", "hi", [1, "x\n"]],
                       ["+I", null, null, null, null]])"});
  EXPECT_NE(out.find("| TRUE    | 2020-07-01 14:00:00 | x'6869' | (1, x\\n) "), std::string::npos)
      << out;
  EXPECT_NE(out.find("| NULL    | NULL "), std::string::npos) << out;
}

TEST(ResultSink, TableLeavesOutWhatIsTooMuch) {
  for (const bool insert_only : {true, false}) {
    ResultSettings limited = settings(ResultForm::kTable, insert_only);
    limited.max_rows = 2;
    limited.width = 14;
    Showing showing({"s STRING"}, limited);
    EXPECT_EQ(
        showing.all({R"([["+I", "a"], ["+I", "1234567890ab"], ["+I", "b"]])", R"([["+I", "c"]])"}),
        "+------------+\n| s          |\n| STRING     |\n+------------+\n"
        "| a          |\n| 1234567... |\n+------------+\n... 2 more\n4 rows\n");
    EXPECT_EQ(showing.num_rows(), 4);
  }
}

TEST(ResultSink, ChangesOfAStreamAreATableOfTheirOwn) {
  ResultSettings streaming = settings(ResultForm::kTable, false, false);
  streaming.width = 35;
  Showing showing({"s STRING", "n INT"}, streaming);
  ASSERT_TRUE(showing.write(R"([["+I", "x", 1], ["-U", "x", 1]])").is_ok());
  const std::string rule = "+----+--------------+-------------+\n";
  const std::string head = rule +
                           "| op | s            |           n |\n"
                           "|    | STRING       |         INT |\n" +
                           rule;
  EXPECT_EQ(showing.out, head +
                             "| +I | x            |           1 |\n"
                             "| -U | x            |           1 |\n");
  EXPECT_EQ(showing.all({R"([["+U", "0123456789abcdef", 2]])"}),
            head +
                "| +I | x            |           1 |\n"
                "| -U | x            |           1 |\n"
                "| +U | 012345678... |           2 |\n" +
                rule + "3 changes\n");
}

TEST(ResultSink, ATableThatChangesIsDrawnOverItself) {
  ResultSettings refreshed = settings(ResultForm::kTable, false, false);
  refreshed.width = 12;
  refreshed.refresh_lines = 10;  // two for rows
  Showing showing({"n INT"}, refreshed);
  const std::string head = "+-----+\n|   n |\n| INT |\n+-----+\n";
  showing.refresh();
  EXPECT_EQ(showing.taken(), head + "0 rows\n");
  showing.refresh();
  EXPECT_EQ(showing.taken(), "");
  ASSERT_TRUE(showing.write(R"([["+I", 1], ["+I", 2], ["+I", 3]])").is_ok());
  showing.refresh();
  const std::string up = "\033[5A\033[J";
  EXPECT_EQ(showing.taken(), up + head + "|   1 |\n|   2 |\n+-----+\n... 1 more\n3 rows\n");
  // An updated row keeps its place.
  ASSERT_TRUE(showing.write(R"([["-U", 1], ["+U", 9], ["-D", 2]])").is_ok());
  showing.refresh();
  EXPECT_EQ(showing.taken(), "\033[9A\033[J" + head + "|   9 |\n|   3 |\n+-----+\n2 rows\n");
  EXPECT_EQ(showing.all({}), "");
  EXPECT_EQ(showing.all({R"([["+I", 4]])"}), head + "|   9 |\n|   3 |\n|   4 |\n+-----+\n3 rows\n");
}

TEST(ResultSink, ARowThatNeverCameIsAnError) {
  for (const ResultForm form : {ResultForm::kJson, ResultForm::kTable}) {
    Showing showing({"a INT"}, settings(form));
    EXPECT_NE(showing.all({R"([["-D", 1]])"}).find("1 row of the result were taken back"),
              std::string::npos);
  }
}

TEST(ResultSink, AnOutputThatFailsEndsTheJob) {
  ResultSettings streaming = settings(ResultForm::kJson, true);
  streaming.schema = schema_of({"a INT"});
  const auto sink = *ResultSink::make(
      streaming, [](std::string_view) { return error(ErrorCode::kDiskFull, "full"); });
  SinkHarness harness(sink);
  ASSERT_TRUE(harness.open().is_ok());
  EXPECT_EQ(harness.write(batch_of(*streaming.schema, "[[1]]")).code(), ErrorCode::kDiskFull);
}

TEST(ResultSink, FormsHaveNames) {
  EXPECT_EQ(*parse_result_form("csv"), ResultForm::kCsv);
  EXPECT_EQ(parse_result_form("xml").status().code(), ErrorCode::kInvalidOption);
}

}  // namespace
}  // namespace tidegate
