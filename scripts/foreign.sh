#!/usr/bin/env bash
# Fetches packages of the machine's own Debian for another architecture, or source packages, into a folder. Apt's state
# stands in that folder, too: what the machine has installed, and for which architecture, is neither asked nor changed.
#   foreign.sh FOLDER ARCHITECTURE PACKAGE...   unpacked over each other in FOLDER/root
#   foreign.sh FOLDER source PACKAGE...         unpacked in FOLDER/PACKAGE
set -euo pipefail
mkdir -p "$1/lists/partial" "$1/archives/partial" "$1/root"
folder=$(cd "$1" && pwd)
kind=$2
shift 2
done_already="$folder/fetched"
[ "$(cat "$done_already" 2>/dev/null)" != "$kind $*" ] || exit 0
rm -f "$done_already"

# The release itself, without its security updates: what they replace is no longer there to be fetched.
apt-get indextargets --format '$(ORIGIN)/$(LABEL) $(REPO_URI) $(CODENAME) $(COMPONENT) $(SIGNED_BY)' 'Created-By: Packages' |
  while read -r origin uri codename component signed_by; do
    case "$origin $codename" in "Debian/Debian "*-*) continue ;; "Debian/Debian "*) ;; *) continue ;; esac
    case $signed_by in /*) ;; *) signed_by=/usr/share/keyrings/debian-archive-keyring.gpg ;; esac
    type=deb
    [ "$kind" != source ] || type=deb-src
    echo "$type [signed-by=$signed_by] $uri $codename $component"
  done | sort -u >"$folder/sources.list"
[ -s "$folder/sources.list" ] || { echo "foreign: apt knows no Debian here (run apt-get update?)" >&2; exit 1; }
: >"$folder/status"

apt=(apt-get -qq -o "Dir::State=$folder" -o "Dir::State::status=$folder/status" -o "Dir::Cache=$folder"
  -o "Dir::Etc::SourceList=$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null -o APT::Sandbox::User=root
  -o Acquire::Languages=none -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false)
[ "$kind" = source ] || apt+=(-o "APT::Architecture=$kind" -o "APT::Architectures=$kind")
echo "foreign: fetching $* ($kind)"
"${apt[@]}" update
cd "$folder"
if [ "$kind" = source ]; then
  for package in "$@"; do
    "${apt[@]}" source --download-only "$package" >/dev/null
    rm -rf "${folder:?}/$package"
    dpkg-source --no-check -x "$package"_*.dsc "$folder/$package" >/dev/null
  done
else
  "${apt[@]}" download "$@" >/dev/null
  for package in "$@"; do
    dpkg -x "$package"_*.deb "$folder/root"
  done
  # Links to shared libraries, which were not fetched.
  find "$folder/root" -name '*.so' -type l -delete
fi
rm -rf "$folder/lists" "$folder/archives"
echo "$kind $*" >"$done_already"
