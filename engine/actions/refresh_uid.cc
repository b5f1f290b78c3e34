// SPDX-License-Identifier: Apache-2.0
#include "engine/actions/digest_text.h"
#include "engine/actions/specs.h"

namespace dcmveil::engine {
namespace {

// Leading zeros in a component are illegal but common, and harm nobody.
bool LooksLikeUid(std::string_view text) {
  if (text.size() > 64) return false;
  bool digit = false;
  for (const char c : text) {
    if (c == '.' ? !digit : c < '0' || c > '9') return false;
    digit = c != '.';
  }
  return digit;
}

class RefreshUid final : public Action {
 public:
  explicit RefreshUid(const Key& key) : hmac_(key) {}

  [[nodiscard]] Change Apply(const Element& element) const override {
    return ChangeText(element, [&](std::string_view value, std::size_t) -> NewValue {
      if (IsClassUid(element.tag, value)) return {.text = std::string(value)};
      std::optional<NoteCode> note;
      if (!LooksLikeUid(value)) note = NoteCode::kUidUnparsed;
      return {.text = DigestUid(hmac_.Sign(value)), .note = note};
    });
  }

 private:
  Hmac hmac_;
};

}  // namespace

const ActionSpec& RefreshUidSpec() {
  static const ActionSpec spec{
      .name = "refresh-uid",
      .aliases = {"refreshUID"},
      .summary = "Replaces each UID by one derived from it with the key; references stay intact.",
      .vrs = Vr::UI,
      .needs_key = true,
      .examples =
          {
              {Vr::UI, "{}", "1.2.3", "2.25.265916546004113189793304262594618604694"},
              {Vr::UI, "{}", "1.2.3\\1.2.4",
               "2.25.265916546004113189793304262594618604694\\2.25."
               "121689282901400317949651150883657817539"},
              {Vr::UI, "{}", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2"},
          },
      .details =
          "The new UID is `2.25.` and a number of 128 bits. The same UID gives the same new one in "
          "every attribute, at every depth, in every run with the same key, so that references "
          "between instances hold without a table. UIDs that DICOM itself registered (SOP classes, "
          "transfer syntaxes, well-known instances, coding schemes) stay as they are; in the "
          "attributes for such UIDs (SOP Class UID, Coding Scheme UID, Context UID and their like) "
          "so do those of vendors and institutions, unless a component is longer than seven digits "
          "(four under 1.2.840.10008): that might be a date or a serial number. A value that is no "
          "UID is replaced by one, too, and counted.",
      .make = [](const Params&, MakeContext& context) -> std::unique_ptr<const Action> {
        return std::make_unique<RefreshUid>(context.KeyFor("refresh-uid"));
      },
  };
  return spec;
}

}  // namespace dcmveil::engine
