// SPDX-License-Identifier: Apache-2.0
#include "engine/custom_action.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "tests/support/rules.h"

namespace dcmveil {
namespace {

using testing::Raw;
using testing::Send;
using testing::Sent;
using testing::Seq;
using testing::SmallCt;
using testing::Text;
using testing::With;

constexpr const char* kKey = "key: {file: project.key}\n";

/// Rules with the action, and with a key if `more` names one.
RuleSet Load(CustomAction action, const std::string& rules, const std::string& more = "") {
  const testing::Folder folder;
  folder.Write("project.key", std::string(64, 'a') + "\n");
  const std::string text = "dcmveil: 1\notherwise: keep\nguard: off\n" + more + "rules:\n" + rules;
  return LoadRulesFromText(text, "rules.yaml", folder.path(), {.actions = {std::move(action)}});
}

std::string ErrorsOf(CustomAction action, const std::string& rules, const std::string& more = "") {
  try {
    (void)Load(std::move(action), rules, more);
  } catch (const RuleError& error) {
    return error.what();
  }
  return "no errors";
}

/// Does what `apply` says to text and numbers.
CustomAction Doing(std::function<ElementChange(const ElementView&)> apply) {
  CustomAction action;
  action.name = "own";
  action.vrs = kAllVrs - Vr::SQ;
  action.apply = [apply = std::move(apply)](const ElementView& element,
                                            const CustomAction::Parameters&) {
    return apply(element);
  };
  return action;
}

Sent SendThrough(ElementChange change, const std::string& tag, const testing::DataSet& data_set) {
  return Send(Load(Doing([&](const ElementView&) { return change; }),
                   "- {tag: \"" + tag + "\", action: own}\n"),
              testing::File(data_set, testing::kExplicit));
}

const char* const kName = "(0010,0010)";

TEST(CustomActionTest, EveryChange) {
  const testing::DataSet ct = SmallCt();
  EXPECT_EQ(SendThrough(ElementChange::Keep(), kName, ct).out.Value(kName), "DOE^JANE");
  EXPECT_FALSE(SendThrough(ElementChange::Remove(), kName, ct).out.Has(kName));
  EXPECT_EQ(SendThrough(ElementChange::Empty(), kName, ct).out.Value(kName), "");
  EXPECT_EQ(SendThrough(ElementChange::SetValues({}), kName, ct).out.Value(kName), "");
  EXPECT_EQ(SendThrough(ElementChange::SetValues({"A^B", "C"}), kName, ct).out.Value(kName),
            "A^B\\C");
  EXPECT_EQ(SendThrough(ElementChange::SetValues({"J\u00fcrgen"}), kName, ct).out.Value(kName),
            "J\xFCrgen")
      << "in the instance's character set";
  EXPECT_EQ(SendThrough(ElementChange::SetValues({"17"}), "(0028,0010)", ct).bytes.size(),
            SendThrough(ElementChange::Keep(), "(0028,0010)", ct).bytes.size());
  EXPECT_EQ(SendThrough(ElementChange::Fail(), kName, ct).Failure(), "action-failed");
}

TEST(CustomActionTest, WhatTheVrCannotHoldQuarantines) {
  const testing::DataSet ct = SmallCt();
  const struct {
    const char* tag;
    ElementChange change;
    const char* code;
  } cases[] = {
      {"(0010,0030)", ElementChange::SetValues({"12 March"}), "action-failed"},
      {kName, ElementChange::SetValues({"A\\B"}), "action-failed"},
      {kName, ElementChange::SetBytes("A"), "action-failed"},
      {kName, ElementChange::SetValues({"\u6f22"}), "not-in-character-set"},
      {"(0028,0010)", ElementChange::SetValues({"many"}), "action-failed"},
      {"(0028,0010)", ElementChange::SetValues({""}), "action-failed"},
      {"(0028,0010)", ElementChange::SetValues({"1", "65536"}), "action-failed"},
      {"(0028,0010)", ElementChange::SetBytes("abc"), "action-failed"},
  };
  for (const auto& test : cases) {
    const Sent sent = SendThrough(test.change, test.tag, ct);
    ASSERT_FALSE(sent.ok) << test.tag;
    EXPECT_EQ(sent.Failure(), test.code) << test.tag;
    EXPECT_EQ(sent.error.where, test.tag);
  }
  const Sent sent = SendThrough(ElementChange::SetValues({std::string(65, 'x')}), kName, ct);
  EXPECT_EQ(sent.out.Value(kName), "");
  EXPECT_EQ(sent.Noted(NoteCode::kNoRoom), 1);
}

TEST(CustomActionTest, ADirtyValueMayStay) {
  const testing::DataSet dirty = With(SmallCt(), {Text({0x0010, 0x0030}, "DA", "12.3.1958")});
  const auto same = [](const ElementView& element) {
    return ElementChange::SetValues(element.values());
  };
  const Sent sent = Send(Load(Doing(same), "- {tag: PatientBirthDate, action: own}\n"),
                         testing::File(dirty, testing::kExplicit));
  ASSERT_TRUE(sent.ok);
  EXPECT_EQ(sent.out.Value("(0010,0030)"), "12.3.1958");
}

TEST(CustomActionTest, WhatItThrowsIsTheInstancesFault) {
  const RuleSet rules = Load(Doing([](const ElementView& element) -> ElementChange {
                               if (element.values().front() == "BAD") throw 42;
                               throw std::runtime_error("SECRET");
                             }),
                             "- {tag: PatientID, action: own}\n");
  for (const char* id : {"BAD", "SECRET"}) {
    const Sent sent = Send(rules, testing::File(With(SmallCt(), {Text({0x0010, 0x0020}, "LO", id)}),
                                                testing::kExplicit));
    ASSERT_FALSE(sent.ok);
    EXPECT_EQ(sent.Failure(), "action-failed");
    EXPECT_EQ(sent.error.Message().find("SECRET"), std::string::npos);
  }
}

TEST(CustomActionTest, WhatItSees) {
  struct Seen {
    Tag tag;
    Vr vr;
    std::string path;
    std::string creator;
    std::string bytes;
    std::vector<std::string> values;
    std::vector<std::string> modality;
    std::vector<std::string> absent;
  };
  std::vector<Seen> seen;
  CustomAction action = Doing([&](const ElementView& element) {
    seen.push_back({element.tag(), element.vr(), element.path(),
                    std::string(element.private_creator()), std::string(element.bytes()),
                    element.values(), element.values_of({0x0008, 0x0060}),
                    element.values_of({0x0008, 0x0070})});
    return ElementChange::Remove();
  });
  action.asks = {Tag(0x0008, 0x0060), Tag(0x0008, 0x0070)};
  const testing::DataSet item = {Text({0x0010, 0x0010}, "PN", "M\xFCLLER ")};
  const testing::DataSet data_set =
      With(SmallCt(), {Seq({0x0040, 0x0275}, {{}, item}), Raw({0x0029, 0x0010}, "LO", "ACME"),
                       Raw({0x0029, 0x1001}, "US", std::string("\1\0\2\0", 4))});
  const RuleSet rules = Load(std::move(action),
                             "- {tag: Modality, action: remove}\n"
                             "- {tag: PatientName, action: own}\n"
                             "- {private: {creator: ACME, tag: \"(0029,xx01)\"}, action: own}\n");
  ASSERT_TRUE(Send(rules, testing::File(data_set, testing::kExplicit)).ok);
  ASSERT_EQ(seen.size(), 3U);
  const auto in_item = std::find_if(seen.begin(), seen.end(), [](const Seen& element) {
    return element.path == "(0040,0275)[1].(0010,0010)";
  });
  ASSERT_NE(in_item, seen.end());
  EXPECT_EQ(in_item->vr, Vr::PN);
  EXPECT_EQ(in_item->bytes, "M\xFCLLER");
  EXPECT_EQ(in_item->values, std::vector<std::string>{"M\u00fcLLER"});
  EXPECT_EQ(in_item->modality, std::vector<std::string>{"CT"}) << "also after it was removed";
  EXPECT_TRUE(in_item->absent.empty());
  const auto own = std::find_if(seen.begin(), seen.end(),
                                [](const Seen& element) { return element.creator == "ACME"; });
  ASSERT_NE(own, seen.end());
  EXPECT_EQ(own->tag, Tag(0x0029, 0x1001));
  EXPECT_EQ(own->values, (std::vector<std::string>{"1", "2"}));
}

TEST(CustomActionTest, RulesAreCheckedAsForAnyOther) {
  CustomAction action = Doing([](const ElementView&) { return ElementChange::Keep(); });
  action.name = "site-code";
  action.vrs = {Vr::LO, Vr::SH};
  action.parameters = {{"table", "the table's name"}, {"missing", "what then", "empty"}};
  action.check = [](const CustomAction::Parameters& parameters) {
    return parameters.at("table") == "none" ? std::string("no such table") : std::string();
  };
  EXPECT_EQ(ErrorsOf(action, "- {tag: InstitutionName, action: site-code, with: {table: a}}\n"),
            "no errors");
  const struct {
    const char* rule;
    const char* error;
  } cases[] = {
      {"- {tag: InstitutionName, action: site-cod}\n", "did you mean site-code?"},
      {"- {tag: InstitutionName, action: site-code}\n", "site-code needs table"},
      {"- {tag: InstitutionName, action: site-code, with: {table: none}}\n", "no such table"},
      {"- {tag: InstitutionName, action: site-code, with: {tabel: a}}\n", "did you mean table?"},
      {"- {tag: PatientName, action: site-code, with: {table: a}}\n", "site-code cannot take PN"},
  };
  for (const auto& test : cases) {
    const std::string errors = ErrorsOf(action, test.rule);
    EXPECT_NE(errors.find(test.error), std::string::npos) << errors;
    EXPECT_EQ(errors.find("rules.yaml:"), 0U) << errors;
  }
  EXPECT_EQ(ErrorsOf(action, "- {tag: InstitutionName, action: site-code}\n",
                     "settings: {site-code: {table: a}}\n"),
            "no errors");
  action.needs_key = true;
  const std::string keyless =
      ErrorsOf(action, "- {tag: InstitutionName, action: site-code, with: {table: a}}\n");
  EXPECT_NE(keyless.find("site-code needs a key"), std::string::npos) << keyless;
}

TEST(CustomActionTest, DefinitionsAreChecked) {
  const CustomAction good = Doing([](const ElementView&) { return ElementChange::Keep(); });
  EXPECT_EQ(engine::ProblemOf(good), "");
  const auto changed = [&](auto change) {
    CustomAction action = good;
    change(action);
    return ErrorsOf(action, "- {tag: PatientName, action: keep}\n");
  };
  const std::string errors[] = {changed([](CustomAction& action) { action.name = "Own Action"; }),
                                changed([](CustomAction& action) { action.name = ""; }),
                                changed([](CustomAction& action) { action.name = "redact"; }),
                                changed([](CustomAction& action) { action.name = "dateShift"; }),
                                changed([](CustomAction& action) { action.vrs = {}; }),
                                changed([](CustomAction& action) { action.vrs |= Vr::SQ; }),
                                changed([](CustomAction& action) { action.apply = nullptr; }),
                                changed([](CustomAction& action) {
                                  action.parameters = {{"a", ""}, {"a", ""}};
                                }),
                                changed([](CustomAction& action) {
                                  action.parameters = {{"A b", ""}};
                                })};
  for (const std::string& error : errors) {
    EXPECT_NE(error.find("the program's action '"), std::string::npos) << error;
  }
}

TEST(CustomActionTest, KeyedHashesAreTheKeysAndTheActionsOwn) {
  const auto hash = [](const std::string& name) {
    CustomAction action = Doing([](const ElementView& element) {
      return ElementChange::SetValues({element.KeyedHash("text").substr(0, 16)});
    });
    action.name = name;
    action.needs_key = true;
    const RuleSet rules = Load(action, "- {tag: PatientID, action: " + name + "}\n", kKey);
    return Send(rules, testing::File(SmallCt(), testing::kExplicit)).out.Value("(0010,0020)");
  };
  EXPECT_EQ(hash("one").size(), 16U);
  EXPECT_EQ(hash("one"), hash("one"));
  EXPECT_NE(hash("one"), hash("two"));
}

TEST(CustomActionTest, ItsVersionIsPartOfTheHash) {
  CustomAction action = Doing([](const ElementView&) { return ElementChange::Keep(); });
  const auto hash = [&] { return Load(action, "- {tag: PatientID, action: own}\n").hash(); };
  const std::string first = hash();
  EXPECT_EQ(hash(), first);
  action.version = "2";
  EXPECT_NE(hash(), first);
}

TEST(CustomActionTest, TheGuardLooksAtWhatItLeaves) {
  // It took the name from one place and left it in another.
  const auto half = [](const ElementView& element) {
    return element.tag() == Tag(0x0010, 0x0010) ? ElementChange::Empty() : ElementChange::Keep();
  };
  const RuleSet rules = LoadRulesFromText(
      "dcmveil: 1\notherwise: keep\nrules:\n"
      "- {tag: [PatientName, StudyDescription], action: own}\n",
      "rules.yaml", ".", {.actions = {Doing(half)}});
  const Sent sent = Send(
      rules, testing::File(With(SmallCt(), {Text({0x0010, 0x0010}, "PN", "Zwiebelmann^Kunigunde"),
                                            Text({0x0008, 0x1030}, "LO", "for Zwiebelmann")}),
                           testing::kExplicit));
  EXPECT_EQ(sent.Failure(), "identifier-left");
}

}  // namespace
}  // namespace dcmveil
