// SPDX-License-Identifier: Apache-2.0
//
// write_manual FOLDER: writes man/man1/*.1 and completion/{dcmveil,_dcmveil} (bash, zsh) into it.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "cli/command_line.h"
#include "cli/manual/write.h"

namespace {

namespace fs = std::filesystem;

void WriteFile(const fs::path& file, const std::string& text) {
  std::ofstream stream(file, std::ios::binary);
  stream << text;
  stream.close();
  if (!stream) throw fs::filesystem_error("cannot be written", file, std::error_code());
}

void WriteAll(const fs::path& folder) {
  namespace cli = dcmveil::cli;
  const cli::CommandLine line = cli::MakeCommandLine();
  const cli::VerbText command = cli::Describe(*line.app);
  const fs::path pages = folder / "man" / "man1";
  const fs::path completion = folder / "completion";
  fs::remove_all(pages);  // a verb may be gone
  fs::create_directories(pages);
  fs::create_directories(completion);
  WriteFile(pages / "dcmveil.1", cli::ManPage(command, command));
  for (const cli::VerbText& verb : command.verbs) {
    WriteFile(pages / (verb.Name("-") + ".1"), cli::ManPage(command, verb));
  }
  WriteFile(completion / "dcmveil", cli::BashCompletion(command));
  WriteFile(completion / "_dcmveil", cli::ZshCompletion(command));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: write_manual FOLDER\n");
    return 2;
  }
  try {
    WriteAll(argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "write_manual: %s\n", error.what());
    return 1;
  }
}
