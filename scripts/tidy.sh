#!/usr/bin/env bash
# The house rules that a machine can hold: no imports upward, line and file lengths, no leftovers, no machine paths.
set -euo pipefail
cd "$(dirname "$0")/.."
bad=0
complain() { echo "tidy: $*"; bad=1; }

# Floors: a module imports only modules below it.
declare -A floor=([CCore]=0 [CSodium]=0 [COpenSSL]=0 [CQREncode]=0 [CPNG]=0 [CPCSC]=0 [Messages]=1 [Cards]=2 [CardReaders]=3 [Parties]=2 [Certification]=2 [BlindTokens]=3
  [Judge]=3 [TransparencyLog]=3 [Storage]=3 [PointOfDelivery]=3 [Services]=4 [Simulation]=5)
for module in Messages Cards CardReaders Parties Certification BlindTokens Judge TransparencyLog Storage PointOfDelivery Services Simulation; do
  while read -r file imported; do
    [ -n "${floor[$imported]:-}" ] || continue
    [ "${floor[$imported]}" -lt "${floor[$module]}" ] || complain "$file imports $imported: not below $module"
  done < <(grep -rE '^(public |internal |package )?import ' "Sources/$module" --include='*.swift' |
    sed -E 's/^([^:]*):.*import ([A-Za-z0-9_]+).*/\1 \2/')
done
grep -rln '^\(public \|internal \)\?import Foundation' Sources/Messages Sources/Cards Sources/CardReaders Sources/Parties Sources/Certification Sources/Judge Sources/TransparencyLog && complain "Foundation below Services"
grep -rl 'import Services\|import Storage\|import BlindTokens' Sources/acd-kiosk Sources/PointOfDelivery &&
  complain "the kiosk links the server stack"
grep -rl 'import Parties' Sources/Judge && complain "the judge believes a party's code"
grep -ln '#include <sodium' CCore/*.c CCore/*.h include/acd/*.h | grep -v acd_crypto_sodium.c &&
  complain "<sodium.h> outside acd_crypto_sodium.c"

grep -rln 'SystemRandomNumberGenerator\|Task\.sleep' Sources/Services/Wallet Sources/Services/Merchant/MerchantService*.swift \
  Sources/Services/Bank Sources/Services/Archive | grep -v Wallet/Wallet.swift && complain "randomness or waiting past Surroundings: the simulator could not repeat it"

# One process for all files.
git ls-files 'Sources/*.swift' 'Tests/*.swift' 'CCore/*.c' 'CCore/*.h' 'include/*.h' | python3 -c '
import sys
bad = False
for name in sys.stdin.read().split("\n")[:-1]:
    if "Wordlist" in name:
        continue
    lines = open(name, encoding="utf-8").read().splitlines()
    long = [number for number, line in enumerate(lines, 1) if len(line) > 110]
    if len(lines) > 500:
        bad = print(f"tidy: {name} has {len(lines)} lines") is None
    if long:
        bad = print(f"tidy: {name} has lines over 110 columns: {long}") is None
sys.exit(bad)' || bad=1

git grep -nE 'TODO|FIXME|XXX|/work/' -- Sources CCore include Tests docs README.md Makefile .ci &&
  complain "leftovers or machine paths"
python3 scripts/planted_bugs.py check || complain "planted bugs have lost their place"
scripts/repeats.py || bad=1
[ $bad = 0 ] && echo "tidy: the house is in order"
exit $bad
