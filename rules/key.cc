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

SecretReading ReadSecretFile(const std::filesystem::path& file) {
  SecretReading reading;
  const auto refuse = [&](const std::string& why, std::string hint = {}) {
    reading.message = file.string() + why;
    reading.hint = std::move(hint);
    return std::move(reading);
  };
  const Descriptor descriptor(file);
  if (descriptor.get() < 0) {
    reading.missing = errno == ENOENT || errno == ENOTDIR;
    return refuse(reading.missing ? " does not exist" : " cannot be opened");
  }
  // Asked of the open file, so that nobody can put another one in its place in between.
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return refuse(" is not a regular file");
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return refuse(" is open to other users", "chmod 600 " + file.string());
  }
  // One block of memory: a string that grows leaves copies behind.
  std::string text(kMaxKeyFile, '\0');
  std::size_t size = 0;
  ssize_t count = 0;
  while (size < text.size()) {
    count = ::read(descriptor.get(), text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
  }
  if (count != 0) {
    Cleanse(text);
    return refuse(count < 0 ? " cannot be read" : " is too long for a key");
  }
  text.resize(size);
  reading.text = std::move(text);
  return reading;
}

KeyReading ReadKeyFile(const std::filesystem::path& file) {
  const std::string kind = "key file ";
  SecretReading reading = ReadSecretFile(file);
  if (!reading.text) {
    return Failure(kind + reading.message,
                   reading.missing ? "dcmveil keygen " + file.string() : reading.hint,
                   reading.missing);
  }
  std::optional<Key> key = ParseKeyText(*reading.text);
  Cleanse(*reading.text);
  if (!key) {
    return Failure(kind + file.string() + " " + std::string(kNoKey), "dcmveil keygen makes one");
  }
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
