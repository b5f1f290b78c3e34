// SPDX-License-Identifier: Apache-2.0
#include "pipeline/crosswalk.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "engine/crypto.h"

namespace dcmveil::pipeline {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kHeader = "kind,id_old,id_new,issuer\n";
constexpr std::size_t kBuffer = std::size_t{64} * 1024;
/// CMS readers, OpenSSL's too, hold a whole file in memory, and none beyond 2 GB.
constexpr std::uint64_t kLongestPart = std::uint64_t{256} << 20U;

/// FILE, FILE.2, FILE.3 for 1, 2, 3.
fs::path PartName(const fs::path& file, std::size_t part) {
  fs::path name = file;
  if (part > 1) name += "." + std::to_string(part);
  return name;
}

fs::path Unfinished(const fs::path& file) {
  fs::path name = file;
  name += ".partial";
  return name;
}

fs::path Previous(const fs::path& file) {
  fs::path name = file;
  name += ".previous";
  return name;
}

/// How every crosswalk begins: CMS EnvelopedData (RFC 5652 sections 3 and 6.1) in BER of lengths
/// that are told at the end, up to its version. Most other CMS files tell them at once.
constexpr std::string_view kBeginning(
    "\x30\x80\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x03\xA0\x80\x30\x80\x02\x01", 19);

enum class Standing { kNothing, kCrosswalk, kOther };

/// What has the name. An empty file, as a killed run may leave one, is nobody's loss.
Standing WhatIs(const fs::path& name) {
  std::error_code error;
  const fs::file_type type = fs::symlink_status(name, error).type();
  if (type == fs::file_type::not_found) return Standing::kNothing;
  std::ifstream stream;
  if (type == fs::file_type::regular) stream.open(name, std::ios::binary);
  if (!stream.is_open()) return Standing::kOther;
  std::string beginning(kBeginning.size(), '\0');
  stream.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
  const bool is_empty = stream.gcount() == 0 && !stream.bad();
  return is_empty || beginning == kBeginning ? Standing::kCrosswalk : Standing::kOther;
}

/// A name that the crosswalk needs and something else has; empty: none. Such a file may be all that
/// there is of a key.
fs::path FindOther(const fs::path& file) {
  bool found = true;
  for (std::size_t part = 1; found; ++part) {
    const fs::path name = PartName(file, part);
    found = false;
    for (const fs::path& needed : {name, Previous(name), Unfinished(name)}) {
      const Standing standing = WhatIs(needed);
      if (standing == Standing::kOther) return needed;
      found = found || standing == Standing::kCrosswalk;
    }
  }
  return {};
}

std::string Line(const CrosswalkRow& row) {
  return row.kind + "," + CsvField(row.before) + "," + CsvField(row.after) + "," +
         CsvField(row.issuer) + "\n";
}

/// CSV that comes in pieces.
class CsvRows {
 public:
  explicit CsvRows(const std::function<void(const CrosswalkRow&)>& on_row) : on_row_(on_row) {}

  /// False if the text does not begin as a crosswalk does, or a line has not four fields.
  bool Take(std::string_view piece) {
    for (const char c : piece) {
      if (!TakeOne(c)) return false;
    }
    return true;
  }
  [[nodiscard]] bool complete() const { return begun_ && fields_.empty() && field_.empty(); }

 private:
  bool TakeOne(char c) {
    if (!begun_) {
      if (c != kHeader[header_]) return false;
      begun_ = ++header_ == kHeader.size();
      return true;
    }
    if (c == '"') {
      // A second quote inside quotes stands for itself.
      if (!quoted_ && was_quoted_) field_.push_back('"');
      quoted_ = !quoted_;
      was_quoted_ = !quoted_;
      return true;
    }
    was_quoted_ = false;
    if (quoted_ || (c != ',' && c != '\n')) {
      field_.push_back(c);
      return true;
    }
    fields_.push_back(std::exchange(field_, {}));
    if (c == ',') return true;
    if (fields_.size() != 4) return false;
    on_row_({std::move(fields_[0]), std::move(fields_[1]), std::move(fields_[2]),
             std::move(fields_[3])});
    fields_.clear();
    return true;
  }

  const std::function<void(const CrosswalkRow&)>& on_row_;
  std::size_t header_ = 0;
  bool begun_ = false;
  bool quoted_ = false;
  bool was_quoted_ = false;
  std::string field_;
  std::vector<std::string> fields_;
};

std::optional<std::string> ReadWhole(const fs::path& file) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  std::ifstream stream(file, std::ios::binary);
  if (error || !stream) return std::nullopt;
  std::string bytes(size, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(size));
  if (static_cast<std::uintmax_t>(stream.gcount()) != size) return std::nullopt;
  return bytes;
}

}  // namespace

std::string CsvField(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string field = "\"";
  for (const char c : text) {
    if (c == '"') field.push_back('"');
    field.push_back(c);
  }
  return field + "\"";
}

CrosswalkEntry::CrosswalkEntry(const Deidentified& instance)
    : before(instance.originals),
      after{.patient_id = instance.patient_id,
            .issuer_of_patient_id = {},
            .study_instance_uid = instance.study_instance_uid,
            .series_instance_uid = instance.series_instance_uid,
            .sop_instance_uid = instance.sop_instance_uid} {}

Crosswalk::Crosswalk(fs::path file, std::vector<cms::Certificate> recipients)
    : file_(std::move(file)), recipients_(std::move(recipients)), longest_part_(kLongestPart) {
  buffer_.reserve(2 * kBuffer);
}

