// SPDX-License-Identifier: Apache-2.0
#include "state/migrate_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "state/binary_codec.h"
#include "state/delta.h"
#include "tests/support/batch_literal.h"
#include "types/key_encoding.h"
#include "types/key_hash.h"

namespace tidegate {
namespace {

using ::testing::HasSubstr;

/// Bytes that grow a "+" when they come from version 1.
class NotesLayout final : public BytesLayout {
 public:
  explicit NotesLayout(int version)
      : BytesLayout("notes/" + std::to_string(version)), version_(version) {}
  std::vector<StateColumn> columns(const StateContext&) const override {
    return {{"note", version_ == 1 ? "VARCHAR(5)" : "STRING", {}}};
  }
  Result<ValueMigration> migration(const StateSchema& old, const StateSchema& now,
                                   bool may_drop) const override {
    if (old.layout != "notes/1") return BytesLayout::migration(old, now, may_drop);
    return ValueMigration([](std::int64_t, std::string_view value, std::string& out) {
      std::string_view bytes;
      EXPECT_TRUE(read_bytes(value, bytes));
      write_bytes(out, std::string(bytes) + "+");
      return Status::ok();
    });
  }

 private:
  const int version_;
};

StateContext keyed_by(std::string_view type) { return {{{"k", std::string(type), {}}}, {}}; }

std::unique_ptr<StateBackend> backend(std::string_view key_type, KeyGroupRange range) {
  auto made = make_memory_state_backend(range);
  made->set_context(keyed_by(key_type));
  return made;
}

constexpr KeyGroupRange kAll{0, 128, 128};

StateTable& notes(StateBackend& state, int version) {
  auto table = state.table({.name = "notes", .layout = std::make_shared<NotesLayout>(version)});
  EXPECT_TRUE(table.is_ok()) << table.status().to_string();
  return **table;
}

EncodedKeys keys_of(std::string_view type, int count) {
  std::string rows = "[";
  for (int i = 0; i < count; ++i) rows += (i > 0 ? ",[" : "[") + std::to_string(i - 3) + "]";
  const SchemaPtr schema = schema_of("k " + std::string(type));
  const Batch batch = batch_of(schema, rows + "]");
  EncodedKeys keys;
  const KeyCodec codec({schema->field(0).type});
  EXPECT_TRUE(codec.encode(batch.columns(), count, keys).is_ok());
  return keys;
}

/// Notes by number of the key, of a task that holds `range`.
std::map<int, std::string> read(StateBackend& state, int version, std::string_view type) {
  StateTable& table = notes(state, version);
  const EncodedKeys keys = keys_of(type, 40);
  std::map<int, std::string> found;
  for (int i = 0; i < 40; ++i) {
    const std::byte* value = table.find(7, {keys.key(i), hash_key(keys.key(i))});
    if (value != nullptr) found[i] = BytesLayout::view(value);
  }
  return found;
}

void write(StateBackend& state, int version, std::string_view type, int from, int to,
           const std::string& note) {
  StateTable& table = notes(state, version);
  const EncodedKeys keys = keys_of(type, 40);
  for (int i = from; i < to; ++i) {
    auto value = table.find_or_create(7, {keys.key(i), hash_key(keys.key(i))});
    ASSERT_TRUE(value.is_ok());
    BytesLayout::assign(*value, note + std::to_string(i));
  }
}

/// Two epochs of an INT key in two tasks: 0..29 are written, then 25.. again, and 0 is gone.
std::vector<StateDelta> written() {
  std::vector<StateDelta> deltas;
  for (const KeyGroupRange range : {KeyGroupRange{0, 64, 128}, KeyGroupRange{64, 128, 128}}) {
    const auto state = backend("INT", range);
    const EncodedKeys keys = keys_of("INT", 40);
    StateTable& table = notes(*state, 1);
    const auto is_own = [&](int i) {
      return range.contains(key_group_of(hash_key(keys.key(i)), 128));
    };
    const auto seal = [&](EpochId epoch) {
      auto sealed = state->seal(epoch);
      ASSERT_TRUE(sealed.is_ok());
      deltas.insert(deltas.end(), sealed->begin(), sealed->end());
    };
    for (int i = 0; i < 30; ++i)
      if (is_own(i)) write(*state, 1, "INT", i, i + 1, "a");
    seal(1);
    for (int i = 25; i < 30; ++i) {
      if (!is_own(i)) continue;
      std::byte* value = table.find(7, {keys.key(i), hash_key(keys.key(i))});
      BytesLayout::assign(value, "b" + std::to_string(i));
      table.touch(7, value);
    }
    if (is_own(0)) table.erase(7, StateKey{keys.key(0), hash_key(keys.key(0))});
    seal(2);
  }
  std::ranges::stable_sort(deltas, {}, &StateDelta::epoch);
  return deltas;
}

TEST(StateSchemaTest, TextComesBack) {
  const StateSchema schema{"stamped rows/1 = v:row",
                           {{"a `b`; c", "ROW<`x y` INT>", ""}},
                           {{"", "INT NOT NULL", "SUM(INT; STRING) as `x`"}, {"n", "INT", ""}}};
  const auto read = StateSchema::parse(schema.to_string());
  ASSERT_TRUE(read.is_ok()) << read.status().to_string();
  EXPECT_EQ(read->layout, schema.layout);
  EXPECT_EQ(read->keys, schema.keys);
  EXPECT_EQ(read->columns, schema.columns);
  EXPECT_EQ(StateSchema::parse("fixed:8")->to_string(), "fixed:8");
  for (const char* bad : {"x; keys `a", "x; keys `a` `b`", "x; columns", "x; nothing `a` `b` ``"}) {
    const auto parsed = StateSchema::parse(bad);
    if (std::string_view(bad) == "x; columns") continue;  // none
    EXPECT_EQ(parsed.status().code(), ErrorCode::kStateVersion) << bad;
  }
}

TEST(StateSchemaTest, ColumnsAreFoundByNameAndOccurrence) {
  const std::vector<StateColumn> old{{"a", "INT"}, {"k", "INT"}, {"a", "STRING"}};
  const std::vector<StateColumn> now{{"b", "INT"}, {"a", "INT"}, {"a", "STRING"}, {"a", "INT"}};
  EXPECT_EQ(match_columns(old, now), (std::vector<int>{-1, 0, 2, -1}));
  EXPECT_EQ(dropped_columns(old, now), "'k'");
}

TEST(StateSchemaTest, WideningLosesNothing) {
  const auto wider = [](const char* from, const char* to) {
    return is_widening(*LogicalType::parse(from), *LogicalType::parse(to));
  };
  EXPECT_TRUE(wider("INT", "BIGINT"));
  EXPECT_TRUE(wider("TINYINT NOT NULL", "INT"));
  EXPECT_TRUE(wider("FLOAT", "DOUBLE"));
  EXPECT_TRUE(wider("DECIMAL(10, 2)", "DECIMAL(20, 2)"));
  EXPECT_TRUE(wider("CHAR(3)", "STRING"));
  EXPECT_TRUE(wider("VARCHAR(3)", "VARCHAR(4)"));
  EXPECT_TRUE(wider("ARRAY<INT> NOT NULL", "ARRAY<INT>"));
  EXPECT_FALSE(wider("BIGINT", "INT"));
  EXPECT_FALSE(wider("INT", "INT NOT NULL"));
  EXPECT_FALSE(wider("DECIMAL(10, 2)", "DECIMAL(20, 3)"));
  EXPECT_FALSE(wider("CHAR(3)", "CHAR(4)"));
  EXPECT_FALSE(wider("TIMESTAMP(3)", "TIMESTAMP(6)"));
  EXPECT_FALSE(wider("ARRAY<INT>", "ARRAY<BIGINT>"));
  EXPECT_FALSE(wider("BIGINT", "DOUBLE"));
}

TEST(MigrateRowsTest, KeysAndValuesBecomeWider) {
  std::map<int, std::string> all;
  std::vector<StateDelta> again;
  for (const KeyGroupRange range :
       {KeyGroupRange{0, 40, 128}, KeyGroupRange{40, 41, 128}, KeyGroupRange{41, 128, 128}}) {
    const auto state = backend("BIGINT", range);
    for (const StateDelta& delta : written()) ASSERT_TRUE(state->restore(delta).is_ok());
    all.merge(read(*state, 2, "BIGINT"));
    // The next delta holds all rows, also those that nobody has touched.
    auto sealed = state->seal(3);
    ASSERT_TRUE(sealed.is_ok());
    again.insert(again.end(), sealed->begin(), sealed->end());
    EXPECT_TRUE(state->seal(4)->empty());
  }
  ASSERT_EQ(all.size(), 29u);
  EXPECT_EQ(all.at(1), "a1+");
  EXPECT_EQ(all.at(29), "b29+");
  // What is of the older schema counts for nothing behind that.
  const auto state = backend("BIGINT", kAll);
  for (const StateDelta& delta : written()) ASSERT_TRUE(state->restore(delta).is_ok());
  for (const StateDelta& delta : again) ASSERT_TRUE(state->restore(delta).is_ok());
  EXPECT_EQ(read(*state, 2, "BIGINT"), all);
  EXPECT_TRUE(state->seal(5)->empty());
}

TEST(MigrateRowsTest, WhatDoesNotFitIsNamed) {
  const auto refuses = [](std::string_view key_type, int version) {
    const auto state = backend(key_type, kAll);
    for (const StateDelta& delta : written()) EXPECT_TRUE(state->restore(delta).is_ok());
    return state->table({.name = "notes", .layout = std::make_shared<NotesLayout>(version)})
        .status();
  };
  EXPECT_TRUE(refuses("INT", 1).is_ok());
  EXPECT_EQ(refuses("SMALLINT", 1).code(), ErrorCode::kStateMismatch);
  EXPECT_THAT(refuses("STRING", 1).message(), HasSubstr("key 'k' was INT, is STRING"));
  const auto other = backend("INT", kAll);
  for (const StateDelta& delta : written()) EXPECT_TRUE(other->restore(delta).is_ok());
  const Status status =
      other->table({.name = "notes", .layout = std::make_shared<BytesLayout>("list/2")}).status();
  EXPECT_EQ(status.code(), ErrorCode::kStateMismatch);
  EXPECT_THAT(status.message(), HasSubstr("\"notes/1\" is \"list/2\""));
}

}  // namespace
}  // namespace tidegate
