/* SPDX-License-Identifier: Apache-2.0
 *
 * Usage: consumer INPUTS ONE-FILE WORK: what docs/library.md shows, tried. WORK holds project.key
 * and gets what is written. */
#include <dcmveil/dcmveil.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                             \
  do {                                                                               \
    if (!(condition)) {                                                              \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                       \
    }                                                                                \
  } while (0)

static const char rules_text[] =
    "dcmveil: 1\n"
    "name: consumer\n"
    "key: {file: project.key}\n"
    "rules:\n"
    "  - {tag: PatientID, action: pseudonym}\n"
    "  - {vr: UI, action: refresh-uid}\n"
    "  - {vr: PN, action: redact}\n"
    "  - {vr: [DA, DT], action: date-shift}\n"
    "  - {tag: [SOPClassUID, Modality, \"(0028,xxxx)\", PixelData], action: keep}\n"
    "reject:\n"
    "  - {when: {SOPClassUID: EncapsulatedPDFStorage}, because: no documents}\n"
    "otherwise: remove\n";

static const char wrong_text[] =
    "dcmveil: 1\n"
    "rules:\n"
    "  - {tag: PatientNmae, action: redact}\n"
    "  - {tag: PatientID, action: redcat}\n";

static char path_buffer[4096];

static const char* in(const char* folder, const char* name) {
  snprintf(path_buffer, sizeof path_buffer, "%s/%s", folder, name);
  return path_buffer;
}

static char* read_file(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  CHECK(file != NULL);
  CHECK(fseek(file, 0, SEEK_END) == 0);
  *size = (size_t)ftell(file);
  rewind(file);
  char* bytes = malloc(*size + 1);
  CHECK(bytes != NULL && fread(bytes, 1, *size, file) == *size);
  fclose(file);
  return bytes;
}

static dcmveil_engine* make_engine(const char* work) {
  dcmveil_rules* rules = dcmveil_rules_load_text(rules_text, "rules.yaml", work, NULL);
  dcmveil_engine* engine = dcmveil_engine_new(rules);
  if (engine == NULL) fputs(dcmveil_rules_messages(rules), stderr);
  dcmveil_rules_free(rules);
  return engine;
}

static void rules_from_files_and_text(const char* work) {
  FILE* file = fopen(in(work, "rules-c.yaml"), "w");
  CHECK(file != NULL && fputs(rules_text, file) >= 0 && fclose(file) == 0);
  dcmveil_rules* rules = dcmveil_rules_load_file(in(work, "rules-c.yaml"), NULL);
  CHECK(dcmveil_rules_ok(rules));
  CHECK(strcmp(dcmveil_rules_name(rules), "consumer") == 0);
  CHECK(strlen(dcmveil_rules_hash(rules)) == 64);
  CHECK(strlen(dcmveil_rules_key_id(rules)) > 0);
  dcmveil_rules_free(rules);

  rules = dcmveil_rules_load_text(wrong_text, "wrong.yaml", NULL, NULL);
  CHECK(!dcmveil_rules_ok(rules));
  CHECK(dcmveil_engine_new(rules) == NULL);
  CHECK(strstr(dcmveil_rules_messages(rules), "wrong.yaml:3:11: error: PatientNmae") != NULL);
  CHECK(dcmveil_rules_diagnostic_count(rules) == 2);
  CHECK(strcmp(dcmveil_rules_diagnostic_severity(rules, 1), "error") == 0);
  CHECK(strcmp(dcmveil_rules_diagnostic_file(rules, 1), "wrong.yaml") == 0);
  CHECK(dcmveil_rules_diagnostic_line(rules, 1) == 4);
  CHECK(dcmveil_rules_diagnostic_column(rules, 1) > 0);
  CHECK(strstr(dcmveil_rules_diagnostic_message(rules, 1), "redcat") != NULL);
  CHECK(strstr(dcmveil_rules_diagnostic_hint(rules, 1), "redact") != NULL);
  CHECK(strcmp(dcmveil_rules_diagnostic_message(rules, 2), "") == 0);
  CHECK(dcmveil_rules_diagnostic_line(rules, 2) == 0);
  CHECK(strcmp(dcmveil_rules_name(rules), "") == 0);
  dcmveil_rules_free(rules);

  rules = dcmveil_rules_load_file(in(work, "none.yaml"), NULL);
  CHECK(!dcmveil_rules_ok(rules) && strlen(dcmveil_rules_messages(rules)) > 0);
  dcmveil_rules_free(rules);
  rules = dcmveil_rules_load_text(rules_text, "rules.yaml", work, "/none.key");
  CHECK(!dcmveil_rules_ok(rules));
  dcmveil_rules_free(rules);
}

