"""C++ from .proto files, by Debian's protoc and grpc_cpp_plugin."""

load("//third_party/clang:cc.bzl", "cc_library")

def _generate(name, srcs, protos, strip, suffixes, options):
    outs = [src[:-len(".proto")] + suffix for src in srcs for suffix in suffixes]
    native.genrule(
        name = name,
        srcs = protos,
        outs = outs,
        cmd = "mkdir -p $(@D)/../.. && /usr/bin/protoc -I%s -I/usr/include %s %s" % (
            strip,
            options.format(out = "$(GENDIR)/" + strip),
            " ".join(["$(location %s)" % src for src in srcs]),
        ),
    )
    return outs

def proto_cc_library(name, srcs, strip, **kwargs):
    """The messages of .proto files.

    Args:
      name: of the cc_library.
      srcs: .proto files of this package; they import each other and Google's well-known types.
      strip: folder that imports are relative to, from the workspace's root.
      **kwargs: for the cc_library.
    """
    outs = _generate(name + "_pb", srcs, srcs, strip, [".pb.h", ".pb.cc"], "--cpp_out={out}")
    cc_library(
        name = name,
        srcs = [out for out in outs if out.endswith(".cc")],
        hdrs = [out for out in outs if out.endswith(".h")],
        strip_include_prefix = "/" + strip,
        deps = ["@system//:protobuf"],
        copts = ["-w"],
        **kwargs
    )

def grpc_library(name, srcs, messages, protos, strip, **kwargs):
    """The services of .proto files.

    Args:
      name: of the cc_library.
      srcs: .proto files of this package that define services.
      messages: the proto_cc_library of the same files.
      protos: every file that srcs import from this package, themselves included.
      strip: folder that imports are relative to, from the workspace's root.
      **kwargs: for the cc_library.
    """
    outs = _generate(
        name + "_grpc",
        srcs,
        protos,
        strip,
        [".grpc.pb.h", ".grpc.pb.cc"],
        "--plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin --grpc_out={out}",
    )
    cc_library(
        name = name,
        srcs = [out for out in outs if out.endswith(".cc")],
        hdrs = [out for out in outs if out.endswith(".h")],
        strip_include_prefix = "/" + strip,
        deps = [
            messages,
            "@system//:grpc",
        ],
        copts = ["-w"],
        **kwargs
    )
