"""Debian's libraries as Bazel targets, found by pkg-config."""

def _pkg_config(ctx, flag, modules):
    result = ctx.execute(["pkg-config", flag] + modules)
    if result.return_code != 0:
        fail("pkg-config %s %s failed; run tools/setup.sh to install what the build needs:\n%s" %
             (flag, " ".join(modules), result.stderr))
    return [word for word in result.stdout.replace("\n", " ").split(" ") if word]

def _system_libraries_impl(ctx):
    build = ['package(default_visibility = ["//visibility:public"])']
    for name, modules in sorted(ctx.attr.libraries.items()):
        flags = _pkg_config(ctx, "--cflags-only-other", modules)
        build.append("cc_library(name = %r, defines = %r, linkopts = %r)" % (
            name,
            [flag[2:] for flag in flags if flag.startswith("-D")],
            _pkg_config(ctx, "--libs", modules) + ctx.attr.linkopts.get(name, []),
        ))
    build.append('exports_files(["packages.txt"])')
    ctx.file("BUILD.bazel", "\n".join(build) + "\n")

    # What the compiler reads of them Bazel does not see; that another version was installed it sees in this.
    ctx.file("packages.txt", ctx.execute(["dpkg-query", "--show", "lib*-dev", "clang-*"]).stdout)

system_libraries = repository_rule(
    implementation = _system_libraries_impl,
    attrs = {
        "libraries": attr.string_list_dict(doc = "Target name -> pkg-config modules."),
        "linkopts": attr.string_list_dict(doc = "Target name -> further linker options."),
    },
    configure = True,
    local = True,
    doc = "One cc_library for each entry; headers are the compiler's own search path, and packages.txt tells which versions they are.",
)
