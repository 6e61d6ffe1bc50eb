// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "base/file_system.h"

namespace tidegate {
namespace {

constexpr std::string_view kAnyFolders = "**";

bool is_hidden(std::string_view name) { return name.starts_with('.') || name.starts_with('_'); }

bool has_wildcard(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == '*' || pattern[i] == '?' || pattern[i] == '[') {
      return true;
    }
  }
  return false;
}

std::string without_escapes(std::string_view pattern) {
  std::string literal;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    literal += pattern[i];
  }
  return literal;
}

// The bytes of the UTF-8 character at the front; 1 where the text is not UTF-8.
std::size_t character_size(std::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) ++size;
  return size;
}

// Matches a character against the set behind '['. Moves `pattern` past the ']'; an unclosed '[' is
// a character like others.
bool matches_set(std::string_view& pattern, char c) {
  std::string_view rest = pattern.substr(1);
  const bool negated = rest.starts_with('!') || rest.starts_with('^');
  if (negated) rest.remove_prefix(1);
  bool found = false;
  // A ']' in front is a member of the set.
  for (bool first = true; !rest.empty() && (first || rest[0] != ']'); first = false) {
    if (rest.size() > 2 && rest[1] == '-' && rest[2] != ']') {
      found |= rest[0] <= c && c <= rest[2];
      rest.remove_prefix(3);
    } else {
      found |= rest[0] == c;
      rest.remove_prefix(1);
    }
  }
  if (rest.empty()) {
    pattern.remove_prefix(1);
    return c == '[';
  }
  pattern = rest.substr(1);
  return found != negated;
}

// Matches one character of `name` against the front of `pattern`, and moves both on.
bool matches_one(std::string_view& pattern, std::string_view& name) {
  if (pattern[0] == '?') {
    pattern.remove_prefix(1);
    name.remove_prefix(character_size(name));
    return true;
  }
  const char c = name[0];
  name.remove_prefix(1);
  if (pattern[0] == '[') return matches_set(pattern, c);
  if (pattern[0] == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
  const bool same = pattern[0] == c;
  pattern.remove_prefix(1);
  return same;
}

// One path component. On a mismatch only the last '*' takes one more character: earlier ones need
// no second try, so the cost is at most quadratic.
bool matches(std::string_view pattern, std::string_view name) {
  if (is_hidden(name) && !pattern.starts_with(name[0])) return false;
  std::string_view star_pattern;
  std::string_view star_name;
  bool has_star = false;
  while (!name.empty()) {
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      has_star = true;
      star_pattern = pattern;
      star_name = name;
      continue;
    }
    if (!pattern.empty() && matches_one(pattern, name)) continue;
    if (!has_star) return false;
    star_name.remove_prefix(character_size(star_name));
    pattern = star_pattern;
    name = star_name;
  }
  return pattern.find_first_not_of('*') == std::string_view::npos;
}

// "/a//b*/c" -> "", "a", "b*", "c"; several "**" in a row are one.
std::vector<std::string_view> components_of(std::string_view pattern) {
  std::vector<std::string_view> components;
  for (bool first = true; first || !pattern.empty(); first = false) {
    const std::size_t end = std::min(pattern.find('/'), pattern.size());
    const std::string_view component = pattern.substr(0, end);
    const bool repeated =
        component == kAnyFolders && !components.empty() && components.back() == kAnyFolders;
    if ((first || !component.empty()) && !repeated) components.push_back(component);
    pattern.remove_prefix(std::min(end + 1, pattern.size()));
  }
  return components;
}

// Collects what a pattern names. Prefixes are paths of folders that are empty (the working folder)
// or end with '/'.
class Search {
 public:
  explicit Search(FileSystem& files) : files_(files) {}

  // Everything below a folder.
  Status walk(const std::string& prefix) {
    return for_each_entry(prefix, [this](FileInfo& entry, std::string_view name) {
      if (is_hidden(name)) return Status::ok();
      if (!entry.is_directory) return add(std::move(entry));
      return entry.is_link ? Status::ok() : walk(entry.path + "/");
    });
  }

  // What matches `components` below a folder.
  Status expand(const std::string& prefix, std::span<const std::string_view> components) {
    const std::string_view component = components.front();
    const std::span<const std::string_view> rest = components.subspan(1);
    if (component == kAnyFolders) return expand_any_folders(prefix, components);
    if (!has_wildcard(component)) {
      const std::string path = prefix + without_escapes(component);
      Result<FileInfo> entry = files_.stat(path);
      if (!entry.is_ok()) return ignore_vanished(entry.status());
      return take(*std::move(entry), rest);
    }
    return for_each_entry(prefix, [&](FileInfo& entry, std::string_view name) {
      return matches(component, name) ? take(std::move(entry), rest) : Status::ok();
    });
  }

