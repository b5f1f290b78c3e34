// SPDX-License-Identifier: Apache-2.0
#include "rules/profile_tables.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <tuple>

#include "engine/value.h"
#include "rules/profile_data.h"

namespace dcmveil::rules {
namespace {

constexpr std::array<std::string_view, kOptionCount> kOptionNames = {
    "clean-graphics",
    "clean-structured-content",
    "clean-descriptors",
    "retain-longitudinal-full-dates",
    "retain-longitudinal-modified-dates",
    "retain-patient-characteristics",
    "retain-device-identity",
    "retain-institution-identity",
    "retain-uids",
    "retain-safe-private",
    "clean-pixel-data",
    "clean-recognizable-visual-features",
};

// The words between separators; no text has none.
std::vector<std::string_view> Words(std::string_view text, char separator) {
  if (text.empty()) return {};
  return engine::Split(text, separator);
}

// One line of a table, cut into as many columns as the heading has. The last column takes the rest
// of the line, commas included.
class Line {
 public:
  Line(std::string_view file, int number, std::string_view text, std::size_t columns)
      : file_(file), number_(number) {
    while (cells_.size() + 1 < columns) {
      const std::size_t comma = text.find(',');
      if (comma == std::string_view::npos) Fail("too few columns");
      cells_.push_back(text.substr(0, comma));
      text.remove_prefix(comma + 1);
    }
    cells_.push_back(text);
  }

  [[nodiscard]] std::string_view operator[](std::size_t column) const { return cells_[column]; }

  [[noreturn]] void Fail(const char* problem) const {
    std::fprintf(stderr, "rules/profiles/%.*s.csv, line %d: %s\n", static_cast<int>(file_.size()),
                 file_.data(), number_, problem);
    std::abort();
  }

  [[nodiscard]] std::uint32_t Hex(std::string_view text, std::size_t digits) const {
    if (text.size() != digits) Fail("not a hexadecimal number of this length");
    std::uint32_t number = 0;
    for (const char c : text) {
      const std::size_t digit = std::string_view("0123456789ABCDEF").find(c);
      if (digit == std::string_view::npos) Fail("not a hexadecimal digit");
      number = number << 4U | static_cast<std::uint32_t>(digit);
    }
    return number;
  }

  [[nodiscard]] Tag TagAt(std::size_t column) const { return Tag(Hex(cells_[column], 8)); }

  [[nodiscard]] VrSet Vrs(std::size_t column) const {
    VrSet vrs;
    for (const std::string_view name : Words(cells_[column], ' ')) {
      const std::optional<Vr> vr = VrFromString(name);
      if (!vr) Fail("not a VR");
      vrs |= *vr;
    }
    return vrs;
  }

  [[nodiscard]] ProfileCode Code(std::string_view text) const {
    if (text == "X") return ProfileCode::kX;
    if (text == "Z") return ProfileCode::kZ;
    if (text == "D") return ProfileCode::kD;
    if (text == "U") return ProfileCode::kU;
    if (text == "U*") return ProfileCode::kUInItems;
    if (text == "K") return ProfileCode::kK;
    if (text == "C") return ProfileCode::kC;
    Fail("not an action code");
  }

  [[nodiscard]] CodeChoice Choice(std::size_t column) const {
    CodeChoice choice;
    choice.text = cells_[column];
    const std::vector<std::string_view> parts = Words(choice.text, '/');
    if (parts.empty() || parts.size() > choice.offered.size()) Fail("not an action code");
    std::transform(parts.begin(), parts.end(), choice.offered.begin(),
                   [this](std::string_view part) { return Code(part); });
    return choice;
  }

  [[nodiscard]] OptionCodes ByOption(std::size_t column) const {
    OptionCodes codes = {};
    for (const std::string_view part : Words(cells_[column], ' ')) {
      const std::size_t equals = part.find('=');
      const std::optional<Option> option = OptionFromName(part.substr(0, equals));
      if (!option || equals == std::string_view::npos) Fail("not an option");
      ProfileCode& code = codes[static_cast<std::size_t>(*option)];
      if (code != ProfileCode::kNone) Fail("an option twice");
      code = Code(part.substr(equals + 1));
    }
    return codes;
  }