static void one_file(const dcmveil_engine* engine, const char* input, const char* output) {
  dcmveil_result* result = dcmveil_apply_file_to_file(engine, input, output);
  if (dcmveil_result_outcome(result) != DCMVEIL_WRITTEN) {
    fprintf(stderr, "%s: %s\n", input, dcmveil_result_message(result));
  }
  dcmveil_result_free(result);
}

static void files_and_buffers(const dcmveil_engine* engine, const char* input, const char* work) {
  char output[4096];
  snprintf(output, sizeof output, "%s", in(work, "one-c.dcm"));
  one_file(engine, input, output);

  size_t input_size = 0;
  size_t written_size = 0;
  char* bytes = read_file(input, &input_size);
  char* written = read_file(output, &written_size);
  dcmveil_result* result = dcmveil_apply_bytes(engine, bytes, input_size);
  size_t size = 0;
  const void* made = dcmveil_result_bytes(result, &size);
  CHECK(size == written_size && memcmp(made, written, size) == 0);
  CHECK(dcmveil_result_bytes(result, NULL) == made);
  CHECK(dcmveil_result_outcome(result) == DCMVEIL_WRITTEN);
  CHECK(strcmp(dcmveil_result_reason(result), "") == 0);
  CHECK(strncmp(dcmveil_result_sop_instance_uid(result), "2.25.", 5) == 0);
  CHECK(strncmp(dcmveil_result_study_instance_uid(result), "2.25.", 5) == 0);
  CHECK(strncmp(dcmveil_result_series_instance_uid(result), "2.25.", 5) == 0);
  CHECK(strncmp(dcmveil_result_sop_class_uid(result), "1.2.840.10008.", 14) == 0);
  CHECK(strlen(dcmveil_result_patient_id(result)) > 0);
  for (size_t i = 0; i < dcmveil_result_note_count(result); ++i) {
    CHECK(strlen(dcmveil_result_note_code(result, i)) > 0);
    CHECK(dcmveil_result_note_times(result, i) > 0);
  }
  CHECK(strcmp(dcmveil_result_note_code(result, 1000), "") == 0);
  CHECK(dcmveil_result_write(result, output)); /* the same bytes stand there */
  dcmveil_result_free(result);

  /* Never in the place of something else. */
  FILE* file = fopen(in(work, "other-c.dcm"), "wb");
  CHECK(file != NULL && fputs("other", file) >= 0 && fclose(file) == 0);
  result = dcmveil_apply_file_to_file(engine, input, in(work, "other-c.dcm"));
  CHECK(dcmveil_result_outcome(result) == DCMVEIL_QUARANTINED);
  CHECK(strcmp(dcmveil_result_reason(result), "output-exists") == 0);
  CHECK(dcmveil_result_write(result, in(work, "another-c.dcm")));
  CHECK(dcmveil_result_outcome(result) == DCMVEIL_WRITTEN);
  CHECK(strcmp(dcmveil_result_reason(result), "") == 0);
  dcmveil_result_free(result);

  /* What cannot be read. */
  result = dcmveil_apply_bytes(engine, bytes, input_size / 3);
  CHECK(dcmveil_result_outcome(result) == DCMVEIL_QUARANTINED);
  CHECK(strcmp(dcmveil_result_reason(result), "truncated") == 0);
  CHECK(strlen(dcmveil_result_message(result)) > 0);
  CHECK(dcmveil_result_bytes(result, &size) == NULL && size == 0);
  CHECK(!dcmveil_result_write(result, in(work, "none.dcm")));
  dcmveil_result_free(result);
  result = dcmveil_apply_bytes(engine, NULL, 0);
  CHECK(strcmp(dcmveil_result_reason(result), "not-dicom") == 0);
  dcmveil_result_free(result);
  result = dcmveil_apply_file(engine, in(work, "none.dcm"));
  CHECK(dcmveil_result_outcome(result) == DCMVEIL_FAILED);
  dcmveil_result_free(result);
  free(bytes);
  free(written);
}

