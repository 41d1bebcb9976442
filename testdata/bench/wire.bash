# The rows of listen and replay, which run sources: servers and senders on this machine's loopback.
# shellcheck shell=bash
# shellcheck disable=SC2154 # run sets the rest

connections=32
secret=s3cret

write_payload() {
  "$dir/wsk" events example work_order.created --form outbound --json |
    sed 's/"event_id":"[^"]*"/"event_id":"EVENT_ID"/' >"$dir/payload.json"
  if ! grep -q EVENT_ID "$dir/payload.json"; then
    say 'the payload has no event_id'
    return 1
  fi
}

# install_go_peer NAME PACKAGE sets program to where it is, or to nothing.
install_go_peer() {
  say "installing $1"
  if GOBIN=$dir/bin go install "$2@latest" >"$dir/$1.log" 2>&1; then
    program=$dir/bin/$1
  else
    program=$(command -v "$1" || true)
  fi
}

hey=
k6=
webhook=
install_go_peers() {
  if wants listen; then
    install_go_peer webhook github.com/adnanh/webhook
    webhook=$program
  fi
  if wants replay; then
    install_go_peer hey github.com/rakyll/hey
    hey=$program
    install_go_peer k6 go.k6.io/k6
    k6=$program
  fi
}

# launch COMMAND... starts a server; settle is called until it is there.
server=
launch() {
  tries=0
  : >"$dir/server.out"
  ${pin[@]+"${pin[@]}"} "$@" >"$dir/server.out" 2>"$dir/server.err" </dev/null &
  server=$!
}
settle() {
  tries=$((tries + 1))
  if ! kill -0 "$server" 2>/dev/null || [ "$tries" -gt 200 ]; then
    say 'the server did not start'
    cat "$dir/server.out" "$dir/server.err" >&2
    return 1
  fi
  sleep 0.05
}

# serve COMMAND... starts a server, and sets address to the one in its first line.
serve() {
  launch "$@"
  address=
  until [ -n "$address" ]; do
    settle
    address=$(sed -n 's/.*\(127\.0\.0\.1:[0-9][0-9]*\).*/\1/p;q' "$dir/server.out")
  done
}

