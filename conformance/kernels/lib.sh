# lib.sh: what the scripts here share: the cache, what they say, and Debian's packages as files.
# Packages are downloaded and unpacked; nothing is installed.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${VFIO_LEDGER_CONFORMANCE_CACHE:-$(dirname "$here")/.cache}

# first: the first line of what comes. Unlike head it reads on: nobody writes to a closed pipe.
first() { awk 'NR == 1'; }

say() { echo "$profile: $*"; }
fail() { echo "$profile: $*" >&2; exit 1; }

# need COMMAND PACKAGE: a tool that the work cannot do without.
need() { command -v "$1" >/dev/null || fail "$1 is missing: apt-get install $2"; }

# newest_version SERIES: the latest Debian version of a series (6.12) that apt knows, if it does.
newest_version() {
  apt-cache madison linux-image-amd64 |
    awk -v series="$1." 'index($3, series) == 1 {print $3}' | sort -V | tail -n 1
}

# abi_of VERSION: what the names of a version's packages end in, which is the kernel's release.
abi_of() {
  apt-cache show "linux-image-amd64=$1" | grep -oE 'linux-image-[0-9][^ ,]*' | first |
    sed 's/^linux-image-//'
}

# suite_of PACKAGE VERSION: the release that has it: trixie for what is in trixie-backports.
suite_of() {
  apt-cache madison "$1" | awk -v version="$2" '$3 == version {print $6}' | first |
    sed -E 's#/.*##; s#-(backports|security|updates)$##'
}

# deb PACKAGE[=VERSION|/SUITE]: the path of its .deb, downloaded once. A download that was broken
# off leaves nothing behind under the final name.
deb() {
  local folder=$cache/debs/${1//[\/=:]/_} found
  found=$(compgen -G "$folder/*.deb" || true)
  if [ -z "$found" ]; then
    rm -rf "$folder.part" && mkdir -p "$folder.part"
    (cd "$folder.part" && apt-get -qq -o APT::Sandbox::User=root download "$1" >&2) ||
      { echo "$profile: apt cannot download $1" >&2; return 1; }
    rm -rf "$folder" && mv "$folder.part" "$folder"
    found=$(compgen -G "$folder/*.deb")
  fi
  echo "$found"
}

# unpack PACKAGE[=VERSION|/SUITE] FOLDER [PATTERN…]: unpacks a package, or what matches in it.
# That a pattern matches nothing is no error: the packages of a kernel share out the files.
unpack() {
  local file
  file=$(deb "$1") || exit 1
  mkdir -p "$2"
  if [ $# = 2 ]; then
    dpkg-deb -x "$file" "$2"
  else
    dpkg-deb --fsys-tarfile "$file" |
      tar -x -C "$2" --wildcards --no-anchored "${@:3}" 2>/dev/null || true
  fi
}
