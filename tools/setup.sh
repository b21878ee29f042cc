#!/usr/bin/env bash
# Installs the Debian packages that autopxe is built, shown and tested with; only what is missing.
#
#   tools/setup.sh [build] [demo] [vm] [test] [bench]     (default: all but bench)
#
# build: compiler, Bazel and libraries.   demo: what tools/demo.sh serves and asks with.
# vm: QEMU and firmware.                  test: the peers and checkers that the tests run.
# bench: the servers that the agent is measured beside; they are not started.
# Needs Debian 12, and root or sudo when something is missing.
set -euo pipefail

build=(
  bazel-bootstrap bazel-rules-java bazel-rules-proto bazel-platforms bazel-skylib
  g++ libc6-dev pkg-config python3
  libgrpc++-dev protobuf-compiler-grpc libprotobuf-dev protobuf-compiler
  libabsl-dev libspdlog-dev libfmt-dev libsqlite3-dev libssl-dev libmicrohttpd-dev libyaml-cpp-dev
  libcli11-dev zlib1g-dev
  # Tests and programs are one build: `bazel build //...` names them all.
  libgtest-dev libgmock-dev libbenchmark-dev
)
demo=(apt dpkg cpio curl ipxe iproute2)
vm=(qemu-system-x86 ipxe-qemu ovmf dnsmasq-base iproute2 debootstrap nfs-ganesha nfs-ganesha-vfs rpcbind)
test=(
  clang-14 clang-format-14 libclang-rt-14-dev lld-14 llvm-14 sqlite3 busybox tftp-hpa atftp curl procps
  python3-grpcio python3-protobuf clustershell
  # What the lab of namespaces is made with (tests/vm/lab.py); tests/network is in it, too.
  iproute2 dnsmasq-base
)
bench=(dnsmasq-base tftpd-hpa nginx-light lighttpd iproute2 util-linux libpcre2-8-0 libwrap0)
# It conflicts with tftpd-hpa: unpacked beside it, and never installed. The last two above are what it needs.
unpacked=atftpd

if [ "$#" -eq 0 ]; then set -- build demo vm test; fi
wanted=()
for group in "$@"; do
  case "$group" in
    build) wanted+=("${build[@]}") ;;
    demo) wanted+=("${demo[@]}") ;;
    vm) wanted+=("${vm[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    bench) wanted+=("${bench[@]}") ;;
    *)
      echo "tools/setup.sh: no group of packages is called \"$group\"; choose among build demo vm test bench" >&2
      exit 2
      ;;
  esac
done

missing=()
for package in "${wanted[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
unpack=
if [[ " $* " == *" bench "* ]]; then
  unpack=${XDG_CACHE_HOME:-$HOME/.cache}/autopxe/bench
  [ ! -e "$unpack/$unpacked/complete" ] || unpack=
fi
[ "${#missing[@]}" -gt 0 ] || [ -n "$unpack" ] || exit 0

as_root=()
if [ "${#missing[@]}" -gt 0 ] && [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "tools/setup.sh: these packages are missing, and there is no sudo to install them with; as root: apt-get install ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi
# stderr: what these scripts print on stdout is theirs alone.
apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" >&2
}
if [ "${#missing[@]}" -gt 0 ]; then
  echo "Installing ${#missing[@]} Debian packages: ${missing[*]}" >&2
  apt_get update
fi
# Tests and benchmarks run these by themselves: what is installed for that alone is not to serve this machine's network.
for package in "${missing[@]}"; do
  case "$package" in
    nfs-ganesha) units=(nfs-ganesha.service) ;;
    rpcbind) units=(rpcbind.service rpcbind.socket) ;;
    tftpd-hpa) units=(tftpd-hpa.service) ;;
    nginx-light) units=(nginx.service) ;;
    lighttpd) units=(lighttpd.service) ;;
    *) continue ;;
  esac
  command -v systemctl >/dev/null || break
  "${as_root[@]}" systemctl --quiet mask "${units[@]}" >&2
done
[ "${#missing[@]}" -eq 0 ] || apt_get install -y --no-install-recommends "${missing[@]}"
if [ -n "$unpack" ]; then
  echo "Unpacking $unpacked in $unpack" >&2
  rm -rf -- "${unpack:?}/$unpacked"
  mkdir -p -- "$unpack/$unpacked"
  # apt warns about a folder that its own user can't write to: let it fetch as the caller does.
  fetch() { (cd "$unpack/$unpacked" && apt-get -q -o APT::Sandbox::User="$(id -un)" download "$unpacked" >&2); }
  fetch || {
    # The lists of packages may be old, or not there.
    if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
    apt_get update
    fetch
  }
  dpkg -x "$unpack/$unpacked"/*.deb "$unpack/$unpacked"
  touch "$unpack/$unpacked/complete"
fi