# serve_silent COMMAND... is serve for one that does not say its address: PORT in its words is a free one.
serve_silent() {
  local port
  port=$((20000 + RANDOM % 12000))
  while answers "$port"; do port=$((port + 1)); done
  address=127.0.0.1:$port
  launch "${@/#PORT/$port}"
  until answers "$port"; do settle; done
}
answers() { (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

stop_server() { # SIGNAL
  [ -n "$server" ] || return 0
  kill "-$1" "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=
}

# drive FLAG... sends to the server, stops it, and sets rate, and answered to how many it took in all.
drive() {
  local bad
  timed "$dir/load" -c "$connections" -warm 500ms -d "${length}s" -secret "$secret" -f "$dir/payload.json" "$@" "$address"
  stop_server TERM
  read -r rate bad answered <"$dir/out"
  if [ "$bad" -ne 0 ] || [ "$answered" -eq 0 ]; then
    say "$answered answers of 200, and $bad others"
    cat "$dir/err" "$dir/server.err" >&2
    return 1
  fi
}

# What was answered with 200 is in the journal, and nothing else is.
listen_wsk() {
  local kept
  rm -f "$dir/journal.db"*
  serve "$dir/wsk" listen --secret "$secret" --port 0 --journal "$dir/journal.db"
  drive
  kept=$("$dir/wsk" journal list --json --limit 1 --journal "$dir/journal.db" | sed -n 's/.*"total":\([0-9]*\).*/\1/p')
  if [ "$kept" != "$answered" ] || ! grep -qx "received: $answered accepted" "$dir/server.err"; then
    say "wsk listen took $answered, and its journal has ${kept:-none}"
    cat "$dir/server.err" >&2
    return 1
  fi
}
listen_light() {
  serve "$dir/wsk" listen --secret "$secret" --port 0 --no-journal
  drive
}
listen_bare() {
  serve "$dir/bare" "$secret"
  drive
}
listen_express() {
  serve env NODE_ENV=production node "$dir/express.js" "$secret"
  drive
}
# It answers before its command has ended, as it does unless it is told otherwise, and 200 to a wrong
# signature unless it is told otherwise.
listen_webhook() {
  cat >"$dir/hooks.json" <<END
[{"id": "bench", "execute-command": "$(type -P true)", "trigger-rule-mismatch-http-response-code": 401, "trigger-rule":
  {"match": {"type": "payload-hmac-sha256", "secret": "$secret", "parameter": {"source": "header", "name": "X-Signature"}}}}]
END
  serve_silent "$webhook" -hooks "$dir/hooks.json" -ip 127.0.0.1 -port PORT
  drive -path /hooks/bench -scheme body -header X-Signature
}

# beside WORK KIND SIDE SIDE-IN-WORDS GOAL FACTOR [OWN] makes a row of the medians of the side OWN (wsk) and
# of SIDE; a FACTOR of - gives no verdict.
beside() {
  local own peer condition=-
  own=$(median <"$dir/$2.${7-wsk}")
  peer=$(median <"$dir/$2.$3")
  if [ "$6" != - ]; then condition="$own / $peer >= $6"; fi
  row "$1" "$(calc %.0f "$own") req/s" "$(calc %.0f "$peer") req/s, $4" "$(calc %.2fx "$own / $peer")" "$5" "$condition"
}

# in_turns KIND SIDE... lets KIND_SIDE set rate, round after round.
in_turns() {
  local kind=$1 round side
  shift
  for round in $(seq "$rounds"); do
    say "$kind: round $round of $rounds"
    for side in "$@"; do
      "${kind}_$side"
      echo "$rate" >>"$dir/$kind.$side"
    done
  done
}

listen_row() {
  local work="listen, all on, $connections connections" sides=(wsk bare light)
  if [ -z "$node_missing" ]; then sides+=(express); fi
  if [ -n "$webhook" ]; then sides+=(webhook); fi
  in_turns listen "${sides[@]}"
  beside "$work" listen bare 'net/http, HMAC alone' '>= 0.4x' 0.4
  beside 'listen, without the journal' listen bare 'net/http, HMAC alone' '>= 0.7x' 0.7 light
  if [ -z "$node_missing" ]; then
    beside "$work" listen express 'express, HMAC alone' '>= 2.5x' 2.5
    notes+=("express $(node -p "require('$dir/node_modules/express/package.json').version") in node $(node --version)")
  else
    row "$work" "$(calc %.0f "$(median <"$dir/listen.wsk")") req/s" "express: $node_missing" - '>= 2.5x' -
  fi
  if [ -n "$webhook" ]; then
    beside "$work" listen webhook 'webhook, HMAC and a command' '>= 2.5x' 2.5
    notes+=("$("$webhook" -version | head -n 1), which answers before its command has ended")
  else
    row "$work" "$(calc %.0f "$(median <"$dir/listen.wsk")") req/s" 'webhook could not be installed: skipped' - '>= 2.5x' -
  fi
  if [ "$(stat -f -c %T "$dir" 2>/dev/null)" = tmpfs ]; then notes+=('the journal was in memory, where making it durable costs nothing'); fi
}

# flood_side NAME FLAG... measures a listener alone and beside a flood of refused requests, whose senders
# yield to it, as those on other machines would. Growth is what the flood adds to the journal.
growth=0
flood=0
flood_side() {
  local side=$1 flooder
  shift
  rm -f "$dir/journal.db"*
  serve "$dir/wsk" listen --secret "$secret" --port 0 "$@"
  "$dir/flood" -rate 50 -d 1s -secret "$secret" "$address" >/dev/null
  good "$side.quiet"
  nice -n 19 "$dir/flood" -c 4 -d "$((length + 2))s" "$address" >"$dir/flood.out" &
  flooder=$!
  sleep 1
  good "$side.flooded"
  wait "$flooder"
  stop_server TERM
  read -r refused bad <"$dir/flood.out"
  if [ -f "$dir/journal.db" ]; then growth=$(wc -c <"$dir/journal.db") flood=$refused; fi
  if [ "$bad" -ne 0 ] || [ "$refused" -eq 0 ]; then
    say "of $refused requests of the flood, $bad were not answered with 401"
    return 1
  fi
}
good() { # NAME
  local p99
  read -r p99 bad < <("$dir/flood" -rate 50 -d "${length}s" -secret "$secret" "$address")
  if [ "$bad" -ne 0 ]; then
    say "$bad good requests were not answered with 200"
    return 1
  fi
  echo "$p99" >>"$dir/flood.$1"
}

flood_row() {
  local round side quiet flooded
  for round in $(seq "$rounds"); do
    say "flood: round $round of $rounds"
    flood_side journal --journal "$dir/journal.db"
    flood_side none --no-journal
  done
  for side in journal none; do
    quiet=$(median <"$dir/flood.$side.quiet")
    flooded=$(median <"$dir/flood.$side.flooded")
    row "listen beside a flood, p99, journal: $side" "$flooded ms" "$quiet ms without it" "$(calc %.1fx "$flooded / $quiet")" '<= 2x' "$flooded / $quiet <= 2"
  done
  row "its journal after $flood refused bodies of 1 MiB" "$(calc %.1f "$growth / 1048576") MiB" - - '<= 80 MiB' "$growth <= 80 * 1048576"
}

# What was answered with 200 was taken, beside the project.
sandbox_wsk() {
  rm -f "$dir/box.db"*
  serve "$dir/wsk" sandbox --secret "$secret" --api-key key --port 0 --data "$dir/box.db" --no-limits
  "$dir/wsk" send project.created --set data.project_code=BENCH --url "http://$address/webhooks/inbound" --api-key key --secret "$secret" --no-journal >/dev/null
  drive -path /webhooks/inbound -api-key key -f "$dir/inbound.json"
  if ! grep -q "^received: $((answered + 1)) accepted; " "$dir/server.err"; then
    say "wsk sandbox answered $answered with 200, and says"
    cat "$dir/server.err" >&2
    return 1
  fi
}
sandbox_listen() { listen_wsk; }

sandbox_row() {
  "$dir/wsk" events example work_order.created --form inbound --json |
    sed 's/"project_code":"[^"]*"/"project_code":"BENCH"/; s/"phase_name":"[^"]*"/"phase_name":"EVENT_ID"/' >"$dir/inbound.json"
  in_turns sandbox wsk listen
  beside "sandbox, work_order.created, $connections connections" sandbox listen 'wsk listen, all on' - -
}

# What came of one sender, in whose output it looks for an answer that was not 200.
replay_wsk() {
  timed "$dir/wsk" replay "$dir/payload.json" --to "http://$address" --secret "$secret" --rate max --duration "${length}s" --concurrency "$connections" --json
  rate=$(sed -n 's/.*"achieved_rate":\([0-9.]*\).*/\1/p' "$dir/out")
  passed grep -q '"unsent":0,"success":1,' "$dir/out"
}
replay_hey() {
  timed "$hey" -z "${length}s" -c "$connections" -m POST -T application/json -D "$dir/payload.json" ${signed[@]+"${signed[@]}"} "http://$address/"
  rate=$(awk '/Requests\/sec:/ {print $2}' "$dir/out")
  # shellcheck disable=SC2016 # awk expands it
  passed awk '/^ *\[/ {n++; if ($1 != "[200]") bad = 1} END {exit bad || !n}' "$dir/out"
}
replay_k6() { send_k6 each; }
replay_k6once() { send_k6 once; }
send_k6() {
  timed "$k6" run --quiet --no-color --no-usage-report --address '' --vus "$connections" --duration "${length}s" \
    -e "URL=http://$address/" -e "FILE=$dir/payload.json" -e "SECRET=$secret" -e "SIGN=$1" testdata/bench/k6.js
  rate=$(awk 'NF == 2 {print $1}' "$dir/out")
  # shellcheck disable=SC2016 # awk expands it
  passed awk 'NF == 2 {n++; if ($2 != 0) bad = 1} END {exit bad || !n}' "$dir/out"
}
passed() {
  if [ -z "$rate" ] || ! "$@"; then
    say 'not all that was sent was answered with 200:'
    cat "$dir/out" "$dir/err" >&2
    return 1
  fi
}

replay_row() {
  local work="replay --rate max, $connections connections" sides=(wsk) line whole=$length
  # Beforehand: what it sends is signed, as a receiver that looks finds. The target of the rounds does not look.
  serve "$dir/bare" "$secret"
  length=0.3
  replay_wsk
  length=$whole
  stop_server TERM
  "$dir/wsk" sign -f "$dir/payload.json" --secret "$secret" >"$dir/signed"
  signed=(-H 'X-Webhook-Event: work_order.created')
  while read -r line; do signed+=(-H "$line"); done <"$dir/signed"
  if [ -n "$hey" ]; then sides+=(hey); fi
  if [ -n "$k6" ]; then sides+=(k6 k6once); fi
  serve "$dir/bare" -open
  in_turns replay "${sides[@]}"
  stop_server TERM
  if [ -n "$hey" ]; then
    beside "$work" replay hey 'hey, presigned' '>= 1.3x' 1.3
  else
    row "$work" "$(calc %.0f "$(median <"$dir/replay.wsk")") req/s" 'hey could not be installed: skipped' - '>= 1.3x' -
  fi
  # The goal is beside the same work; what k6 sends without signing has a row of its own.
  if [ -n "$k6" ]; then
    beside "$work" replay k6 'k6, each signed' '>= 2.5x' 2.5
    beside "$work" replay k6once 'k6, presigned' - -
    notes+=("$("$k6" version | head -n 1)")
  else
    row "$work" "$(calc %.0f "$(median <"$dir/replay.wsk")") req/s" 'k6 could not be installed: skipped' - '>= 2.5x' -
  fi
}
