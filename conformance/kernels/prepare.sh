#!/usr/bin/env bash
# prepare.sh [PROFILE…]: makes kernels ready to boot; linux-5.10, linux-6.1, linux-6.12, linux-7.3 by
# default.
#
# Each is Debian's own amd64 image of the series, the newest that apt knows, unpacked and not
# installed. Debian builds without CONFIG_IOMMUFD: for the series that have iommufd, its module and
# those of VFIO are built anew from Debian's source of the same version, with it and with VFIO's
# character devices; everything else stays Debian's binary.
#
# Into $VFIO_LEDGER_CONFORMANCE_CACHE (conformance/.cache) as kernels/PROFILE/: vmlinuz,
# modules/*.ko, modules.list (the order to load them in), release. Done again only when apt or these
# scripts have something newer, or a file is gone. It needs gcc, make, binutils, xz, and apt sources
# that have the series (add-suites.sh).
set -euo pipefail
shopt -s nullglob
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$here/rebuild.sh"

# What the guest loads, with what that depends on: its port, VFIO, and the driver of the rivals.
wanted=(virtio_pci virtio_console vfio vfio_iommu_type1 vfio_virqfd vfio_pci iommufd e1000)
# Where a kernel's packages have these, and the modules that they depend on.
patterns=('vmlinuz*' 'drivers/virtio/*' 'drivers/char/*virtio*' 'drivers/vfio/*' 'virt/lib/*'
  'ethernet/intel/e1000/*')

# image_packages ABI: what the image consists of; since 7.0 it is spread over several packages.
image_packages() {
  if apt-cache show "linux-binary-$1" >/dev/null 2>&1; then
    echo "linux-binary-$1" "linux-modules-$1"
  else
    echo "linux-image-$1"
  fi
}

# modinfo FILE FIELD: a field that a module carries in itself.
modinfo() {
  objcopy -O binary --only-section=.modinfo "$1" "$work/modinfo"
  tr '\0' '\n' <"$work/modinfo" | sed -n "s/^$2=//p"
}

# add_module NAME: puts a module into the result, after those that it needs. What is in no file
# is built into the kernel, or is not there in that series.
declare -A added
add_module() {
  local name=${1//-/_} file depends
  [ -z "${added[$name]-}" ] || return 0
  added[$name]=1
  file=$(find "$work/rebuilt" "$work/image" -name '*.ko*' | awk -F/ -v name="$name" \
    '{base = $NF; sub(/\.ko.*/, "", base); gsub("-", "_", base); if (base == name) print}' | first)
  [ -n "$file" ] || return 0
  case $file in
    *.xz) xz -dc "$file" ;;
    *.zst) zstd -qdc "$file" ;;
    *) cat "$file" ;;
  esac >"$work/$name.ko"
  for depends in $(modinfo "$work/$name.ko" depends | tr , ' '); do add_module "$depends"; done
  strip --strip-debug -o "$result/modules/$name.ko" "$work/$name.ko"
  echo "$name.ko" >>"$result/modules.list"
}

# is_whole FOLDER: whether all is there that a guest starts from.
is_whole() {
  local name
  [ -s "$1/vmlinuz" ] && [ -s "$1/modules.list" ] || return 1
  while read -r name; do [ -s "$1/modules/$name" ] || return 1; done <"$1/modules.list"
}

prepare() {
  local series=${profile#linux-} version abi package stamp
  version=$(newest_version "$series")
  if [ -z "$version" ]; then
    fail "apt knows no linux-image-amd64 $series.*: conformance/kernels/add-suites.sh helps (root)"
  fi
  stamp="$version $(cat "$here"/*.sh | sha256sum | cut -c 1-16)"
  if [ "$(cat "$cache/kernels/$profile/stamp" 2>/dev/null)" = "$stamp" ] &&
    is_whole "$cache/kernels/$profile"; then
    say "is ready ($version)"
    return
  fi
  abi=$(abi_of "$version")
  work=$cache/build/$profile result=$cache/build/$profile/result
  rm -rf "$work"
  mkdir -p "$work/image" "$work/rebuilt" "$result/modules"

  say "unpacks $abi ($version)"
  for package in $(image_packages "$abi"); do
    unpack "$package=$version" "$work/image" "${patterns[@]}"
  done
  cp "$(find "$work/image" -name 'vmlinuz*' -type f | first)" "$result/vmlinuz" 2>/dev/null ||
    fail "no vmlinuz in the packages of $abi"

  # iommufd came with 6.2.
  if dpkg --compare-versions "$series" ge 6.2; then rebuild "$series" "$version" "$abi"; fi

  added=()
  for package in "${wanted[@]}"; do add_module "$package"; done
  echo "$abi" >"$result/release"
  echo "$stamp" >"$result/stamp"
  mkdir -p "$cache/kernels"
  rm -rf "${cache:?}/kernels/$profile"
  mv "$result" "$cache/kernels/$profile"
  rm -rf "$work"
  say "is ready: $abi, $(wc -l <"$cache/kernels/$profile/modules.list") modules"
}

[ $# -gt 0 ] || set -- linux-5.10 linux-6.1 linux-6.12 linux-7.3
for profile in "$@"; do
  [[ $profile =~ ^linux-[0-9]+\.[0-9]+$ ]] ||
    { echo "prepare.sh: '$profile' is no profile: linux-6.12, say" >&2; exit 2; }
  need gcc gcc && need make make && need objcopy binutils && need xz xz-utils
  prepare
done
