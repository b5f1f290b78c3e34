// SPDX-License-Identifier: Apache-2.0
//
// make_samples OUTDIR [--patients N] [--slices N]
//
// Writes small DICOM files about made-up patients, as a PACS export would hold them, and
// identifiers.txt, which lists every identifier planted in them. The same bytes come out on each
// run: dates and UIDs are fixed. Ordinary files are made with DCMTK; those that are wrong or odd
// on purpose are put together byte by byte (RawWriter), since DCMTK would mend them.
//
// Adding a kind: one function `void MakeKind(Output& out)` and one call in MakeAll.

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmimage/diregist.h>  // lets the JPEG encoder take colour
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/dcmjpeg/djrploss.h>
#include <iconv.h>

#include <charconv>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRoot = "1.2.826.0.1.3680043.10.999.";  // made-up; not ours
constexpr const char* kImplementationUid = "1.2.826.0.1.3680043.10.999.0.1";
constexpr const char* kExplicit = "1.2.840.10008.1.2.1";

void Check(bool ok, const std::string& what) {
  if (!ok) throw std::runtime_error(what);
}

void Check(const OFCondition& condition, const std::string& what) {
  if (condition.bad()) throw std::runtime_error(what + ": " + condition.text());
}

std::string Uid(std::string_view suffix) { return std::string(kRoot) + std::string(suffix); }

std::string Number(int value) { return std::to_string(value); }

/// "0007" for (7, 4).
std::string Padded(int value, std::size_t width) {
  std::string digits = std::to_string(value);
  return digits.size() < width ? std::string(width - digits.size(), '0') + digits : digits;
}

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

// ------------------------------------------------------------------------- character sets

std::string Convert(const std::string& utf8, const char* encoding) {
  const iconv_t converter = iconv_open(encoding, "UTF-8");
  Check(converter != reinterpret_cast<iconv_t>(-1), std::string("no converter for ") + encoding);
  std::string in = utf8;
  std::string out(utf8.size() * 4 + 16, '\0');
  char* from = in.data();
  char* to = out.data();
  std::size_t in_left = in.size();
  std::size_t out_left = out.size();
  std::size_t done = iconv(converter, &from, &in_left, &to, &out_left);
  if (done != static_cast<std::size_t>(-1)) {
    done = iconv(converter, nullptr, nullptr, &to, &out_left);  // back to the initial state
  }
  iconv_close(converter);
  Check(done != static_cast<std::size_t>(-1), utf8 + " cannot be written in " + encoding);
  out.resize(out.size() - out_left);
  return out;
}

bool IsAscii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) > 127) return false;
  }
  return true;
}

/// Text in the character set that Specific Character Set names. The sets with escapes go back to
/// their initial state at each delimiter (PS3.5 section 6.1.2.5.3), so components are converted
/// one by one.
std::string Encode(const std::string& utf8, const std::string& charset) {
  if (charset == "ISO_IR 192" || IsAscii(utf8)) return utf8;
  if (charset == "ISO_IR 100") return Convert(utf8, "ISO-8859-1");
  if (charset == "ISO_IR 101") return Convert(utf8, "ISO-8859-2");
  if (charset == "ISO_IR 126") return Convert(utf8, "ISO-8859-7");
  if (charset == "ISO_IR 127") return Convert(utf8, "ISO-8859-6");
  if (charset == "ISO_IR 144") return Convert(utf8, "ISO-8859-5");
  if (charset == "GB18030") return Convert(utf8, "GB18030");
  const bool japanese = charset == "\\ISO 2022 IR 87";
  Check(japanese || charset == "\\ISO 2022 IR 149", "unknown character set " + charset);
  std::string out;
  std::string component;
  const auto flush = [&] {
    if (!IsAscii(component)) {
      out +=
          japanese ? Convert(component, "ISO-2022-JP") : "\x1b$)C" + Convert(component, "EUC-KR");
    } else {
      out += component;
    }
    component.clear();
  };
  for (const char c : utf8) {
    if (c == '^' || c == '=' || c == '\\') {
      flush();
      out += c;
    } else {
      component += c;
    }
  }
  flush();
  return out;
}

// ------------------------------------------------------------------------- the output folder

/// The folder, and what has been planted in its files.
class Output {
 public:
  explicit Output(fs::path folder) : folder_(std::move(folder)) {}

  /// Starts a file; the folders above it are made.
  fs::path Begin(const std::string& file) {
    const fs::path path = folder_ / file;
    fs::create_directories(path.parent_path());
    ++files_;
    return path;
  }

  void Write(const std::string& file, std::string_view bytes) {
    std::ofstream stream(Begin(file), std::ios::binary | std::ios::trunc);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    stream.close();
    Check(stream.good(), "cannot write " + file);
  }

  /// One line of identifiers.txt. Text that is not stored in UTF-8 gets a second line of kind
  /// `hex`, with the stored bytes in hexadecimal.
  void Plant(const std::string& file, const std::string& kind, const std::string& utf8,
             const std::string& charset = "ISO_IR 192") {
    if (utf8.empty()) return;
    planted_.emplace(file, kind, utf8);
    const std::string stored = Encode(utf8, charset);
    if (stored != utf8) planted_.emplace(file, "hex", Hex(stored));
  }

  /// A person name: the whole, and each component that is long enough for a search.
  void PlantName(const std::string& file, const std::string& utf8, const std::string& charset) {
    Plant(file, "name", utf8, charset);
    std::string component;
    for (const char c : utf8 + "^") {
      if (c != '^' && c != '=' && c != '\\') {
        component += c;
        continue;
      }
      if (component.size() >= 5) Plant(file, "name", component, charset);
      component.clear();
    }
  }

  void Finish() {
    std::string text;
    for (const auto& [file, kind, identifier] : planted_) {
      text += file + "\t" + kind + "\t" + identifier + "\n";
    }
    std::ofstream stream(folder_ / "identifiers.txt", std::ios::binary | std::ios::trunc);
    stream << text;
    stream.close();
    Check(stream.good(), "cannot write identifiers.txt");
  }

  [[nodiscard]] int files() const { return files_; }
  [[nodiscard]] std::size_t planted() const { return planted_.size(); }

 private:
  fs::path folder_;
  int files_ = 0;
  std::set<std::tuple<std::string, std::string, std::string>> planted_;
};

// ------------------------------------------------------------------------- people and studies

struct Person {
  std::string name;  // UTF-8
  std::string id;
  std::string birth_date;
  std::string sex;
  std::string age;
  std::string charset = "ISO_IR 100";
};

struct Study {
  std::string uid;  // series and instances are below it
  std::string date;
  std::string time;
  std::string accession;
  std::string description;
};

const Person kErika = {"Testmann^Erika", "ZZ-4711-0815", "19580312", "F", "066Y"};
const Person kJuergen = {"Müller^Jürgen^Dr.", "ZZ-4711-0816", "19311103", "M", "092Y"};

// ------------------------------------------------------------------------- DCMTK in short

class Sample;

/// A data set or an item, with short verbs. Copies refer to the same item.
class Node {
 public:
  Node(Sample& sample, DcmItem& item) : sample_(&sample), item_(&item) {}

  /// Sets an element; numbers are given as text, values are separated by backslashes.
  Node& Put(const DcmTag& tag, const std::string& utf8);
  /// The same for something that must not survive.
  Node& Secret(const DcmTag& tag, const std::string& utf8, const std::string& kind);
  Node& Name(const DcmTag& tag, const std::string& utf8);
  Node& Bytes(const DcmTag& tag, std::string_view bytes);
  Node& Words(const DcmTag& tag, const std::vector<Uint16>& words);
  /// Item `n` of a sequence, made if it is not there.
  Node Item(const DcmTag& sequence, int n = 0);
  /// A code sequence of one item.
  Node& Code(const DcmTag& sequence, const std::string& value, const std::string& scheme,
             const std::string& meaning);
  /// Referenced SOP Class and Instance UID.
  Node& Reference(const std::string& sop_class, const std::string& instance);

 private:
  Sample* sample_;
  DcmItem* item_;
};

/// One DICOM file in the making.
class Sample {
 public:
  Sample(Output& out, std::string file, std::string charset = "ISO_IR 100")
      : out_(out), file_(std::move(file)), charset_(std::move(charset)) {}

  [[nodiscard]] Node root() { return {*this, *format_.getDataset()}; }
  [[nodiscard]] Node meta() { return {*this, *format_.getMetaInfo()}; }
  [[nodiscard]] DcmDataset& data_set() { return *format_.getDataset(); }
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] const std::string& charset() const { return charset_; }
  [[nodiscard]] Output& out() { return out_; }

  void Plant(const std::string& kind, const std::string& utf8) {
    out_.Plant(file_, kind, utf8, charset_);
  }

  void set_preamble(std::string text) { preamble_ = std::move(text); }

  void Save(E_TransferSyntax syntax = EXS_LittleEndianExplicit,
            E_GrpLenEncoding group_length = EGL_withoutGL, E_PaddingEncoding padding = EPD_noChange,
            Uint32 pad_to = 0, E_FileWriteMode mode = EWM_updateMeta) {
    const fs::path path = out_.Begin(file_);
    Check(format_.saveFile(path.c_str(), syntax, EET_ExplicitLength, group_length, padding, pad_to,
                           0, mode),
          file_);
    if (preamble_.empty()) return;
    preamble_.resize(128, ' ');
    std::fstream stream(path, std::ios::binary | std::ios::in | std::ios::out);
    stream.write(preamble_.data(), 128);
    stream.close();
    Check(stream.good(), "cannot patch " + file_);
  }

 private:
  Output& out_;
  std::string file_;
  std::string charset_;
  std::string preamble_;
  DcmFileFormat format_;
};

Node& Node::Put(const DcmTag& tag, const std::string& utf8) {
  const std::string value = Encode(utf8, sample_->charset());
  Check(item_->putAndInsertString(tag, value.data(), static_cast<Uint32>(value.size())),
        sample_->file() + " " + tag.toString().c_str());
  return *this;
}

Node& Node::Secret(const DcmTag& tag, const std::string& utf8, const std::string& kind) {
  sample_->Plant(kind, utf8);
  return Put(tag, utf8);
}

Node& Node::Name(const DcmTag& tag, const std::string& utf8) {
  sample_->out().PlantName(sample_->file(), utf8, sample_->charset());
  return Put(tag, utf8);
}

Node& Node::Bytes(const DcmTag& tag, std::string_view bytes) {
  std::string even(bytes);
  if (even.size() % 2 != 0) even += '\0';
  Check(item_->putAndInsertUint8Array(tag, reinterpret_cast<const Uint8*>(even.data()),
                                      static_cast<unsigned long>(even.size())),
        sample_->file() + " " + tag.toString().c_str());
  return *this;
}

