// SPDX-License-Identifier: Apache-2.0
//
// The measure of a run from service to service: a plain copy of every instance, WADO-RS to STOW-RS,
// by so many threads, with nothing in between. Prints the seconds that it took.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "dicomweb/qido.h"
#include "dicomweb/stow.h"

namespace {

using dcmveil::Connection;
using namespace dcmveil::dicomweb;  // NOLINT(google-build-using-namespace)

Service Connect(const char* url, int connections) {
  Connection connection;
  connection.url = url;
  connection.connections = connections;
  return {connection, "/tmp"};
}

int Copy(const char* from, const char* to, int connections) {
  const auto begin = std::chrono::steady_clock::now();
  Service source = Connect(from, connections);
  Service target = Connect(to, connections);
  std::vector<ResourceId> found;
  const Reply<bool> done = SearchInstances(source, {}, [&found](const ResourceId& id) {
    found.push_back(id);
    return true;
  });
  if (!done) return 1;
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> failed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < connections; ++i) {
    threads.emplace_back([&] {
      for (std::size_t n = next++; n < found.size(); n = next++) {
        const auto instance = RetrieveInstance(source, found[n]);
        if (!instance ||
            Store(target, {{found[n], *instance}}).front().what != StowResult::What::kStored) {
          ++failed;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::printf("%.3f s, %zu instances, %zu failed\n", seconds.count(), found.size(), failed.load());
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: dicomweb_copy FROM TO CONNECTIONS\n");
    return 2;
  }
  return Copy(argv[1], argv[2], std::atoi(argv[3]));
}
