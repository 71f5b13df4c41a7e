#!/bin/bash
# The completion scripts know every command, and bash can use its own.
spur=$1
failed=0
commands=$("$spur" --help | sed -n '/^Subcommands:/,/^$/p' | awk '/^  [a-z]/ {print $1}')
[ -n "$commands" ] || { echo "no commands in --help"; exit 1; }
for shell in bash zsh fish; do
  script=$("$spur" completion $shell) || failed=1
  for command in $commands; do
    grep -q -- "$command" <<<"$script" || { echo "completion $shell does not know $command"; failed=1; }
  done
  if command -v $shell >/dev/null; then
    $shell -n <<<"$script" || { echo "completion $shell is no $shell"; failed=1; }
  fi
done

# shellcheck disable=SC1090
source <("$spur" completion bash)
complete_line() {  # the words so far, the last to be completed
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  _spur
  echo "${COMPREPLY[*]}"
}
[ "$(complete_line spur expl)" = explain ] || { echo "spur expl: $(complete_line spur expl)"; failed=1; }
[ "$(complete_line spur test --ver)" = --verbose ] || { echo "spur test --ver: $(complete_line spur test --ver)"; failed=1; }
exit $failed