Node& Node::Words(const DcmTag& tag, const std::vector<Uint16>& words) {
  Check(item_->putAndInsertUint16Array(tag, words.data(), static_cast<unsigned long>(words.size())),
        sample_->file() + " " + tag.toString().c_str());
  return *this;
}

Node Node::Item(const DcmTag& sequence, int n) {
  DcmItem* item = nullptr;
  Check(item_->findOrCreateSequenceItem(sequence, item, n),
        sample_->file() + " " + sequence.toString().c_str());
  return {*sample_, *item};
}

Node& Node::Code(const DcmTag& sequence, const std::string& value, const std::string& scheme,
                 const std::string& meaning) {
  Item(sequence)
      .Put(DCM_CodeValue, value)
      .Put(DCM_CodingSchemeDesignator, scheme)
      .Put(DCM_CodeMeaning, meaning);
  return *this;
}

Node& Node::Reference(const std::string& sop_class, const std::string& instance) {
  return Put(DCM_ReferencedSOPClassUID, sop_class)
      .Secret(DCM_ReferencedSOPInstanceUID, instance, "uid");
}

// ------------------------------------------------------------------------- modules

/// A search for "1958" or "00000000" would hit everywhere.
bool IsDistinctive(const std::string& date) { return date.size() >= 8 && date != "00000000"; }

/// SOP Common, Patient, General Study, General Series and General Equipment, with identifiers in
/// all the places where scanners put them. `series` and `instance` number the parts below a study.
void FillCommon(Sample& sample, const Person& person, const Study& study, const char* sop_class,
                const std::string& modality, int series, int instance) {
  const std::string series_uid = study.uid + "." + Number(series);
  Node root = sample.root();
  root.Put(DCM_SpecificCharacterSet, sample.charset())
      .Put(DCM_SOPClassUID, sop_class)
      .Secret(DCM_SOPInstanceUID, series_uid + "." + Number(instance), "uid")
      .Secret(DCM_StudyInstanceUID, study.uid, "uid")
      .Secret(DCM_SeriesInstanceUID, series_uid, "uid")
      .Put(DCM_StudyDate, study.date)
      .Put(DCM_SeriesDate, study.date)
      .Put(DCM_ContentDate, study.date)
      .Put(DCM_StudyTime, study.time)
      .Put(DCM_SeriesTime, study.time)
      .Put(DCM_ContentTime, study.time + ".120000")
      .Put(DCM_InstanceCreationDate, study.date)
      .Put(DCM_InstanceCreationTime, study.time)
      .Secret(DCM_AccessionNumber, study.accession, "id")
      .Put(DCM_Modality, modality)
      .Put(DCM_Manufacturer, "Beispielgeraete AG")
      .Put(DCM_ManufacturerModelName, "Muster 3000")
      .Secret(DCM_DeviceSerialNumber, "SN-778899-" + modality, "device")
      .Put(DCM_SoftwareVersions, "V7.1\\B12")
      .Secret(DCM_InstitutionName, "Klinikum Musterstadt Sued", "institution")
      .Secret(DCM_InstitutionAddress, "Beispielallee 12, 99999 Musterstadt", "institution")
      .Secret(DCM_InstitutionalDepartmentName, "Radiologie Haus Sieben", "institution")
      .Secret(DCM_StationName, "MUSTERCT07", "device")
      .Name(DCM_ReferringPhysicianName, "Hausarztmann^Gisela")
      .Name(DCM_OperatorsName, "Technikmann^Olaf\\Technikfrau^Ulla")
      .Name(DCM_PerformingPhysicianName, "Oberarztmann^Viktor")
      .Put(DCM_StudyDescription, study.description)
      .Put(DCM_SeriesDescription, modality + " Serie " + Number(series))
      .Name(DCM_PatientName, person.name)
      .Put(DCM_PatientSex, person.sex)
      .Put(DCM_PatientAge, person.age)
      .Put(DCM_PatientSize, "1.71")
      .Put(DCM_PatientWeight, "68.5")
      .Put(DCM_StudyID, "S" + Number(series))
      .Put(DCM_SeriesNumber, Number(series))
      .Put(DCM_InstanceNumber, Number(instance));
  if (!person.id.empty()) root.Secret(DCM_PatientID, person.id, "id");
  if (!person.birth_date.empty()) root.Put(DCM_PatientBirthDate, person.birth_date);
  if (IsDistinctive(study.date)) sample.Plant("date", study.date);
  if (IsDistinctive(person.birth_date)) sample.Plant("birthdate", person.birth_date);
}

/// A picture of size x size words: a ring on a slope, so that changes show.
std::vector<Uint16> Picture(int size, int seed) {
  std::vector<Uint16> words;
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const int dx = x - size / 2;
      const int dy = y - size / 2;
      const int radius = dx * dx + dy * dy;
      const bool ring = radius > size * size / 9 && radius < size * size / 5;
      words.push_back(static_cast<Uint16>((ring ? 900 : 100) + (x * 3 + y * 5 + seed * 11) % 97));
    }
  }
  return words;
}

void FillGreyPixels(Node root, int size, int seed) {
  root.Put(DCM_SamplesPerPixel, "1")
      .Put(DCM_PhotometricInterpretation, "MONOCHROME2")
      .Put(DCM_Rows, Number(size))
      .Put(DCM_Columns, Number(size))
      .Put(DCM_BitsAllocated, "16")
      .Put(DCM_BitsStored, "12")
      .Put(DCM_HighBit, "11")
      .Put(DCM_PixelRepresentation, "0")
      .Words(DCM_PixelData, Picture(size, seed));
}

/// RGB, 8 bits, with light bars in the top rows where a scanner would burn in the name.
void FillColourPixels(Node root, int rows, int columns) {
  std::string bytes;
  for (int y = 0; y < rows; ++y) {
    for (int x = 0; x < columns; ++x) {
      const bool text = y > 2 && y < 9 && x > 4 && x < columns / 2 && (x / 3) % 2 == 0;
      const int grey = text ? 255 : (x + 2 * y) % 128;
      bytes += static_cast<char>(grey);
      bytes += static_cast<char>(text ? 255 : grey / 2);
      bytes += static_cast<char>(text ? 0 : grey / 3);
    }
  }
  root.Put(DCM_SamplesPerPixel, "3")
      .Put(DCM_PhotometricInterpretation, "RGB")
      .Put(DCM_PlanarConfiguration, "0")
      .Put(DCM_Rows, Number(rows))
      .Put(DCM_Columns, Number(columns))
      .Put(DCM_BitsAllocated, "8")
      .Put(DCM_BitsStored, "8")
      .Put(DCM_HighBit, "7")
      .Put(DCM_PixelRepresentation, "0")
      .Bytes(DCM_PixelData, bytes);
}

void FillPlane(Node root, const std::string& frame_of_reference, int slice) {
  root.Secret(DCM_FrameOfReferenceUID, frame_of_reference, "uid")
      .Put(DCM_PositionReferenceIndicator, "")
      .Put(DCM_ImagePositionPatient, "-100\\-100\\" + Number(slice * 5))
      .Put(DCM_ImageOrientationPatient, "1\\0\\0\\0\\1\\0")
      .Put(DCM_PixelSpacing, "3.125\\3.125")
      .Put(DCM_SliceThickness, "5")
      .Put(DCM_SliceLocation, Number(slice * 5));
}

// ------------------------------------------------------------------------- CT

void MakeCtSlice(Output& out, const std::string& file, const Person& person, const Study& study,
                 int slice) {
  Sample sample(out, file, person.charset);
  FillCommon(sample, person, study, UID_CTImageStorage, "CT", 1, slice);
  Node root = sample.root();
  FillPlane(root, study.uid + ".77", slice);
  root.Put(DCM_ImageType, "ORIGINAL\\PRIMARY\\AXIAL")
      .Put(DCM_AcquisitionDate, study.date)
      .Put(DCM_AcquisitionTime, study.time)
      .Put(DCM_AcquisitionNumber, "1")
      .Put(DCM_KVP, "120")
      .Put(DCM_ExposureTime, "500")
      .Put(DCM_XRayTubeCurrent, "210")
      .Put(DCM_ConvolutionKernel, "B30f")
      .Put(DCM_PatientPosition, "HFS")
      .Put(DCM_BodyPartExamined, "CHEST")
      .Put(DCM_ProtocolName, "Thorax Routine")
      .Put(DCM_RescaleIntercept, "-1024")
      .Put(DCM_RescaleSlope, "1")
      .Put(DCM_WindowCenter, "40")
      .Put(DCM_WindowWidth, "400")
      .Secret(DCM_PatientAddress, "Probenweg 5, 99998 Beispielhausen", "address")
      .Secret(DCM_PatientTelephoneNumbers, "+49 99 5550101", "phone")
      .Secret(DCM_PatientComments, "Tochter Testtochter bitte unter 0999-5550102 anrufen", "text");
  Node request = root.Item(DCM_RequestAttributesSequence);
  request.Secret(DCM_RequestedProcedureID, "RP-" + study.accession, "id")
      .Secret(DCM_ScheduledProcedureStepID, "SPS-" + study.accession, "id")
      .Put(DCM_RequestedProcedureDescription, "CT Thorax nativ");
  root.Item(DCM_ReferencedStudySequence).Reference("1.2.840.10008.3.1.2.3.1", study.uid + ".88");
  root.Item(DCM_ReferencedPatientSequence).Reference("1.2.840.10008.3.1.2.1.1", study.uid + ".89");
  FillGreyPixels(root, 64, slice);
  sample.Save();
}

void MakeCt(Output& out, int patients, int slices) {
  for (int p = 0; p < patients; ++p) {
    Person person = p == 0 ? kErika : kJuergen;
    std::string folder = p == 0 ? "TESTMANN_ERIKA_19580312" : "Müller^Jürgen";
    if (p > 1) {
      person.name = "Mustermensch" + Padded(p, 4) + "^Probe" + Padded(p, 4);
      person.id = "ZZ-5000-" + Padded(p, 4);
      person.birth_date = "19" + Padded(40 + p % 50, 2) + Padded(1 + p % 12, 2) + "15";
      folder = "MUSTERMENSCH" + Padded(p, 4);
    }
    // The first patient comes back after six months: intervals must be kept, or not, by rule.
    const int studies = p == 0 ? 2 : 1;
    for (int s = 0; s < studies; ++s) {
      const Study study = {Uid("1." + Number(p + 1) + "." + Number(s + 1)),
                           s == 0 ? "20240314" : "20240912", s == 0 ? "081530" : "141205",
                           "ACC" + Padded(240000 + p * 10 + s, 7), "CT Thorax"};
      for (int i = 1; i <= slices; ++i) {
        // Three habits of exporters: numbered with an ending, numbered without, named by UID.
        std::string leaf = "IM" + Padded(i, 4) + ".dcm";
        if (s == 1) leaf = "IM" + Padded(i, 4);
        if (p == 1) leaf = "CT." + study.uid + ".1." + Number(i) + ".dcm";
        const std::string file = folder + "/CT_Thorax_" + study.date + "/" + leaf;
        MakeCtSlice(out, file, person, study, i);
        out.Plant(file, "path", folder);
      }
    }
  }
}

