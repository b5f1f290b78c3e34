// SPDX-License-Identifier: Apache-2.0
//
// LoadRules: read the file and what it extends, get the key, compile, check.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "dcmveil/rules.h"
#include "engine/crypto.h"
#include "engine/plan.h"
#include "engine/text_file.h"
#include "rules/actions.h"
#include "rules/check.h"
#include "rules/compile.h"
#include "rules/import/microsoft.h"
#include "rules/key.h"
#include "rules/profile.h"
#include "rules/read.h"

#ifndef DCMVEIL_VERSION
#define DCMVEIL_VERSION "0.0.0"
#endif

namespace dcmveil {
namespace rules {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxMethodText = 64;
constexpr std::size_t kHashDigitsInMethod = 16;

void UpdateWithLength(Sha256Stream& stream, std::string_view text) {
  std::array<char, 8> length{};
  for (std::size_t i = 0; i < length.size(); ++i) {
    length[i] = static_cast<char>(static_cast<std::uint64_t>(text.size()) >> (56U - 8U * i));
  }
  stream.Update({length.data(), length.size()});
  stream.Update(text);
}

class Loader {
 public:
  explicit Loader(const LoadOptions& options)
      : options_(options), actions_(options.actions, diagnostics_) {}
  // Microsoft's configurations hold keys.
  ~Loader() {
    for (SourceFile& file : files_) Cleanse(file.text);
  }
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  RuleSet FromFile(const fs::path& file) {
    std::optional<std::string> text =
        engine::ReadTextFile(file, engine::kLongestRuleFile, engine::FileKind::kRegularOrPipe);
    const SourceFile& source = files_.emplace_back(
        SourceFile{file.string(), file.parent_path(), text.value_or(std::string())});
    if (!text) {
      std::error_code error;
      const bool is_there = fs::exists(file, error) || error;
      diagnostics_.Error({&source, 0, 0},
                         is_there ? "the rule file cannot be read" : "there is no such rule file");
      diagnostics_.ThrowIfErrors(files_);
    }
    chain_.push_back(Canonical(file));
    return Run(source);
  }

  RuleSet FromText(const std::string& text, const std::string& name, const fs::path& folder) {
    const SourceFile& source = files_.emplace_back(SourceFile{name, folder, text});
    chain_.push_back(Canonical(folder / fs::path(name).filename()));
    return Run(source);
  }

 private:
  RuleSet Run(const SourceFile& source) {
    RuleBook book = ReadBook(source);
    if (book.name.empty()) book.name = fs::path(source.name).stem().string();
    if (book.profile_request) {
      book.profile_request->strict_table = book.strict_table.value_or(false);
      book.profile_request->keep_device_dates = book.keep_device_dates.value_or(false);
      ApplyProfile(book, diagnostics_);
    } else if (!book.otherwise_keep && !book.imported) {
      diagnostics_.Warning(book.place,
                           "otherwise is not stated, so elements that no rule decides are kept",
                           "write otherwise: keep, or otherwise: remove for an allow-list");
    }
    const std::optional<Key> key = FindKey(book);
    Compiled compiled = Compile(book, key ? &*key : nullptr, diagnostics_);
    diagnostics_.ThrowIfErrors(files_);

    Check(book, diagnostics_);
    Sha256Stream stream;
    for (const SourceFile& file : files_) UpdateWithLength(stream, file.text);
    for (const std::string& text : compiled.contents_read) UpdateWithLength(stream, text);
    if (book.profile_request) UpdateWithLength(stream, ProfileEdition());
    for (const CustomAction& action : options_.actions) {
      UpdateWithLength(stream, action.name);
      UpdateWithLength(stream, action.version);
      for (const Tag tag : action.asks) compiled.parts.asks.push_back(tag);
    }
    compiled.parts.custom_actions = actions_.own();
    const std::string hash = stream.Finish().hex();
    compiled.parts.method_text =
        ("dcmveil " DCMVEIL_VERSION ", rules " + hash.substr(0, kHashDigitsInMethod))
            .substr(0, kMaxMethodText);
    const bool keyed = FirstThatNeedsKey(book).has_value();
    auto plan = std::make_shared<const engine::Plan>(std::move(compiled.parts));
    return RuleSet(std::move(plan), book.name, hash, key && keyed ? key->id() : std::string(),
                   diagnostics_.Sorted(files_));
  }

  static fs::path Canonical(const fs::path& file) {
    std::error_code error;
    fs::path path = fs::weakly_canonical(file, error);
    return error ? file.lexically_normal() : path;
  }

  RuleBook ReadBook(const SourceFile& source) {
    RuleBook empty;
    empty.place = {&source, 0, 0};
    if (LooksLikeJson(source.text)) {
      // Without its comments JSON is YAML. If it turns out not to be Microsoft's, nothing was said.
      Diagnostics scratch;
      const std::optional<Node> root = ParseYaml(source, WithoutComments(source.text), scratch);
      if (root ? IsMicrosoft(*root) : MentionsMicrosoft(source.text)) {
        for (Diagnostic& diagnostic : scratch.Sorted(files_)) {
          diagnostics_.Add(std::move(diagnostic));
        }
        return root ? ImportMicrosoft(*root, diagnostics_) : std::move(empty);
      }
    }
    const std::optional<Node> root = ParseYaml(source, source.text, diagnostics_);
    if (!root) return empty;
    if (IsMicrosoft(*root)) return ImportMicrosoft(*root, diagnostics_);
    ReadFile file = ReadRuleFile(*root, actions_, diagnostics_);
    if (file.extends) Extend(file, source);
    if (file.options) {
      if (!file.book.profile_request) {
        diagnostics_.Error(file.options->place, "options: belong to profile: basic or basic+",
                           "name the profile, or leave them out");
      } else {
        file.book.profile_request->options = std::move(file.options->list);
        file.book.profile_request->options_place = file.options->place;
      }
    }
    return std::move(file.book);
  }

