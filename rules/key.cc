// SPDX-License-Identifier: Apache-2.0
#include "rules/key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace dcmveil::rules {
namespace {

constexpr std::size_t kMaxKeyFile = std::size_t{64} * 1024;
constexpr std::string_view kNoKey = "does not hold one key of 64 hexadecimal digits";

class Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& file)
      : descriptor_(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

KeyReading Failure(std::string message, std::string hint = {}, bool missing = false) {
  return {std::nullopt, missing, std::move(message), std::move(hint)};
}

}  // namespace

KeyReading ReadKeyFile(const std::filesystem::path& file) {
  const std::string name = "key file " + file.string();
  const Descriptor descriptor(file);
  if (descriptor.get() < 0) {
    const bool missing = errno == ENOENT || errno == ENOTDIR;
    return Failure(name + (missing ? " does not exist" : " cannot be opened"),
                   missing ? "dcmveil keygen " + file.string() : std::string(), missing);
  }
  // Asked of the open file, so that nobody can put another one in its place in between.
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return Failure(name + " is not a regular file");
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Failure(name + " is open to other users", "chmod 600 " + file.string());
  }
  std::string text;
  std::string buffer(4096, '\0');
  ssize_t count = 0;
  while (text.size() <= kMaxKeyFile) {
    count = ::read(descriptor.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  std::optional<Key> key;
  if (count == 0) key = ParseKeyText(text);
  Cleanse(text);
  Cleanse(buffer);
  if (count < 0) return Failure(name + " cannot be read");
  if (!key) return Failure(name + " " + std::string(kNoKey), "dcmveil keygen makes one");
  return {std::move(key), false, {}, {}};
}

KeyReading ReadKeyVariable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') {
    return Failure("environment variable " + name + " is not set", {}, true);
  }
  std::optional<Key> key = ParseKeyText(value);
  if (!key) return Failure("environment variable " + name + " " + std::string(kNoKey));
  return {std::move(key), false, {}, {}};
}

}  // namespace dcmveil::rules
