"""Bazel's C++ rules, with precompiled headers where clang compiles. tools/build_rules/prelude_bazel puts them in place of Bazel's in every BUILD file."""

def _precompiled(kwargs):
    # Whoever has options of its own: a header fits only those that it was compiled with.
    if not kwargs.get("srcs") or kwargs.get("copts"):
        return kwargs
    kwargs["copts"] = kwargs.get("copts", []) + select({
        "//third_party/clang:is_compiler": ["-include-pch $(BINDIR)/third_party/clang/headers"],
        "//conditions:default": [],
    })
    kwargs["deps"] = kwargs.get("deps", []) + select({
        "//third_party/clang:is_compiler": ["//third_party/clang:headers"],
        "//conditions:default": [],
    })
    return kwargs

def cc_binary(**kwargs):
    native.cc_binary(**_precompiled(kwargs))

def cc_library(**kwargs):
    native.cc_library(**_precompiled(kwargs))

def cc_test(**kwargs):
    native.cc_test(**_precompiled(kwargs))
