# Sourced by the scripts beside it: runs their parts one after another, and counts.

scratch=$(mktemp -d)
# Tests run commands as another user, who must get to what is built in it.
chmod 711 "$scratch"
trap 'rm -rf "$scratch"' EXIT
total=0
passed=0
table=
notes=

# part NAME COMMAND…: runs the command and adds the totals at the end of its output to the counts. A command that fails
# with no failed test counts as one.
part() {
  local name=$1 start=$SECONDS status=0 t p line
  shift
  printf '\n== %s\n' "$name"
  "$@" 2>&1 | tee "$scratch/log" || status=$?
  t=$(sed 's/\x1b\[[0-9;]*m//g' "$scratch/log" | awk '/^ *Total:/ { n = $2 } END { print n + 0 }')
  p=$(sed 's/\x1b\[[0-9;]*m//g' "$scratch/log" | awk '/^ *Passed:/ { n = $2 } END { print n + 0 }')
  if [ "$status" -ne 0 ] && [ "$t" -eq "$p" ]; then t=$((t + 1)); fi
  total=$((total + t))
  passed=$((passed + p))
  table+=$(printf '%6.1f min  %s' "$(awk "BEGIN { print ($SECONDS - $start) / 60 }")" "$name")
  [ "$t" -eq 0 ] || table+=" ($p / $t)"
  [ "$status" -eq 0 ] || table+=', FAILED'
  while IFS= read -r line; do note "$line"; done < <(sed -n 's/^note: //p' "$scratch/log")
  table+=$'\n'
}

# note TEXT: a line for the end.
note() {
  notes+="$1"$'\n'
}

# Prints the minutes of each part and the counts; the exit code says whether all is well.
finish() {
  printf '\n%s%6.1f min  in all\n%s' "$table" "$(awk "BEGIN { print $SECONDS / 60 }")" "$notes"
  echo "$passed passed, $((total - passed)) failed"
  [ "$passed" -eq "$total" ]
}
