#!/usr/bin/env bash
# Builds the benchmarks and runs them; the raw output goes to Benchmarks/results/<date>.txt.
# Usage: scripts/bench.sh [MiB of goods, 1024] [rounds of goods, 7]
set -euo pipefail
cd "$(dirname "$0")/../Benchmarks"

# age and minisign are what the goods are compared with.
missing=()
for tool in age minisign; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
if ((${#missing[@]})); then
  sudo=()
  ((EUID == 0)) || sudo=(sudo)
  "${sudo[@]}" apt-get update
  "${sudo[@]}" apt-get install --yes --no-install-recommends "${missing[@]}"
fi

swift build -c release --product acd-bench
bench="$(swift build -c release --show-bin-path)/acd-bench"

mkdir -p results
result="results/$(date -u +%F).txt"
{
  echo "# $(date -u +%FT%TZ)"
  echo "# processor: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) cores"
  echo "# load before: $(cut -d' ' -f1-3 /proc/loadavg)"
  echo "# $(openssl version), libsodium $(pkg-config --modversion libsodium)"
  echo "# age $(age --version), $(minisign -v 2>&1 | head -1)"
  echo
  "$bench" purchase
  echo
  "$bench" goods "${1:-1024}" "${2:-7}"
  echo
  "$bench" load
} | tee "$result.part"
mv "$result.part" "$result"
echo "written: Benchmarks/$result"
