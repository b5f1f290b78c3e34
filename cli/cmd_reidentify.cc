// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "cli/exit_codes.h"
#include "cli/footer.h"
#include "cli/private_key.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "engine/escrow.h"
#include "pipeline/folder_sink.h"
#include "pipeline/folder_source.h"
#include "pipeline/paths.h"

namespace dcmveil::cli {
namespace fs = std::filesystem;
namespace {

struct Flags {
  PrivateKeyFlags key;
  std::string input;
  std::string output;
};

/// Restores one instance under its own name. The output folder is made for the first one only, so
/// that a wrong key leaves nothing behind.
class Restorer {
 public:
  Restorer(const Unlocked& unlocked, const fs::path& output)
      : unlocked_(unlocked), sink_(output, "reidentify-" + std::to_string(::getpid())) {}
  ~Restorer() {
    if (open_) sink_.Close();
  }
  Restorer(const Restorer&) = delete;
  Restorer& operator=(const Restorer&) = delete;

  Status Restore(const pipeline::Input& input) {
    if (input.problem) return *input.problem;
    const Result<EncodedInstance> encoded =
        engine::ReidentifyFile(input.file, unlocked_.key, unlocked_.certificate_or_null());
    if (!encoded) return encoded.error();
    if (!open_) {
      const Status status = sink_.Open();
      if (!status) return status;
      open_ = true;
    }
    const Result<pipeline::FolderSink::Temporary> temporary = sink_.WriteTemporary(*encoded);
    if (!temporary) return temporary.error();
    const Result<pipeline::FolderSink::Commit> commit = sink_.Rename(temporary->file, input.name);
    if (commit && *commit == pipeline::FolderSink::Commit::kDone) return Done{};
    ::unlink(temporary->file.c_str());
    if (!commit) return commit.error();
    if (encoded->SameAs(sink_.PathOf(input.name))) return Done{};
    return ErrorCode::kOutputExists;
  }

 private:
  const Unlocked& unlocked_;
  pipeline::FolderSink sink_;
  bool open_ = false;
};

int Reidentify(const Flags& flags) {
  const auto usage = [](const std::string& message) {
    std::fprintf(stderr, "dcmveil: %s\n", message.c_str());
    return kUsage;
  };
  const std::optional<Unlocked> unlocked = Unlock(flags.key);
  if (!unlocked) return kUsage;
  std::error_code error;
  const fs::path input = fs::canonical(flags.input, error);
  if (error) return usage("the input " + flags.input + " does not exist");
  const std::optional<fs::path> whole = pipeline::WholePath(flags.output);
  if (!whole || (fs::exists(*whole) && !fs::is_directory(*whole))) {
    return usage("the output " + flags.output + " is not a folder");
  }
  const fs::path& output = *whole;
  if (fs::is_directory(input) &&
      (pipeline::IsWithin(output, input) || pipeline::IsWithin(input, output))) {
    return usage("input and output lie inside each other");
  }
  if (output == input.parent_path()) return usage("the output is the folder of the input");

  // What comes out identifies people.
  ::umask(S_IRWXG | S_IRWXO);
  std::size_t restored = 0;
  std::size_t left = 0;
  pipeline::FolderSource source(input);
  Restorer restorer(*unlocked, output);
  while (const std::optional<pipeline::Input> one = source.Next()) {
    const Status status = restorer.Restore(*one);
    if (status) {
      ++restored;
      continue;
    }
    ++left;
    std::fprintf(stderr, "dcmveil: %s: %s\n", one->name.c_str(), status.error().Message().c_str());
  }
  std::printf("%s re-identified, %s not\n", WithCommas(restored).c_str(), WithCommas(left).c_str());
  if (left == 0) return kAllWell;
  return restored > 0 ? kSomeLeft : kCouldNotGoOn;
}

}  // namespace

Verb AddReidentify(CLI::App& command) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* app = command.add_subcommand(
      "reidentify", "Put back the originals that `escrow` of the rules put aside (identifies!)");
  AddPrivateKeyFlags(*app, flags->key);
  app->add_option("-i,--input", flags->input, "De-identified file or folder, never changed")
      ->required()
      ->type_name("SOURCE");
  app->add_option("-o,--output", flags->output, "Folder to write to, under the input's names")
      ->required()
      ->type_name("FOLDER");
  SetFooter(*app, {"dcmveil reidentify --key private.pem -i export/ -o originals/"},
            kExitCodesHelp);
  return {app, [flags] { return Reidentify(*flags); }};
}

}  // namespace dcmveil::cli
