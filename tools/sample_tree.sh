#!/bin/bash
# Makes a small tree of root file systems that real firmware can boot from.
#
#   tools/sample_tree.sh DIR
#   tools/sample_tree.sh --fetch    fetches what a tree is made of, for one made without a network
#
# The result, about 40 MB:
#
#   DIR/debian/bookworm/boot/vmlinuz-<version>, initrd.img-<version>    for two versions
#   DIR/debian/bookworm/vmlinuz, initrd.img                             the links that Debian keeps
#   DIR/debian/stable -> bookworm
#   DIR/debian/trixie/boot/...                                          for one version
#
# Every kernel is Debian's current one for virtual hosts (linux-image-cloud-amd64), whatever the
# file names say: it is small, and has its drivers for virtual hardware built in. It is filed under
# the plain flavour's names, since a catalog does not take another flavour for `latest`. Every
# initrd is busybox and an /init that prints one line on the first serial port, AUTOPXE-BOOTED and
# the kernel's command line, and powers off.
#
# Both packages are fetched with apt and unpacked, never installed: busybox-static conflicts with
# busybox. What was fetched stays in ${XDG_CACHE_HOME:-$HOME/.cache}/autopxe/sample, so a second
# tree takes about a second. DIR is made if need be; what the script has written there before
# is replaced. Needs apt, dpkg, cpio and gzip; root only where apt's package lists are missing.
set -euo pipefail

fail() {
  echo "sample_tree.sh: $*" >&2
  exit 1
}

[[ $# -eq 1 && ($1 == --fetch || $1 != -*) ]] || fail "usage: tools/sample_tree.sh DIR|--fetch"
# Bazel runs tests without HOME.
home=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
cache=${XDG_CACHE_HOME:-$home/.cache}/autopxe/sample
mkdir -p -- "$cache"
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# Two runs at once would otherwise fetch and unpack over each other.
exec {lock}>"$cache/lock"
flock "$lock"

# The metapackage names the kernel, and names another one with every security update.
kernel_package() {
  apt-cache depends linux-image-cloud-amd64 2>/dev/null |
    sed -n 's/^ *Depends: \(linux-image-[0-9].*-cloud-amd64\)$/\1/p' | head -n 1
}

update_lists() {
  local sudo=()
  [[ $EUID -eq 0 ]] || sudo=(sudo)
  "${sudo[@]}" apt-get -q -o DPkg::Lock::Timeout=300 update >&2
}

# Unpacks PACKAGE into the folder $cache/PACKAGE unless that has been done before.
fetch() {
  local package=$1
  [[ ! -e $cache/$package/complete ]] || return 0
  rm -rf -- "${cache:?}/$package"
  mkdir -p -- "$work/$package"
  # apt warns about a folder that its own user can't write to: let it fetch as the caller does.
  (cd "$work/$package" && apt-get -q -o APT::Sandbox::User="$(id -un)" download "$package" >&2) ||
    return 1
  dpkg -x "$work/$package"/*.deb "$cache/$package"
  touch "$cache/$package/complete"
}

package=$(kernel_package)
if [[ -z $package ]]; then
  update_lists
  package=$(kernel_package)
fi
[[ -n $package ]] || fail "apt knows no linux-image-cloud-amd64: is this Debian on amd64?"
if ! { fetch "$package" && fetch busybox-static; }; then
  # The lists can be older than the archive, which keeps only the newest security update.
  update_lists
  package=$(kernel_package)
  { fetch "$package" && fetch busybox-static; } || fail "can't fetch $package and busybox-static"
fi

[[ $1 != --fetch ]] || exit 0

mkdir -p -- "$1"
tree=$(cd -- "$1" && pwd)
kernel=$(echo "$cache/$package"/boot/vmlinuz-*)
[[ -f $kernel ]] || fail "$package holds no single boot/vmlinuz-*"

mkdir -p "$work/initrd"/{bin,dev,proc}
cp "$cache/busybox-static/bin/busybox" "$work/initrd/bin/busybox"
cat >"$work/initrd/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
exec >/dev/ttyS0 2>&1
echo
echo "AUTOPXE-BOOTED $(/bin/busybox cat /proc/cmdline)"
# The serial port sends from a buffer, and power is not waiting for it.
/bin/busybox sleep 1
/bin/busybox poweroff -f
INIT
chmod 755 "$work/initrd/init"
(cd "$work/initrd" && find . | LC_ALL=C sort |
  cpio --quiet --create --format=newc --owner=+0:+0 --reproducible) |
  gzip -n >"$work/initrd.img"

# linux-image-6.1.0-56-cloud-amd64 gives 6.1.0-56-amd64, and 6.1.0-55-amd64 as the older one.
[[ $package =~ ^linux-image-(.*-)([0-9]+)-cloud-amd64$ ]] || fail "what version is $package?"
newest=${BASH_REMATCH[1]}${BASH_REMATCH[2]}-amd64
older=${BASH_REMATCH[1]}$((BASH_REMATCH[2] - 1))-amd64

# Files the newest version of what boots as VERSION in RELEASE.
add_kernel() {
  local boot=$tree/debian/$1/boot version=$2
  mkdir -p -- "$boot"
  install -m 644 "$kernel" "$boot/vmlinuz-$version"
  install -m 644 "$work/initrd.img" "$boot/initrd.img-$version"
}

# A security update since the last run has other names: only the current ones are to be there.
rm -f -- "$tree"/debian/{bookworm,trixie}/boot/{vmlinuz,initrd.img}-*
add_kernel bookworm "$older"
add_kernel bookworm "$newest"
add_kernel trixie "$newest"
ln -sfn "boot/vmlinuz-$newest" "$tree/debian/bookworm/vmlinuz"
ln -sfn "boot/initrd.img-$newest" "$tree/debian/bookworm/initrd.img"
ln -sfn bookworm "$tree/debian/stable"