/* What was given out stays, whatever the handle is asked afterwards. */
static void text_stays(const dcmveil_engine* engine, const char* input, const char* work) {
  const char* text[8];
  char copy[8][4096];
  size_t size = 0;
  size_t count = 0;
  dcmveil_result* result = dcmveil_apply_file_to_file(engine, input, in(work, "other-c.dcm"));
  CHECK(dcmveil_result_outcome(result) == DCMVEIL_QUARANTINED);
  text[count++] = dcmveil_result_reason(result);
  text[count++] = dcmveil_result_message(result);
  text[count++] = dcmveil_result_where(result);
  text[count++] = dcmveil_result_patient_id(result);
  const void* bytes = dcmveil_result_bytes(result, &size);
  char* bytes_copy = malloc(size);
  CHECK(bytes != NULL && bytes_copy != NULL);
  memcpy(bytes_copy, bytes, size);
  for (size_t i = 0; i < count; ++i) snprintf(copy[i], sizeof copy[i], "%s", text[i]);
  CHECK(!dcmveil_result_write(result, "/no/such/folder/x.dcm"));
  CHECK(strcmp(dcmveil_result_message(result), copy[1]) != 0);
  CHECK(!dcmveil_result_write(result, in(work, "other-c.dcm")));
  CHECK(dcmveil_result_write(result, in(work, "stays-c.dcm")));
  CHECK(strcmp(dcmveil_result_message(result), "") == 0);
  CHECK(dcmveil_result_bytes(result, NULL) == bytes && memcmp(bytes, bytes_copy, size) == 0);
  for (size_t i = 0; i < count; ++i) CHECK(strcmp(text[i], copy[i]) == 0);
  free(bytes_copy);
  dcmveil_result_free(result);

  dcmveil_run* run = dcmveil_run_new(engine);
  count = 0;
  text[count++] = dcmveil_run_message(run);
  text[count++] = dcmveil_run_manifest(run);
  CHECK(!dcmveil_run_set(run, "no such option as this, which takes room", "1"));
  text[count++] = dcmveil_run_message(run);
  for (size_t i = 0; i < count; ++i) snprintf(copy[i], sizeof copy[i], "%s", text[i]);
  CHECK(!dcmveil_run_set(run, "jobs", "many"));
  CHECK(dcmveil_run_set(run, "jobs", "1"));
  CHECK(strcmp(dcmveil_run_message(run), "") == 0);
  CHECK(dcmveil_run_set(run, "input", input));
  CHECK(dcmveil_run_set(run, "output", in(work, "stays-c")));
  CHECK(dcmveil_run_go(run) == DCMVEIL_RUN_DONE);
  CHECK(strlen(dcmveil_run_manifest(run)) > 0);
  for (size_t i = 0; i < count; ++i) CHECK(strcmp(text[i], copy[i]) == 0);
  dcmveil_run_free(run);
}

struct counts {
  dcmveil_run* run;
  int told;
  int progress;
  int stop_after;
};

static void on_outcome(const char* input, const char* output, int outcome, const char* reason,
                       const char* where, void* user) {
  struct counts* counts = user;
  CHECK(strlen(input) > 0);
  CHECK((strlen(output) > 0) == (outcome == DCMVEIL_WRITTEN || outcome == DCMVEIL_UNCHANGED));
  if (outcome >= DCMVEIL_REJECTED) fprintf(stderr, "%s: %s %s\n", input, reason, where);
  if (++counts->told == counts->stop_after) dcmveil_run_stop(counts->run);
}

static void on_progress(const dcmveil_progress* progress, void* user) {
  struct counts* counts = user;
  CHECK(progress->size >= sizeof *progress);
  ++counts->progress;
}

static int run(const dcmveil_engine* engine, const char* input, const char* output,
               struct counts* counts, dcmveil_progress* done) {
  dcmveil_run* run = dcmveil_run_new(engine);
  dcmveil_run_set(run, "input", input);
  dcmveil_run_set(run, "output", output);
  dcmveil_run_set(run, "jobs", "2");
  dcmveil_run_on_outcome(run, on_outcome, counts);
  dcmveil_run_on_progress(run, on_progress, counts);
  counts->run = run;
  int status = dcmveil_run_go(run);
  if (strlen(dcmveil_run_message(run)) > 0) fprintf(stderr, "%s\n", dcmveil_run_message(run));
  done->size = sizeof *done;
  dcmveil_run_counts(run, done);
  dcmveil_run_free(run);
  return status;
}

