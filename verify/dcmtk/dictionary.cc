// SPDX-License-Identifier: Apache-2.0
#include "verify/dcmtk/dictionary.h"

#include "dcmtk/dcmdata/dcdicent.h"
#include "dcmtk/dcmdata/dcdict.h"
#include "dcmtk/dcmdata/dcspchrs.h"
#include "dcmtk/dcmdata/dcvr.h"
#include "dcmtk/oflog/oflog.h"

namespace dcmveil::verify {

std::string DictionaryVr(Tag tag) {
  if (tag.is_private()) return "UN";
  // Its lock is a lock of DCMTK's own; entries live as long as the dictionary.
  const DcmDataDictionary& dictionary = dcmDataDict.rdlock();
  const DcmDictEntry* entry = dictionary.findEntry(DcmTagKey(tag.group, tag.element), nullptr);
  std::string vr = "UN";
  if (entry != nullptr) {
    // "ox" and the like are the dictionary's words for several VRs.
    DcmVR valid(entry->getVR().getValidEVR());
    vr = valid.getVRName();
  }
  dcmDataDict.rdunlock();
  return vr.size() == 2 ? vr : "UN";
}

std::vector<std::string> DictionaryWords() {
  std::vector<std::string> words;
  DcmDataDictionary& dictionary = dcmDataDict.wrlock();
  const auto add = [&words](const char* name) {
    std::string word;
    for (; name != nullptr && *name != '\0'; ++name) {
      const bool capital = *name >= 'A' && *name <= 'Z';
      const bool letter = capital || (*name >= 'a' && *name <= 'z');
      if ((capital || !letter) && word.size() > 1) words.push_back(std::exchange(word, {}));
      if (capital || !letter) word.clear();
      if (letter) word.push_back(static_cast<char>(capital ? *name + 32 : *name));
    }
    if (word.size() > 1) words.push_back(word);
  };
  for (auto it = dictionary.normalBegin(); it != dictionary.normalEnd(); ++it) {
    if ((*it)->getPrivateCreator() == nullptr) add((*it)->getTagName());
  }
  for (auto it = dictionary.repeatingBegin(); it != dictionary.repeatingEnd(); ++it) {
    if ((*it)->getPrivateCreator() == nullptr) add((*it)->getTagName());
  }
  dcmDataDict.wrunlock();
  return words;
}

struct TextDecoder::Converter {
  DcmSpecificCharacterSet set;
  bool usable = false;
};

TextDecoder::TextDecoder() {
  // DCMTK's warnings may quote values.
  OFLog::configure(OFLogger::OFF_LOG_LEVEL);
}
TextDecoder::~TextDecoder() = default;

std::string TextDecoder::ToUtf8(const std::string& terms, std::string_view vr,
                                std::string_view bytes) {
  std::unique_ptr<Converter>& converter = converters_[terms];
  if (!converter) {
    converter = std::make_unique<Converter>();
    converter->usable =
        converter->set.selectCharacterSet(OFString(terms.data(), terms.size()), "ISO_IR 192")
            .good();
  }
  if (!converter->usable) return {};
  OFString text;
  const OFCondition condition =
      converter->set.convertString(bytes.data(), bytes.size(), text, vr == "PN" ? "\\^=" : "\\");
  if (condition.bad()) return {};
  return {text.data(), text.size()};
}

}  // namespace dcmveil::verify