// ------------------------------------------------------------------------- MR and private elements

/// A block as in Siemens CSA headers: "SV10", then named tags with text items.
std::string CsaHeader(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string out = std::string("SV10\x04\x03\x02\x01", 8);
  const auto number = [&out](std::size_t value) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
      out += static_cast<char>((value >> shift) & 255U);
    }
  };
  number(entries.size());
  number(77);
  for (const auto& [name, value] : entries) {
    std::string field = name;
    field.resize(64, '\0');
    out += field;
    number(1);  // VM
    out += std::string("LO\0\0", 4);
    number(19);  // SyngoDT
    number(1);   // items
    number(77);
    const std::size_t size = value.size() + 1;
    for (int i = 0; i < 4; ++i) number(i == 2 ? 77 : size);
    std::string padded = value;
    padded.resize((size + 3) / 4 * 4, '\0');
    out += padded;
  }
  out.append(4, '\0');
  return out;
}

const Person kPaula = {"Probst^Paula^Maria", "MRN 00123456", "19740229", "F", "050Y"};

void FillMr(Sample& sample, const Person& person, const Study& study, int series, int instance) {
  FillCommon(sample, person, study, UID_MRImageStorage, "MR", series, instance);
  Node root = sample.root();
  FillPlane(root, study.uid + ".77", instance);
  root.Put(DCM_ImageType, "ORIGINAL\\PRIMARY\\M\\ND")
      .Put(DCM_ScanningSequence, "EP")
      .Put(DCM_SequenceVariant, "SK")
      .Put(DCM_ScanOptions, "FS")
      .Put(DCM_MRAcquisitionType, "2D")
      .Put(DCM_RepetitionTime, "8200")
      .Put(DCM_EchoTime, "94")
      .Put(DCM_MagneticFieldStrength, "3")
      .Put(DCM_FlipAngle, "90");
  FillGreyPixels(root, 32, series);
}

void MakeMrSiemens(Output& out) {
  Sample sample(out, "PROBST_PAULA/MR_Kopf/PROBST.MR.0001.IMA");
  FillMr(sample, kPaula, {Uid("2.1"), "20240520", "101500", "ACC0250001", "MR Kopf"}, 1, 1);
  sample.Plant("path", "PROBST_PAULA");
  Node root = sample.root();
  // The same element number twice: (0019,xx0C) is a name for one creator, a b-value for the other.
  root.Put(DcmTag(0x0019, 0x0010, EVR_LO), "MUSTERKLINIK PRIVAT")
      .Name(DcmTag(0x0019, 0x100C, EVR_LO), "Privatname^Patrizia")
      .Put(DcmTag(0x0019, 0x0011, EVR_LO), "SIEMENS MR HEADER")
      .Put(DcmTag(0x0019, 0x1108, EVR_CS), "IMAGE NUM 4")
      .Put(DcmTag(0x0019, 0x110C, EVR_IS), "1000")
      .Put(DcmTag(0x0019, 0x110D, EVR_CS), "DIRECTIONAL")
      .Put(DcmTag(0x0019, 0x110E, EVR_FD), "0.5\\0.5\\0.707")
      .Put(DcmTag(0x0029, 0x0010, EVR_LO), "SIEMENS CSA HEADER")
      .Put(DcmTag(0x0029, 0x0011, EVR_LO), "SIEMENS MEDCOM HEADER2")
      .Put(DcmTag(0x0029, 0x1008, EVR_CS), "IMAGE NUM 4")
      .Bytes(DcmTag(0x0029, 0x1010, EVR_OB),
             CsaHeader({{"B_value", "1000"}, {"PatientName", "Csaname^Clara"}}))
      .Bytes(DcmTag(0x0029, 0x1020, EVR_OB),
             CsaHeader({{"MrPhoenixProtocol", "tPatientName = \"Phoenixname\"; lTR = 8200"}}))
      .Secret(DcmTag(0x0029, 0x1160, EVR_LO), "Medcomtext Probst", "private")
      .Put(DcmTag(0x0051, 0x0010, EVR_LO), "SIEMENS MR HEADER")
      .Put(DcmTag(0x0051, 0x100C, EVR_LO), "FoV 220*220");
  sample.Plant("name", "Csaname^Clara");
  sample.Plant("name", "Phoenixname");
  sample.Save();
}

void MakeMrGe(Output& out) {
  Sample sample(out, "PROBST_PAULA/MR_Herz/MR000001");
  FillMr(sample, kPaula, {Uid("2.2"), "20240521", "113000", "ACC0250002", "MR Herz"}, 1, 1);
  Node root = sample.root();
  root.Put(DcmTag(0x0009, 0x0010, EVR_LO), "GEMS_IDEN_01")
      .Put(DcmTag(0x0009, 0x1001, EVR_LO), "GE_GENESIS_FF")
      .Secret(DcmTag(0x0009, 0x1002, EVR_SH), "SUITE4711MR", "private")
      .Secret(DcmTag(0x0009, 0x10E3, EVR_UI), Uid("2.2.99"), "uid")
      .Put(DcmTag(0x0019, 0x0010, EVR_LO), "GEMS_ACQU_01")
      .Put(DcmTag(0x0019, 0x1023, EVR_DS), "39.37")
      .Put(DcmTag(0x0019, 0x109E, EVR_LO), "EFGRE3D")
      .Put(DcmTag(0x0025, 0x0010, EVR_LO), "GEMS_SERS_01")
      .Put(DcmTag(0x0025, 0x1007, EVR_SL), "1")
      .Secret(DcmTag(0x0025, 0x101A, EVR_SH), "GESER-PROBST-9", "private")
      .Put(DcmTag(0x0043, 0x0010, EVR_LO), "GEMS_PARM_01")
      .Put(DcmTag(0x0043, 0x1039, EVR_IS), "1000\\8\\0\\0")
      // Private elements whose VRs a VR rule would like to decide.
      .Put(DcmTag(0x0055, 0x0010, EVR_LO), "MUSTERKLINIK TERMINE")
      .Secret(DcmTag(0x0055, 0x1001, EVR_DA), "20240519", "date")
      .Secret(DcmTag(0x0055, 0x1002, EVR_DT), "20240519083000.000000+0200", "date")
      .Name(DcmTag(0x0055, 0x1003, EVR_PN), "Terminname^Theo")
      // An orphan: nobody has reserved block 20 of this group.
      .Secret(DcmTag(0x0055, 0x2001, EVR_LO), "Waisenwert Probst", "private");
  sample.Save();
}

/// Private sequences with names inside, in explicit VR, and in implicit VR, where DCMTK has no VR.
void MakePrivateSequence(Output& out, const std::string& file, int number,
                         E_TransferSyntax syntax) {
  Sample sample(out, file);
  FillMr(
      sample, kPaula,
      {Uid("2.3." + Number(number)), "20240522", "090000", "ACC025010" + Number(number), "MR Knie"},
      1, 1);
  Node root = sample.root();
  root.Put(DcmTag(0x0071, 0x0010, EVR_LO), "MUSTERKLINIK BAUM");
  Node item = root.Item(DcmTag(0x0071, 0x1001, EVR_SQ));
  item.Name(DCM_PatientName, "Tiefname^Eins")
      .Put(DcmTag(0x0071, 0x0010, EVR_LO), "MUSTERKLINIK BAUM")
      .Name(DcmTag(0x0071, 0x1002, EVR_LO), "Tiefname^Zwei");
  Node deeper = item.Item(DcmTag(0x0071, 0x1003, EVR_SQ));
  deeper.Name(DCM_ReferringPhysicianName, "Tiefarzt^Dritter")
      .Secret(DCM_StudyDate, "20240107", "date")
      .Secret(DCM_PatientID, "TIEF-0003", "id");
  // A private element inside a standard sequence, with a creator of the item's own.
  root.Item(DCM_RequestAttributesSequence)
      .Secret(DCM_ScheduledProcedureStepID, "SPS-TIEF-1", "id")
      .Put(DcmTag(0x0019, 0x0010, EVR_LO), "SIEMENS MR HEADER")
      .Put(DcmTag(0x0019, 0x100C, EVR_IS), "500")
      .Secret(DcmTag(0x0019, 0x10FF, EVR_LO), "Privatblock Knie", "private");
  sample.Save(syntax);
}

