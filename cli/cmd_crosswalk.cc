// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "cli/exit_codes.h"
#include "cli/footer.h"
#include "cli/private_key.h"
#include "cli/verbs.h"
#include "pipeline/crosswalk.h"

namespace dcmveil::cli {
namespace fs = std::filesystem;
namespace {

struct Flags {
  PrivateKeyFlags key;
  std::string file;
  std::string output;
  bool spreadsheet = false;
};

/// A field of CSV; for spreadsheets also one that none of them takes for a formula.
std::string Field(std::string_view text, bool spreadsheet) {
  const bool formula =
      spreadsheet && !text.empty() && std::string_view("=+-@\t\r").find(text[0]) != text.npos;
  return pipeline::CsvField(formula ? "'" + std::string(text) : std::string(text));
}

/// A file that gets its name when it is whole.
class Table {
 public:
  explicit Table(fs::path file) : file_(std::move(file)), temporary_(file_) {
    temporary_ += ".partial";
    stream_ = std::fopen(temporary_.c_str(), "wx");
    Put("id_old", "id_new", false);
  }
  ~Table() {
    if (stream_ == nullptr) return;
    std::fclose(stream_);
    ::unlink(temporary_.c_str());
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  void Put(std::string_view before, std::string_view after, bool spreadsheet) {
    if (stream_ == nullptr) return;
    const std::string line = Field(before, spreadsheet) + "," + Field(after, spreadsheet) + "\n";
    std::fwrite(line.data(), 1, line.size(), stream_);
  }
  bool Finish() {
    if (stream_ == nullptr) return false;
    const bool good =
        std::fflush(stream_) == 0 && std::ferror(stream_) == 0 && ::fsync(::fileno(stream_)) == 0;
    return good && std::rename(temporary_.c_str(), file_.c_str()) == 0;
  }

 private:
  fs::path file_;
  fs::path temporary_;
  std::FILE* stream_ = nullptr;
};

int WriteTables(const Flags& flags, const Unlocked& unlocked) {
  const fs::path folder(flags.output);
  const std::array<fs::path, 2> files = {folder / "patid_mapping.csv", folder / "uid_mapping.csv"};
  std::error_code error;
  for (const fs::path& file : files) {
    if (!fs::exists(file, error)) continue;
    std::fprintf(stderr, "dcmveil: %s exists already and is not overwritten\n", file.c_str());
    return kUsage;
  }
  // Made for the first row only, so that a wrong key leaves nothing behind.
  std::unique_ptr<Table> patients;
  std::unique_ptr<Table> uids;
  const auto make = [&] {
    if (patients) return;
    fs::create_directories(folder, error);
    patients = std::make_unique<Table>(files[0]);
    uids = std::make_unique<Table>(files[1]);
  };
  std::string problem;
  const bool read = pipeline::ReadCrosswalk(
      flags.file, unlocked.key, unlocked.certificate_or_null(),
      [&](const pipeline::CrosswalkRow& row) {
        make();
        Table& table = row.kind == "patient" ? *patients : *uids;
        table.Put(row.before, row.after, flags.spreadsheet);
      },
      problem);
  if (!read) {
    std::fprintf(stderr, "dcmveil: %s\n", problem.c_str());
    return kCouldNotGoOn;
  }
  make();
  if (patients->Finish() && uids->Finish()) return kAllWell;
  std::fprintf(stderr, "dcmveil: the tables in %s cannot be written\n", flags.output.c_str());
  return kCouldNotGoOn;
}

int PrintRows(const Flags& flags, const Unlocked& unlocked) {
  bool begun = false;
  const auto print = [&](const pipeline::CrosswalkRow& row) {
    const std::string line = row.kind + "," + Field(row.before, flags.spreadsheet) + "," +
                             Field(row.after, flags.spreadsheet) + "," +
                             Field(row.issuer, flags.spreadsheet) + "\n";
    std::fwrite(line.data(), 1, line.size(), stdout);
    begun = true;
  };
  std::string problem;
  const bool read = pipeline::ReadCrosswalk(
      flags.file, unlocked.key, unlocked.certificate_or_null(),
      [&](const pipeline::CrosswalkRow& row) {
        if (!begun) print({"kind", "id_old", "id_new", "issuer"});
        print(row);
      },
      problem);
  if (read && std::fflush(stdout) == 0) return kAllWell;
  std::fprintf(stderr, "dcmveil: %s\n",
               read ? "standard output cannot be written" : problem.c_str());
  return kCouldNotGoOn;
}

int OpenCrosswalk(const Flags& flags) {
  const std::optional<Unlocked> unlocked = Unlock(flags.key);
  if (!unlocked) return kUsage;
  // What comes out identifies people.
  ::umask(S_IRWXG | S_IRWXO);
  return flags.output.empty() ? PrintRows(flags, *unlocked) : WriteTables(flags, *unlocked);
}

}  // namespace

Verb AddCrosswalk(CLI::App& command) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* app =
      command.add_subcommand("crosswalk", "Work with the file that `run --crosswalk` wrote");
  app->require_subcommand(1);
  SetFooter(*app,
            {"dcmveil crosswalk open crosswalk.cms --key private.pem",
             "dcmveil crosswalk open crosswalk.cms --key private.pem -o tables/"},
            kExitCodesHelp);
  CLI::App* open = app->add_subcommand(
      "open", "Decrypt it: print it as CSV, or write patid_mapping.csv and uid_mapping.csv");
  open->add_option("FILE", flags->file, "The crosswalk")->required();
  AddPrivateKeyFlags(*open, flags->key);
  open->add_option("-o,--output", flags->output,
                   "Folder for patid_mapping.csv and uid_mapping.csv, which must not exist")
      ->type_name("FOLDER");
  open->add_flag("--spreadsheet", flags->spreadsheet,
                 "Put ' in front of what a spreadsheet would take for a formula");
  open->footer(kExitCodesHelp);
  return {app, [flags] { return OpenCrosswalk(*flags); }};
}

}  // namespace dcmveil::cli