std::unique_ptr<Crosswalk> Crosswalk::To(const fs::path& file,
                                         const std::vector<fs::path>& recipients, bool dry_run,
                                         std::string& problem) {
  std::vector<cms::Certificate> certificates;
  for (const fs::path& recipient : recipients) {
    cms::CertificateReading reading = cms::ReadCertificateFile(recipient);
    if (!reading.certificate) {
      problem = "crosswalk: " + recipient.string() + " " + reading.problem;
      return nullptr;
    }
    certificates.push_back(std::move(*reading.certificate));
  }
  if (certificates.empty()) {
    problem = "crosswalk: no certificate says who may open it";
    return nullptr;
  }
  if (const fs::path other = FindOther(file); !other.empty()) {
    problem = other.string() + " is no crosswalk, and is not overwritten";
    return nullptr;
  }
  if (dry_run) return nullptr;
  std::unique_ptr<Crosswalk> crosswalk(new Crosswalk(file, std::move(certificates)));
  if (crosswalk->BeginPart()) return crosswalk;
  problem = "the crosswalk " + file.string() + " cannot be written";
  return nullptr;
}

Crosswalk::~Crosswalk() {
  writer_.reset();
  if (descriptor_ >= 0) ::close(descriptor_);
  for (std::size_t part = 1; part <= parts_; ++part) {
    ::unlink(Unfinished(PartName(file_, part)).c_str());
  }
  Cleanse(buffer_);
}

bool Crosswalk::BeginPart() {
  const fs::path name = Unfinished(PartName(file_, parts_ + 1));
  if (WhatIs(name) == Standing::kOther) return false;
  // What a killed run left; its mode and owner may be anything.
  ::unlink(name.c_str());
  descriptor_ = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor_ < 0) return false;
  ++parts_;
  writer_ = cms::Writer::To(descriptor_, recipients_);
  buffer_ = kHeader;
  in_part_ = kHeader.size();
  return writer_ != nullptr;
}

bool Crosswalk::Flush() {
  const bool written = writer_ != nullptr && writer_->Write(buffer_);
  Cleanse(buffer_);
  return written;
}

bool Crosswalk::EndPart() {
  bool ended = Flush() && writer_->Finish();
  writer_.reset();
  ended = ended && ::fsync(descriptor_) == 0;
  ended = ::close(std::exchange(descriptor_, -1)) == 0 && ended;
  return ended;
}

bool Crosswalk::IsNew(const CrosswalkRow& row) {
  const Digest digest = Sha256(Line(row));
  std::array<std::uint64_t, 2> brief{};
  std::memcpy(brief.data(), digest.view().data(), sizeof brief);
  return seen_.insert(brief).second;
}

bool Crosswalk::Put(const CrosswalkRow& row) {
  if (descriptor_ < 0) return false;
  const std::string line = Line(row);
  buffer_ += line;
  in_part_ += line.size();
  return buffer_.size() < kBuffer || Flush();
}

bool Crosswalk::Add(const CrosswalkEntry& entry) {
  const InstanceIds& before = entry.before;
  const InstanceIds& after = entry.after;
  if (in_part_ >= longest_part_ && !(EndPart() && BeginPart())) return false;
  for (const CrosswalkRow& row :
       {CrosswalkRow{"patient", before.patient_id, after.patient_id, before.issuer_of_patient_id},
        CrosswalkRow{"study", before.study_instance_uid, after.study_instance_uid, {}},
        CrosswalkRow{"series", before.series_instance_uid, after.series_instance_uid, {}}}) {
    if (row.before.empty() || !IsNew(row)) continue;
    if (!Put(row)) return false;
  }
  return Put({"instance", before.sop_instance_uid, after.sop_instance_uid, {}});
}

bool Crosswalk::Finish() {
  if (!EndPart() || !FindOther(file_).empty()) return false;
  std::error_code error;
  const auto keep = [&error](const fs::path& name) {
    if (WhatIs(name) == Standing::kNothing) return false;
    fs::rename(name, Previous(name), error);
    return !error;
  };
  std::size_t part = 1;
  for (; part <= parts_ && !error; ++part) {
    const fs::path name = PartName(file_, part);
    (void)keep(name);
    if (!error) fs::rename(Unfinished(name), name, error);
  }
  // An earlier run may have had more files; they would be read as if they belonged to this one.
  while (!error && keep(PartName(file_, part))) ++part;
  if (error) return false;
  parts_ = 0;
  return true;
}

bool ReadCrosswalk(const fs::path& file, const cms::PrivateKey& key,
                   const cms::Certificate* certificate,
                   const std::function<void(const CrosswalkRow&)>& on_row, std::string& problem) {
  std::error_code error;
  for (std::size_t part = 1; part == 1 || fs::exists(PartName(file, part), error); ++part) {
    const fs::path name = PartName(file, part);
    const std::optional<std::string> bytes = ReadWhole(name);
    if (!bytes) {
      problem = name.string() + " cannot be read";
      return false;
    }
    CsvRows rows(on_row);
    const bool opened = cms::OpenTo(*bytes, key, certificate,
                                    [&rows](std::string_view piece) { return rows.Take(piece); });
    if (!opened || !rows.complete()) {
      problem = name.string() + " is no whole crosswalk, or is not encrypted to this key";
      return false;
    }
  }
  return true;
}

}  // namespace dcmveil::pipeline