  // Sorted by (modification time, path), each file once.
  std::vector<FileInfo> take_found() && {
    const auto order = [](const FileInfo& info) { return std::tie(info.modified_ms, info.path); };
    std::sort(found_.begin(), found_.end(),
              [&](const FileInfo& a, const FileInfo& b) { return order(a) < order(b); });
    const auto end =
        std::unique(found_.begin(), found_.end(),
                    [](const FileInfo& a, const FileInfo& b) { return a.path == b.path; });
    found_.erase(end, found_.end());
    return std::move(found_);
  }

  Status add(FileInfo info) {
    found_.push_back(std::move(info));
    return Status::ok();
  }

 private:
  // "**" stands for no folder at all, or for any folder and then "**" again.
  Status expand_any_folders(const std::string& prefix,
                            std::span<const std::string_view> components) {
    const std::span<const std::string_view> rest = components.subspan(1);
    if (rest.empty()) return walk(prefix);
    TG_RETURN_IF_ERROR(expand(prefix, rest));
    return for_each_entry(prefix, [&](FileInfo& entry, std::string_view name) {
      if (!entry.is_directory || entry.is_link || is_hidden(name)) return Status::ok();
      return expand_any_folders(entry.path + "/", components);
    });
  }

  Status take(FileInfo entry, std::span<const std::string_view> rest) {
    if (!rest.empty()) return entry.is_directory ? expand(entry.path + "/", rest) : Status::ok();
    return entry.is_directory ? walk(entry.path + "/") : add(std::move(entry));
  }

  // Calls visit(entry, name) with paths that start with `prefix`.
  template <typename Visit>
  Status for_each_entry(const std::string& prefix, Visit visit) {
    Result<std::vector<FileInfo>> entries = files_.list(prefix.empty() ? "." : prefix);
    if (!entries.is_ok()) return ignore_vanished(entries.status());
    for (FileInfo& entry : *entries) {
      const std::string name = entry.path.substr(entry.path.rfind('/') + 1);
      entry.path = prefix + name;
      TG_RETURN_IF_ERROR(visit(entry, name));
    }
    return Status::ok();
  }

  // Files may go while we look.
  static Status ignore_vanished(Status status) {
    return status.code() == ErrorCode::kFileNotFound ? Status::ok() : status;
  }

  FileSystem& files_;
  std::vector<FileInfo> found_;
};

std::string prefix_of(std::string path) {
  if (!path.empty() && !path.ends_with('/')) path += '/';
  return path;
}

// The folder in front of the first wildcard, which has to be there, and the search below it.
Status expand_glob(FileSystem& files, const std::string& pattern, Search& search) {
  const std::vector<std::string_view> components = components_of(pattern);
  std::size_t literal = 0;
  std::string prefix = pattern.starts_with('/') ? "/" : "";
  while (literal < components.size() && !has_wildcard(components[literal])) {
    if (!components[literal].empty()) prefix += without_escapes(components[literal]) + "/";
    ++literal;
  }
  if (!prefix.empty()) {
    TG_ASSIGN_OR_RETURN(const FileInfo folder, files.stat(prefix));
    if (!folder.is_directory) {
      return error(ErrorCode::kFileNotFound, "cannot look for '{}': '{}' is not a folder", pattern,
                   prefix);
    }
  }
  return search.expand(prefix, std::span(components).subspan(literal));
}

}  // namespace

Result<std::vector<FileInfo>> find_files(FileSystem& files, const std::string& pattern) {
  Search search(files);
  // A file may well have a '[' in its name: what is there under exactly this name comes first.
  Result<FileInfo> named = files.stat(has_wildcard(pattern) ? pattern : without_escapes(pattern));
  if (named.is_ok()) {
    TG_RETURN_IF_ERROR(named->is_directory ? search.walk(prefix_of(named->path))
                                           : search.add(*std::move(named)));
  } else if (has_wildcard(pattern) && named.status().code() == ErrorCode::kFileNotFound) {
    TG_RETURN_IF_ERROR(expand_glob(files, pattern, search));
  } else {
    return std::move(named).status();
  }
  return std::move(search).take_found();
}

}  // namespace tidegate
