// SPDX-License-Identifier: Apache-2.0
//
// timed RESULT COMMAND [ARGUMENT...]
//
// Runs a command and writes to RESULT, as JSON, the seconds that it took, its seconds of processor
// time and the most memory of it and of what it waited for. A program of its own because Linux
// counts the memory of whoever starts a program into that program's peak: here that is next to
// nothing.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

bool Write(const char* file, double wall, const rusage& usage, int status) {
  std::FILE* out = std::fopen(file, "w");
  if (out == nullptr) return false;
  std::fprintf(
      out, "{\"wall\": %.6f, \"user\": %.6f, \"system\": %.6f, \"memory\": %ld, \"status\": %d}\n",
      wall, Seconds(usage.ru_utime), Seconds(usage.ru_stime), usage.ru_maxrss * 1024,
      WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
  return std::fclose(out) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: timed RESULT COMMAND [ARGUMENT...]\n");
    return 2;
  }
  const auto begin = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child < 0) return 1;
  if (child == 0) {
    execvp(argv[2], argv + 2);
    std::perror(argv[2]);
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  if (wait4(child, &status, 0, &usage) != child) return 1;
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  return Write(argv[1], wall.count(), usage, status) ? 0 : 1;
}
