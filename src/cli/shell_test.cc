// SPDX-License-Identifier: Apache-2.0
#include "cli/shell.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/check.h"

namespace tidegate {
namespace {

using Texts = std::vector<std::string>;
using Outcome = LineReader::Outcome;

class Recorded final : public Statements {
 public:
  Status run(std::string_view statement) override {
    ran.emplace_back(statement);
    if (statement == "bad") return error(ErrorCode::kInvalidPlan, "no");
    return Status::ok();
  }
  Texts complete(std::string_view prefix) override {
    asked.emplace_back(prefix);
    return answer;
  }

  Texts ran, asked, answer;
};

/// Lines of a script; "^C" is a cancelled one.
class Typed final : public LineReader {
 public:
  explicit Typed(Texts lines) : lines_(std::move(lines)) {}
  Outcome read(std::string_view prompt, std::string& line) override {
    prompts += prompt == "tidegate> " ? '>' : '.';
    if (next_ == lines_.size()) return Outcome::kEnd;
    line = lines_[next_++];
    return line == "^C" ? Outcome::kCancelled : Outcome::kLine;
  }
  void remember(std::string_view statement) override { history.emplace_back(statement); }

  std::string prompts;
  Texts history;

 private:
  Texts lines_;
  std::size_t next_ = 0;
};

struct Typing {
  explicit Typing(Texts typed, bool interactive = true) : lines(std::move(typed)) {
    ShellOptions options;
    options.interactive = interactive;
    options.say = [this](std::string_view text) { said += text; };
    options.complain = [this](std::string_view text) { complained += text; };
    status = run_shell(statements, lines, options);
  }

  Recorded statements;
  Typed lines;
  std::string said, complained;
  Status status;
};

TEST(Shell, RunsStatementsOverSeveralLines) {
  Typing run({"SELECT 1; SELECT", " 2 -- two", ";", "", "SELECT ';"});
  EXPECT_EQ(run.statements.ran, (Texts{"SELECT 1", "SELECT\n 2 -- two"}));
  EXPECT_EQ(run.lines.prompts, ">..>>.");
  EXPECT_EQ(run.lines.history, (Texts{"SELECT 1;", "SELECT 2;"}));
  EXPECT_TRUE(run.status.is_ok());
}

TEST(Shell, APersonGoesOnAfterAnError) {
  Typing run({"bad;", "good;"});
  EXPECT_EQ(run.statements.ran, (Texts{"bad", "good"}));
  EXPECT_NE(run.complained.find("no"), std::string::npos);
  EXPECT_TRUE(run.status.is_ok());
}

TEST(Shell, AScriptEndsAtAnErrorAndNeedsNoLastSemicolon) {
  Typing failed({"a;", "bad;", "good;"}, false);
  EXPECT_EQ(failed.statements.ran, (Texts{"a", "bad"}));
  EXPECT_EQ(failed.status.code(), ErrorCode::kInvalidPlan);
  Typing ended({"a;", "b", "-- end"}, false);
  EXPECT_EQ(ended.statements.ran, (Texts{"a", "b\n-- end"}));
  EXPECT_TRUE(ended.lines.history.empty());
}

TEST(Shell, CtrlCForgetsWhatWasTyped) {
  Typing run({"SELECT '", "^C", "SELECT 2;"});
  EXPECT_EQ(run.statements.ran, (Texts{"SELECT 2"}));
  EXPECT_EQ(run.lines.prompts, ">.>>");
}

TEST(Shell, KnowsItsOwnWords) {
  Typing run({"help", "HELP;", "a", "quit", ";", "Exit ", "never;"});
  EXPECT_EQ(run.statements.ran, (Texts{"a\nquit"}));
  EXPECT_NE(run.said.find("SHOW TABLES"), run.said.rfind("SHOW TABLES"));
}

TEST(Shell, CompletesWords) {
  Recorded statements;
  statements.answer = {"SELECT"};
  Completion completion = complete_word("sel", statements);
  EXPECT_EQ(completion.replaced_bytes, 3U);
  EXPECT_EQ(completion.inserted, "SELECT ");
  statements.answer = {"bids_by_day", "bids_by_hour"};
  completion = complete_word("SELECT * FROM bi", statements);
  EXPECT_EQ(completion.inserted, "bids_by_");
  EXPECT_TRUE(completion.choices.empty());
  completion = complete_word("(bids_by_", statements);
  EXPECT_EQ(completion.choices, statements.answer);
  EXPECT_EQ(completion.inserted, "");
  EXPECT_EQ(statements.asked, (Texts{"sel", "bi", "bids_by_"}));
  statements.answer = {};
  EXPECT_EQ(complete_word("x", statements).inserted, "");
  EXPECT_EQ(complete_word("SELECT ", statements).inserted, "");
}

}  // namespace
}  // namespace tidegate