void MakeEnhancedMr(Output& out) {
  const std::string study_uid = "2.25.329800735698586629295641978511506172918";
  Sample sample(out, "PROBST_PAULA/MR_Enhanced/EMR_20240603.dcm", "ISO_IR 192");
  FillCommon(sample, kPaula, {study_uid, "20240603", "164500", "ACC0250003", "MR Enhanced"},
             UID_EnhancedMRImageStorage, "MR", 1, 1);
  Node root = sample.root();
  root.Secret(DCM_AcquisitionDateTime, "20240603164512.500000+0200", "date")
      .Put(DCM_NumberOfFrames, "4")
      .Put(DCM_AcquisitionContrast, "DIFFUSION")
      .Secret(DCM_FrameOfReferenceUID, study_uid + ".7", "uid");
  Node shared = root.Item(DCM_SharedFunctionalGroupsSequence);
  shared.Item(DCM_PixelMeasuresSequence)
      .Put(DCM_PixelSpacing, "1.5\\1.5")
      .Put(DCM_SliceThickness, "4");
  shared.Item(DCM_PlaneOrientationSequence).Put(DCM_ImageOrientationPatient, "1\\0\\0\\0\\1\\0");
  // Three levels down: a date, a name, and an old UID.
  Node source = shared.Item(DCM_DerivationImageSequence).Item(DCM_SourceImageSequence);
  source.Reference(UID_MRImageStorage, study_uid + ".2.1");
  source.Item(DCM_PurposeOfReferenceCodeSequence)
      .Put(DCM_CodeValue, "121322")
      .Put(DCM_CodingSchemeDesignator, "DCM")
      .Put(DCM_CodeMeaning, "Source image for image processing operation");
  Node equipment = shared.Item(DCM_ContributingEquipmentSequence);
  equipment.Put(DCM_Manufacturer, "Beispielgeraete AG")
      .Secret(DCM_StationName, "WORKSTATION99", "device")
      .Secret(DCM_ContributionDateTime, "20240604070809.123456+0200", "date");
  Node person = equipment.Item(DCM_OperatorIdentificationSequence);
  person.Secret(DCM_InstitutionName, "Rechenzentrum Beispielhausen", "institution");
  person.Item(DCM_PersonIdentificationCodeSequence)
      .Secret(DCM_CodeValue, "PERS-778899", "id")
      .Put(DCM_CodingSchemeDesignator, "99MUSTER")
      .Secret(DCM_CodeMeaning, "Nachbearbeiter^Norbert", "name")
      .Name(DCM_PatientName, "Versteckt^Dreitief")
      .Secret(DCM_StudyDate, "20231117", "date");
  for (int frame = 0; frame < 4; ++frame) {
    Node group = root.Item(DCM_PerFrameFunctionalGroupsSequence, frame);
    group.Item(DCM_FrameContentSequence)
        .Put(DCM_FrameReferenceDateTime, "20240603164512." + Padded(frame * 1000, 6))
        .Put(DCM_FrameAcquisitionDateTime, "20240603164513")
        .Put(DCM_FrameAcquisitionDuration, "250.5")
        .Secret(DCM_FrameComments, "Framekommentar Probst " + Number(frame), "text");
    group.Item(DCM_PlanePositionSequence)
        .Put(DCM_ImagePositionPatient, "0\\0\\" + Number(frame * 4));
    group.Item(DCM_MRDiffusionSequence).Put(DCM_DiffusionBValue, Number(frame * 500));
    group.Item(DCM_ReferencedImageSequence)
        .Reference(UID_MRImageStorage, study_uid + ".2." + Number(frame + 2));
  }
  std::vector<Uint16> words;
  for (int frame = 0; frame < 4; ++frame) {
    const std::vector<Uint16> picture = Picture(32, frame);
    words.insert(words.end(), picture.begin(), picture.end());
  }
  FillGreyPixels(root, 32, 0);
  root.Words(DCM_PixelData, words);
  sample.Save();
}

// ------------------------------------------------------------------------- US, SC, documents

void MakeUltrasound(Output& out) {
  const Person person = {"Schallmeier^Sonja", "US-000777", "19890705", "F", "034Y"};
  Sample sample(out, "US/SCHALLMEIER SONJA 20240611.dcm");
  FillCommon(sample, person, {Uid("3.1"), "20240611", "133000", "ACC0260001", "US Abdomen"},
             UID_UltrasoundImageStorage, "US", 1, 1);
  sample.Plant("path", "SCHALLMEIER SONJA");
  Node root = sample.root();
  root.Put(DCM_BurnedInAnnotation, "YES").Put(DCM_ImageType, "ORIGINAL\\PRIMARY\\\\0001");
  root.Item(DCM_SequenceOfUltrasoundRegions)
      .Put(DCM_RegionSpatialFormat, "1")
      .Put(DCM_RegionDataType, "1")
      .Put(DCM_RegionLocationMinX0, "0")
      .Put(DCM_RegionLocationMinY0, "12")
      .Put(DCM_RegionLocationMaxX1, "95")
      .Put(DCM_RegionLocationMaxY1, "63");
  FillColourPixels(root, 64, 96);
  sample.Save();
}

const Person kSonja = {"Bildmann^Bertha", "SC-000778", "19450508", "F", "079Y"};

/// Encapsulated pixel data. Both encoders are those of DCMTK and give the same bytes each time.
void MakeSecondaryCapture(Output& out, bool jpeg) {
  Sample sample(out, jpeg ? "SC/BILDMANN_BERTHA_screenshot.dcm" : "SC/sc_rle_0002");
  FillCommon(sample, kSonja,
             {Uid(jpeg ? "3.2" : "3.3"), "20240612", "140000", jpeg ? "ACC0260002" : "ACC0260003",
              "Bildschirmfoto"},
             UID_SecondaryCaptureImageStorage, "OT", 1, 1);
  Node root = sample.root();
  root.Put(DCM_ConversionType, "WSD")
      .Put(DCM_BurnedInAnnotation, jpeg ? "YES" : "NO")
      .Put(DCM_ImageType, "DERIVED\\SECONDARY")
      .Secret(DCM_SecondaryCaptureDeviceID, "FANGGERAET-12", "device")
      .Put(DCM_DateOfSecondaryCapture, "20240612")
      .Secret(DCM_ImageComments, "Aufnahme fuer Bildmann, Zimmer 1204", "text");
  FillColourPixels(root, 64, 64);
  if (jpeg) {
    const DJ_RPLossy quality(90);
    Check(sample.data_set().chooseRepresentation(EXS_JPEGProcess1, &quality), sample.file());
    sample.Save(EXS_JPEGProcess1);
  } else {
    Check(sample.data_set().chooseRepresentation(EXS_RLELossless, nullptr), sample.file());
    sample.Save(EXS_RLELossless);
  }
}

Node AddContent(Node parent, int n, const std::string& relation, const std::string& type,
                const std::string& code, const std::string& meaning) {
  Node item = parent.Item(DCM_ContentSequence, n);
  item.Put(DCM_RelationshipType, relation)
      .Put(DCM_ValueType, type)
      .Code(DCM_ConceptNameCodeSequence, code, "DCM", meaning);
  return item;
}

void MakeStructuredReport(Output& out) {
  Sample sample(out, "TESTMANN_ERIKA_19580312/SR_20240315/Befund Testmann.dcm");
  const std::string ct = Uid("1.1.1");
  FillCommon(sample, kErika, {ct, "20240314", "081530", "ACC0240000", "CT Thorax"},
             UID_BasicTextSRStorage, "SR", 9, 1);
  Node root = sample.root();
  root.Put(DCM_ValueType, "CONTAINER")
      .Put(DCM_ContinuityOfContent, "SEPARATE")
      .Put(DCM_CompletionFlag, "COMPLETE")
      .Put(DCM_VerificationFlag, "VERIFIED")
      .Code(DCM_ConceptNameCodeSequence, "121060", "DCM", "History");
  root.Item(DCM_VerifyingObserverSequence)
      .Name(DCM_VerifyingObserverName, "Befundmann^Friedrich")
      .Secret(DCM_VerifyingOrganization, "Praxisverbund Nirgendwo", "institution")
      .Secret(DCM_VerificationDateTime, "20240315093000", "date");
  Node evidence = root.Item(DCM_CurrentRequestedProcedureEvidenceSequence);
  evidence.Secret(DCM_StudyInstanceUID, ct, "uid");
  Node series = evidence.Item(DCM_ReferencedSeriesSequence);
  series.Secret(DCM_SeriesInstanceUID, ct + ".1", "uid");
  series.Item(DCM_ReferencedSOPSequence).Reference(UID_CTImageStorage, ct + ".1.1");

  AddContent(root, 0, "HAS OBS CONTEXT", "PNAME", "121008", "Person Observer Name")
      .Name(DCM_PersonName, "Beobachter^Bruno");
  AddContent(root, 1, "HAS OBS CONTEXT", "PNAME", "121029", "Subject Name")
      .Name(DCM_PersonName, kErika.name);
  AddContent(root, 2, "HAS OBS CONTEXT", "DATE", "121031", "Subject Birth Date")
      .Secret(DCM_Date, kErika.birth_date, "birthdate");
  AddContent(root, 3, "HAS OBS CONTEXT", "UIDREF", "121012", "Device Observer UID")
      .Secret(DCM_UID, Uid("1.1.1.90"), "uid");
  Node findings = AddContent(root, 4, "CONTAINS", "CONTAINER", "121070", "Findings");
  findings.Put(DCM_ContinuityOfContent, "SEPARATE");
  AddContent(findings, 0, "CONTAINS", "TEXT", "121071", "Finding")
      .Secret(DCM_TextValue,
              "Frau Testmann, geb. 12.03.1958, vom 14. Maerz 2024: kein Rundherd. Dr. Befundmann",
              "text");
  AddContent(findings, 1, "CONTAINS", "DATETIME", "122165", "DateTime of Report")
      .Secret(DCM_DateTime, "20240315092959.25+0100", "date");
  Node image = AddContent(findings, 2, "CONTAINS", "IMAGE", "121080", "Best illustration");
  image.Item(DCM_ReferencedSOPSequence).Reference(UID_CTImageStorage, ct + ".1.2");
  sample.Plant("text", "12.03.1958");
  sample.Save();
}

/// The smallest PDF that viewers open, with a right cross-reference table.
std::string TinyPdf(const std::string& text) {
  const std::string stream = "BT /F1 12 Tf 20 100 Td (" + text + ") Tj ET";
  const std::vector<std::string> objects = {
      "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R "
      "/Resources << /Font << /F1 5 0 R >> >> >>",
      "<< /Length " + std::to_string(stream.size()) + " >>\nstream\n" + stream + "\nendstream",
      "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"};
  std::string pdf = "%PDF-1.4\n";
  std::string table = "0000000000 65535 f \n";
  for (std::size_t i = 0; i < objects.size(); ++i) {
    table += Padded(static_cast<int>(pdf.size()), 10) + " 00000 n \n";
    pdf += std::to_string(i + 1) + " 0 obj\n" + objects[i] + "\nendobj\n";
  }
  const std::string start = std::to_string(pdf.size());
  pdf += "xref\n0 6\n" + table + "trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n" + start +
         "\n%%EOF\n";
  return pdf;
}

void MakeEncapsulatedPdf(Output& out) {
  Sample sample(out, "TESTMANN_ERIKA_19580312/DOC/Arztbrief.dcm");
  FillCommon(sample, kErika, {Uid("1.1.1"), "20240314", "081530", "ACC0240000", "CT Thorax"},
             UID_EncapsulatedPDFStorage, "DOC", 10, 1);
  sample.root()
      .Put(DCM_BurnedInAnnotation, "YES")
      .Secret(DCM_DocumentTitle, "Arztbrief Testmann", "text")
      .Put(DCM_MIMETypeOfEncapsulatedDocument, "application/pdf")
      .Bytes(DCM_EncapsulatedDocument,
             TinyPdf("Arztbrief: Briefmann, Erika, Aktenzeichen AZ-99-1"));
  sample.Plant("text", "Briefmann");
  sample.Plant("id", "AZ-99-1");
  sample.Save();
}

// ------------------------------------------------------------------------- derived objects