  void Extend(ReadFile& file, const SourceFile& source) {
    const fs::path relative(*file.extends);
    const fs::path path = source.folder / relative;
    if (std::find(chain_.begin(), chain_.end(), Canonical(path)) != chain_.end()) {
      diagnostics_.Error(file.extends_place,
                         "profile: " + *file.extends + ": a rule file cannot extend itself");
      return;
    }
    std::optional<std::string> text = engine::ReadTextFile(path, engine::kLongestRuleFile);
    if (!text) {
      diagnostics_.Error(file.extends_place, "profile: " + *file.extends + ": no such rule file",
                         "profile is basic, basic+, none or the path of a rule file");
      return;
    }
    const std::string name =
        (fs::path(source.name).parent_path() / relative).lexically_normal().string();
    const SourceFile& base_source =
        files_.emplace_back(SourceFile{name, path.parent_path(), std::move(*text)});
    chain_.push_back(Canonical(path));
    RuleBook base = ReadBook(base_source);
    if (base.imported) {
      diagnostics_.Error(file.extends_place, "profile: " + *file.extends +
                                                 ": only a file of dcmveil's own language can be "
                                                 "extended");
      return;
    }
    Inherit(file.book, std::move(base));
  }

  // Rules after rules; the rest only where the extending file is silent, parameter by parameter.
  static void Inherit(RuleBook& book, RuleBook base) {
    for (RuleDraft& rule : base.rules) book.rules.push_back(std::move(rule));
    for (auto& [spec, params] : base.settings) {
      ParamTexts& own = book.settings[spec];
      own.merge(params);
    }
    if (!book.mark) book.mark = base.mark;
    if (!book.strict_table) book.strict_table = base.strict_table;
    if (!book.keep_device_dates) book.keep_device_dates = base.keep_device_dates;
    book.profile_request = std::move(base.profile_request);
    if (!book.rejects) book.rejects = std::move(base.rejects);
    if (!book.guard) book.guard = std::move(base.guard);
    if (!book.key) book.key = std::move(base.key);
    if (!book.escrow) book.escrow = std::move(base.escrow);
    if (!book.otherwise_keep) {
      book.otherwise_keep = base.otherwise_keep;
      book.otherwise_place = base.otherwise_place;
    }
  }

  std::optional<Key> FindKey(const RuleBook& book) {
    if (!options_.key_file.empty()) {
      return Take(ReadKeyFile(options_.key_file), book.place);
    }
    if (book.key) {
      return Take(book.key->variable.empty() ? ReadKeyFile(book.key->file)
                                             : ReadKeyVariable(book.key->variable),
                  book.key->place);
    }
    const std::optional<KeyUser> user = FirstThatNeedsKey(book);
    if (!user) return std::nullopt;
    if (!book.keys_in_file.empty()) {
      Sha256Stream stream;
      for (const auto& key : book.keys_in_file) UpdateWithLength(stream, key->bytes());
      const Digest digest = stream.Finish();
      return Key(digest.view());
    }
    const std::string needs = user->name + " needs a key";
    if (book.imported) {
      diagnostics_.Warning(user->place,
                           needs +
                               " and the configuration holds none: a new one is made for each "
                               "run",
                           "give a key file, so that two runs agree");
      return Random(book.place);
    }
    const std::string hint = "dcmveil keygen project.key, then key: {file: project.key}";
    if (options_.allow_missing_key) return MakeDo(user->place, needs, hint);
    diagnostics_.Error(user->place, needs, hint);
    return Random(book.place);
  }

  std::optional<Key> Take(KeyReading reading, const Place& place) {
    if (reading.key) return std::move(reading.key);
    if (reading.missing && options_.allow_missing_key) {
      return MakeDo(place, reading.message, reading.hint);
    }
    diagnostics_.Error(place, reading.message, reading.hint);
    return Random(place);
  }

  std::optional<Key> MakeDo(const Place& place, const std::string& message,
                            const std::string& hint) {
    diagnostics_.Warning(place, message + ": a throw-away key is used, and nothing may be written",
                         hint);
    return Random(place);
  }

  std::optional<Key> Random(const Place& place) {
    std::optional<Key> key = GenerateKey();
    if (!key) diagnostics_.Error(place, "the system gives no random numbers");
    return key;
  }

  const LoadOptions& options_;
  // Places point into it; a deque never moves what it holds.
  std::deque<SourceFile> files_;
  std::vector<fs::path> chain_;
  Diagnostics diagnostics_;
  Actions actions_;
};

}  // namespace
}  // namespace rules

RuleSet LoadRules(const std::filesystem::path& file, const LoadOptions& options) {
  return rules::Loader(options).FromFile(file);
}

RuleSet LoadRulesFromText(const std::string& text, const std::string& name,
                          const std::filesystem::path& folder, const LoadOptions& options) {
  return rules::Loader(options).FromText(text, name, folder);
}

}  // namespace dcmveil
