// SPDX-License-Identifier: Apache-2.0
//
// The extension dcmveil._native: the public C++ API as Python sees it, without comforts; those are
// in dcmveil/*.py. Python's lock is held wherever a Python object is touched, and nowhere else.
#include "bindings/python/native.h"

#include <pybind11/stl/filesystem.h>

#include <optional>
#include <string>
#include <utility>

#include "dcmveil/engine.h"

namespace py = pybind11;

namespace dcmveil::python {

py::str Text(std::string_view text) {
  PyObject* object =
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "surrogateescape");
  if (object == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(object);
}

py::object TextOrNone(std::string_view text) {
  if (text.empty()) return py::none();
  return Text(text);
}

py::dict Notes(const std::vector<NoteCount>& notes) {
  py::dict counts;
  for (const NoteCount& note : notes) counts[Text(CodeOf(note.code))] = note.count;
  return counts;
}

py::object Type(const char* name) { return py::module_::import("dcmveil._types").attr(name); }

namespace {

/// The bytes of an object with Python's buffer protocol, which stay where they are until this ends.
class Buffer {
 public:
  explicit Buffer(const py::handle& object) {
    if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_SIMPLE) != 0) throw py::error_already_set();
  }
  ~Buffer() { PyBuffer_Release(&view_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  [[nodiscard]] std::string_view bytes() const {
    return {static_cast<const char*>(view_.buf), static_cast<std::size_t>(view_.len)};
  }

 private:
  Py_buffer view_{};
};

py::list Diagnostics(const std::vector<Diagnostic>& diagnostics) {
  const py::object type = Type("Diagnostic");
  py::list list;
  for (const Diagnostic& one : diagnostics) {
    const char* severity = one.severity == Diagnostic::Severity::kError     ? "error"
                           : one.severity == Diagnostic::Severity::kWarning ? "warning"
                                                                            : "note";
    list.append(type(severity, Text(one.file), one.line, one.column, Text(one.message),
                     Text(one.hint), Text(ToString(one))));
  }
  return list;
}

/// Runs `load` without Python's lock.
template <typename Load>
Engine Loaded(const Load& load) {
  std::optional<RuleError> wrong;
  {
    const py::gil_scoped_release unlocked;
    try {
      return Engine(load());
    } catch (const RuleError& error) {
      wrong = error;
    }
  }
  Raise("RuleError", Diagnostics(wrong->diagnostics()));
}

[[noreturn]] void RaiseInstance(const Error& error) {
  const bool failed = OutcomeOf(error.code) == Outcome::kFailed;
  Raise(failed ? "Failed" : "Quarantined", Text(CodeOf(error.code)), Text(error.where),
        Text(error.Message()));
}

/// Raises what kept the instance from being passed on; else returns its Report.
py::object Report(const Result<Deidentified>& result) {
  if (!result) RaiseInstance(result.error());
  if (result->rejected) Raise("Rejected", Text(result->rule), Text(result->because));
  return Type("Report")(Text(result->patient_id), Text(result->study_instance_uid),
                        Text(result->series_instance_uid), Text(result->sop_instance_uid),
                        Text(result->sop_class_uid), Notes(result->notes), result->input_size,
                        result->encoded.size());
}

/// `apply` gives a Result<Deidentified>; both it and the encoding run without Python's lock.
template <typename Apply>
py::tuple BytesAndReport(const Apply& apply) {
  std::optional<Result<Deidentified>> result;
  std::optional<Result<std::string>> bytes;
  {
    const py::gil_scoped_release unlocked;
    result.emplace(apply());
    if (*result && !(*result)->rejected) bytes.emplace((*result)->encoded.ToBytes());
  }
  const py::object report = Report(*result);
  if (!*bytes) RaiseInstance(bytes->error());
  return py::make_tuple(py::bytes(**bytes), report);
}

py::tuple ApplyBytes(const Engine& engine, const py::object& bytes) {
  const Buffer buffer(bytes);
  return BytesAndReport([&] { return engine.ApplyToBytes(std::string(buffer.bytes())); });
}

py::tuple ApplyFile(const Engine& engine, const std::filesystem::path& input) {
  return BytesAndReport([&] { return engine.ApplyToFile(input); });
}

py::object ApplyFileTo(const Engine& engine, const std::filesystem::path& input,
                       const std::filesystem::path& output) {
  std::optional<Result<Deidentified>> result;
  Status written = Done{};
  {
    const py::gil_scoped_release unlocked;
    result.emplace(engine.ApplyToFile(input));
    if (*result && !(*result)->rejected) written = (*result)->encoded.WriteToFile(output);
  }
  py::object report = Report(*result);
  if (!written) RaiseInstance(written.error());
  return report;
}

}  // namespace

PYBIND11_MODULE(_native, module) {
  module.def("version", &Version);
  py::class_<Engine>(module, "Engine")
      .def(py::init([](const std::filesystem::path& rules, const std::filesystem::path& key_file) {
             return Loaded([&] {
               return LoadRules(rules, {.key_file = key_file, .allow_missing_key = false});
             });
           }),
           py::arg("rules"), py::arg("key_file"))
      .def_static(
          "from_text",
          [](const std::string& text, const std::string& name, const std::filesystem::path& folder,
             const std::filesystem::path& key_file) {
            return Loaded([&] {
              return LoadRulesFromText(text, name, folder,
                                       {.key_file = key_file, .allow_missing_key = false});
            });
          },
          py::arg("text"), py::arg("name"), py::arg("folder"), py::arg("key_file"))
      .def_property_readonly("name",
                             [](const Engine& engine) { return Text(engine.rules().name()); })
      .def_property_readonly("rules_hash",
                             [](const Engine& engine) { return engine.rules().hash(); })
      .def_property_readonly("key_id", [](const Engine& engine) { return engine.rules().key_id(); })
      .def_property_readonly(
          "warnings", [](const Engine& engine) { return Diagnostics(engine.rules().warnings()); })
      .def("apply_bytes", &ApplyBytes, py::arg("file"))
      .def("apply_file", &ApplyFile, py::arg("input"))
      .def("apply_file_to", &ApplyFileTo, py::arg("input"), py::arg("output"));
  DefineRun(module);
}

}  // namespace dcmveil::python
