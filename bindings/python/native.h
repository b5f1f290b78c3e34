// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the extension share. Python's values are made from the classes of
// dcmveil/_types.py and dcmveil/_errors.py: they are defined, and documented, there alone.
#pragma once

#include <pybind11/pybind11.h>

#include <string_view>
#include <vector>

#include "dcmveil/error.h"
#include "dcmveil/rules.h"

namespace dcmveil::python {

/// Text of ours as str; names of files may have bytes that are no UTF-8, which become what
/// os.fsdecode() makes of them.
[[nodiscard]] pybind11::str Text(std::string_view text);
/// None if it is empty.
[[nodiscard]] pybind11::object TextOrNone(std::string_view text);
/// {"date-unparsed": 2}
[[nodiscard]] pybind11::dict Notes(const std::vector<NoteCount>& notes);
/// The class of that name in dcmveil/_types.py.
[[nodiscard]] pybind11::object Type(const char* name);

/// Raises the class of that name in dcmveil/_errors.py.
template <typename... Arguments>
[[noreturn]] void Raise(const char* name, Arguments&&... arguments) {
  const pybind11::object type = pybind11::module_::import("dcmveil._errors").attr(name);
  const pybind11::object error = type(std::forward<Arguments>(arguments)...);
  PyErr_SetObject(type.ptr(), error.ptr());
  throw pybind11::error_already_set();
}

/// Defines Shard, RunOptions and run().
void DefineRun(pybind11::module_& module);

}  // namespace dcmveil::python
