// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "cli/exit_codes.h"
#include "cli/footer.h"
#include "cli/verbs.h"
#include "engine/crypto.h"

namespace dcmveil::cli {
namespace {

int Keygen(const std::string& file) {
  const std::optional<Key> key = GenerateKey();
  std::optional<std::string> text = key ? FormatKeyFile(*key) : std::nullopt;
  if (!text) {
    std::fprintf(stderr, "dcmveil: the system gave no random bytes\n");
    return kCouldNotGoOn;
  }
  // Losing a key means losing the link to everything that was made with it.
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    const bool exists = errno == EEXIST;
    std::fprintf(stderr, "dcmveil: %s: %s\n", file.c_str(),
                 exists ? "exists already and is not overwritten" : std::strerror(errno));
    Cleanse(*text);
    return exists ? kUsage : kCouldNotGoOn;
  }
  const bool written =
      ::write(fd, text->data(), text->size()) == static_cast<ssize_t>(text->size()) &&
      ::fsync(fd) == 0;
  const bool closed = ::close(fd) == 0;
  Cleanse(*text);
  if (!written || !closed) {
    std::fprintf(stderr, "dcmveil: %s cannot be written\n", file.c_str());
    ::unlink(file.c_str());
    return kCouldNotGoOn;
  }
  std::printf(
      "%s: key %s\n"
      "Keep it apart from the output, and keep a copy: the same key gives the same pseudonyms, "
      "UIDs and dates again,\nand whoever has it can test guesses about them.\n",
      file.c_str(), key->id().c_str());
  return kAllWell;
}

}  // namespace

Verb AddKeygen(CLI::App& command) {
  const auto file = std::make_shared<std::string>();
  CLI::App* app = command.add_subcommand("keygen", "Make a new 256-bit key file, mode 0600");
  app->add_option("FILE", *file, "File to make; an existing one is never overwritten")->required();
  SetFooter(*app, {"dcmveil keygen project.key"}, kExitCodesHelp);
  return {app, [file] { return Keygen(*file); }};
}

}  // namespace dcmveil::cli
