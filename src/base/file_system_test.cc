// SPDX-License-Identifier: Apache-2.0
#include "base/file_system.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/memory_file_system.h"

namespace tidegate {
namespace {

std::vector<std::string> paths_of(const std::vector<FileInfo>& infos) {
  std::vector<std::string> paths;
  for (const FileInfo& info : infos) paths.push_back(info.path);
  return paths;
}

// A folder that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tidegate-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What both file systems promise.
class AnyFileSystemTest : public testing::TestWithParam<bool> {
 protected:
  FileSystem& files() { return GetParam() ? local_file_system() : memory_; }
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }

  void write(const std::string& name, std::string_view content) {
    Result<std::unique_ptr<WritableFile>> file = files().create(path(name));
    ASSERT_TRUE(file.is_ok()) << file.status().to_string();
    ASSERT_TRUE((*file)->append(content).is_ok());
    ASSERT_TRUE((*file)->close().is_ok());
  }
  std::string content(const std::string& name) {
    Result<std::string> read = read_file(files(), path(name));
    return read.is_ok() ? *std::move(read) : read.status().message();
  }
  // The paths within the test's folder.
  std::vector<std::string> found(const std::string& pattern) {
    Result<std::vector<FileInfo>> result = find_files(files(), path(pattern));
    EXPECT_TRUE(result.is_ok()) << result.status().to_string();
    std::vector<std::string> names;
    if (!result.is_ok()) return names;
    for (const std::string& found : paths_of(*result))
      names.push_back(found.substr(path("").size()));
    return names;
  }

