#!/usr/bin/env bash
# busybox.sh: gets the shell that the recorder has in the guest: Debian's static busybox, unpacked
# and not installed, as $VFIO_LEDGER_CONFORMANCE_CACHE (conformance/.cache) tools/busybox.
set -euo pipefail
profile=recorder
. "$(dirname "${BASH_SOURCE[0]}")/../kernels/lib.sh"

need dpkg-deb dpkg
work=$cache/build/busybox
rm -rf "$work"
unpack busybox-static "$work"
found=$(find "$work" -name busybox -type f -perm -u+x | first)
[ -n "$found" ] || fail "busybox-static has no busybox"
mkdir -p "$cache/tools"
mv "$found" "$cache/tools/busybox"
rm -rf "$work"
say "has $("$cache/tools/busybox" | first)"
