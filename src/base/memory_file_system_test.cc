// SPDX-License-Identifier: Apache-2.0
#include "base/memory_file_system.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/check.h"

namespace tidegate {
namespace {

class MemoryFileSystemTest : public testing::Test {
 protected:
  std::unique_ptr<WritableFile> create(const std::string& path) {
    Result<std::unique_ptr<WritableFile>> file = files_.create(path);
    EXPECT_TRUE(file.is_ok()) << file.status().to_string();
    return *std::move(file);
  }
  // The content, or the label of the error.
  std::string content(const std::string& path) {
    Result<std::string> read = read_file(files_, path);
    if (read.is_ok()) return *std::move(read);
    return "(" + std::string(error_info(read.status().code()).label) + ")";
  }

  VirtualClock clock_;
  MemoryFileSystem files_{clock_};
};

TEST_F(MemoryFileSystemTest, ACrashTakesWhatIsNotSynced) {
  const auto file = create("d/f");
  ASSERT_TRUE(file->append("kept").is_ok());
  ASSERT_TRUE(file->sync().is_ok());
  ASSERT_TRUE(file->append(" lost").is_ok());
  EXPECT_EQ(content("d/f"), "kept lost");
  files_.crash();
  EXPECT_EQ(content("d/f"), "kept");
  files_.crash();
  EXPECT_EQ(content("d/f"), "kept");
}

TEST_F(MemoryFileSystemTest, ClosingIsNotSyncing) {
  ASSERT_TRUE(create("d/f")->close().is_ok());
  files_.crash();
  EXPECT_EQ(content("d/f"), "(file-not-found)");
  EXPECT_TRUE(files_.stat("d").is_ok());
}

TEST_F(MemoryFileSystemTest, RewritingKeepsTheOldContentUntilSynced) {
  ASSERT_TRUE(write_file_atomically(files_, "f", "old").is_ok());
  const auto file = create("f");
  ASSERT_TRUE(file->append("newer").is_ok());
  EXPECT_EQ(content("f"), "newer");
  files_.crash();
  EXPECT_EQ(content("f"), "old");
  const auto again = create("f");
  ASSERT_TRUE(again->append("no").is_ok());
  ASSERT_TRUE(again->sync().is_ok());
  ASSERT_TRUE(again->append("w").is_ok());
  ASSERT_TRUE(again->sync().is_ok());
  files_.crash();
  EXPECT_EQ(content("f"), "now");
}

// The mistake that this model is there to find: the name is durable before the content is.
TEST_F(MemoryFileSystemTest, RenamingWithoutSyncingLosesTheContent) {
  ASSERT_TRUE(write_file_atomically(files_, "f", "old").is_ok());
  const auto file = create(".f.tmp");
  ASSERT_TRUE(file->append("new").is_ok());
  ASSERT_TRUE(file->close().is_ok());
  ASSERT_TRUE(files_.rename(".f.tmp", "f").is_ok());
  EXPECT_EQ(content("f"), "new");
  files_.crash();
  EXPECT_EQ(content("f"), "");
  EXPECT_EQ(content(".f.tmp"), "(file-not-found)");
}

TEST_F(MemoryFileSystemTest, RemovedFilesComeBackUnlessTheFolderIsSynced) {
  ASSERT_TRUE(write_file_atomically(files_, "d/a", "a").is_ok());
  ASSERT_TRUE(files_.remove("d/a").is_ok());
  files_.crash();
  EXPECT_EQ(content("d/a"), "a");
  ASSERT_TRUE(files_.remove("d/a").is_ok());
  ASSERT_TRUE(write_file_atomically(files_, "d/b", "b").is_ok());  // syncs the folder
  files_.crash();
  EXPECT_EQ(content("d/a"), "(file-not-found)");
  EXPECT_EQ(content("d/b"), "b");
}

TEST_F(MemoryFileSystemTest, OpenFilesDieWithACrash) {
  const auto writer = create("f");
  ASSERT_TRUE(writer->sync().is_ok());
  const auto reader = *files_.open("f");
  files_.crash();
  EXPECT_EQ(writer->append("x").code(), ErrorCode::kFileIo);
  EXPECT_EQ(writer->sync().code(), ErrorCode::kFileIo);
  EXPECT_EQ(reader->size().status().code(), ErrorCode::kFileIo);
  std::vector<std::byte> buffer(1);
  EXPECT_EQ(reader->read_at(0, buffer).status().code(), ErrorCode::kFileIo);
  EXPECT_EQ(content("f"), "");
}

// At whatever operation the power goes: the file is the old one or the new one.
TEST_F(MemoryFileSystemTest, AtomicWritesSurviveACrashAtEveryStep) {
  bool seen_old = false;
  bool seen_new = false;
  for (std::int64_t step = 1; !seen_new; ++step) {
    MemoryFileSystem files(clock_);
    ASSERT_TRUE(write_file_atomically(files, "d/f", "old").is_ok());
    bool dead = false;
    files.set_fault([&, left = step](FileOperation, std::string_view) mutable {
      dead = dead || --left == 0;
      return dead ? error(ErrorCode::kFileIo, "power is gone") : Status::ok();
    });
    const bool written = write_file_atomically(files, "d/f", "new").is_ok();
    files.set_fault({});
    files.crash();
    const Result<std::string> content = read_file(files, "d/f");
    ASSERT_TRUE(content.is_ok());
    EXPECT_TRUE(*content == "old" || *content == "new") << *content;
    if (written) {
      EXPECT_EQ(*content, "new");
    }
    (*content == "new" ? seen_new : seen_old) = true;
    ASSERT_LT(step, 100);
  }
  EXPECT_TRUE(seen_old);
}

TEST_F(MemoryFileSystemTest, TheNthOperationFails) {
  files_.set_fault(fail_nth_operation(3, error(ErrorCode::kFileIo, "bad sector")));
  const auto file = create("f");                         // 1
  EXPECT_TRUE(file->append("a").is_ok());                // 2
  EXPECT_EQ(file->append("b").message(), "bad sector");  // 3
  EXPECT_EQ(file->append("c").message(), "bad sector");  // sticks
  EXPECT_EQ(content("f"), "a");
}

TEST_F(MemoryFileSystemTest, FaultsSeeOperationAndPath) {
  files_.set_fault([](FileOperation operation, std::string_view path) {
    const bool hit = operation == FileOperation::kSync && path.ends_with(".tmp");
    return hit ? error(ErrorCode::kFileIo, "cannot sync") : Status::ok();
  });
  EXPECT_EQ(write_file_atomically(files_, "d/f", "x").message(), "cannot sync");
  EXPECT_EQ(files_.list("d")->size(), 0);
  files_.set_fault({});
  EXPECT_TRUE(write_file_atomically(files_, "d/f", "x").is_ok());
}

TEST_F(MemoryFileSystemTest, RandomFaultsAreRepeatable) {
  const auto run = [this](std::uint64_t seed) {
    MemoryFileSystem files(clock_);
    files.set_fault(fail_randomly(seed, 0.3, error(ErrorCode::kFileIo, "bad luck")));
    std::string trace;
    for (int i = 0; i < 100; ++i) trace += files.create_directories("d").is_ok() ? '.' : 'x';
    EXPECT_EQ(files.operations(), 100);
    return trace;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
  const std::string trace = run(3);
  EXPECT_NEAR(std::count(trace.begin(), trace.end(), 'x'), 30, 20);
}

TEST_F(MemoryFileSystemTest, ADiskCanBeFull) {
  files_.set_capacity(10);
  const auto a = create("a");
  ASSERT_TRUE(a->append("123456").is_ok());
  const auto b = create("b");
  EXPECT_EQ(b->append("123456").code(), ErrorCode::kDiskFull);
  EXPECT_EQ(content("b"), "1234");  // as on a real disk, part of it is there
  EXPECT_EQ(b->close().code(), ErrorCode::kDiskFull);
  ASSERT_TRUE(files_.remove("b").is_ok());
  EXPECT_TRUE(a->append("7890").is_ok());
  EXPECT_EQ(a->append("1").code(), ErrorCode::kDiskFull);
}

TEST_F(MemoryFileSystemTest, PathsCanBeWrittenInManyWays) {
  ASSERT_TRUE(write_file_atomically(files_, "/a/b/f", "x").is_ok());
  for (const char* path : {"a/b/f", "./a/b/f", "/a//b/./f", "a/c/../b/f", "../a/b/f"}) {
    EXPECT_EQ(content(path), "x") << path;
  }
}

}  // namespace
}  // namespace tidegate
