#!/usr/bin/env bash
# Puts the nats-server of Debian trixie into test/log/jetstream/.cache, unless one that is new enough is
# on PATH or there already. The machine's own lists of packages and its packages stay as they are.
set -euo pipefail
cd "$(dirname "$0")"
least=2.10.27
cache=$PWD/.cache

new_enough() {
  local version
  version=$("$1" --version 2> /dev/null | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1) || return 1
  [ "$(printf '%s\n' "$least" "$version" | sort -V | head -n 1)" = "$least" ]
}

for server in nats-server "$cache/nats-server"; do
  if new_enough "$server"; then
    echo "nats-server: $("$server" --version)"
    exit 0
  fi
done

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
if ! command -v apt-get > /dev/null || [ ! -e "$keyring" ]; then
  echo "nats-server: this is not Debian: put a nats-server >= $least on PATH" >&2
  exit 1
fi
apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$cache"
echo "deb [signed-by=$keyring] http://deb.debian.org/debian trixie main" > "$apt/sources.list"
options=(
  -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=-
  -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt" -o "Dir::Cache::archives=$apt/archives"
  -o APT::Sandbox::User="$(id -un)"
)
cd "$apt"
apt-get -qq "${options[@]}" update
apt-get -qq "${options[@]}" download nats-server
dpkg-deb -x nats-server_*.deb "$apt/unpacked"
mv "$apt/unpacked/usr/sbin/nats-server" "$cache/nats-server"
if ! new_enough "$cache/nats-server"; then
  echo "nats-server: Debian trixie has $("$cache/nats-server" --version), and tests need >= $least" >&2
  exit 1
fi
echo "nats-server: $("$cache/nats-server" --version)"
