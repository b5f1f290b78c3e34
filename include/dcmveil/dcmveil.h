/* SPDX-License-Identifier: Apache-2.0
 *
 * The C interface: for C11 and for every language that calls C.
 *
 * Handles are opaque. A function that makes one returns NULL only if there is no memory; whether it
 * succeeded is asked of the handle. Each handle is freed with its own dcmveil_..._free, which takes
 * NULL. Functions that ask take NULL as well, as what failed for lack of memory. No exception of
 * C++ leaves a function.
 *
 * Text goes in and out as UTF-8 with a NUL at its end; paths are the bytes of the file system. Text
 * and bytes that come out belong to the handle: they stay as they are until it is freed, whatever
 * is done with it before. What a callback is given lives until it returns. Sizes are in bytes. No
 * message holds the value of a data element.
 *
 * Threads: dcmveil_rules and dcmveil_engine are immutable, and any number of threads may use one at
 * once. All other handles belong to one thread at a time; dcmveil_run_stop may be called from any.
 *
 * While the soname is the same, functions are added and none is changed or taken away, and numbers
 * of enumerations keep their meaning; be ready for new ones.
 */
#ifndef DCMVEIL_DCMVEIL_H
#define DCMVEIL_DCMVEIL_H

/* NOLINTBEGIN(modernize-*,readability-identifier-naming): this is C. */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DCMVEIL_C_API __attribute__((visibility("default")))

/* The version of the library that runs: "0.1.0". */
DCMVEIL_C_API const char* dcmveil_version(void);

/* ---- Rules ---- */

typedef struct dcmveil_rules dcmveil_rules;

/* Loads a rule file (docs/rules.md). key_file replaces the file's own `key:`; NULL leaves it. */
DCMVEIL_C_API dcmveil_rules* dcmveil_rules_load_file(const char* path, const char* key_file);
/* The same from text. `name` stands for the file in messages; relative paths in the text start from
 * `folder`, which may be NULL for the current one. */
DCMVEIL_C_API dcmveil_rules* dcmveil_rules_load_text(const char* text, const char* name,
                                                     const char* folder, const char* key_file);
DCMVEIL_C_API void dcmveil_rules_free(dcmveil_rules* rules);

/* 1 if they can be used; 0 if there are errors. */
DCMVEIL_C_API int dcmveil_rules_ok(const dcmveil_rules* rules);
/* All errors, or, if there are none, all warnings and notes, one a line:
 * "rules.yaml:12:5: error: PatientNmae: no such keyword; did you mean PatientName?" */
DCMVEIL_C_API const char* dcmveil_rules_messages(const dcmveil_rules* rules);
/* The same one by one, from 0. Lines and columns count from 1; 0 means the whole file. A hint may
 * be empty. For an index that is too large: "" and 0. */
DCMVEIL_C_API size_t dcmveil_rules_diagnostic_count(const dcmveil_rules* rules);
/* "error", "warning" or "note". */
DCMVEIL_C_API const char* dcmveil_rules_diagnostic_severity(const dcmveil_rules* rules, size_t i);
DCMVEIL_C_API const char* dcmveil_rules_diagnostic_file(const dcmveil_rules* rules, size_t i);
DCMVEIL_C_API int dcmveil_rules_diagnostic_line(const dcmveil_rules* rules, size_t i);
DCMVEIL_C_API int dcmveil_rules_diagnostic_column(const dcmveil_rules* rules, size_t i);
DCMVEIL_C_API const char* dcmveil_rules_diagnostic_message(const dcmveil_rules* rules, size_t i);
DCMVEIL_C_API const char* dcmveil_rules_diagnostic_hint(const dcmveil_rules* rules, size_t i);

/* The `name:` of the file; a hash over all that was read, in hexadecimal; a name for the key that
 * does not tell it, empty if the rules use none. "" if the rules have errors. */
DCMVEIL_C_API const char* dcmveil_rules_name(const dcmveil_rules* rules);
DCMVEIL_C_API const char* dcmveil_rules_hash(const dcmveil_rules* rules);
DCMVEIL_C_API const char* dcmveil_rules_key_id(const dcmveil_rules* rules);

/* ---- One instance ---- */

typedef struct dcmveil_engine dcmveil_engine;
typedef struct dcmveil_result dcmveil_result;

/* What became of one input. */
enum {
  DCMVEIL_WRITTEN = 0,     /* de-identified */
  DCMVEIL_UNCHANGED = 1,   /* runs only: an earlier run wrote exactly this output */
  DCMVEIL_REJECTED = 2,    /* a `reject` rule said that it shall not be exported */
  DCMVEIL_QUARANTINED = 3, /* it cannot be vouched for */
  DCMVEIL_FAILED = 4       /* reading or writing failed, or there is no memory; worth another try */
};

/* The rules may be freed before the engine. Also NULL if the rules have errors. */
DCMVEIL_C_API dcmveil_engine* dcmveil_engine_new(const dcmveil_rules* rules);
DCMVEIL_C_API void dcmveil_engine_free(dcmveil_engine* engine);

/* De-identifies a DICOM file (PS3.10), with or without preamble, from memory or from disk. The
 * input is never changed. The buffer is copied; the file is kept open as long as the result. */
DCMVEIL_C_API dcmveil_result* dcmveil_apply_bytes(const dcmveil_engine* engine, const void* bytes,
                                                  size_t size);
DCMVEIL_C_API dcmveil_result* dcmveil_apply_file(const dcmveil_engine* engine, const char* input);
/* The same, and writes the result as dcmveil_result_write does. */
DCMVEIL_C_API dcmveil_result* dcmveil_apply_file_to_file(const dcmveil_engine* engine,
                                                         const char* input, const char* output);
