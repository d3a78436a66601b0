#!/usr/bin/env bash
# add-suites.sh: lets apt see the kernels of Debian's other suites. Needs root.
#
# A Debian release carries one series of the kernel; those that are compared with lie in several.
# This adds bullseye, bookworm, trixie, backports of the latter two and sid as sources, from the mirror that is already in
# use, and pins all of them below the machine's own release: `apt-get upgrade` goes on as if they
# were not there, and only what is asked for by version or with `-t` comes from them.
#
# To undo it: rm /etc/apt/sources.list.d/vfio-ledger.sources /etc/apt/preferences.d/vfio-ledger
set -euo pipefail

sources=/etc/apt/sources.list.d/vfio-ledger.sources
preferences=/etc/apt/preferences.d/vfio-ledger

[ "$(id -u)" = 0 ] || { echo "add-suites.sh: needs root: it writes below /etc/apt" >&2; exit 1; }
release=$(. /etc/os-release && [ "$ID" = debian ] && echo "${VERSION_CODENAME-sid}") ||
  { echo "add-suites.sh: this is no Debian, whose archive the kernels come from" >&2; exit 1; }

# The mirror of what is configured now; Debian's own where no line tells.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null |
  grep -v '^ *#' | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ' || true)

# Of a release that is old, the last kernel is among its security updates.
security=${mirror:+${mirror%/debian*}/debian-security}

suites=()
for suite in bullseye bookworm bookworm-backports trixie trixie-backports sid; do
  [ "$suite" = "$release" ] || suites+=("$suite")
done

cat >"$sources" <<END
Types: deb
URIs: ${mirror:-http://deb.debian.org/debian}
Suites: ${suites[*]}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
$([ "$release" = bullseye ] || cat <<SECURITY

Types: deb
URIs: ${security:-http://deb.debian.org/debian-security}
Suites: bullseye-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SECURITY
)
END
for suite in "${suites[@]}" bullseye-security; do
  priority=$([ "$suite" = sid ] && echo 50 || echo 100)
  printf 'Package: *\nPin: release n=%s\nPin-Priority: %d\n\n' "$suite" "$priority"
done >"$preferences"

apt-get update -qq
echo "kernels that apt knows now:"
apt-cache madison linux-image-amd64 | awk '{print "  " $3 "  " $6}' | sort -uV
