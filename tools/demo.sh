#!/usr/bin/env bash
# Shows autopxe's main job on this machine: a real server and a real agent, a host assigned, and what that host's firmware gets.
#
#   tools/demo.sh           stays up until Ctrl-C, with commands to try
#   tools/demo.sh --once    ends after it has shown the boot
#   tools/demo.sh --vm      goes on and boots the host in QEMU until its kernel prints its command line
#
# Installs what is missing, builds, and uses free ports on the loopback address and one temporary folder, which it removes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

once=false
vm=false
for argument in "$@"; do
  case "$argument" in
    --once) once=true ;;
    --vm) vm=true ;;
    --help | -h) sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | grep -v '^set' && exit 0 ;;
    *)
      echo "tools/demo.sh: \"$argument\" is not an option; see tools/demo.sh --help" >&2
      exit 2
      ;;
  esac
done

readonly mac=52:54:00:12:34:56
readonly distro=debian/bookworm/latest/serial

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
# Shows a command as the reader would type it, then runs the real one.
show() {
  printf '\n$ %s\n' "$1"
  shift
  "$@"
}

groups=(build demo)
! $vm || groups+=(vm)
tools/setup.sh "${groups[@]}"

say "Building autopxe-server, autopxe-agent and autopxectl"
bazel build --config=opt --noshow_progress //server:autopxe-server //agent:autopxe-agent //ctl:autopxectl
bin=$(bazel info --config=opt bazel-bin 2>/dev/null)

work=$(mktemp -d)
pids=()
cleanup() {
  trap - EXIT INT TERM
  # By their own pids, newest first; wait so that nothing writes into the folder while it goes.
  local i
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do kill "${pids[i]}" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 0' INT TERM

# listening LOG PID PROTOCOL: waits until the daemon says where it listens, and prints that.
listening() {
  local log=$1 pid=$2 protocol=$3 address
  for _ in $(seq 300); do
    address=$(sed -n "s/.*event=listening protocol=$protocol address=\([^ ]*\).*/\1/p" "$log" | head -n 1)
    if [ -n "$address" ]; then
      echo "$address"
      return
    fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "tools/demo.sh: it did not start; its log:" >&2
  cat "$log" >&2
  return 1
}

say "A small rootfs tree with real kernels"
tools/sample_tree.sh "$work/rootfs"
(cd "$work/rootfs" && find . \( -type f -o -type l \) | sort)

say "One server, one agent"
"$bin/server/autopxe-server" --listen 127.0.0.1:0 --database "$work/autopxe.db" 2>"$work/server.log" &
pids+=($!)
server=$(listening "$work/server.log" "$!" grpc)
mkdir "$work/state"
"$bin/agent/autopxe-agent" --id demo --server "$server" --rootfs "$work/rootfs" --loaders /usr/lib/ipxe \
  --state "$work/state" --tftp-listen 127.0.0.1:0 --http-listen 127.0.0.1:0 2>"$work/agent.log" &
pids+=($!)
tftp=$(listening "$work/agent.log" "$!" tftp)
http=$(listening "$work/agent.log" "$!" http)
echo "autopxe-server   gRPC $server"
echo "autopxe-agent    TFTP $tftp   HTTP $http"

export AUTOPXE_SERVER=$server
ctl=$bin/ctl/autopxectl

# The agent has reported its catalog once the server lists a kernel.
for _ in $(seq 100); do
  "$ctl" agent list -o json 2>/dev/null | grep -Eq '"kernels": *[1-9]' && break
  sleep 0.1
done

say "AutoPXE's configuration, taken as it is"
cat >"$work/config.yaml" <<YAML
version: 1
DefaultDistro: debian/stable/latest/overlayfs
RootfsPath: $work/rootfs/
Env:
  nfs-server: 172.25.2.11
CmdlineTemplates:
  overlayfs: root=/dev/nfs nfsroot=\${nfs-server}:\${rootfs-path} ip=dhcp rootovl
  serial: console=ttyS0 nfsroot=\${nfs-server}:\${rootfs-path}
HostDefaults:
  bc2411b01ade: debian/bookworm/latest/overlayfs
YAML
cat "$work/config.yaml"
show "autopxectl import autopxe config.yaml" "$ctl" import autopxe "$work/config.yaml"
"$ctl" settings set menu-timeout 3s >/dev/null

say "The sentence the product is for"
show "autopxectl assign $mac $distro --wait" "$ctl" assign "$mac" "$distro" --wait
show "autopxectl host list" "$ctl" host list
show "autopxectl distro list" "$ctl" distro list
show "autopxectl agent list" "$ctl" agent list

# The part of the menu that is the host's own, and what is on the screen; the rest carries it out.
menu() {
  curl -sS "$1" >"$work/menu.ipxe"
  sed '/^choose /q' "$work/menu.ipxe"
  echo "... $(($(wc -l <"$work/menu.ipxe") - $(sed '/^choose /q' "$work/menu.ipxe" | wc -l))) more lines"
}
say "What the firmware of $mac gets by TFTP, as AutoPXE's iPXE asks for it"
show "curl tftp://$tftp/autopxe-${mac//:/}" menu "tftp://$tftp/autopxe-${mac//:/}"
say "The same by HTTP"
show "curl http://$http/autopxe-${mac//:/}" menu "http://$http/autopxe-${mac//:/}"

say "What the agent logged"
grep event=request "$work/agent.log" || true

if $vm; then
  say "The same host, for real: SeaBIOS and iPXE in QEMU, until its kernel prints its command line"
  # User-mode networking needs no root: 10.0.2.2 is this machine's loopback. Always emulated: /dev/kvm may open where guests
  # die in it.
  timeout 180 qemu-system-x86_64 -accel tcg -machine q35,graphics=off -m 256 -nodefaults -display none -monitor none \
    -no-reboot -serial "file:$work/serial.log" \
    -netdev "user,id=net,bootfile=http://10.0.2.2:${http##*:}/autopxe-\${mac:hexraw}" \
    -device "virtio-net-pci,netdev=net,mac=$mac" || true
  if ! line=$(grep -a -o 'AUTOPXE-BOOTED .*' "$work/serial.log"); then
    echo "tools/demo.sh: the host did not boot; its serial console said:" >&2
    sed 's/\x1b\[[0-9;?]*[A-Za-z]//g' "$work/serial.log" | tail -n 40 >&2
    exit 1
  fi
  echo "$line"
  echo
  grep "event=request .*host=$mac" "$work/agent.log" | tail -n 3
fi

$once && exit 0
say "It stays up until Ctrl-C. Things to try in another terminal:"
cat <<TRY
  export AUTOPXE_SERVER=$server
  alias autopxectl=$ctl
  autopxectl assign $mac wait          # then fetch its menu again
  autopxectl assign $mac debain/bookworm/latest/serial
  autopxectl host show $mac
  curl http://$http/autopxe-${mac//:/}
  curl tftp://$tftp/boot.ipxe
TRY
wait
