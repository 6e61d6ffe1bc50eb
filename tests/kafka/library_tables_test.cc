// SPDX-License-Identifier: Apache-2.0
//
// Tables of the typed API in library mode, against a real broker: what several instances write,
// while some of them are killed, is what the last values of all keys come to. The instances are
// processes of this test program, which run DISABLED_Tables.Application.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "kafka/test_broker.h"
#include "tests/kafka/on_real_broker.h"
#include "tests/kafka/typed_programs.h"

namespace tidegate::kafka {

namespace {

using namespace std::chrono_literals;

constexpr int kPartitions = 3;
constexpr std::int64_t kWindowMs = kTablesWindowMs;
const std::vector<std::string> kTables = {"counts", "spent", "joined", "owed", "visits"};
using Where = TablesRun;

struct Purchase {
  std::string buyer;
  std::int64_t amount = 0;
};
struct Person {
  std::string city;
};
struct Payment {
  std::int64_t paid = 0;
};

TEST(DISABLED_Tables, Application) {
  std::exit(run_tables({std::getenv("TABLES_BROKERS"), std::getenv("TABLES_APPLICATION"),
                        std::getenv("TABLES_FOLDER"), std::getenv("TABLES_STATE")}));
}

/// An instance of the application.
class Process {
 public:
  explicit Process(const Where& where) {
    pid_ = fork();
    if (pid_ != 0) return;
    setenv("TABLES_BROKERS", where.brokers.c_str(), 1);
    setenv("TABLES_APPLICATION", where.application.c_str(), 1);
    setenv("TABLES_FOLDER", where.folder.c_str(), 1);
    setenv("TABLES_STATE", where.state.c_str(), 1);
    const int log = open((where.folder + ".log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, 1);
    dup2(log, 2);
    execl("/proc/self/exe", "tables", "--gtest_also_run_disabled_tests",
          "--gtest_filter=DISABLED_Tables.Application", nullptr);
    _exit(127);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() { end(SIGKILL); }

  /// What it exited with, -1 when by a signal.
  int end(int signal) {
    if (pid_ == 0) return -1;
    ::kill(pid_, signal);
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  bool runs() const { return pid_ != 0 && waitpid(pid_, nullptr, WNOHANG) == 0; }

 private:
  pid_t pid_ = 0;
};

/// By key, as the text of the value.
using Rows = std::map<std::string, std::string>;

/// What is sent, and what it must come to.
class Shop {
 public:
  Shop(const std::string& brokers, std::string prefix)
      : producer_(brokers), prefix_(std::move(prefix)) {}

  /// Some changes of everything.
  void trade() {
    for (int i = 0; i < 150; ++i) {
      const std::string id = "o" + std::to_string(random(200));
      if (random(8) == 0) {
        remove(orders_, "orders", id);
      } else {
        const Purchase order{"b" + std::to_string(random(20)), random(1000)};
        change(orders_, "orders", id, order,
               fmt::format(R"({{"buyer":"{}","amount":{}}})", order.buyer, order.amount));
      }
    }
    for (int i = 0; i < 10; ++i) {
      const std::string id = "b" + std::to_string(random(20));
      if (random(5) == 0) {
        remove(people_, "people", id);
      } else {
        const Person person{"c" + std::to_string(random(1000))};
        change(people_, "people", id, person, fmt::format(R"({{"city":"{}"}})", person.city));
      }
    }
    for (int i = 0; i < 60; ++i) {
      const std::string id = "o" + std::to_string(random(200));
      if (random(5) == 0) {
        remove(payments_, "payments", id);
      } else {
        const Payment payment{random(1000)};
        change(payments_, "payments", id, payment, fmt::format(R"({{"paid":{}}})", payment.paid));
      }
    }
    for (int i = 0; i < 300; ++i) {
      now_ms_ += 100;
      const std::string who = "b" + std::to_string(random(20));
      const std::int64_t n = random(100);
      visit("left", who, n, random(kPartitions));
      visited_[who] += n;
      ++windows_[{who, now_ms_ / kWindowMs * kWindowMs}];
    }
    for (int i = 0; i < 100; ++i) {
      const std::string who = "b" + std::to_string(random(20));
      const std::int64_t n = random(100);
      visit("right", who, n, random(kPartitions));
      visited_[who] -= 2 * n;
    }
    producer_.flush();
  }

  /// Moves the time of all partitions past all windows.
  void close() {
    now_ms_ += 10 * kWindowMs;
    for (const char* topic : {"left", "right"}) {
      for (int partition = 0; partition < kPartitions; ++partition)
        visit(topic, "b0", 0, partition);
    }
    producer_.flush();
  }

  std::map<std::string, Rows> tables() const {
    std::map<std::string, Rows> tables;
    for (const std::string& name : kTables) tables[name];
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> buyers;
    for (const auto& [id, order] : orders_) {
      auto& [count, sum] = buyers[order.buyer];
      ++count;
      sum += order.amount;
      const auto person = people_.find(order.buyer);
      if (person != people_.end())
        tables["joined"][id] =
            fmt::format(R"({{"city":"{}","amount":{}}})", person->second.city, order.amount);
      const auto payment = payments_.find(id);
      tables["owed"][id] = fmt::format(R"({{"amount":{},"paid":{}}})", order.amount,
                                       payment == payments_.end() ? 0 : payment->second.paid);
    }
    for (const auto& [buyer, of] : buyers) {
      tables["counts"][buyer] = fmt::format(R"({{"value":{}}})", of.first);
      tables["spent"][buyer] = fmt::format(R"({{"value":{}}})", of.second);
    }
    for (const auto& [who, n] : visited_)
      tables["visits"][who] = fmt::format(R"({{"value":{}}})", n);
    return tables;
  }
  std::multiset<std::string> windows() const {
    std::multiset<std::string> rows;
    for (const auto& [window, n] : windows_)
      rows.insert(
          fmt::format(R"({{"who":"{}","start":{},"n":{}}})", window.first, window.second, n));
    return rows;
  }

 private:
  std::int64_t random(int below) {
    return static_cast<std::int64_t>(random_() % static_cast<unsigned>(below));
  }
  template <typename T>
  void change(std::map<std::string, T>& table, const std::string& topic, const std::string& key,
              const T& value, const std::string& text) {
    table.insert_or_assign(key, value);
    send(topic, key, text);
  }
  template <typename T>
  void remove(std::map<std::string, T>& table, const std::string& topic, const std::string& key) {
    table.erase(key);
    send(topic, key, std::nullopt);
  }
  void send(const std::string& topic, const std::string& key,
            const std::optional<std::string>& value) {
    TestMessage message;
    message.key = key;
    message.value = value;
    message.partition = static_cast<std::int32_t>(std::hash<std::string>()(key) % kPartitions);
    producer_.send(prefix_ + "." + topic, message);
  }
  void visit(const std::string& topic, const std::string& who, std::int64_t n, int partition) {
    TestMessage message;
    message.value = fmt::format(R"({{"who":"{}","n":{},"ts":"{}"}})", who, n, time_text());
    message.partition = partition;
    producer_.send(prefix_ + "." + topic, message);
  }
  std::string time_text() const {
    return fmt::format("1970-01-01 {:02}:{:02}:{:02}.{:03}", now_ms_ / 3'600'000,
                       now_ms_ / 60'000 % 60, now_ms_ / 1'000 % 60, now_ms_ % 1'000);
  }

  TestProducer producer_;
  const std::string prefix_;
  std::mt19937 random_{17};
  std::int64_t now_ms_ = 0;
  std::map<std::string, Purchase> orders_;
  std::map<std::string, Person> people_;
  std::map<std::string, Payment> payments_;
  std::map<std::string, std::int64_t> visited_;
  std::map<std::pair<std::string, std::int64_t>, std::int64_t> windows_;
};

class LibraryTables : public OnRealBroker, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    OnRealBroker::SetUp();
    if (IsSkipped()) return;
    where_ = {broker_->address(), std::string("tables-") + GetParam(), "", GetParam()};
    folder_ = testing::TempDir() + where_.application + std::to_string(getpid());
    std::filesystem::create_directories(folder_);
    for (const char* name : {"orders", "people", "payments", "left", "right", "counts", "spent",
                             "joined", "owed", "visits", "windows"})
      broker_->create_topic(where_.application + "." + name, kPartitions);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Process> start(const std::string& name) {
    Where where = where_;
    where.folder = folder_ + "/" + name;
    return std::make_unique<Process>(where);
  }
  std::vector<TestMessage> read(const std::string& name) const {
    return consume_all(where_.brokers, where_.application + "." + name, kPartitions);
  }
  /// The last value of each key; deleted ones are not there.
  Rows newest(const std::string& name) const {
    Rows rows;
    for (const TestMessage& message : read(name)) {
      rows.erase(*message.key);
      if (message.value) rows[*message.key] = *message.value;
    }
    return rows;
  }
  std::multiset<std::string> windows() const {
    std::multiset<std::string> rows;
    for (const TestMessage& message : read("windows")) rows.insert(*message.value);
    return rows;
  }
  bool is_done(const Shop& shop) const {
    for (const auto& [name, rows] : shop.tables())
      if (newest(name) != rows) return false;
    return windows() == shop.windows();
  }
  std::string logs() const {
    std::string all;
    for (const auto& file : std::filesystem::directory_iterator(folder_)) {
      if (file.path().extension() != ".log") continue;
      std::FILE* const log = std::fopen(file.path().c_str(), "r");
      char text[4000];
      const std::size_t size = std::fread(text, 1, sizeof text, log);
      std::fclose(log);
      all += file.path().filename().string() + ":\n" + std::string(text, size);
    }
    return all;
  }

  Where where_;
  std::string folder_;
};

TEST_P(LibraryTables, AreExactThroughKills) {
  Shop shop(where_.brokers, where_.application);
  auto first = start("a"), second = start("b");
  for (int i = 0; i < 3; ++i) shop.trade();
  const auto patience = std::chrono::steady_clock::now() + 300s;
  const auto in_time = [&] { return std::chrono::steady_clock::now() < patience; };
  while (newest("counts").empty() && in_time()) ASSERT_TRUE(first->runs()) << logs();
  shop.trade();
  first->end(SIGKILL);  // in the middle
  for (int i = 0; i < 3; ++i) shop.trade();
  auto third = start("c");
  while (newest("counts") != shop.tables()["counts"] && in_time())
    ASSERT_TRUE(second->runs()) << logs();
  shop.trade();
  second->end(SIGKILL);
  shop.trade();
  shop.close();
  first = start("a");
  while (!is_done(shop) && in_time()) ASSERT_TRUE(third->runs()) << logs();
  EXPECT_EQ(first->end(SIGTERM), 0) << logs();
  EXPECT_EQ(third->end(SIGTERM), 0) << logs();
  for (const auto& [name, rows] : shop.tables()) EXPECT_EQ(newest(name), rows) << name;
  EXPECT_EQ(windows(), shop.windows());
}

INSTANTIATE_TEST_SUITE_P(State, LibraryTables, testing::Values("memory", "rocksdb"));

}  // namespace
}  // namespace tidegate::kafka