  VirtualClock clock_{1'000};

 private:
  TemporaryFolder folder_;
  MemoryFileSystem memory_{clock_};
};

INSTANTIATE_TEST_SUITE_P(, AnyFileSystemTest, testing::Values(true, false),
                         [](const auto& info) { return info.param ? "Local" : "Memory"; });

using Names = std::vector<std::string>;

TEST_P(AnyFileSystemTest, ReadsWhatWasWritten) {
  write("a/b/c.txt", "hello");
  write("a/b/c.txt", "hi");  // truncates
  EXPECT_EQ(content("a/b/c.txt"), "hi");
  write("empty", "");
  EXPECT_EQ(content("empty"), "");
}

TEST_P(AnyFileSystemTest, WritesSmallAndLargePiecesInOrder) {
  std::string expected;
  Result<std::unique_ptr<WritableFile>> file = files().create(path("f"));
  ASSERT_TRUE(file.is_ok());
  for (const std::size_t size : {1, 100, 65'535, 65'536, 65'537, 3, 1'000'000, 7}) {
    const std::string piece(size, static_cast<char>('a' + expected.size() % 26));
    ASSERT_TRUE((*file)->append(piece).is_ok());
    expected += piece;
  }
  ASSERT_TRUE((*file)->sync().is_ok());
  EXPECT_EQ(content("f"), expected);  // all of it, before it is closed
  ASSERT_TRUE((*file)->close().is_ok());
  EXPECT_EQ((*file)->append("x").code(), ErrorCode::kInternal);
  EXPECT_EQ(content("f"), expected);
}

TEST_P(AnyFileSystemTest, ReadsAtOffsets) {
  write("f", "0123456789");
  Result<std::unique_ptr<RandomAccessFile>> file = files().open(path("f"));
  ASSERT_TRUE(file.is_ok());
  EXPECT_EQ(*(*file)->size(), 10);
  std::string buffer(4, '.');
  const auto bytes = std::as_writable_bytes(std::span(buffer));
  EXPECT_EQ(*(*file)->read_at(3, bytes), 4);
  EXPECT_EQ(buffer, "3456");
  EXPECT_EQ(*(*file)->read_at(8, bytes), 2);
  EXPECT_EQ(buffer, "8956");
  EXPECT_EQ(*(*file)->read_at(10, bytes), 0);
  EXPECT_EQ(*(*file)->read_at(1'000, bytes), 0);
  EXPECT_EQ((*file)->read_at(-1, bytes).status().code(), ErrorCode::kInvalidArgument);
}

TEST_P(AnyFileSystemTest, AnOpenFileSurvivesItsRemoval) {
  write("f", "still here");
  Result<std::unique_ptr<RandomAccessFile>> file = files().open(path("f"));
  ASSERT_TRUE(files().remove(path("f")).is_ok());
  std::string buffer(10, '.');
  EXPECT_EQ(*(*file)->read_at(0, std::as_writable_bytes(std::span(buffer))), 10);
  EXPECT_EQ(buffer, "still here");
}

TEST_P(AnyFileSystemTest, MissingFilesAreNamed) {
  const Status status = files().open(path("no/such")).status();
  EXPECT_EQ(status.code(), ErrorCode::kFileNotFound);
  EXPECT_EQ(status.message(), "cannot open '" + path("no/such") + "': No such file or directory");
  EXPECT_EQ(files().stat(path("x")).status().code(), ErrorCode::kFileNotFound);
  EXPECT_EQ(files().list(path("x")).status().code(), ErrorCode::kFileNotFound);
  EXPECT_EQ(files().rename(path("x"), path("y")).code(), ErrorCode::kFileNotFound);
  EXPECT_TRUE(files().remove(path("x/y")).is_ok());
  EXPECT_TRUE(files().remove_all(path("x/y")).is_ok());
}

TEST_P(AnyFileSystemTest, FoldersAreNotFiles) {
  ASSERT_TRUE(files().create_directories(path("a/b")).is_ok());
  ASSERT_TRUE(files().create_directories(path("a/b/")).is_ok());
  EXPECT_EQ(files().open(path("a")).status().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(files().create(path("a")).status().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(files().remove(path("a")).code(), ErrorCode::kInvalidArgument);
  write("f", "");
  EXPECT_FALSE(files().create_directories(path("f")).is_ok());
  EXPECT_FALSE(files().create_directories(path("f/g")).is_ok());
  EXPECT_FALSE(files().create(path("f/g")).is_ok());
  EXPECT_FALSE(files().list(path("f")).is_ok());
}

TEST_P(AnyFileSystemTest, StatTellsSizeAndKind) {
  write("d/f", "12345");
  const Result<FileInfo> file = files().stat(path("d/f"));
  ASSERT_TRUE(file.is_ok());
  EXPECT_EQ(file->path, path("d/f"));
  EXPECT_EQ(file->size_bytes, 5);
  EXPECT_FALSE(file->is_directory);
  EXPECT_FALSE(file->is_link);
  EXPECT_GE(file->modified_ms, 1'000);
  EXPECT_TRUE(files().stat(path("d"))->is_directory);
  EXPECT_TRUE(files().stat(path("d/"))->is_directory);
}

TEST_P(AnyFileSystemTest, ListsOneLevelSortedByPath) {
  write("d/b", "");
  write("d/a", "");
  write("d/c/deep", "");
  const Result<std::vector<FileInfo>> infos = files().list(path("d"));
  EXPECT_EQ(paths_of(*infos), (Names{path("d/a"), path("d/b"), path("d/c")}));
  EXPECT_EQ(paths_of(*files().list(path("d/"))), paths_of(*infos));
}

TEST_P(AnyFileSystemTest, RenameReplacesFilesAndMovesFolders) {
  write("a", "new");
  write("b", "old");
  ASSERT_TRUE(files().rename(path("a"), path("b")).is_ok());
  EXPECT_EQ(content("b"), "new");
  EXPECT_FALSE(files().stat(path("a")).is_ok());

  write("d/x/f", "deep");
  ASSERT_TRUE(files().rename(path("d"), path("e")).is_ok());
  EXPECT_EQ(content("e/x/f"), "deep");
  EXPECT_EQ(files().rename(path("e"), path("e/x/e")).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(files().rename(path("b"), path("e")).code(), ErrorCode::kInvalidArgument);
  write("g/f", "");
  EXPECT_EQ(files().rename(path("g"), path("e")).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(files().rename(path("b"), path("none/b")).code(), ErrorCode::kFileNotFound);
  EXPECT_EQ(content("b"), "new");
}

TEST_P(AnyFileSystemTest, RemoveAllTakesTheWholeTree) {
  write("d/a", "");
  write("d/b/c", "");
  ASSERT_TRUE(files().remove_all(path("d")).is_ok());
  EXPECT_FALSE(files().stat(path("d")).is_ok());
}

TEST_P(AnyFileSystemTest, AtomicWritesLeaveNothingElse) {
  ASSERT_TRUE(write_file_atomically(files(), path("d/manifest"), "one").is_ok());
  ASSERT_TRUE(write_file_atomically(files(), path("d/manifest"), "two").is_ok());
  EXPECT_EQ(content("d/manifest"), "two");
  EXPECT_EQ(files().list(path("d"))->size(), 1);
  // The target is in the way: nothing stays behind.
  ASSERT_TRUE(files().create_directories(path("d/folder")).is_ok());
  EXPECT_FALSE(write_file_atomically(files(), path("d/folder"), "x").is_ok());
  EXPECT_EQ(files().list(path("d"))->size(), 2);
}

TEST_P(AnyFileSystemTest, ReadFileRefusesWhatIsTooLong) {
  write("f", "12345");
  EXPECT_EQ(*read_file(files(), path("f"), 5), "12345");
  const Status status = read_file(files(), path("f"), 4).status();
  EXPECT_EQ(status.code(), ErrorCode::kLimitExceeded);
  EXPECT_EQ(status.message(), "'" + path("f") + "' has 5 bytes, more than the limit of 4");
}

TEST_P(AnyFileSystemTest, FindsAFileAndAFolder) {
  write("in/b.json", "");
  write("in/deep/er/a.json", "");
  EXPECT_EQ(found("in/b.json"), (Names{"in/b.json"}));
  EXPECT_EQ(found("in").size(), 2);
  EXPECT_EQ(found("in/"), found("in"));
  ASSERT_TRUE(files().create_directories(path("empty")).is_ok());
  EXPECT_EQ(found("empty"), Names());
}

TEST_P(AnyFileSystemTest, HiddenFilesAreFoundOnlyByName) {
  write("in/a", "");
  write("in/.a.tmp", "");
  write("in/_SUCCESS", "");
  write("in/_work/b", "");
  EXPECT_EQ(found("in"), (Names{"in/a"}));
  EXPECT_EQ(found("in/*"), (Names{"in/a"}));
  EXPECT_EQ(found("in/**"), (Names{"in/a"}));
  EXPECT_EQ(found("in/[._]*"), Names());
  EXPECT_EQ(found("in/.a.tmp"), (Names{"in/.a.tmp"}));
  EXPECT_EQ(found("in/_S*"), (Names{"in/_SUCCESS"}));
  EXPECT_EQ(found("in/_work"), (Names{"in/_work/b"}));
  EXPECT_EQ(found("*/_work/b"), (Names{"in/_work/b"}));
}

TEST_P(AnyFileSystemTest, GlobsMatchWithinAFolder) {
  for (const char* name : {"a1.json", "a2.json", "b1.json", "a1.csv", "a12.json", "d/a9.json"}) {
    write(name, "");
  }
  const auto sorted = [this](const std::string& pattern) {
    Names names = found(pattern);
    std::sort(names.begin(), names.end());
    return names;
  };
  EXPECT_EQ(sorted("a?.json"), (Names{"a1.json", "a2.json"}));
  EXPECT_EQ(sorted("*.json"), (Names{"a1.json", "a12.json", "a2.json", "b1.json"}));
  EXPECT_EQ(sorted("[ab]1.*"), (Names{"a1.csv", "a1.json", "b1.json"}));
  EXPECT_EQ(sorted("[!a]*.json"), (Names{"b1.json"}));
  EXPECT_EQ(sorted("[b-z]*"), (Names{"b1.json", "d/a9.json"}));  // the folder stands for its files
  EXPECT_EQ(sorted("*1*2*"), (Names{"a12.json"}));
  EXPECT_EQ(sorted("*/a9.json"), (Names{"d/a9.json"}));
  EXPECT_EQ(sorted("zzz*"), Names());
  EXPECT_EQ(sorted("*/zzz"), Names());
}

TEST_P(AnyFileSystemTest, TwoStarsCrossFolders) {
  for (const char* name : {"x/1", "x/a/1", "x/a/b/1", "x/a/b/2", "x/c/a/1"}) write(name, "");
  const auto sorted = [this](const std::string& pattern) {
    Names names = found(pattern);
    std::sort(names.begin(), names.end());
    return names;
  };
  EXPECT_EQ(sorted("x/**/1"), (Names{"x/1", "x/a/1", "x/a/b/1", "x/c/a/1"}));
  EXPECT_EQ(sorted("x/**/**/1"), sorted("x/**/1"));
  EXPECT_EQ(sorted("x/**/a/**/1"), (Names{"x/a/1", "x/a/b/1", "x/c/a/1"}));
  EXPECT_EQ(sorted("x/**"), (Names{"x/1", "x/a/1", "x/a/b/1", "x/a/b/2", "x/c/a/1"}));
  EXPECT_EQ(sorted("**/2"), (Names{"x/a/b/2"}));
}

TEST_P(AnyFileSystemTest, WildcardsInNamesCanBeMeant) {
  write("data[1].json", "");
  write("data1.json", "");
  write("star*", "");
  EXPECT_EQ(found("data[1].json"), (Names{"data[1].json"}));  // there is such a file
  EXPECT_EQ(found("data[[]1].json"), (Names{"data[1].json"}));
  EXPECT_EQ(found("d*\\[1].json"), (Names{"data[1].json"}));
  EXPECT_EQ(found("star\\*"), (Names{"star*"}));
  EXPECT_EQ(found("[]"), Names());
  EXPECT_EQ(found("data[1.json"), Names());
}

TEST_P(AnyFileSystemTest, QuestionMarkTakesAWholeCharacter) {
  write("gr\u00fcn", "");
  EXPECT_EQ(found("gr?n"), (Names{"gr\u00fcn"}));
  EXPECT_EQ(found("gr??n"), Names());
}

TEST_P(AnyFileSystemTest, MissingPathsAreErrorsButEmptyGlobsAreNot) {
  EXPECT_EQ(find_files(files(), path("none")).status().code(), ErrorCode::kFileNotFound);
  EXPECT_EQ(find_files(files(), path("none/*.json")).status().code(), ErrorCode::kFileNotFound);
  write("f", "");
  EXPECT_EQ(find_files(files(), path("f/*.json")).status().code(), ErrorCode::kFileNotFound);
}

TEST(MemoryFindFilesTest, SortsByTimeThenPath) {
  VirtualClock clock(1'000);
  MemoryFileSystem files(clock);
  const auto write = [&](const std::string& name) {
    ASSERT_TRUE((*files.create(name))->close().is_ok());
  };
  write("in/c");
  write("in/b");
  clock.advance_to_ms(2'000);
  write("in/a");
  EXPECT_EQ(paths_of(*find_files(files, "in")), (Names{"in/b", "in/c", "in/a"}));
  EXPECT_EQ(paths_of(*find_files(files, "*")), (Names{"in/b", "in/c", "in/a"}));
  EXPECT_EQ(paths_of(*find_files(files, "/in/*")), (Names{"/in/b", "/in/c", "/in/a"}));
  EXPECT_EQ(paths_of(*find_files(files, "./in//[ab]")), (Names{"./in/b", "./in/a"}));
}

class LocalFileSystemTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  FileSystem& files_ = local_file_system();

 private:
  TemporaryFolder folder_;
};

TEST_F(LocalFileSystemTest, LinksAreFollowedOnlyWhereNamed) {
  ASSERT_TRUE(write_file_atomically(files_, path("real/f"), "x").is_ok());
  ASSERT_EQ(::symlink(path("real").c_str(), path("real/loop").c_str()), 0);
  ASSERT_EQ(::symlink(path("real/f").c_str(), path("real/g").c_str()), 0);
  ASSERT_EQ(::symlink("nowhere", path("real/dangling").c_str()), 0);
  ASSERT_EQ(::symlink(path("real").c_str(), path("alias").c_str()), 0);
  EXPECT_EQ(find_files(files_, path("real"))->size(), 2);  // f and g
  EXPECT_EQ(find_files(files_, path("alias"))->size(), 2);
  EXPECT_EQ(find_files(files_, path("ali*"))->size(), 2);
  EXPECT_EQ(find_files(files_, path("**/f"))->size(), 1);
  EXPECT_TRUE(files_.stat(path("alias"))->is_link);
  EXPECT_TRUE(files_.stat(path("alias"))->is_directory);
}

TEST_F(LocalFileSystemTest, PipesAreNotFiles) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(files_.open(path("pipe")).status().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(files_.list(path(""))->size(), 0);
}

TEST_F(LocalFileSystemTest, FullDiskIsSaidByWriteOrClose) {
  Result<std::unique_ptr<WritableFile>> file = files_.create("/dev/full");
  if (!file.is_ok()) GTEST_SKIP() << "no /dev/full here";
  ASSERT_TRUE((*file)->append("small").is_ok());  // waits in the buffer
  const Status status = (*file)->close();
  EXPECT_EQ(status.code(), ErrorCode::kDiskFull);
  EXPECT_EQ(status.message(), "cannot write '/dev/full': No space left on device");

  file = files_.create("/dev/full");
  EXPECT_EQ((*file)->append(std::string(1'000'000, 'x')).code(), ErrorCode::kDiskFull);
  EXPECT_EQ((*file)->append("x").code(), ErrorCode::kDiskFull);  // sticks
  EXPECT_EQ((*file)->sync().code(), ErrorCode::kDiskFull);
}

TEST_F(LocalFileSystemTest, ForbiddenFilesAreNamed) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may do everything";
  ASSERT_TRUE(write_file_atomically(files_, path("f"), "x").is_ok());
  ASSERT_EQ(::chmod(path("f").c_str(), 0), 0);
  EXPECT_EQ(files_.open(path("f")).status().code(), ErrorCode::kFileAccess);
}

TEST_F(LocalFileSystemTest, FoldersThatCannotBeWrittenAreNamed) {
  const Status status = files_.create("/proc/tidegate/f").status();
  EXPECT_FALSE(status.is_ok());
  EXPECT_NE(status.message().find("/proc"), std::string::npos) << status.message();
}

TEST_F(LocalFileSystemTest, SeesAFileGrow) {
  std::ofstream(path("f")) << "one";
  Result<std::unique_ptr<RandomAccessFile>> file = files_.open(path("f"));
  EXPECT_EQ(*(*file)->size(), 3);
  std::ofstream(path("f"), std::ios::app) << "two";
  EXPECT_EQ(*(*file)->size(), 6);
}

}  // namespace
}  // namespace tidegate
