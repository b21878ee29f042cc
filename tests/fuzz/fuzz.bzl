"""A fuzz target: NAME_fuzz.cc with libFuzzer's LLVMFuzzerTestOneInput, and its first inputs in corpus/NAME."""

load("//third_party/clang:cc.bzl", "cc_binary", "cc_library", "cc_test")

def fuzz_target(name, deps):
    """Makes NAME_corpus_test and NAME_fuzzer.

    The first runs the inputs of the corpus, with every compiler and sanitizer, so that what was once found stays
    found. The second looks for new ones: it needs clang and is built by tools/fuzz.sh alone.

    Args:
      name: of the target, without "_fuzz".
      deps: of NAME_fuzz.cc.
    """
    cc_library(
        name = name + "_fuzz",
        testonly = True,
        srcs = [name + "_fuzz.cc"],
        deps = deps + [":require"],
        alwayslink = True,
    )
    cc_test(
        name = name + "_corpus_test",
        size = "small",
        args = ["tests/fuzz/corpus/" + name],
        data = native.glob(["corpus/" + name + "/*"]),
        deps = [
            ":corpus_main",
            ":" + name + "_fuzz",
        ],
    )
    cc_binary(
        name = name + "_fuzzer",
        testonly = True,
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = [":" + name + "_fuzz"],
    )