void MakeStructureSet(Output& out, int slices) {
  const std::string ct = Uid("1.1.1");
  Sample sample(out, "TESTMANN_ERIKA_19580312/RS_20240316/RS.dcm");
  FillCommon(sample, kErika, {ct, "20240314", "081530", "ACC0240000", "CT Thorax"},
             UID_RTStructureSetStorage, "RTSTRUCT", 11, 1);
  Node root = sample.root();
  root.Secret(DCM_StructureSetLabel, "TESTM_PLAN1", "text")
      .Put(DCM_StructureSetDate, "20240316")
      .Put(DCM_StructureSetTime, "101112");
  sample.Plant("date", "20240316");
  Node frame = root.Item(DCM_ReferencedFrameOfReferenceSequence);
  frame.Secret(DCM_FrameOfReferenceUID, ct + ".77", "uid");
  Node study = frame.Item(DCM_RTReferencedStudySequence);
  study.Reference("1.2.840.10008.3.1.2.3.1", ct);
  Node series = study.Item(DCM_RTReferencedSeriesSequence);
  series.Secret(DCM_SeriesInstanceUID, ct + ".1", "uid");
  for (int i = 0; i < slices; ++i) {
    series.Item(DCM_ContourImageSequence, i)
        .Reference(UID_CTImageStorage, ct + ".1." + Number(i + 1));
  }
  root.Item(DCM_StructureSetROISequence)
      .Put(DCM_ROINumber, "1")
      .Secret(DCM_ReferencedFrameOfReferenceUID, ct + ".77", "uid")
      .Secret(DCM_ROIName, "Herd Testmann links", "text")
      .Put(DCM_ROIGenerationAlgorithm, "MANUAL");
  Node roi = root.Item(DCM_ROIContourSequence);
  roi.Put(DCM_ROIDisplayColor, "255\\0\\0").Put(DCM_ReferencedROINumber, "1");
  Node contour = roi.Item(DCM_ContourSequence);
  contour.Put(DCM_ContourGeometricType, "CLOSED_PLANAR")
      .Put(DCM_NumberOfContourPoints, "3")
      .Put(DCM_ContourData, "-10\\-10\\5\\10\\-10\\5\\0\\10\\5");
  contour.Item(DCM_ContourImageSequence).Reference(UID_CTImageStorage, ct + ".1.1");
  root.Item(DCM_RTROIObservationsSequence)
      .Put(DCM_ObservationNumber, "1")
      .Put(DCM_ReferencedROINumber, "1")
      .Put(DCM_RTROIInterpretedType, "GTV")
      .Name(DCM_ROIInterpreter, "Konturmann^Karla");
  sample.Save();
}

void MakePresentationState(Output& out) {
  const std::string ct = Uid("1.1.1");
  Sample sample(out, "TESTMANN_ERIKA_19580312/PR_20240315/PR000001");
  FillCommon(sample, kErika, {ct, "20240314", "081530", "ACC0240000", "CT Thorax"},
             UID_GrayscaleSoftcopyPresentationStateStorage, "PR", 12, 1);
  Node root = sample.root();
  root.Put(DCM_ContentLabel, "TEXTMARKE")
      .Secret(DCM_ContentDescription, "Marke fuer Testmann", "text")
      .Put(DCM_PresentationCreationDate, "20240315")
      .Put(DCM_PresentationCreationTime, "090000")
      .Name(DCM_ContentCreatorName, "Markierer^Moritz")
      .Put(DCM_PresentationLUTShape, "IDENTITY");
  Node series = root.Item(DCM_ReferencedSeriesSequence);
  series.Secret(DCM_SeriesInstanceUID, ct + ".1", "uid");
  series.Item(DCM_ReferencedImageSequence).Reference(UID_CTImageStorage, ct + ".1.1");
  Node graphic = root.Item(DCM_GraphicAnnotationSequence);
  graphic.Put(DCM_GraphicLayer, "EBENE1");
  graphic.Item(DCM_TextObjectSequence)
      .Put(DCM_BoundingBoxAnnotationUnits, "PIXEL")
      .Secret(DCM_UnformattedTextValue, "Grafiktext: Testmann E.", "text")
      .Put(DCM_AnchorPoint, "20\\20")
      .Put(DCM_AnchorPointVisibility, "N")
      .Put(DCM_AnchorPointAnnotationUnits, "PIXEL");
  root.Item(DCM_GraphicLayerSequence)
      .Put(DCM_GraphicLayer, "EBENE1")
      .Put(DCM_GraphicLayerOrder, "1");
  root.Item(DCM_DisplayedAreaSelectionSequence)
      .Put(DCM_DisplayedAreaTopLeftHandCorner, "1\\1")
      .Put(DCM_DisplayedAreaBottomRightHandCorner, "64\\64")
      .Put(DCM_PresentationSizeMode, "SCALE TO FIT");
  sample.Save();
}

void MakePet(Output& out) {
  const Person person = {"Strahlberg^Stefan", "PT-000900", "19660617", "M", "058Y"};
  Sample sample(out, "PET/PT_Strahlberg_001.dcm");
  FillCommon(sample, person, {Uid("3.4"), "20240702", "093000", "ACC0270001", "PET Ganzkoerper"},
             UID_PositronEmissionTomographyImageStorage, "PT", 1, 1);
  sample.Plant("path", "Strahlberg");
  Node root = sample.root();
  FillPlane(root, Uid("3.4.77"), 1);
  root.Put(DCM_AcquisitionDate, "20240702")
      .Put(DCM_AcquisitionTime, "093015.250")
      .Secret(DCM_AcquisitionDateTime, "20240702093015.250000+0200", "date")
      .Put(DCM_TimezoneOffsetFromUTC, "+0200")
      .Put(DCM_Units, "BQML")
      .Put(DCM_DecayCorrection, "START")
      .Put(DCM_CorrectedImage, "ATTN\\DECY")
      .Put(DCM_FrameReferenceTime, "60000")
      .Put(DCM_RescaleIntercept, "0")
      .Put(DCM_RescaleSlope, "1.5");
  Node dose = root.Item(DCM_RadiopharmaceuticalInformationSequence);
  dose.Put(DCM_Radiopharmaceutical, "FDG")
      .Put(DCM_RadiopharmaceuticalStartTime, "081530.000000")
      .Secret(DCM_RadiopharmaceuticalStartDateTime, "20240702081530.250000+0200", "date")
      .Secret(DCM_RadiopharmaceuticalStopDateTime, "20240702061535.5-0000", "date")
      .Put(DCM_RadionuclideTotalDose, "370000000")
      .Put(DCM_RadionuclideHalfLife, "6586.2")
      .Code(DCM_RadionuclideCodeSequence, "C-111A1", "SRT", "^18^Fluorine");
  FillGreyPixels(root, 32, 7);
  sample.Save();
}

// ------------------------------------------------------------------------- encodings

const Person kFormat = {"Formatmann^Felix", "FMT-000100", "19700214", "M", "054Y"};

void MakeEncoding(Output& out, const std::string& file, int number, E_TransferSyntax syntax) {
  Sample sample(out, file);
  FillCommon(
      sample, kFormat,
      {Uid("4." + Number(number)), "20240801", "120000", "ACC028" + Padded(number, 4), "Kodierung"},
      UID_CTImageStorage, "CT", 1, 1);
  Node root = sample.root();
  FillPlane(root, Uid("4." + Number(number) + ".77"), 1);
  root.Item(DCM_RequestAttributesSequence)
      .Secret(DCM_ScheduledProcedureStepID, "SPS-FMT-" + Number(number), "id");
  root.Put(DcmTag(0x0019, 0x0010, EVR_LO), "SIEMENS MR HEADER")
      .Put(DcmTag(0x0019, 0x100C, EVR_IS), "800")
      .Put(DcmTag(0x0057, 0x0010, EVR_LO), "MUSTERKLINIK PRIVAT")
      .Secret(DcmTag(0x0057, 0x1001, EVR_LO), "Formatprivat Felix", "private")
      .Secret(DcmTag(0x0057, 0x1002, EVR_DA), "20240731", "date");
  FillGreyPixels(root, 32, number);
  sample.Save(syntax);
}

/// A data set only: neither preamble nor file meta information.
void MakeBareDataSet(Output& out) {
  Sample sample(out, "formats/FORMATMANN_bare");
  FillCommon(sample, kFormat, {Uid("4.5"), "20240805", "120000", "ACC0280005", "Ohne Kopf"},
             UID_CTImageStorage, "CT", 1, 1);
  FillGreyPixels(sample.root(), 32, 5);
  sample.Save(EXS_LittleEndianImplicit, EGL_withoutGL, EPD_noChange, 0, EWM_dataset);
}

/// Text in the preamble, application entities and private information in the meta header, group
/// lengths everywhere, padding at the end.
void MakeChattyHeader(Output& out) {
  Sample sample(out, "formats/header_meta.dcm");
  FillCommon(sample, kFormat, {Uid("4.6"), "20240806", "120000", "ACC0280006", "Kopfdaten"},
             UID_CTImageStorage, "CT", 1, 1);
  FillGreyPixels(sample.root(), 32, 6);
  sample.meta()
      .Secret(DCM_SourceApplicationEntityTitle, "MUSTER_CT_AE7", "ae")
      .Secret(DCM_SendingApplicationEntityTitle, "MUSTER_SEND", "ae")
      .Secret(DCM_ReceivingApplicationEntityTitle, "MUSTER_RECV", "ae")
      .Put(DCM_PrivateInformationCreatorUID, Uid("0.9"))
      .Bytes(DCM_PrivateInformation, "Metaprivat: Formatmann Felix FMT-000100");
  sample.Plant("private", "Metaprivat");
  sample.root()
      .Secret(DCM_RetrieveAETitle, "MUSTER_ARCHIV1", "ae")
      .Secret(DCM_StationAETitle, "MUSTER_STATION1", "ae");
  sample.set_preamble("II*  Preambeltext Formatmann Felix 19700214");
  sample.Plant("text", "Preambeltext");
  sample.Save(EXS_LittleEndianExplicit, EGL_withGL, EPD_withPadding, 512);
}

