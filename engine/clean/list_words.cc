// SPDX-License-Identifier: Apache-2.0
//
// Run while building: prints the word lists as the tables of engine/clean/vocabulary.cc. Making
// them when a run starts would take a tenth of its start.
//
// Usage: list_words FOLDER
#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "engine/clean/fold.h"
#include "engine/clean/word_table.h"

namespace dcmveil::engine::clean {
namespace {

/// No compiler has to take a longer string literal.
constexpr std::size_t kMostOfChunk = 60'000;

class Lists {
 public:
  /// The lines of FOLDER/NAME.txt that are no comment, folded.
  void Add(const std::filesystem::path& folder, const std::string& name, WordClass kind) {
    std::ifstream file(folder / (name + ".txt"));
    std::size_t lines = 0;
    for (std::string line; std::getline(file, line);) {
      if (line.empty() || line.front() == '#') continue;
      ++lines;
      const std::string word = Fold(line);
      if (word.empty()) continue;
      if (word.size() > WordSlot::kLongest || word.find_first_of("\"\\?") != std::string::npos) {
        Fail(name);
      }
      words_.emplace_back(word, kind);
    }
    if (lines == 0) Fail(name);
  }

  /// Writes one table of what was added since the last one.
  void Write(const char* table) {
    std::vector<WordSlot> slots(std::bit_ceil(words_.size() + words_.size() / 2 + 1));
    std::size_t longest = 0;
    chunks_.emplace_back();
    const std::size_t first_chunk = chunks_.size() - 1;
    for (const auto& [word, kind] : words_) {
      longest = std::max(longest, word.size());
      std::size_t at = HashOfWord(word) & (slots.size() - 1);
      while (slots[at].size > 0 && TextOf(slots[at], first_chunk) != word) {
        at = (at + 1) & (slots.size() - 1);
      }
      WordSlot& slot = slots[at];
      slot.kind = kind;  // a later list overrules an earlier
      if (slot.size > 0) continue;
      if (chunks_.back().size() + word.size() > kMostOfChunk) chunks_.emplace_back();
      slot.chunk = static_cast<std::uint8_t>(chunks_.size() - 1 - first_chunk);
      slot.begin = static_cast<std::uint16_t>(chunks_.back().size());
      slot.size = static_cast<std::uint8_t>(word.size());
      chunks_.back() += word;
    }
    (void)std::printf("constexpr std::string_view k%sChunks[] = {\n", table);
    for (std::size_t i = first_chunk; i < chunks_.size(); ++i) PrintLiteral(chunks_[i]);
    (void)std::printf("};\nconstexpr WordSlot k%sSlots[] = {\n", table);
    for (const WordSlot& slot : slots) {
      (void)std::printf("{%d,%d,%d,WordClass{%d}},\n", slot.begin, slot.chunk, slot.size,
                        static_cast<int>(slot.kind));
    }
    (void)std::printf("};\nconstexpr WordTable k%s{k%sSlots, k%sChunks, %zu};\n", table, table,
                      table, longest);
    words_.clear();
  }

 private:
  [[noreturn]] static void Fail(const std::string& name) {
    (void)std::fprintf(stderr, "%s.txt: no words, or one that cannot stand in a table\n",
                       name.c_str());
    std::exit(EXIT_FAILURE);  // NOLINT(concurrency-mt-unsafe): one thread
  }
  [[nodiscard]] std::string_view TextOf(const WordSlot& slot, std::size_t first_chunk) const {
    return std::string_view(chunks_[first_chunk + slot.chunk]).substr(slot.begin, slot.size);
  }
  static void PrintLiteral(std::string_view chunk) {
    constexpr std::size_t kLine = 100;
    // With its size, because a compiler counts only so far while compiling.
    const std::size_t all = chunk.size();
    (void)std::printf("{\n");
    while (!chunk.empty()) {
      std::size_t size = std::min(kLine, chunk.size());
      // A compiler may refuse a literal that ends within a character.
      while (size < chunk.size() && (static_cast<unsigned char>(chunk[size]) & 0xC0U) == 0x80U)
        ++size;
      const std::string line(chunk.substr(0, size));
      (void)std::printf("\"%s\"\n", line.c_str());
      chunk.remove_prefix(size);
    }
    (void)std::printf("\"\", %zu},\n", all);
  }

  std::vector<std::pair<std::string, WordClass>> words_;
  std::vector<std::string> chunks_;
};

}  // namespace
}  // namespace dcmveil::engine::clean

int main(int argc, char** argv) {
  using dcmveil::engine::clean::WordClass;
  if (argc != 2) return EXIT_FAILURE;
  dcmveil::engine::clean::Lists lists;
  const std::filesystem::path folder = argv[1];
  lists.Add(folder, "english", WordClass::kGeneral);
  lists.Add(folder, "medicine", WordClass::kMedical);
  lists.Add(folder, "languages", WordClass::kMedical);
  lists.Add(folder, "radiology", WordClass::kMedical);
  lists.Add(folder, "ambiguous", WordClass::kAmbiguous);
  lists.Write("Words");
  lists.Add(folder, "terms", WordClass::kMedical);
  lists.Write("Terms");
  lists.Add(folder, "unsegmented", WordClass::kMedical);
  lists.Write("Unsegmented");
  lists.Add(folder, "labels", WordClass::kGeneral);
  lists.Write("Labels");
  return EXIT_SUCCESS;
}
