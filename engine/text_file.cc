// SPDX-License-Identifier: Apache-2.0
#include "engine/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace dcmveil::engine {

std::optional<std::string> ReadTextFile(const std::filesystem::path& file, std::size_t longest,
                                        FileKind kind) {
  const bool pipes = kind == FileKind::kRegularOrPipe;
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | (pipes ? 0 : O_NONBLOCK));
  if (fd < 0) return std::nullopt;
  std::optional<std::string> text;
  struct stat info {};
  // Asked of the open file, so that nobody can put another one in its place in between.
  if (::fstat(fd, &info) == 0 && (S_ISREG(info.st_mode) || (pipes && S_ISFIFO(info.st_mode)))) {
    text.emplace();
  }
  std::string buffer(65536, '\0');
  while (text) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) break;
    if (n < 0 || text->size() + static_cast<std::size_t>(n) > longest) {
      text.reset();
    } else {
      text->append(buffer.data(), static_cast<std::size_t>(n));
    }
  }
  ::close(fd);
  return text;
}

}  // namespace dcmveil::engine
