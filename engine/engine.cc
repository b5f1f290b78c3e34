// SPDX-License-Identifier: Apache-2.0
#include "dcmveil/engine.h"

#include <utility>

#include "engine/apply.h"
#include "engine/deidentify.h"
#include "engine/encoding/write.h"
#include "engine/guard/guard.h"

#ifndef DCMVEIL_VERSION
#error "DCMVEIL_VERSION comes from CMakeLists.txt"
#endif

namespace dcmveil {
namespace {

Status Guard(const engine::ParsedInstance& parsed, const engine::guard::Knowledge& knowledge,
             const engine::EncodedParts& parts, const engine::Plan& plan) {
  constexpr std::size_t kPreamble = 132;  // with the prefix DICM
  engine::guard::Output output{
      .meta = std::string_view(parts.meta).substr(kPreamble),
      .head = parts.head,
      .tail = parts.tail,
      .tail_padding = parts.tail_padding,
      .encoding = parsed.encoding,
  };
  if (parts.pixels) {
    output.compressed = parsed.extents.pixels->encapsulated;
    for (const Tag tag : engine::guard::ImageSize::kTags) {
      const engine::DataElement* element = parsed.head.Find(tag);
      if (element != nullptr) output.image.Learn(tag, element->value(), false);
    }
    output.source = parts.pixels->source.get();
    output.frames = parts.pixels->offset;
    output.frames_size = parts.pixels->size;
    output.pixels = parsed.extents.pixels->tag;
  }
  return engine::guard::Look(knowledge, output, plan.parts().guard_exceptions);
}

Result<Deidentified> Apply(std::shared_ptr<engine::ByteSource> source, const engine::Plan& plan,
                           engine::Observer* observer) {
  const std::uint64_t input_size = source->size();
  Result<engine::ParsedInstance> parsed = engine::ReadInstance(std::move(source));
  if (!parsed) return parsed.error();
  Result<engine::Rewrite> rewrite = engine::Deidentify(*parsed, plan, observer);
  if (!rewrite) return rewrite.error();
  Deidentified result;
  result.input_size = input_size;
  if (rewrite->rejected != nullptr) {
    result.rejected = true;
    result.because = rewrite->rejected->because;
    result.rule = rewrite->rejected->origin;
    return result;
  }
  engine::EncodedParts parts =
      engine::EncodeParts(*parsed, rewrite->pixels, rewrite->pixel_mask, rewrite->sop_class_uid,
                          rewrite->sop_instance_uid);
  if (rewrite->knowledge) {
    const Status clear = Guard(*parsed, *rewrite->knowledge, parts, plan);
    if (!clear) return clear.error();
  }
  Result<EncodedInstance> encoded = engine::Join(std::move(parts), parsed->deflated);
  if (!encoded) return encoded.error();
  result.notes = std::move(rewrite->notes);
  result.patient_id = std::move(rewrite->patient_id);
  result.study_instance_uid = std::move(rewrite->study_instance_uid);
  result.series_instance_uid = std::move(rewrite->series_instance_uid);
  result.sop_instance_uid = std::move(rewrite->sop_instance_uid);
  result.sop_class_uid = std::move(rewrite->sop_class_uid);
  result.originals = std::move(rewrite->originals);
  result.encoded = std::move(*encoded);
  return result;
}

}  // namespace

namespace engine {

Result<Deidentified> ApplyToFile(const std::filesystem::path& file, const Plan& plan,
                                 Observer* observer) {
  Result<std::shared_ptr<ByteSource>> source = ByteSource::OpenFile(file);
  if (!source) return source.error();
  return Apply(std::move(*source), plan, observer);
}

Result<Deidentified> ApplyToBytes(std::string bytes, const Plan& plan, Observer* observer) {
  return Apply(ByteSource::FromMemory(std::move(bytes)), plan, observer);
}

}  // namespace engine

std::string_view Version() { return DCMVEIL_VERSION; }

Engine::Engine(RuleSet rules) : rules_(std::move(rules)) {}

Result<Deidentified> Engine::ApplyToFile(const std::filesystem::path& file) const {
  return engine::ApplyToFile(file, *rules_.plan(), nullptr);
}

Result<Deidentified> Engine::ApplyToBytes(std::string bytes) const {
  return engine::ApplyToBytes(std::move(bytes), *rules_.plan(), nullptr);
}

}  // namespace dcmveil