/// Overlays, curves, an icon, and what an earlier change left in Original Attributes Sequence.
void MakeOldAttic(Output& out) {
  Sample sample(out, "formats/overlay_curve_icon.dcm");
  FillCommon(sample, kFormat, {Uid("4.7"), "20240807", "120000", "ACC0280007", "Dachboden"},
             UID_CTImageStorage, "CT", 1, 1);
  Node root = sample.root();
  FillGreyPixels(root, 32, 7);
  Node icon = root.Item(DCM_IconImageSequence);
  icon.Put(DCM_SamplesPerPixel, "1")
      .Put(DCM_PhotometricInterpretation, "MONOCHROME2")
      .Put(DCM_Rows, "8")
      .Put(DCM_Columns, "8")
      .Put(DCM_BitsAllocated, "8")
      .Put(DCM_BitsStored, "8")
      .Put(DCM_HighBit, "7")
      .Put(DCM_PixelRepresentation, "0")
      .Bytes(DcmTag(0x7FE0, 0x0010, EVR_OB), "IconpixelFormatmann" + std::string(45, '\x10'));
  sample.Plant("pixels", "IconpixelFormatmann");
  for (const Uint16 group : {Uint16{0x6000}, Uint16{0x6002}}) {
    root.Put(DcmTag(group, 0x0010, EVR_US), "32")
        .Put(DcmTag(group, 0x0011, EVR_US), "32")
        .Secret(DcmTag(group, 0x0022, EVR_LO), "Overlaytext Formatmann", "text")
        .Put(DcmTag(group, 0x0040, EVR_CS), "G")
        .Put(DcmTag(group, 0x0050, EVR_SS), "1\\1")
        .Put(DcmTag(group, 0x0100, EVR_US), "1")
        .Put(DcmTag(group, 0x0102, EVR_US), "0")
        .Secret(DcmTag(group, 0x1500, EVR_LO), "Overlaymarke Felix", "text")
        .Words(DcmTag(group, 0x3000, EVR_OW), std::vector<Uint16>(64, 0x0F0F))
        .Secret(DcmTag(group, 0x4000, EVR_LT), "Overlaykommentar Formatmann", "text");
  }
  root.Put(DcmTag(0x5000, 0x0005, EVR_US), "2")
      .Put(DcmTag(0x5000, 0x0010, EVR_US), "4")
      .Put(DcmTag(0x5000, 0x0020, EVR_CS), "ECG")
      .Secret(DcmTag(0x5000, 0x0022, EVR_LO), "Kurve Formatmann", "text")
      .Put(DcmTag(0x5000, 0x0103, EVR_US), "0")
      .Secret(DcmTag(0x5000, 0x2500, EVR_LO), "Kurvenmarke Felix", "text")
      .Words(DcmTag(0x5000, 0x3000, EVR_OW), {1, 2, 3, 4, 5, 6, 7, 8});
  Node original = root.Item(DCM_OriginalAttributesSequence);
  original.Secret(DCM_AttributeModificationDateTime, "20240808101112", "date")
      .Secret(DCM_ModifyingSystem, "Umbenenner Musterstadt", "device")
      .Put(DCM_ReasonForTheAttributeModification, "CORRECT")
      .Put(DCM_SourceOfPreviousValues, "");
  Node modified = original.Item(DCM_ModifiedAttributesSequence);
  modified.Name(DCM_PatientName, "Falschname^Frueher").Secret(DCM_PatientID, "FALSCH-000099", "id");
  modified.Item(DCM_OtherPatientIDsSequence)
      .Secret(DCM_PatientID, "ALTID-33221", "id")
      .Secret(DCM_IssuerOfPatientID, "KASSE-MUSTER", "institution");
  sample.Save();
}

// ------------------------------------------------------------------------- dirty values

/// Dates as they come: old style, impossible, words; and several values in one element.
void MakeDirtyDates(Output& out) {
  struct Dirty {
    const char* study;
    const char* birth;
    const char* acquisition;
    const char* age;
    const char* date_time;
  };
  const std::vector<Dirty> rows = {
      {"2019.05.12", "1958.03.12", "2019.05.13", "45", "20190512"},
      {"19991399", "00000000", "19990230", "45Y", "1999"},
      {"unknown", "unbekannt 1931", "2019-05-12", "045y", "20190512-0500"},
      {"201905", "1958", "20190512-20190514", "000D", "20190512115960.1234567+9900"},
      {"99991231", "18000319", "00010101", "999Y", "99991231235959"},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const int number = static_cast<int>(i) + 1;
    const Person person = {"Datumsdreher^Dora", "DD-00000" + Number(number), rows[i].birth, "O",
                           rows[i].age};
    Sample sample(out, "dirty/DATUMSDREHER_" + Padded(number, 3) + ".dcm");
    FillCommon(sample, person,
               {Uid("5.1." + Number(number)), rows[i].study, "2559", "ACC029" + Padded(number, 4),
                "Datum schmutzig"},
               UID_CTImageStorage, "CT", 1, 1);
    sample.root()
        .Put(DCM_AcquisitionDate, rows[i].acquisition)
        .Put(DCM_AcquisitionDateTime, rows[i].date_time)
        .Put(DCM_PatientWeight, "siebzig")
        .Put(DCM_SeriesNumber, "1.5");
    FillGreyPixels(sample.root(), 16, number);
    sample.Save();
  }
}

void MakeMultiValued(Output& out) {
  const Person person = {"Mehrfachmann^Max", "MV-000100", "19770707", "M", "047Y"};
  Sample sample(out, "dirty/MEHRFACH^MAX.dcm");
  FillCommon(sample, person, {Uid("5.2"), "20240901", "120000", "ACC0300001", "Mehrere Werte"},
             UID_CTImageStorage, "CT", 1, 1);
  sample.root()
      .Put(DCM_RETIRED_OtherPatientIDs, "ALT-4711A\\ALT-4712B\\\\ALT-4713C")
      .Name(DCM_OtherPatientNames, "Mehrfach^Maximilian\\Vielfach^Maxi")
      .Put(DCM_DateOfLastCalibration, "20240830\\20240831\\kaputt\\")
      .Put(DCM_TimeOfLastCalibration, "070000\\080000")
      .Put(DCM_IrradiationEventUID, Uid("5.2.81") + "\\" + Uid("5.2.82"))
      .Put(DCM_RelatedGeneralSOPClassUID,
           std::string(UID_CTImageStorage) + "\\" + UID_SecondaryCaptureImageStorage)
      .Put(DCM_FailedSOPInstanceUIDList, Uid("5.2.1.2") + "\\" + Uid("5.2.1.3"));
  for (const char* id : {"ALT-4711A", "ALT-4712B", "ALT-4713C"}) sample.Plant("id", id);
  for (const char* date : {"20240830", "20240831"}) sample.Plant("date", date);
  for (const char* uid : {"5.2.81", "5.2.82", "5.2.1.2", "5.2.1.3"}) sample.Plant("uid", Uid(uid));
  FillGreyPixels(sample.root(), 16, 2);
  sample.Save();
}

/// No Patient ID at all: what is derived per patient must not throw all such patients together.
void MakeNoPatientId(Output& out) {
  const Person person = {"Ohneausweis^Otto", "", "19480229", "M", "076Y"};
  for (int study = 1; study <= 2; ++study) {
    Sample sample(out, "dirty/no_patient_id_" + Number(study) + ".dcm");
    FillCommon(sample, person,
               {Uid("5.7." + Number(study)), study == 1 ? "20240907" : "20241007", "120000",
                "ACC032000" + Number(study), "Verlauf zum 07.09.2024"},
               UID_CTImageStorage, "CT", 1, 1);
    sample.Plant("date", "07.09.2024");
    FillGreyPixels(sample.root(), 16, study);
    sample.Save();
  }
}

// ------------------------------------------------------------------------- byte by byte

/// Elements in little endian. The caller adds them in the order of their tags.
class RawWriter {
 public:
  explicit RawWriter(bool explicit_vr = true) : explicit_vr_(explicit_vr) {}

  RawWriter& Add(std::uint32_t tag, std::string_view vr, std::string_view value) {
    std::string even(value);
    if (even.size() % 2 != 0) even += vr == "UI" || vr == "OB" || vr == "UN" ? '\0' : ' ';
    Header(tag, vr, even.size());
    bytes_ += even;
    return *this;
  }
  RawWriter& AddUs(std::uint32_t tag, unsigned value) {
    Header(tag, "US", 2);
    Little(value, 2);
    return *this;
  }
  RawWriter& AddUl(std::uint32_t tag, std::size_t value) {
    Header(tag, "UL", 4);
    Little(value, 4);
    return *this;
  }
  /// A sequence element header with undefined length; items and EndSequence follow.
  RawWriter& BeginSequence(std::uint32_t tag, std::string_view vr = "SQ") {
    Header(tag, vr, 0xFFFFFFFF);
    return *this;
  }
  RawWriter& Item(std::string_view content) {
    Mark(0xFFFEE000, content.size());
    bytes_ += content;
    return *this;
  }
  RawWriter& EndSequence() {
    Mark(0xFFFEE0DD, 0);
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  void Little(std::size_t value, unsigned count) {
    for (unsigned i = 0; i < count; ++i) bytes_ += static_cast<char>((value >> (8 * i)) & 255U);
  }
  void Mark(std::uint32_t tag, std::size_t length) {
    Little(tag >> 16U, 2);
    Little(tag & 0xFFFFU, 2);
    Little(length, 4);
  }
  void Header(std::uint32_t tag, std::string_view vr, std::size_t length) {
    if (!explicit_vr_) {
      Mark(tag, length);
      return;
    }
    Little(tag >> 16U, 2);
    Little(tag & 0xFFFFU, 2);
    bytes_ += vr;
    if (vr == "OB" || vr == "OW" || vr == "UN" || vr == "SQ" || vr == "UT" || vr == "UC") {
      Little(0, 2);
      Little(length, 4);
    } else {
      Check(length < 0x10000, "value too long for a short header");
      Little(length, 2);
    }
  }

  bool explicit_vr_;
  std::string bytes_;
};

std::string RawMeta(const std::string& sop_class, const std::string& instance,
                    const std::string& syntax) {
  RawWriter body;
  body.Add(0x00020001, "OB", std::string("\0\1", 2))
      .Add(0x00020002, "UI", sop_class)
      .Add(0x00020003, "UI", instance)
      .Add(0x00020010, "UI", syntax)
      .Add(0x00020012, "UI", kImplementationUid);
  RawWriter meta;
  meta.AddUl(0x00020000, body.bytes().size());
  return meta.bytes() + body.bytes();
}

std::string Part10(const std::string& meta, const std::string& data_set) {
  return std::string(128, '\0') + "DICM" + meta + data_set;
}

/// What the hand-made files have in common; each makes its own list of elements from it.
struct RawCase {
  Output& out;
  std::string file;
  std::string study;  // UID suffix
  std::string instance = Uid(study + ".1.1");

