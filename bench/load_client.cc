// Many hosts that fetch the same files by TFTP or HTTP, from one thread: a load for a server, or a
// test of one. Every byte is compared with the reference. Prints what came of it as one JSON
// object on a line; ends with 0 if every host has got everything.
//
//   load_client --hosts 4000 --at-once 4000 --fetch tftp://127.0.0.1:6969/autopxe-525400123456 menu

#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "bench/load.h"
#include "bench/percentile.h"
#include "bench/step.h"
#include "common/status/status_macros.h"

namespace autopxe::bench {
namespace {

// Every place has a socket.
void RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

absl::StatusOr<Step> BuildStep(const std::string& url, const std::string& file) {
  ASSIGN_OR_RETURN(Step step, ParseStep(url));
  if (file == "-") return step;
  std::ifstream in(file, std::ios::binary);
  if (!in) return absl::NotFoundError(absl::StrCat("reference ", file, ": can't be read"));
  step.reference.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  step.has_reference = true;
  return step;
}

std::string Json(const LoadResult& result) {
  std::string failure;
  if (!result.first_failure.ok()) failure = absl::CHexEscape(result.first_failure.ToString());
  // JSON knows no \x and no \': what is not plain is not worth more than a mark.
  for (char& letter : failure) {
    if (letter == '\\' || letter == '"') letter = '?';
  }
  return absl::StrCat("{\"done\": ", result.done, ", \"failed\": ", result.failed,
                      ", \"silent\": ", result.silent, ", \"first_failure\": \"", failure,
                      "\", \"seconds\": ", result.seconds, ", \"client_cpu\": ", result.client_cpu,
                      ", \"bytes\": ", result.bytes, ", \"resent\": ", result.resent,
                      ", \"repeated\": ", result.repeated, ", \"dropped\": ", result.dropped,
                      ", \"restarted\": ", result.restarted,
                      ", \"p50_ms\": ", Percentile(result.took_ms, 50),
                      ", \"p90_ms\": ", Percentile(result.took_ms, 90),
                      ", \"p99_ms\": ", Percentile(result.took_ms, 99),
                      ", \"max_ms\": ", Percentile(result.took_ms, 100), "}\n");
}

int Main(int argc, char** argv) {
  LoadOptions options;
  std::vector<std::pair<std::string, std::string>> fetches;
  double timeout = 1;
  double http_timeout = 30;
  int silent_after = -1;
  CLI::App app(
      "Many hosts that fetch the same files by TFTP or HTTP. Prints what came of it as JSON; ends "
      "with 0 if all have got everything.");
  app.add_option("--fetch", fetches,
                 "a URL and the file that it must be, or - for anything; several are fetched in "
                 "turn. {mac} and {mac-colons} in both stand for the host's own")
      ->required();
  app.add_option("--hosts", options.hosts, "how many hosts");
  app.add_option("--at-once", options.at_once, "how many of them at a time");
  app.add_option("--blksize", options.tftp.block_size, "to ask for by TFTP");
  app.add_option("--windowsize", options.tftp.window_size, "to ask for by TFTP");
  app.add_flag("--tsize", options.tftp.ask_size, "ask for the size by TFTP");
  app.add_option("--timeout", timeout, "seconds before a TFTP packet is repeated");
  app.add_option("--repetitions", options.tftp.repetitions, "of one TFTP packet");
  app.add_option("--http-timeout", http_timeout, "seconds without a byte by HTTP");
  app.add_option("--attempts", options.attempts, "how often a host begins a file at the most");
  app.add_flag("--keep-connections", options.keeps_connections, "by HTTP");
  app.add_option("--loss", options.loss, "share of TFTP packets to lose, in each direction")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--seed", options.seed, "of the losses");
  app.add_option("--silent-after", silent_after,
                 "fall silent for good after so many packets by TFTP; then wait for the end of "
                 "standard input");
  app.add_flag("--own-addresses", options.own_addresses,
               "each place asks from an address of its own on the loopback");
  CLI11_PARSE(app, argc, argv);

  for (const auto& [url, file] : fetches) {
    absl::StatusOr<Step> step = BuildStep(url, file);
    if (!step.ok()) {
      std::fprintf(stderr, "load_client: %s\n", std::string(step.status().message()).c_str());
      return 2;
    }
    options.steps.push_back(*std::move(step));
  }
  options.tftp.timeout = std::chrono::milliseconds(static_cast<int64_t>(timeout * 1000));
  options.http_timeout = std::chrono::milliseconds(static_cast<int64_t>(http_timeout * 1000));
  if (silent_after >= 0) options.silent_after = silent_after;
  RaiseDescriptorLimit();
  const uint32_t hosts = options.hosts;
  Load load(std::move(options));
  const absl::StatusOr<LoadResult> result = load.Run();
  if (!result.ok()) {
    std::fprintf(stderr, "load_client: %s\n", std::string(result.status().message()).c_str());
    return 1;
  }
  std::fputs(Json(*result).c_str(), stdout);
  std::fflush(stdout);
  if (silent_after >= 0) {
    char ignored;
    while (read(STDIN_FILENO, &ignored, 1) > 0) {
    }
  }
  return result->done + result->silent == hosts ? 0 : 1;
}

}  // namespace
}  // namespace autopxe::bench

int main(int argc, char** argv) { return autopxe::bench::Main(argc, argv); }
