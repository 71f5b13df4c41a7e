#!/bin/sh
# What `spur` answers: 0 fine, 1 the answer is no, 2 wrong use or input, 3 the world.
spur=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

# expect CODE PATTERN COMMAND…: the exit code, and something that its output says.
expect() {
  code=$1 pattern=$2
  shift 2
  output=$("$@" 2>&1)
  got=$?
  if [ "$got" -ne "$code" ] || ! printf '%s' "$output" | grep -q -- "$pattern"; then
    printf 'FAILED: %s\n  expected %s and "%s"\n  got %s: %s\n' "$*" "$code" "$pattern" "$got" "$output"
    failed=1
  fi
}

cat >"$folder/catalog.yaml" <<'CATALOG'
apiVersion: spur/v1
kind: Channel
metadata: {name: email}
spec: {}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: hello}
spec: {event: {on: Hello}, actions: [{channel: email, template: hi}]}
CATALOG
tests='catalog: .
start: 2026-03-01T08:00:00Z
tests:
  - name: hello is answered
    events: [{at: 0m, customer: ann, event: Hello}]
    expect: [{at: 0m, trigger: hello, template: '
printf '%shi}]\n' "$tests" >"$folder/hello_test.yaml"
expect 0 '1 passed, 0 failed' "$spur" test "$folder"
expect 0 'passed: hello is answered' "$spur" test --verbose "$folder/hello_test.yaml"
expect 2 'no test has a name' "$spur" test "$folder" --run nothing
expect 2 'no regular expression' "$spur" test "$folder" --run '('

printf '%shey}]\n' "$tests" >"$folder/hello_test.yaml"
expect 1 'template: expected hey, got hi' "$spur" test "$folder"
expect 1 'hello_test.yaml:4:5: FAILED: hello is answered' "$spur" test "$folder"
expect 1 '0 passed, 1 failed' "$spur" test "$folder"

printf '%shi, tigger: x}]\n' "$tests" >"$folder/hello_test.yaml"
expect 2 'hello_test.yaml:6:.*unknown key `tigger` in an expectation; did you mean `trigger`' "$spur" test "$folder"
expect 2 '1 file not read' "$spur" test "$folder"
mkdir "$folder/empty"
expect 2 'no trigger tests below it' "$spur" test "$folder/empty"
expect 2 'no such file' "$spur" test "$folder/nowhere"

expect 0 'fine; 1 trigger, 0 features, 1 channel' "$spur" validate "$folder"
# Applied by mistake, it would end everything that is open.
expect 2 'no catalog files here' "$spur" validate "$folder/empty"
# Expressions.
expect 0 'type:  double' "$spur" eval '1 + 0.5'
expect 0 'value: 1.5' "$spur" eval '1 + 0.5'
expect 2 '    ^' "$spur" eval --strict '1 + 0.5'
expect 1 'error: divide by zero' "$spur" eval '1 / 0'
expect 2 'write an expression' "$spur" eval
expect 0 'value: 1' "$spur" eval -- '-1 + 2'
printf '{"type":"track","event":"Order Completed","userId":"ann","timestamp":"2026-03-01T08:00:00Z","properties":{"total":120}}' \
  >"$folder/order.json"
expect 0 'value: true' "$spur" eval --event "$folder/order.json" 'event.properties.total >= 100 && event.name == "Order Completed"'
expect 1 'event.properties.sum is missing' "$spur" eval --event "$folder/order.json" 'event.properties.sum >= 100'
expect 2 'give one with --event' "$spur" eval 'event.properties.total >= 100'
expect 2 'NOT_JSON' "$spur" eval --event "$folder/catalog.yaml" 'event.id'
expect 2 'No such file' "$spur" eval --event "$folder/nowhere" 'event.id'
head -c 1048577 /dev/zero >"$folder/large"
expect 2 'has more than 1048576 bytes' "$spur" eval --event "$folder/large" 'event.id'
printf '{"expr":"1 + 0.5"}\n' >"$folder/lines"
expect 0 '^{"value":{"doubleValue":1.5}}$' "$spur" eval --lines "$folder/lines"
expect 0 '^{"error":"check","message":' "$spur" eval --lines --strict "$folder/lines"
printf 'what\n' >>"$folder/lines"
expect 2 '1 line could not be read' "$spur" eval --lines "$folder/lines"

expect 0 'json-schema.org/draft-07' "$spur" schema
# Layout. The catalog above is formatted; this one is not.
expect 0 'formatted' sh -c "'$spur' fmt --check '$folder' && echo formatted"
mkdir "$folder/untidy"
cat >"$folder/untidy/catalog.yaml" <<'CATALOG'
kind: Channel # where to
apiVersion: spur/v1
metadata: {name: "email"}
spec: {}
CATALOG
chmod 640 "$folder/untidy/catalog.yaml"
expect 1 'catalog.yaml: not formatted' "$spur" fmt --check "$folder/untidy"
expect 1 '^-metadata: {name: "email"}$' "$spur" fmt --diff "$folder/untidy"
expect 0 'fine' "$spur" validate "$folder/untidy"
expect 0 'untidy/catalog.yaml' "$spur" fmt "$folder/untidy"
expect 0 'kind: Channel  # where to' cat "$folder/untidy/catalog.yaml"
expect 0 '^-rw-r-----' ls -l "$folder/untidy/catalog.yaml"
expect 0 '^formatted' sh -c "'$spur' fmt --check '$folder/untidy' && echo formatted"
expect 2 'cannot be opened' "$spur" fmt "$folder/nowhere"
expect 2 'no catalog files' "$spur" fmt "$folder/empty"
printf 'kind: &a Channel\n' >"$folder/untidy/catalog.yaml"
expect 2 'catalog.yaml:1:7: what stands here can be read and not be laid out' "$spur" fmt "$folder/untidy"
rm -r "$folder/untidy"

# A catalog to begin with, and what a change of it does.
expect 0 'catalog.yaml' "$spur" init "$folder/first"
expect 0 'fine; 1 trigger,' "$spur" validate "$folder/first"
expect 0 '4 passed, 0 failed' "$spur" test "$folder/first"
expect 0 'formatted' sh -c "'$spur' fmt --check '$folder/first' && echo formatted"
expect 0 'first: 6 of 9 parts covered' "$spur" test "$folder/first" --coverage
expect 0 'catalog.yaml:32:13: Trigger cart-abandoned: `cooldown`' "$spur" test "$folder/first" --coverage
expect 0 'fine' "$spur" validate "$folder/first" --strict-warnings
sed -i 's/closes: {on: Order Completed}/closes: {on: Order Complted}/' "$folder/first/catalog.yaml"
expect 0 'catalog.yaml:29:18: no Source and no Feature knows an event `Order Complted`; did you mean `Order Completed`' \
  "$spur" validate "$folder/first"
expect 1 '1 warning' "$spur" validate "$folder/first" --strict-warnings
expect 1 'coverage is told when all its tests pass' "$spur" test "$folder/first" --coverage
sed -i 's/Order Complted/Order Completed/' "$folder/first/catalog.yaml"
expect 2 'is not empty' "$spur" init "$folder/first"
expect 2 'is no folder' "$spur" init "$folder/order.json"
expect 0 'catalog.yaml' "$spur" init "$folder/empty"
rm -r "$folder/empty" && mkdir "$folder/empty"
expect 0 '1 page and an index' "$spur" docs "$folder/first" --out "$folder/site"
expect 0 '1 page and an index' "$spur" docs "$folder/first" --out "$folder/site" --format html
expect 0 'Waits from Product Added' cat "$folder/site/triggers/cart-abandoned.md"
expect 0 '<svg viewBox' cat "$folder/site/triggers/cart-abandoned.html"
expect 3 'order.json' "$spur" docs "$folder/first" --out "$folder/order.json"
cp -r "$folder/first" "$folder/second"
expect 0 'the same' sh -c "'$spur' diff '$folder/first' '$folder/second' && echo the same"
sed -i 's/after: 1h/after: 2h/' "$folder/second/catalog.yaml"
expect 1 'spec.absence.after: 1h -> 2h' "$spur" diff "$folder/first" "$folder/second"
expect 1 '"same":false' "$spur" diff "$folder/first" "$folder/second" --json
expect 2 'cannot be read' "$spur" diff "$folder/nowhere" "$folder/second"
rm -r "$folder/first" "$folder/second"

expect 2 '' "$spur" nonsense
expect 2 '' "$spur" get
expect 3 'could not be written: No space left' sh -c "'$spur' validate '$folder' >/dev/full"
expect 0 'Examples' "$spur" publish --help
expect 0 '^spur ' "$spur" --version

# Dead letters are told by file and line, blank lines counted, and one beyond the limit by that.
printf '\n\n{"type":"track"}\n' >"$folder/bad.jsonl"
expect 0 'bad.jsonl:3: MISSING_EVENT_NAME' "$spur" backtest --catalog "$folder" --events "$folder/bad.jsonl"
head -c 3000000 /dev/zero | tr '\0' ' ' >"$folder/long.jsonl"
expect 0 'long.jsonl:1: TOO_LARGE' "$spur" backtest --catalog "$folder" --events "$folder/long.jsonl"

# Business data beside events.
mkdir "$folder/prices"
cat >"$folder/prices/catalog.yaml" <<'CATALOG'
apiVersion: spur/v1
kind: Reference
metadata: {name: products}
spec: {topic: products, key: body.id}
CATALOG
printf '{"id":"p1"}\n{"price":1}\n[]\n' >"$folder/prices.jsonl"
prices="$spur backtest --catalog $folder/prices --events $folder/order.json"
expect 0 'prices.jsonl:2: MISSING_KEY' $prices --reference "products=$folder/prices.jsonl"
expect 0 'prices.jsonl:3: WRONG_TYPE' $prices --reference "products=$folder/prices.jsonl"
expect 2 '`products` is no NAME=FILE' $prices --reference products
expect 2 'the catalog has no Reference `prices`' $prices --reference "prices=$folder/prices.jsonl"
expect 2 "$folder/nowhere" $prices --reference "products=$folder/nowhere"
printf '\037\213\010' >"$folder/prices.jsonl.gz"
expect 2 'prices.jsonl.gz' $prices --reference "products=$folder/prices.jsonl.gz"

# The time line of one customer.
cat >"$folder/hello.jsonl" <<'EVENTS'
{"type":"track","messageId":"1","userId":"ann","event":"Hello","timestamp":"2026-03-01T08:00:00Z"}
{"type":"track","messageId":"2","userId":"bob","event":"Hello","timestamp":"2026-03-01T09:00:00Z"}
EVENTS
for nobody in '' user_id:; do
  expect 2 'customer: say whom' "$spur" backtest --catalog "$folder" --events "$folder/long.jsonl" --customer "$nobody"
done
expect 2 'name a file' "$spur" backtest --catalog "$folder" --events "$folder/long.jsonl" --customer ann --decisions -
line="$spur backtest --catalog $folder --events $folder/hello.jsonl"
expect 0 '08:00:00.000  ●  Hello' $line --customer ann
expect 0 '▶  hello  email hi  sent' $line --customer user_id:ann
expect 0 'nothing happened to this customer' $line --customer carl
expect 0 '"event":"Hello"' $line --customer ann --json
expect 0 '08:00:00.000' $line --customer ann --svg "$folder/ann.svg"
expect 0 '<title id="title">Time line of user_id:ann</title>' cat "$folder/ann.svg"
expect 2 'has no Trigger `goodbye`' $line --customer ann --trigger goodbye
expect 2 '--customer' $line --svg "$folder/ann.svg"
expect 3 'no-such-folder' $line --customer ann --svg "$folder/no-such-folder/ann.svg"
# One who is known by a card: by the kind that the catalog maps, else it is a user id.
expect 0 'nothing happened to this customer' $line --customer loyalty_id:7
mkdir "$folder/club"
cat - "$folder/catalog.yaml" >"$folder/club/catalog.yaml" <<'CATALOG'
apiVersion: spur/v1
kind: Source
metadata: {name: club}
spec: {format: json, map: {name: "'Hello'", time: body.at, identities: {loyalty_id: body.card}}}
---
CATALOG
echo '{"card":7,"at":"2026-03-01T08:00:00Z"}' >"$folder/club/bills.jsonl"
line="$spur backtest --catalog $folder/club --events $folder/club/bills.jsonl"
expect 0 '▶  hello  email hi  sent' $line --customer loyalty_id:7
expect 0 'nothing happened to this customer' $line --customer user_id:loyalty_id:7
expect 0 '"customer":"loyalty_id:7"' $line --decisions - --quiet
rm -r "$folder/club"

# Port 1 of this machine has no daemon.
for command in 'get ann' 'explain ann' 'subscribe email' "apply $folder" "diff $folder" "publish $folder/hello_test.yaml"; do
  # shellcheck disable=SC2086
  expect 3 'no daemon at 127.0.0.1:1: start it with `spurd --embedded DIR`' \
    "$spur" $command --address 127.0.0.1:1 --timeout 0.2
done
expect 3 'no daemon at 127.0.0.1:1' env SPUR_ADDRESS=127.0.0.1:1 "$spur" get ann --timeout 0.2
expect 2 'give --kafka-brokers, --embedded or --config' "$spur" audit
expect 2 'give --kafka-brokers, --embedded or --config' "$spur" audit --embedded x --kafka-brokers y
expect 2 'there is no deployment in' "$spur" audit --embedded "$folder/empty"
expect 2 'write NAME=VALUE' "$spur" audit --kafka-brokers 127.0.0.1:1 --kafka-property x
expect 2 'is the cluster up' "$spur" audit --kafka-brokers 127.0.0.1:1
expect 0 'Exit codes: 0 clean' "$spur" audit --help
expect 2 'is no instant' "$spur" explain ann --at yesterday
expect 2 'is no cursor' "$spur" subscribe email --cursor '*'
exit $failed
