#!/usr/bin/env bash
# Types every line of docs/WALKTHROUGH.md, as it stands there, in a home of its own. Only ports are free ones.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh

W=$PWD/build/scenarios/walkthrough
rm -rf "$W"; mkdir -p "$W/work"
ports=($(free_ports 4))
awk '/^```sh/ { on = 1; next } /^```/ { on = 0 } on' docs/WALKTHROUGH.md >"$W/lines"
[ "$(wc -l <"$W/lines")" -ge 25 ] || fail "the walkthrough has lost its lines"

cat >"$W/run" <<END
set -euo pipefail
ACD=$PWD/$ACD
ports=(${ports[*]}); next=0
acd() {
  case "\$1 \$2" in
    wallet\ init) "\$ACD" "\$@" ;;
    *\ init) "\$ACD" "\$@" --port "\${ports[\$next]}"; next=\$((next + 1)) ;;
    *) "\$ACD" "\$@" ;;
  esac
}
acd-kiosk() { $PWD/$KIOSK "\$@"; }
trap 'kill \$(jobs -p) 2>/dev/null || true; wait' EXIT
END
# Whoever types waits until a server says that it is ready.
python3 - "$W/lines" >>"$W/run" <<'END'
import shlex, sys
lines = open(sys.argv[1]).read().splitlines()
served = False
for line in lines:
    print("printf '%s\\n'", shlex.quote("$ " + line))
    if line.endswith("&"):
        role = line.split()[1]
        # Not through the function: its subshell would be killed, and not the server.
        print(line.replace("acd ", '"$ACD" ', 1)[:-1] + f'>"$HOME/{role}.ready" 2>"$HOME/{role}.log" &')
        print(f'for _ in $(seq 100); do [ -s "$HOME/{role}.ready" ] && break; sleep 0.1; done')
    else:
        print(line)
END
(cd "$W/work" && HOME=$W bash "$W/run") >"$W/story" 2>&1 || { tail -20 "$W/story" >&2; fail "a line of the walkthrough"; }

for shown in "VALID" "NO FAULT" "bought" "EUR:8.75"; do
  grep -q "$shown" "$W/story" || fail "the walkthrough does not show $shown"
done
[ "$(stat -c %a "$W/.acd/wallet")" = 700 ] || fail "others can read the wallet"
echo "walkthrough.sh: passed"
