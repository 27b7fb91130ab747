#!/usr/bin/env bash
# Installs what is missing, and says so: Debian packages with apt, Swift with swiftly. Does nothing when all is there.
# setup.sh PACKAGE...: only these packages.
set -euo pipefail

packages=(build-essential pkg-config cmake libsodium-dev libssl-dev libsqlite3-dev libqrencode-dev libpng-dev libpcsclite-dev
  libjansson-dev zlib1g-dev openssl curl bc python3 python3-venv microsocks valgrind xxd)
[ $# = 0 ] || packages=("$@")

sudo=()
[ "$(id -u)" -eq 0 ] || sudo=(sudo)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  [ ${#sudo[@]} -eq 0 ] || command -v sudo >/dev/null || {
    echo "setup: please install as root: ${missing[*]}" >&2
    exit 1
  }
  echo "setup: installing ${missing[*]}"
  "${sudo[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq "${missing[@]}" >/dev/null
fi

[ $# = 0 ] || exit 0

# Optional, and for x86-64 only: goods are hashed faster with it (docs/adr/0008). Nothing fails for the lack of it.
optional=libipsec-mb-dev
if [ "$(uname -m)" = x86_64 ] && [ -z "${ACD_WITHOUT_IPSEC_MB:-}" ] && apt-cache show $optional >/dev/null 2>&1 &&
  ! dpkg-query -W -f='${Status}' $optional 2>/dev/null | grep -q 'install ok installed'; then
  [ ${#sudo[@]} -eq 0 ] || sudo+=(-n)  # nobody is asked for a password for this one
  if "${sudo[@]}" true 2>/dev/null; then
    echo "setup: installing $optional (optional)"
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq $optional >/dev/null 2>&1 ||
      echo "setup: $optional cannot be installed; goods are sealed without it"
  fi
fi

if ! command -v swift >/dev/null; then
  echo "setup: installing Swift with swiftly (https://www.swift.org/install)"
  work=$(mktemp -d)
  curl -fsSL "https://download.swift.org/swiftly/linux/swiftly-$(uname -m).tar.gz" | tar -xz -C "$work"
  "$work/swiftly" init --assume-yes --quiet-shell-followup
  # shellcheck disable=SC1091
  . "${SWIFTLY_HOME_DIR:-$HOME/.local/share/swiftly}/env.sh"
  rm -rf "$work"
fi
swift --version 2>/dev/null | head -1
