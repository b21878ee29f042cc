#!/bin/bash
# Makes a root file system that a host can boot over NFS up to systemd and a login.
#
#   tools/nfs_root_tree.sh DIR
#   tools/nfs_root_tree.sh --fetch    makes what DIR becomes a copy of, where DIR is made without a network
#
# The result is a release's folder, such as <rootfs>/debian/bookworm, about 330 MB: Debian's smallest system by debootstrap with a kernel for
# virtual hosts, an initrd that can mount NFS, and systemd. On the first serial port stand, once systemd is through, one line
#
#   AUTOPXE-SYSTEMD state=<systemctl is-system-running> root=<source> fstype=<type> cmdline=<kernel's command line>
#
# and a login prompt. Nobody can log in: root has no password.
#
# The tree is kept as an archive in ${XDG_CACHE_HOME:-$HOME/.cache}/autopxe/nfs-root, so that what a host has written into a copy of it
# does not come back in the next one; a second DIR takes seconds. DIR must not exist. Needs debootstrap, and root for the
# owners and devices in the tree: sudo where the caller is somebody else.
set -euo pipefail

fail() {
  echo "nfs_root_tree.sh: $*" >&2
  exit 1
}

[[ $# -eq 1 && ($1 == --fetch || $1 != -*) ]] || fail "usage: tools/nfs_root_tree.sh DIR|--fetch"
[[ $1 == --fetch || ! -e $1 ]] || fail "$1 exists: name a folder that does not"
as_root=()
if [[ $EUID -ne 0 ]]; then
  command -v sudo >/dev/null || fail "needs root, and there is no sudo"
  as_root=(sudo)
fi
# Bazel runs tests without HOME.
home=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
cache=${XDG_CACHE_HOME:-$home/.cache}/autopxe/nfs-root
mkdir -p -- "$cache"

# Two runs at once would otherwise make it twice.
exec {lock}>"$cache/lock"
flock "$lock"

# What the tree is made by: another script makes another tree.
recipe=$(sha256sum <"${BASH_SOURCE[0]}" | cut -c1-16)
archive=$cache/bookworm-$recipe.tar

# The mirror that apt uses on this machine, or Debian's own.
mirror() {
  local found
  found=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 2>/dev/null | head -n 1)
  echo "${found:-http://deb.debian.org/debian}"
}

make_archive() {
  local work
  work=$(mktemp -d)
  # Expanded now: the variable is gone when the script ends.
  trap "${as_root[*]} rm -rf --one-file-system -- '$work'" EXIT
  "${as_root[@]}" debootstrap --variant=minbase \
    --include=linux-image-cloud-amd64,initramfs-tools,zstd,systemd-sysv,nfs-common \
    bookworm "$work/tree" "$(mirror)" >"$work/log" 2>&1 || {
    tail -n 20 "$work/log" >&2
    fail "debootstrap failed"
  }
  "${as_root[@]}" tee "$work/tree/usr/local/sbin/autopxe-report" >/dev/null <<'REPORT'
#!/bin/sh
state=$(systemctl is-system-running --wait)
root=$(findmnt --noheadings --output SOURCE,FSTYPE / | sed 's/ \+/ fstype=/')
printf '\nAUTOPXE-SYSTEMD state=%s root=%s cmdline=%s\n' "$state" "$root" "$(cat /proc/cmdline)" >/dev/ttyS0
REPORT
  # "exec" counts as started when the script runs: it waits itself until nothing is being started any more.
  "${as_root[@]}" tee "$work/tree/etc/systemd/system/autopxe-report.service" >/dev/null <<'UNIT'
[Unit]
Description=Says on the first serial port that systemd is through

[Service]
Type=exec
ExecStart=/usr/local/sbin/autopxe-report

[Install]
WantedBy=multi-user.target
UNIT
  # Each host draws an id of its own, and keeps its journal in memory: files that grow are slow over NFS.
  : | "${as_root[@]}" tee "$work/tree/etc/machine-id" >/dev/null
  "${as_root[@]}" mkdir -p "$work/tree/etc/systemd/journald.conf.d"
  printf '[Journal]\nStorage=volatile\n' |
    "${as_root[@]}" tee "$work/tree/etc/systemd/journald.conf.d/volatile.conf" >/dev/null
  "${as_root[@]}" chmod 755 "$work/tree/usr/local/sbin/autopxe-report"
  # Without console=ttyS0 on its command line systemd starts no login there by itself.
  "${as_root[@]}" chroot "$work/tree" systemctl --quiet enable autopxe-report.service serial-getty@ttyS0.service
  "${as_root[@]}" rm -rf "$work/tree"/var/cache/apt/archives/*.deb "$work/tree"/var/lib/apt/lists/*_* \
    "$work/tree"/usr/share/{doc,man,locale}
  rm -f -- "$cache"/*.tar "$cache"/*.tar.new
  "${as_root[@]}" tar --create --one-file-system --directory="$work/tree" . >"$archive.new"
  mv -- "$archive.new" "$archive"
}

if [[ ! -e $archive ]]; then
  command -v debootstrap >/dev/null || fail "there is no debootstrap in PATH: tools/setup.sh vm installs it"
  make_archive
fi
[[ $1 != --fetch ]] || exit 0
mkdir -p -- "$1"
"${as_root[@]}" tar --extract --same-owner --preserve-permissions --directory="$1" --file="$archive"