  void Plant() const {
    out.Plant(file, "uid", Uid(study));
    out.Plant(file, "uid", Uid(study + ".1"));
    out.Plant(file, "uid", instance);
  }
  void Write(const RawWriter& data_set, const char* sop_class = UID_CTImageStorage,
             const std::string& behind = "") const {
    Plant();
    out.Write(file, Part10(RawMeta(sop_class, instance, kExplicit), data_set.bytes() + behind));
  }
};

void AddRawImageModule(RawWriter& writer) {
  writer.AddUs(0x00280002, 1)
      .Add(0x00280004, "CS", "MONOCHROME2")
      .AddUs(0x00280010, 4)
      .AddUs(0x00280011, 4)
      .AddUs(0x00280100, 8)
      .AddUs(0x00280101, 8)
      .AddUs(0x00280102, 7)
      .AddUs(0x00280103, 0);
}

void AddRawPixels(RawWriter& writer) {
  std::string pixels;
  for (int i = 1; i <= 16; ++i) pixels += static_cast<char>(i);
  writer.Add(0x7FE00010, "OB", pixels);
}

void AddRawImage(RawWriter& writer) {
  AddRawImageModule(writer);
  AddRawPixels(writer);
}

/// Known attributes as UN: a gateway did not know them. Sequences in UN are implicit VR inside
/// (PS3.5 section 6.2.2), once with a defined length, once without.
void MakeUnknownVr(Output& out) {
  const RawCase raw = {out, "dirty/un_encoded.dcm", "5.3"};
  RawWriter inner(false);
  inner.Add(0x00100010, "PN", "Unbekannt^Innen").Add(0x00100020, "LO", "UN-INNEN-77");
  RawWriter items(false);
  items.Item(inner.bytes());
  RawWriter step(false);
  step.Add(0x00400007, "LO", "Schritt fuer Unbekannt").Add(0x00400009, "SH", "SPS-UN-88");
  RawWriter data_set;
  data_set.Add(0x00080005, "CS", "ISO_IR 100")
      .Add(0x00080016, "UI", UID_CTImageStorage)
      .Add(0x00080018, "UI", raw.instance)
      .Add(0x00080020, "UN", "20240902")
      .Add(0x00080050, "UN", "ACC0300077")
      .Add(0x00080060, "CS", "CT")
      .Add(0x00100010, "UN", "Unbekannt^Ursula ")
      .Add(0x00100020, "UN", "UN-000077 ")
      .Add(0x00100030, "UN", "19520229")
      .Add(0x00101002, "UN", items.bytes());
  data_set.Add(0x0020000D, "UN", Uid(raw.study))
      .Add(0x0020000E, "UI", Uid(raw.study + ".1"))
      .Add(0x00200013, "IS", "1");
  AddRawImageModule(data_set);
  data_set.BeginSequence(0x00400275, "UN").Item(step.bytes()).EndSequence();
  AddRawPixels(data_set);
  raw.Write(data_set);
  for (const char* name : {"Unbekannt^Ursula", "Unbekannt^Innen", "Unbekannt"}) {
    out.Plant(raw.file, "name", name);
  }
  for (const char* id : {"UN-000077", "UN-INNEN-77", "ACC0300077", "SPS-UN-88"}) {
    out.Plant(raw.file, "id", id);
  }
  out.Plant(raw.file, "birthdate", "19520229");
  out.Plant(raw.file, "date", "20240902");
}

/// VRs that contradict the dictionary. A VR rule must not be led astray by them.
void MakeWrongVr(Output& out) {
  const RawCase raw = {out, "dirty/wrong_vr.dcm", "5.4"};
  RawWriter data_set;
  data_set.Add(0x00080005, "CS", "ISO_IR 100")
      .Add(0x00080016, "UI", UID_CTImageStorage)
      .Add(0x00080018, "UI", raw.instance)
      .Add(0x00080020, "LO", "20240903")
      .Add(0x00080023, "CS", "20240904")
      .Add(0x00080050, "LO", "ACC0300088")
      .Add(0x00080060, "SH", "CT")
      .Add(0x00080090, "LO", "Falschtyp^Arzt")
      .Add(0x00100010, "LO", "Falschtyp^Fritz")
      .Add(0x00100020, "SH", "WV-000088")
      .Add(0x00100030, "LO", "19611224")
      .Add(0x0020000D, "UI", Uid(raw.study))
      .Add(0x0020000E, "LO", Uid(raw.study + ".1"))
      .Add(0x00200013, "LO", "1");
  AddRawImage(data_set);
  raw.Write(data_set);
  for (const char* name : {"Falschtyp^Fritz", "Falschtyp^Arzt", "Falschtyp"}) {
    out.Plant(raw.file, "name", name);
  }
  out.Plant(raw.file, "id", "ACC0300088");
  out.Plant(raw.file, "id", "WV-000088");
  out.Plant(raw.file, "birthdate", "19611224");
  out.Plant(raw.file, "date", "20240903");
  out.Plant(raw.file, "date", "20240904");
}

/// Viewers stop at a NUL; a byte search does not.
void MakeTextBehindNul(Output& out) {
  const RawCase raw = {out, "dirty/nul_text.dcm", "5.5"};
  RawWriter data_set;
  data_set.Add(0x00080005, "CS", "ISO_IR 100")
      .Add(0x00080016, "UI", UID_CTImageStorage)
      .Add(0x00080018, "UI", raw.instance)
      .Add(0x00080060, "CS", std::string("CT\0Nulmodus", 11))
      .Add(0x00081030, "LO", std::string("Thorax\0Nulbeschreibung", 22))
      .Add(0x00100010, "PN", std::string("Nullmann^Nora\0Resttext", 22))
      .Add(0x00100020, "LO", "NUL-000099")
      .Add(0x0020000D, "UI", Uid(raw.study) + std::string("\0Nulluid Nora", 13))
      .Add(0x0020000E, "UI", Uid(raw.study + ".1"))
      .Add(0x00200013, "IS", "1");
  AddRawImage(data_set);
  raw.Write(data_set);
  for (const char* text : {"Nulmodus", "Nulbeschreibung", "Resttext", "Nulluid"}) {
    out.Plant(raw.file, "text", text);
  }
  out.Plant(raw.file, "name", "Nullmann^Nora");
  out.Plant(raw.file, "name", "Nullmann");
  out.Plant(raw.file, "id", "NUL-000099");
}

/// What may follow Pixel Data: padding with text in it, zeros as from tapes, text behind a stray
/// delimiter, and plain text. DCMTK's own reader refuses the last one.
void MakeTrailing(Output& out) {
  struct Tail {
    const char* file;
    const char* padding;
    std::string behind;
  };
  const std::string delimiter("\xFE\xFF\x0D\xE0\0\0\0\0", 8);
  const std::vector<Tail> tails = {
      {"dirty/trailing_padding.dcm", "Fuelltext Anhang Anton", ""},
      {"dirty/trailing_zeros.dcm", "", std::string(64, '\0')},
      {"dirty/trailing_delimiter.dcm", "", delimiter + "Schwanztext Anhang Anton"},
      {"broken/trailing_text.dcm", "", "Schwanztext Anhang Anton"},
  };
  for (std::size_t i = 0; i < tails.size(); ++i) {
    const RawCase raw = {out, tails[i].file, "5.6." + std::to_string(i + 1)};
    RawWriter data_set;
    data_set.Add(0x00080005, "CS", "ISO_IR 100")
        .Add(0x00080016, "UI", UID_CTImageStorage)
        .Add(0x00080018, "UI", raw.instance)
        .Add(0x00080060, "CS", "CT")
        .Add(0x00100010, "PN", "Anhang^Anton")
        .Add(0x00100020, "LO", "TR-000111")
        .Add(0x0020000D, "UI", Uid(raw.study))
        .Add(0x0020000E, "UI", Uid(raw.study + ".1"));
    AddRawImage(data_set);
    if (*tails[i].padding != '\0') data_set.Add(0xFFFCFFFC, "OB", tails[i].padding);
    raw.Write(data_set, UID_CTImageStorage, tails[i].behind);
    out.PlantName(raw.file, "Anhang^Anton", "ISO_IR 100");
    out.Plant(raw.file, "id", "TR-000111");
    if (*tails[i].padding != '\0') out.Plant(raw.file, "text", "Fuelltext");
    if (!tails[i].behind.empty() && tails[i].behind.front() != '\0') {
      out.Plant(raw.file, "text", "Schwanztext");
    }
  }
}

/// Elements in groups that no data set may have, one attribute twice, and one out of order.
void MakeIllegalGroups(Output& out) {
  const RawCase raw = {out, "dirty/illegal_groups.dcm", "5.8"};
  RawWriter data_set;
  data_set.Add(0x00010010, "LO", "MUSTERKLINIK")
      .Add(0x00011001, "LO", "Einsergruppe Gregor")
      .Add(0x00031001, "LO", "Dreiergruppe Gregor")
      .Add(0x00071001, "LO", "Siebenergruppe Gregor")
      .Add(0x00080005, "CS", "ISO_IR 100")
      .Add(0x00080016, "UI", UID_CTImageStorage)
      .Add(0x00080018, "UI", raw.instance)
      .Add(0x00080060, "CS", "CT")
      .Add(0x00100010, "PN", "Gruppmann^Gregor")
      .Add(0x00100020, "LO", "IG-000123")
      .Add(0x00100010, "PN", "Doppelmann^Gregor")
      .Add(0x00080050, "SH", "ACC0330001")
      .Add(0x0020000D, "UI", Uid(raw.study))
      .Add(0x0020000E, "UI", Uid(raw.study + ".1"));
  AddRawImage(data_set);
  raw.Write(data_set);
  for (const char* name : {"Gruppmann^Gregor", "Doppelmann^Gregor"}) {
    out.PlantName(raw.file, name, "ISO_IR 100");
  }
  for (const char* text : {"Einsergruppe", "Dreiergruppe", "Siebenergruppe"}) {
    out.Plant(raw.file, "private", text);
  }
  out.Plant(raw.file, "id", "IG-000123");
  out.Plant(raw.file, "id", "ACC0330001");
}

/// File meta information, but no preamble in front.
void MakeNoPreamble(Output& out) {
  const RawCase raw = {out, "formats/no_preamble", "4.8"};
  RawWriter data_set;
  data_set.Add(0x00080016, "UI", UID_CTImageStorage)
      .Add(0x00080018, "UI", raw.instance)
      .Add(0x00080060, "CS", "CT")
      .Add(0x00100010, "PN", "Kopflos^Konrad")
      .Add(0x00100020, "LO", "KL-000222")
      .Add(0x0020000D, "UI", Uid(raw.study))
      .Add(0x0020000E, "UI", Uid(raw.study + ".1"));
  AddRawImage(data_set);
  raw.Plant();
  out.Write(raw.file, RawMeta(UID_CTImageStorage, raw.instance, kExplicit) + data_set.bytes());
  out.Plant(raw.file, "name", "Kopflos^Konrad");
  out.Plant(raw.file, "name", "Kopflos");
  out.Plant(raw.file, "id", "KL-000222");
}

// ------------------------------------------------------------------------- character sets

void MakeCharset(Output& out, const std::string& file, int number, const Person& person,
                 const std::string& comment) {
  Sample sample(out, file, person.charset);
  FillCommon(sample, person,
             {Uid("6." + Number(number)), "20240915", "120000", "ACC031" + Padded(number, 4),
              "Zeichensatz"},
             UID_CTImageStorage, "CT", 1, 1);
  sample.root().Secret(DCM_PatientComments, comment, "text");
  sample.root()
      .Item(DCM_RequestAttributesSequence)
      .Secret(DCM_ScheduledProcedureStepDescription, comment, "text");
  FillGreyPixels(sample.root(), 16, number);
  sample.Save();
}

void MakeCharsets(Output& out) {
  const auto person = [](const char* name, const char* id, const char* charset) {
    return Person{name, id, "19750615", "O", "049Y", charset};
  };
  MakeCharset(out, "charsets/MUELLER_latin1.dcm", 1,
              person("Müller^Jürgen^Dr.", "ZS-000001", "ISO_IR 100"), "Grüße an Frau Müßig");
  MakeCharset(out, "charsets/Zoë Çelik.dcm", 2, person("Çelik^Zoë", "ZS-000002", "ISO_IR 192"),
              "Notiz für Çelik, Größe prüfen");
  out.Plant("charsets/Zoë Çelik.dcm", "path", "Zoë Çelik");
  MakeCharset(out, "charsets/cyrillic.dcm", 3, person("Проверкин^Тест", "ZS-000003", "ISO_IR 144"),
              "Пациент Проверкин");
  MakeCharset(out, "charsets/greek.dcm", 4, person("Δοκιμάκης^Μάριος", "ZS-000004", "ISO_IR 126"),
              "Ασθενής Δοκιμάκης");
  MakeCharset(out, "charsets/arabic.dcm", 5, person("تجريبي^سالم", "ZS-000005", "ISO_IR 127"),
              "المريض تجريبي");
  MakeCharset(out, "charsets/gb18030.dcm", 6, person("测试^小明", "ZS-000006", "GB18030"),
              "患者测试小明");
  // The second byte of this character is a backslash in GB18030.
  MakeCharset(out, "charsets/gb18030_5c.dcm", 7, person("王试^誠", "ZS-000007", "GB18030"),
              "誠的备注");
  MakeCharset(out, "charsets/japanese.dcm", 8,
              person("Shiken^Hanako=試験^花子=しけん^はなこ", "ZS-000008", "\\ISO 2022 IR 87"),
              "試験花子さん");
  MakeCharset(out, "charsets/korean.dcm", 9,
              person("Siheom^Minsu=試驗^民秀=시험^민수", "ZS-000009", "\\ISO 2022 IR 149"),
              "시험 환자");
  MakeCharset(out, "charsets/czech_latin2", 10, person("Zkouška^Jiří", "ZS-000010", "ISO_IR 101"),
              "Pacient Zkouška");
}

// ------------------------------------------------------------------------- refused files

void MakeBroken(Output& out) {
  RawWriter data_set;
  data_set.Add(0x00080016, "UI", UID_CTImageStorage)
      .Add(0x00080018, "UI", Uid("7.1.1.1"))
      .Add(0x00100010, "PN", "Abgeschnitten^Astrid")
      .Add(0x00100020, "LO", "AB-000333")
      .Add(0x0020000D, "UI", Uid("7.1"))
      .Add(0x0020000E, "UI", Uid("7.1.1"))
      .Add(0x7FE00010, "OW", std::string(512, '\x2a'));
  std::string bytes =
      Part10(RawMeta(UID_CTImageStorage, Uid("7.1.1.1"), kExplicit), data_set.bytes());
  bytes.resize(bytes.size() - 200);
  const std::string file = "broken/ABGESCHNITTEN_truncated.dcm";
  out.Write(file, bytes);
  out.Plant(file, "name", "Abgeschnitten^Astrid");
  out.Plant(file, "id", "AB-000333");
  out.Plant(file, "uid", Uid("7.1.1.1"));

  out.Write("broken/notes.dcm",
            "Export fuer das Projekt:\n"
            "Notizmann, Nils, ID NT-000444 bitte noch einmal schicken.\n");
  out.Plant("broken/notes.dcm", "name", "Notizmann");
  out.Plant("broken/notes.dcm", "id", "NT-000444");
}

/// PATIENT > STUDY > SERIES > IMAGE for the first CT slice. Offsets count from the file's start.
void MakeDicomdir(Output& out) {
  const std::string file = "DICOMDIR";
  const std::string instance = Uid("8.1");
  const std::string meta = RawMeta(UID_MediaStorageDirectoryStorage, instance, kExplicit);
  const auto record = [](std::size_t lower, const char* type, const RawWriter& keys) {
    RawWriter writer;
    writer.AddUl(0x00041400, 0)
        .AddUs(0x00041410, 0xFFFF)
        .AddUl(0x00041420, lower)
        .Add(0x00041430, "CS", type);
    return writer.bytes() + keys.bytes();
  };
  RawWriter patient;
  patient.Add(0x00100010, "PN", kErika.name).Add(0x00100020, "LO", kErika.id);
  RawWriter study;
  study.Add(0x00080020, "DA", "20240314")
      .Add(0x00080030, "TM", "081530")
      .Add(0x00080050, "SH", "ACC0240000")
      .Add(0x00081030, "LO", "CT Thorax")
      .Add(0x0020000D, "UI", Uid("1.1.1"))
      .Add(0x00200010, "SH", "S1");
  RawWriter series;
  series.Add(0x00080060, "CS", "CT")
      .Add(0x0020000E, "UI", Uid("1.1.1.1"))
      .Add(0x00200011, "IS", "1");
  RawWriter image;
  image.Add(0x00041500, "CS", "IM000001")
      .Add(0x00041510, "UI", UID_CTImageStorage)
      .Add(0x00041511, "UI", Uid("1.1.1.1.1"))
      .Add(0x00041512, "UI", kExplicit)
      .Add(0x00200013, "IS", "1");

  const auto head = [](std::size_t first) {
    RawWriter writer;
    writer.Add(0x00041130, "CS", "MUSTERDISK")
        .AddUl(0x00041200, first)
        .AddUl(0x00041202, first)
        .AddUs(0x00041212, 0)
        .BeginSequence(0x00041220);
    return writer.bytes();
  };
  const std::size_t first = 132 + meta.size() + head(0).size();
  const std::vector<std::pair<const char*, const RawWriter*>> levels = {
      {"PATIENT", &patient}, {"STUDY", &study}, {"SERIES", &series}, {"IMAGE", &image}};
  std::size_t offset = first;
  RawWriter items;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const auto& [type, keys] = levels[i];
    offset += 8 + record(0, type, *keys).size();  // where the next record starts
    items.Item(record(i + 1 < levels.size() ? offset : 0, type, *keys));
  }
  items.EndSequence();
  out.Write(file, Part10(meta, head(first) + items.bytes()));
  out.PlantName(file, kErika.name, "ISO_IR 192");
  out.Plant(file, "id", kErika.id);
  out.Plant(file, "id", "ACC0240000");
  out.Plant(file, "date", "20240314");
  for (const char* uid : {"8.1", "1.1.1", "1.1.1.1", "1.1.1.1.1"}) out.Plant(file, "uid", Uid(uid));
}

