// SPDX-License-Identifier: Apache-2.0
#include "cli/line_reader.h"

#include <histedit.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace tidegate {

namespace {

constexpr int kHistoryStatements = 10'000;

class TerminalReader final : public LineReader {
 public:
  TerminalReader(std::string history_path, Completer completer)
      : history_path_(std::move(history_path)), completer_(std::move(completer)) {
    // The editor counts characters by the locale; without it every byte would be one.
    if (std::setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1)
      std::setlocale(LC_CTYPE, "C.UTF-8");
    HistEvent event;
    history_ = history_init();
    history(history_, &event, H_SETSIZE, kHistoryStatements);
    history(history_, &event, H_SETUNIQUE, 1);
    if (!history_path_.empty()) history(history_, &event, H_LOAD, history_path_.c_str());

    edit_ = el_init("tidegate", stdin, stdout, stderr);
    el_set(edit_, EL_CLIENTDATA, this);
    el_set(edit_, EL_PROMPT, &TerminalReader::prompt_of);
    el_set(edit_, EL_EDITOR, "emacs");
    el_set(edit_, EL_SIGNAL, 1);
    el_set(edit_, EL_HIST, history, history_);
    el_set(edit_, EL_ADDFN, "tidegate-complete", "Complete a word", &TerminalReader::complete);
    el_set(edit_, EL_BIND, "\t", "tidegate-complete", nullptr);
    el_set(edit_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    // While a line is edited Ctrl-C is a key, and not a signal that ends the program.
    el_set(edit_, EL_ADDFN, "tidegate-cancel", "Forget the statement", &TerminalReader::cancel);
    el_set(edit_, EL_SETTY, "-d", "-isig", nullptr);
    el_set(edit_, EL_BIND, "^C", "tidegate-cancel", nullptr);
    el_source(edit_, nullptr);  // the user's own ~/.editrc
  }

  ~TerminalReader() override {
    el_end(edit_);
    history_end(history_);
  }

  Outcome read(std::string_view prompt, std::string& line) override {
    prompt_ = prompt;
    cancelled_ = false;
    int count = 0;
    const char* const text = el_gets(edit_, &count);
    if (cancelled_ || count < 0) {
      std::fputc('\n', stdout);
      return Outcome::kCancelled;
    }
    if (text == nullptr || count == 0) {
      std::fputc('\n', stdout);
      return Outcome::kEnd;
    }
    line.assign(text, static_cast<std::size_t>(count));
    if (line.ends_with('\n')) line.pop_back();
    return Outcome::kLine;
  }

  // Kept at once, so that a program that is killed has lost nothing.
  void remember(std::string_view statement) override {
    HistEvent event;
    history(history_, &event, H_ENTER, std::string(statement).c_str());
    if (!history_path_.empty()) history(history_, &event, H_SAVE, history_path_.c_str());
  }

 private:
  static TerminalReader& of(EditLine* edit) {
    void* reader = nullptr;
    el_get(edit, EL_CLIENTDATA, &reader);
    return *static_cast<TerminalReader*>(reader);
  }

  static char* prompt_of(EditLine* edit) { return of(edit).prompt_.data(); }

  static unsigned char cancel(EditLine* edit, int) {
    of(edit).cancelled_ = true;
    return CC_NEWLINE;
  }

  static unsigned char complete(EditLine* edit, int) {
    const LineInfo* const line = el_line(edit);
    const std::string_view text(line->buffer,
                                static_cast<std::size_t>(line->cursor - line->buffer));
    const Completion completion = of(edit).completer_(text);
    if (!completion.choices.empty()) {
      show(completion.choices);
      return CC_REDISPLAY;
    }
    if (completion.inserted.empty()) return CC_REFRESH_BEEP;
    const std::string_view replaced = text.substr(text.size() - completion.replaced_bytes);
    // The editor deletes characters and not bytes.
    const auto characters = std::count_if(replaced.begin(), replaced.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    });
    el_deletestr(edit, static_cast<int>(characters));
    el_insertstr(edit, completion.inserted.c_str());
    return CC_REFRESH;
  }

  static void show(const std::vector<std::string>& choices) {
    std::fputc('\n', stdout);
    for (const std::string& choice : choices) std::printf("%s  ", choice.c_str());
    std::fputc('\n', stdout);
  }

  std::string history_path_;
  Completer completer_;
  std::string prompt_;
  bool cancelled_ = false;
  History* history_ = nullptr;
  EditLine* edit_ = nullptr;
};

class StreamReader final : public LineReader {
 public:
  ~StreamReader() override { std::free(buffer_); }

  Outcome read(std::string_view, std::string& line) override {
    const ssize_t size = getline(&buffer_, &capacity_, stdin);
    if (size < 0) return Outcome::kEnd;
    line.assign(buffer_, static_cast<std::size_t>(size));
    if (line.ends_with('\n')) line.pop_back();
    return Outcome::kLine;
  }

 private:
  char* buffer_ = nullptr;  // of getline(), which grows it
  std::size_t capacity_ = 0;
};

}  // namespace

bool is_interactive() { return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1; }

std::unique_ptr<LineReader> make_terminal_reader(std::string history_path, Completer completer) {
  return std::make_unique<TerminalReader>(std::move(history_path), std::move(completer));
}

std::unique_ptr<LineReader> make_stream_reader() { return std::make_unique<StreamReader>(); }

std::string default_history_path() {
  const char* const home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? std::string()
                                          : std::string(home) + "/.tidegate_history";
}

}  // namespace tidegate