static void whole_runs(const dcmveil_engine* engine, const char* samples, const char* work) {
  char output[4096];
  snprintf(output, sizeof output, "%s", in(work, "run-c"));
  dcmveil_progress done;
  struct counts stopped = {.stop_after = 2};
  CHECK(run(engine, samples, output, &stopped, &done) == DCMVEIL_RUN_STOPPED);
  CHECK(stopped.told >= 2);

  struct counts counts = {0};
  int status = run(engine, samples, output, &counts, &done);
  CHECK(status == DCMVEIL_RUN_DONE || status == DCMVEIL_RUN_SOME_LEFT);
  uint64_t all = done.written + done.unchanged + done.rejected + done.quarantined + done.failed;
  CHECK((uint64_t)counts.told == all && done.total == all);
  CHECK(done.written > 2 && done.bytes_in > 0 && done.bytes_out > 0);
  CHECK(counts.progress >= 1);
  CHECK((status == DCMVEIL_RUN_SOME_LEFT) == (done.quarantined + done.failed > 0));

  dcmveil_run* wrong = dcmveil_run_new(engine);
  CHECK(dcmveil_run_go(wrong) == DCMVEIL_RUN_USAGE);
  CHECK(strlen(dcmveil_run_message(wrong)) > 0);
  CHECK(dcmveil_run_go(wrong) == DCMVEIL_RUN_USAGE);
  dcmveil_run_free(wrong);
  wrong = dcmveil_run_new(engine);
  CHECK(!dcmveil_run_set(wrong, "inptu", samples));
  CHECK(strstr(dcmveil_run_message(wrong), "inptu") != NULL);
  CHECK(!dcmveil_run_set(wrong, "jobs", "many"));
  CHECK(!dcmveil_run_set(wrong, "dry-run", "maybe"));
  CHECK(!dcmveil_run_set(wrong, "connections", "/none.yaml"));
  CHECK(!dcmveil_run_set(wrong, "input", "https://archive.example/dicom-web"));
  CHECK(dcmveil_run_set(wrong, "input", samples) && dcmveil_run_set(wrong, "output", output));
  CHECK(dcmveil_run_set(wrong, "layout", "{NoSuchThing}"));
  CHECK(dcmveil_run_go(wrong) == DCMVEIL_RUN_USAGE);
  CHECK(strcmp(dcmveil_run_manifest(wrong), "") == 0);
  dcmveil_run_free(wrong);
}

static void nothing_at_all(void) {
  dcmveil_rules_free(NULL);
  dcmveil_engine_free(NULL);
  dcmveil_result_free(NULL);
  dcmveil_run_free(NULL);
  CHECK(!dcmveil_rules_ok(NULL));
  CHECK(strlen(dcmveil_rules_messages(NULL)) > 0);
  CHECK(dcmveil_rules_diagnostic_count(NULL) == 0);
  CHECK(dcmveil_engine_new(NULL) == NULL);
  CHECK(dcmveil_apply_file(NULL, "x") == NULL);
  CHECK(dcmveil_result_outcome(NULL) == DCMVEIL_FAILED);
  CHECK(strcmp(dcmveil_result_reason(NULL), "out-of-memory") == 0);
  CHECK(dcmveil_result_bytes(NULL, NULL) == NULL);
  CHECK(!dcmveil_result_write(NULL, "x"));
  CHECK(dcmveil_run_new(NULL) == NULL);
  CHECK(!dcmveil_run_set(NULL, "input", "x"));
  CHECK(dcmveil_run_go(NULL) == DCMVEIL_RUN_COULD_NOT_GO_ON);
  dcmveil_run_stop(NULL);
}

int main(int argc, char** argv) {
  CHECK(argc == 4);
  const char* work = argv[3];
  printf("dcmveil %s\n", dcmveil_version());
  rules_from_files_and_text(work);
  dcmveil_engine* engine = make_engine(work);
  CHECK(engine != NULL);
  files_and_buffers(engine, argv[2], work);
  text_stays(engine, argv[2], work);
  whole_runs(engine, argv[1], work);
  dcmveil_engine_free(engine);
  nothing_at_all();
  puts("all well");
  return 0;
}