// ------------------------------------------------------------------------- main

void MakeAll(Output& out, int patients, int slices) {
  MakeCt(out, patients, slices);
  MakeMrSiemens(out);
  MakeMrGe(out);
  MakePrivateSequence(out, "PROBST_PAULA/MR_Knie/MR000001.dcm", 1, EXS_LittleEndianExplicit);
  MakePrivateSequence(out, "PROBST_PAULA/MR_Knie/MR000002.dcm", 2, EXS_LittleEndianImplicit);
  MakeEnhancedMr(out);
  MakeUltrasound(out);
  MakeSecondaryCapture(out, true);
  MakeSecondaryCapture(out, false);
  MakeStructuredReport(out);
  MakeEncapsulatedPdf(out);
  MakeStructureSet(out, slices);
  MakePresentationState(out);
  MakePet(out);
  MakeEncoding(out, "formats/FORMATMANN_implicit.dcm", 1, EXS_LittleEndianImplicit);
  MakeEncoding(out, "formats/FORMATMANN_big_endian.dcm", 2, EXS_BigEndianExplicit);
  MakeEncoding(out, "formats/FORMATMANN_deflated.dcm", 3, EXS_DeflatedLittleEndianExplicit);
  MakeEncoding(out, "formats/FORMATMANN_explicit", 4, EXS_LittleEndianExplicit);
  MakeBareDataSet(out);
  MakeChattyHeader(out);
  MakeOldAttic(out);
  MakeNoPreamble(out);
  MakeDirtyDates(out);
  MakeMultiValued(out);
  MakeNoPatientId(out);
  MakeUnknownVr(out);
  MakeWrongVr(out);
  MakeIllegalGroups(out);
  MakeTextBehindNul(out);
  MakeTrailing(out);
  MakeCharsets(out);
  MakeBroken(out);
  MakeDicomdir(out);
}

constexpr const char* kUsage = "usage: make_samples OUTDIR [--patients N] [--slices N]\n";

/// A number from 1 to 999, or 0.
int ParseCount(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value >= 1 && value <= 999 ? value : 0;
}

int Main(const std::vector<std::string>& arguments) {
  std::string folder;
  int patients = 2;
  int slices = 3;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--help" || argument == "-h") {
      std::cout << kUsage;
      return 0;
    }
    if (argument == "--patients" || argument == "--slices") {
      const int count = i + 1 < arguments.size() ? ParseCount(arguments[++i]) : 0;
      if (count == 0) {
        std::cerr << argument << " takes a number from 1 to 999\n" << kUsage;
        return 2;
      }
      (argument == "--patients" ? patients : slices) = count;
    } else if (folder.empty() && argument.rfind('-', 0) != 0) {
      folder = argument;
    } else {
      std::cerr << kUsage;
      return 2;
    }
  }
  if (folder.empty()) {
    std::cerr << kUsage;
    return 2;
  }
  Check(dcmDataDict.isDictionaryLoaded(), "DCMTK's data dictionary is missing");
  DJEncoderRegistration::registerCodecs(ECC_lossyYCbCr, EUC_never);
  DcmRLEEncoderRegistration::registerCodecs();
  Output out{fs::path(folder)};
  MakeAll(out, patients, slices);
  out.Finish();
  DJEncoderRegistration::cleanup();
  DcmRLEEncoderRegistration::cleanup();
  std::cout << out.files() << " files, " << out.planted() << " identifiers\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Main({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "make_samples: " << error.what() << "\n";
    return 1;
  }
}
