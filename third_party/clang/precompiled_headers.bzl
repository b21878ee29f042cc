"""Headers that clang has read once, instead of once for each file."""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

def _precompiled_headers_impl(ctx):
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    flags = cc_common.get_memory_inefficient_command_line(
        feature_configuration = features,
        action_name = "c++-compile",
        variables = cc_common.create_compile_variables(
            feature_configuration = features,
            cc_toolchain = toolchain,
            # As Bazel decides it: the two do not mix.
            use_pic = toolchain.needs_pic_for_dynamic_libraries(feature_configuration = features) and ctx.var["COMPILATION_MODE"] != "opt",
            user_compile_flags = ctx.fragments.cpp.copts + ctx.fragments.cpp.cxxopts,
            preprocessor_defines = depset(transitive = [
                library[CcInfo].compilation_context.defines
                for library in ctx.attr.libraries
            ]),
        ),
    )
    includes = [word for header in ctx.attr.headers for word in ["-include", header]]
    outputs = []
    for name, options in ctx.attr.variants.items():
        output = ctx.actions.declare_file("%s/%s.pch" % (ctx.label.name, name))
        outputs.append(output)
        ctx.actions.run_shell(
            outputs = [output],
            inputs = depset([ctx.file.versions], transitive = [toolchain.all_files]),
            # The file names the folder in which clang ran, its output and the time of each header. With one folder everywhere and without the others,
            # the same headers make the same file, and what was compiled with it is found in a cache.
            command = 'output=$PWD/$1 && shift && cd / && exec "$@" -o - - </dev/null >"$output"',
            arguments = [
                output.path,
                cc_common.get_tool_for_action(feature_configuration = features, action_name = "c++-compile"),
            ] + flags + options + includes + [
                "-Xclang",
                "-fno-pch-timestamp",
                # What the headers themselves instantiate is done once, too.
                "-fpch-instantiate-templates",
                "-xc++-header",
            ],
            env = cc_common.get_environment_variables(
                feature_configuration = features,
                action_name = "c++-compile",
                variables = cc_common.empty_variables(),
            ),
            mnemonic = "CppPrecompile",
            progress_message = "Precompiling headers (%s)" % name,
        )
    files = depset(outputs)
    return [
        DefaultInfo(files = files),
        CcInfo(compilation_context = cc_common.create_compilation_context(headers = files)),
    ]

precompiled_headers = rule(
    implementation = _precompiled_headers_impl,
    attrs = {
        "headers": attr.string_list(
            mandatory = True,
            doc = "Of the compiler's own search path: those of the workspace would have to be inputs.",
        ),
        "libraries": attr.label_list(
            providers = [CcInfo],
            doc = "Their defines hold for the headers.",
        ),
        "variants": attr.string_list_dict(
            mandatory = True,
            doc = "Name of a .pch file -> options that some files are compiled with. Given the folder of them all, clang takes the file that fits its own.",
        ),
        "versions": attr.label(
            allow_single_file = True,
            mandatory = True,
            doc = "A file that differs when the headers do.",
        ),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
    doc = "A folder of .pch files, compiled as the configuration compiles everything, and a library that makes them an input.",
)