DCMVEIL_C_API void dcmveil_result_free(dcmveil_result* result);

/* One of the enumeration; DCMVEIL_FAILED for NULL. */
DCMVEIL_C_API int dcmveil_result_outcome(const dcmveil_result* result);
/* The stable code of what went wrong ("truncated"), or the rejecting rule's reason; else "". */
DCMVEIL_C_API const char* dcmveil_result_reason(const dcmveil_result* result);
/* Where: "(0008,1140)[0].(0008,1155)", "rules.yaml:14"; may be "". */
DCMVEIL_C_API const char* dcmveil_result_where(const dcmveil_result* result);
/* A sentence for people about both; else "". */
DCMVEIL_C_API const char* dcmveil_result_message(const dcmveil_result* result);
/* What was remarkable (include/dcmveil/note_codes.def), from 0: code and how often. */
DCMVEIL_C_API size_t dcmveil_result_note_count(const dcmveil_result* result);
DCMVEIL_C_API const char* dcmveil_result_note_code(const dcmveil_result* result, size_t i);
DCMVEIL_C_API int dcmveil_result_note_times(const dcmveil_result* result, size_t i);
/* New values; "" where absent, or if there is no output. */
DCMVEIL_C_API const char* dcmveil_result_patient_id(const dcmveil_result* result);
DCMVEIL_C_API const char* dcmveil_result_study_instance_uid(const dcmveil_result* result);
DCMVEIL_C_API const char* dcmveil_result_series_instance_uid(const dcmveil_result* result);
DCMVEIL_C_API const char* dcmveil_result_sop_instance_uid(const dcmveil_result* result);
DCMVEIL_C_API const char* dcmveil_result_sop_class_uid(const dcmveil_result* result);

/* The whole output file, which is made in memory at the first call and belongs to the result; NULL
 * if there is none, and the outcome then says why. `size` may be NULL. */
DCMVEIL_C_API const void* dcmveil_result_bytes(dcmveil_result* result, size_t* size);
/* Writes the output as a new file: it appears whole or not at all, and never in the place of
 * another (reason "output-exists"). 1 if the file now stands there, 0 if not; the outcome then says
 * why, and another name may be tried. */
DCMVEIL_C_API int dcmveil_result_write(dcmveil_result* result, const char* output);

/* ---- A whole run ---- */

typedef struct dcmveil_run dcmveil_run;

/* The same numbers as the exit status of the command. */
enum {
  DCMVEIL_RUN_DONE = 0, /* every input written, unchanged or rejected */
  DCMVEIL_RUN_COULD_NOT_GO_ON = 1,
  DCMVEIL_RUN_USAGE = 2,     /* an option is wrong, nothing was touched */
  DCMVEIL_RUN_SOME_LEFT = 3, /* finished; some inputs quarantined or failed */
  DCMVEIL_RUN_STOPPED = 130
};

/* What a run has done so far. `total` is 0 until the inputs have been counted. */
typedef struct dcmveil_progress {
  size_t size; /* of this struct, as its maker has it: later versions append fields */
  uint64_t written, unchanged, rejected, quarantined, failed;
  uint64_t total;
  uint64_t bytes_in, bytes_out;
} dcmveil_progress;

/* Callbacks must return: no exception, no longjmp. */
typedef void (*dcmveil_progress_function)(const dcmveil_progress* progress, void* user);
/* The names are the manifest's; `output`, `reason` and `where` may be "". */
typedef void (*dcmveil_outcome_function)(const char* input, const char* output, int outcome,
                                         const char* reason, const char* where, void* user);

/* The engine may be freed before the run. */
DCMVEIL_C_API dcmveil_run* dcmveil_run_new(const dcmveil_engine* engine);
DCMVEIL_C_API void dcmveil_run_free(dcmveil_run* run);
/* Options as those of `dcmveil run` (docs/resume.md, docs/dicomweb.md): "input" and "output"
 * (folders, or names of services in the file that "connections" gave before), "state", "jobs",
 * "layout", "copy-quarantined"; and "dry-run", "durable", "dicomdir", "accept-changes",
 * "retry-quarantined" with "1" or "0". Returns 1; 0 if there is no such option or the value is
 * wrong, and dcmveil_run_message says what. */
DCMVEIL_C_API int dcmveil_run_set(dcmveil_run* run, const char* option, const char* value);
/* Called at most about ten times a second, and once at the end. From one thread at a time, which
 * may be another than the caller's, as is: */
DCMVEIL_C_API void dcmveil_run_on_progress(dcmveil_run* run, dcmveil_progress_function function,
                                           void* user);
/* Called once for each input, in their order. */
DCMVEIL_C_API void dcmveil_run_on_outcome(dcmveil_run* run, dcmveil_outcome_function function,
                                          void* user);
/* De-identifies every input; blocks until done. One of the enumeration. A handle runs once. */
DCMVEIL_C_API int dcmveil_run_go(dcmveil_run* run);
/* What is in flight is finished, then the run ends; the next one with the same state goes on. From
 * any thread, callback or signal handler. */
DCMVEIL_C_API void dcmveil_run_stop(dcmveil_run* run);
/* Why the run could not begin or go on, or what was wrong with an option; else "". */
DCMVEIL_C_API const char* dcmveil_run_message(const dcmveil_run* run);
/* The manifest's path; "" before the run and after a dry one. */
DCMVEIL_C_API const char* dcmveil_run_manifest(const dcmveil_run* run);
/* The counts after the run. `size` must be set to sizeof(dcmveil_progress) by the caller. */
DCMVEIL_C_API void dcmveil_run_counts(const dcmveil_run* run, dcmveil_progress* counts);

#ifdef __cplusplus
}
#endif
/* NOLINTEND(modernize-*,readability-identifier-naming) */

#endif