 private:
  std::string_view file_;
  int number_;
  std::vector<std::string_view> cells_;
};

// The rows below the comments and the heading, which must be as expected.
std::vector<Line> Lines(const ProfileData& table, std::string_view heading) {
  const std::size_t columns = Words(heading, ',').size();
  std::vector<Line> lines;
  int number = 0;
  bool headed = false;
  for (const std::string_view text : Words(table.text, '\n')) {
    ++number;
    if (text.empty() || text.front() == '#') continue;
    if (headed) {
      lines.emplace_back(table.file, number, text, columns);
    } else if (text == heading) {
      headed = true;
    } else {
      Line(table.file, number, text, 1).Fail("another heading than expected");
    }
  }
  return lines;
}

std::vector<ProfileRow> ReadProfile(const ProfileData& table) {
  std::vector<ProfileRow> rows;
  for (const Line& line : Lines(table, "tag,keyword,vr,code,options")) {
    ProfileRow row;
    if (line[0] == "odd") {
      row.odd_groups = true;
      row.value = row.mask = 0x00010000U;
    } else {
      std::string low(line[0]);
      std::string mask(low.size(), 'F');
      for (std::size_t i = 0; i < low.size(); ++i) {
        if (low[i] != 'x') continue;
        // Repeating groups are even: the lowest bit of the group stays.
        mask[i] = i == 3 ? '1' : '0';
        low[i] = '0';
      }
      row.value = line.Hex(low, 8);
      row.mask = line.Hex(mask, 8);
    }
    row.keyword = line[1];
    row.vrs = line.Vrs(2);
    row.code = line.Choice(3);
    row.by_option = line.ByOption(4);
    rows.push_back(row);
  }
  return rows;
}

std::vector<SafePrivate> ReadSafePrivate() {
  std::vector<SafePrivate> rows;
  for (const Line& line : Lines(kSafePrivateData, "group,element,vr,creator")) {
    rows.push_back({.creator = line[3],
                    .group = static_cast<std::uint16_t>(line.Hex(line[0], 4)),
                    .element = static_cast<std::uint8_t>(line.Hex(line[1], 2)),
                    .vrs = line.Vrs(2)});
  }
  return rows;
}

std::vector<ContentItemRow> ReadContentItems() {
  std::vector<ContentItemRow> rows;
  for (const Line& line : Lines(kSrContentData, "code,scheme,value_type,action,options,meaning")) {
    rows.push_back({.code = line[0],
                    .scheme = line[1],
                    .value_type = line[2],
                    .action = line.Choice(3),
                    .by_option = line.ByOption(4),
                    .meaning = line[5]});
  }
  return rows;
}

std::vector<RetiredCode> ReadRetiredCodes() {
  std::vector<RetiredCode> rows;
  for (const Line& line : Lines(kRetiredCodesData, "code,retired")) {
    rows.push_back({.code = line[0], .retired = line[1]});
  }
  return rows;
}

struct MethodTable {
  MethodCode basic;
  std::vector<OptionInfo> options;
};

MethodTable ReadMethods() {
  MethodTable table;
  table.options.resize(kOptionCount);
  for (const Line& line : Lines(kMethodCodesData, "code,option,section,meaning")) {
    const MethodCode method{.code = line[0], .meaning = line[3], .section = line[2]};
    if (line[1] == "basic") {
      table.basic = method;
      continue;
    }
    const std::optional<Option> option = OptionFromName(line[1]);
    if (!option) line.Fail("not an option");
    table.options[static_cast<std::size_t>(*option)] = {
        .option = *option,
        .name = kOptionNames[static_cast<std::size_t>(*option)],
        .method = method};
  }
  return table;
}

const MethodTable& Methods() {
  static const MethodTable table = ReadMethods();
  return table;
}

// The SOP classes of each IOD, by its short name.
const std::map<std::string_view, std::vector<std::string_view>>& Iods() {
  static const auto iods = [] {
    std::map<std::string_view, std::vector<std::string_view>> found;
    for (const Line& line : Lines(kIodsData, "id,sop_classes,name")) {
      if (!found.emplace(line[0], Words(line[1], ' ')).second) line.Fail("an IOD twice");
    }
    return found;
  }();
  return iods;
}

auto Place(const TypeRow& row) { return std::tuple(row.tag, row.parent); }

std::vector<TypeRow> ReadTypes(const ProfileData& table) {
  std::vector<TypeRow> rows;
  for (const Line& line : Lines(table, "tag,keyword,parent,type,iods")) {
    TypeRow row{.tag = line.TagAt(0),
                .keyword = line[1],
                .parent = std::nullopt,
                .type = static_cast<int>(line.Hex(line[3], 1)),
                .sop_classes = {}};
    if (row.type < 1 || row.type > 3) line.Fail("not a type");
    if (!line[2].empty()) row.parent = line.TagAt(2);
    for (const std::string_view iod : Words(line[4], ' ')) {
      const auto found = Iods().find(iod);
      if (found == Iods().end()) line.Fail("an IOD that iods.csv does not have");
      row.sop_classes.insert(row.sop_classes.end(), found->second.begin(), found->second.end());
    }
    std::sort(row.sop_classes.begin(), row.sop_classes.end());
    if (!rows.empty() && Place(row) < Place(rows.back())) line.Fail("not sorted");
    rows.push_back(std::move(row));
  }
  return rows;
}

bool Names(const TypeRow& row, std::string_view sop_class) {
  return std::binary_search(row.sop_classes.begin(), row.sop_classes.end(), sop_class);
}

std::span<const TypeRow> RowsOf(std::span<const TypeRow> rows, Tag tag, std::optional<Tag> parent) {
  const std::tuple place(tag, parent);
  const auto first =
      std::lower_bound(rows.begin(), rows.end(), place,
                       [](const TypeRow& row, const auto& wanted) { return Place(row) < wanted; });
  auto last = first;
  while (last != rows.end() && Place(*last) == place) ++last;
  return {first, last};
}

}  // namespace

bool CodeChoice::offers(ProfileCode code) const {
  return std::find(offered.begin(), offered.end(), code) != offered.end();
}

ProfileCode CodeChoice::strongest() const {
  for (auto code = offered.rbegin(); code != offered.rend(); ++code) {
    if (*code != ProfileCode::kNone) return *code;
  }
  return ProfileCode::kNone;
}

std::optional<Option> OptionFromName(std::string_view name) {
  const auto* const found = std::find(kOptionNames.begin(), kOptionNames.end(), name);
  if (found == kOptionNames.end()) return std::nullopt;
  return static_cast<Option>(found - kOptionNames.begin());
}

std::span<const OptionInfo> Options() { return Methods().options; }

const OptionInfo& InfoOf(Option option) {
  return Methods().options[static_cast<std::size_t>(option)];
}

const MethodCode& BasicMethodCode() { return Methods().basic; }

std::span<const ProfileRow> BasicRows() {
  static const std::vector<ProfileRow> rows = ReadProfile(kBasicData);
  return rows;
}

std::span<const ProfileRow> PlusRows() {
  static const std::vector<ProfileRow> rows = ReadProfile(kPlusData);
  return rows;
}

std::span<const SafePrivate> SafePrivateRows() {
  static const std::vector<SafePrivate> rows = ReadSafePrivate();
  return rows;
}

std::span<const ContentItemRow> ContentItemRows() {
  static const std::vector<ContentItemRow> rows = ReadContentItems();
  return rows;
}

std::span<const RetiredCode> RetiredCodes() {
  static const std::vector<RetiredCode> rows = ReadRetiredCodes();
  return rows;
}

std::span<const std::string_view> RetiredSchemes() {
  static constexpr std::array<std::string_view, 3> kSchemes = {"SRT", "SNM3", "99SDM"};
  return kSchemes;
}

std::span<const std::string_view> PublishedSchemes() {
  static constexpr auto kSchemes = std::to_array<std::string_view>(
      {"DCM",  "FMA",    "I10",    "I10P",   "I9",  "I9C",  "ICDO3", "LN",     "MDC",  "MSH",
       "NCIt", "RADLEX", "RXNORM", "SCPECG", "SCT", "SNM3", "SRT",   "UBERON", "UCUM", "UMLS"});
  static_assert(std::is_sorted(kSchemes.begin(), kSchemes.end()));
  return kSchemes;
}

std::span<const TypeRow> TypeRows() {
  static const std::vector<TypeRow> rows = ReadTypes(kIodTypesData);
  return rows;
}

std::span<const TypeRow> TypeConflicts() {
  static const std::vector<TypeRow> rows = ReadTypes(kTypeConflictsData);
  return rows;
}

std::span<const std::string_view> KnownSopClasses() {
  static const std::vector<std::string_view> known = [] {
    std::vector<std::string_view> all;
    for (const auto& [id, uids] : Iods()) all.insert(all.end(), uids.begin(), uids.end());
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }();
  return known;
}

bool HasTypes(std::string_view sop_class) {
  const std::span<const std::string_view> known = KnownSopClasses();
  return std::binary_search(known.begin(), known.end(), sop_class);
}

std::optional<int> TypeOf(Tag tag, std::optional<Tag> parent, std::string_view sop_class) {
  const std::span<const TypeRow> rows = RowsOf(TypeRows(), tag, parent);
  if (!parent && !HasTypes(sop_class)) return std::nullopt;
  std::optional<int> type;
  for (const TypeRow& row : rows) {
    if (Names(row, sop_class)) return row.type;
    if (row.sop_classes.empty()) type = row.type;
  }
  return type;
}

std::optional<int> ConflictTypeOf(Tag tag, std::optional<Tag> parent, std::string_view sop_class) {
  for (const TypeRow& row : RowsOf(TypeConflicts(), tag, parent)) {
    if (row.sop_classes.empty() || Names(row, sop_class) || !HasTypes(sop_class)) return row.type;
  }
  return std::nullopt;
}

std::string_view ProfileEdition() { return "DICOM PS3.15 2026d"; }

}  // namespace dcmveil::rules
