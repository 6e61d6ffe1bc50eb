// SPDX-License-Identifier: Apache-2.0
#include "base/blob_store.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/content_hash.h"
#include "base/memory_blob_store.h"
#include "base/memory_file_system.h"

namespace tidegate {
namespace {

using Request = MemoryBlobStore::Request;

constexpr std::int64_t kAny = 1 << 20;

Status unreachable() { return Status(ErrorCode::kServiceUnreachable, "planted"); }

void check_contract(BlobStore& blobs) {
  EXPECT_TRUE(blobs.list("")->empty());
  EXPECT_EQ(blobs.get("a", kAny).status().code(), ErrorCode::kFileNotFound);
  ASSERT_TRUE(blobs.put("a", "1").is_ok());
  ASSERT_TRUE(blobs.put("a", "22").is_ok());
  EXPECT_EQ(*blobs.get("a", kAny), "22");
  EXPECT_EQ(blobs.get("a", 1).status().code(), ErrorCode::kLimitExceeded);
  EXPECT_FALSE(*blobs.put_if_absent("a", "3"));
  EXPECT_TRUE(*blobs.put_if_absent("folder/b", ""));
  EXPECT_EQ(*blobs.get("a", kAny), "22");
  EXPECT_EQ(*blobs.get("folder/b", kAny), "");
  const std::vector<BlobInfo> all = *blobs.list("");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "a");
  EXPECT_EQ(all[0].size_bytes, 2);
  EXPECT_EQ(all[1].name, "folder/b");
  EXPECT_EQ(blobs.list("folder")->size(), 1u);
  EXPECT_TRUE(blobs.list("nowhere")->empty());
  EXPECT_TRUE(blobs.remove("a").is_ok());
  EXPECT_TRUE(blobs.remove("a").is_ok());
  EXPECT_TRUE(*blobs.put_if_absent("a", "4"));
  EXPECT_TRUE(blobs.clear().is_ok());
  EXPECT_TRUE(blobs.list("")->empty());
}

TEST(BlobStoreTest, AllKeepTheContract) {
  MemoryBlobStore memory;
  check_contract(memory);
  VirtualClock clock{1000};
  MemoryFileSystem files(clock);
  check_contract(*make_local_blob_store(files, "job/"));
  check_contract(**open_blob_store(testing::TempDir() + "blob_store_test"));
  check_contract(**open_blob_store("file://" + testing::TempDir() + "blob_store_test"));
}

TEST(BlobStoreTest, LocalBlobsAreWholeAndDurable) {
  VirtualClock clock{1000};
  MemoryFileSystem files(clock);
  const auto blobs = make_local_blob_store(files, "job");
  ASSERT_TRUE(blobs->put("a", "old").is_ok());
  ASSERT_TRUE(*blobs->put_if_absent("b", "new"));
  files.crash();
  EXPECT_EQ(*blobs->get("a", kAny), "old");
  EXPECT_EQ(*blobs->get("b", kAny), "new");
  for (const FileOperation fails : {FileOperation::kCreate, FileOperation::kAppend,
                                    FileOperation::kSync, FileOperation::kRename}) {
    files.set_fault([&](FileOperation operation, std::string_view) {
      return operation == fails ? Status(ErrorCode::kFileIo, "planted") : Status::ok();
    });
    EXPECT_FALSE(blobs->put("a", "other").is_ok());
    EXPECT_FALSE(blobs->put_if_absent("c", "other").is_ok());
    files.set_fault({});
    EXPECT_EQ(*blobs->get("a", kAny), "old");
    EXPECT_EQ(blobs->list("")->size(), 2u);
  }
}

TEST(BlobStoreTest, TriesAgainWhatIsUnavailable) {
  auto memory = std::make_shared<MemoryBlobStore>();
  std::vector<std::int64_t> waits;
  BlobRetries retries;
  retries.attempts = 4;
  retries.first_wait = std::chrono::milliseconds(100);
  retries.longest_wait = std::chrono::milliseconds(300);
  retries.wait = [&](std::chrono::milliseconds time) { waits.push_back(time.count()); };
  const auto blobs = make_retrying_blob_store(memory, retries);

  int failures = 3;
  memory->set_fault([&](Request, const std::string&) -> MemoryBlobStore::Outcome {
    if (failures-- > 0) return {unreachable()};
    return {};
  });
  EXPECT_TRUE(blobs->put("a", "1").is_ok());
  EXPECT_EQ(waits, (std::vector<std::int64_t>{100, 200, 300}));

  failures = 100;
  const Status gave_up = blobs->put("a", "2");
  EXPECT_EQ(gave_up.code(), ErrorCode::kServiceUnreachable);
  EXPECT_NE(gave_up.message().find("tried 4 times"), std::string::npos);
  EXPECT_EQ(waits.size(), 6u);

  memory->set_fault([](Request, const std::string&) -> MemoryBlobStore::Outcome {
    return {Status(ErrorCode::kServiceRefused, "planted")};
  });
  EXPECT_EQ(blobs->get("a", kAny).status().code(), ErrorCode::kServiceRefused);
  EXPECT_EQ(waits.size(), 6u);  // no use
}

TEST(BlobStoreTest, APutWhoseAnswerWasLostIsItsOwn) {
  auto memory = std::make_shared<MemoryBlobStore>();
  BlobRetries retries;
  retries.wait = [](std::chrono::milliseconds) {};
  const auto blobs = make_retrying_blob_store(memory, retries);
  int requests = 0;
  memory->set_fault([&](Request request, const std::string&) -> MemoryBlobStore::Outcome {
    if (request == Request::kPutIfAbsent && requests++ == 0) return {unreachable(), true};
    return {};
  });
  EXPECT_TRUE(*blobs->put_if_absent("a", "mine"));
  requests = 0;
  EXPECT_FALSE(*blobs->put_if_absent("a", "another's"));
}

TEST(BlobStoreTest, UrisShowNoPasswords) {
  EXPECT_EQ(shown_uri("s3://key:se/cr@et@bucket/dir?endpoint_override=x"), "s3://bucket/dir");
  EXPECT_EQ(shown_uri("a/b"), "a/b");
  EXPECT_EQ(folder_in("s3://bucket/dir?x=1", ".epochs"), "s3://bucket/dir/.epochs?x=1");
  EXPECT_EQ(folder_in("dir", "x"), "dir/x");
  EXPECT_EQ(local_path_of("file:///a/b"), "/a/b");
  EXPECT_EQ(local_path_of("s3://a/b"), std::nullopt);
  const auto other = open_blob_store("ftp://user:secret@host/a");
  EXPECT_EQ(other.status().code(), ErrorCode::kNotSupported);
  EXPECT_EQ(other.status().message().find("secret"), std::string::npos);
  Options half;
  half.set("s3.access-key", "only this");
  EXPECT_EQ(open_blob_store("s3://bucket/dir", half).status().code(), ErrorCode::kMissingOption);
}

TEST(ContentHashTest, IsSha256) {
  EXPECT_EQ(content_hash(""), "e3b0c44298fc1c149afbf4c8996fb924");
  EXPECT_NE(content_hash("a"), content_hash("b"));
}

}  // namespace
}  // namespace tidegate
